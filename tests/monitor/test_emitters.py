"""
That every kind of event is emitted, and by the servers that the catalogue names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.catalogue import CATALOGUE
from sipsorcery.monitor.event import EventKind
from tests import ROOT

# Those that listen, or look kinds up; what else names a kind emits it.
_LISTENING = {"wants", "subscribe"}
# The rooms of servers whose name is another one.
_SERVERS = {"console": "ssh"}
# Rooms that act for whichever server they are in.
_SHARED = {"access", "tap"}
# The monitor shows what others emit: one who stores or draws events emits none.
_PASSIVE = {"monitor", "testing", "cli"}


class Named(ast.NodeVisitor):
    """
    Finds the kinds that a module names otherwise than to listen.
    """

    def __init__(self) -> None:
        self.kinds: set[EventKind] = set()

    def visit_Call(self, node: ast.Call) -> None:
        """
        Pass over a question whether somebody listens, and over listening.
        """
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        if name not in _LISTENING:
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """
        Pass over looking at the kind of an event.
        """

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """
        Note a kind.
        """
        if isinstance(node.value, ast.Name) and node.value.id == "EventKind":
            self.kinds.add(EventKind[node.attr])
        self.generic_visit(node)


def emitted() -> Iterator[tuple[str, EventKind]]:
    """
    Give what each room emits.
    """
    for file in sorted((ROOT / "sipsorcery").rglob("*.py")):
        room = file.relative_to(ROOT / "sipsorcery").parts[0]
        if room not in _PASSIVE:
            named = Named()
            named.visit(ast.parse(file.read_text("utf-8")))
            yield from ((room, kind) for kind in named.kinds)


class EmittersTests(SynchronousTestCase):
    """
    The catalogue and the servers.
    """

    def setUp(self) -> None:
        self.rooms: dict[EventKind, set[str]] = {}
        for room, kind in emitted():
            self.rooms.setdefault(kind, set()).add(room)

    def test_each_kind_has_an_emitter(self) -> None:
        """
        There is no kind that nobody emits, of the servers that there are.
        """
        there_is_a_console = (ROOT / "sipsorcery/console/service.py").exists()
        for entry in CATALOGUE:
            if "ssh" in entry.servers and not there_is_a_console:
                continue
            self.assertTrue(self.rooms.get(entry.kind), entry.kind)

    def test_servers(self) -> None:
        """
        A kind is emitted by the servers that its entry names, and by no others.
        """
        for entry in CATALOGUE:
            rooms = self.rooms.get(entry.kind, set())
            servers = {_SERVERS.get(room, room) for room in rooms - _SHARED}
            if entry.servers:
                self.assertLessEqual(servers, {*entry.servers}, entry.kind)
            if entry.servers and rooms and not rooms & _SHARED:
                self.assertLessEqual(
                    {*entry.servers} - {"monitor"}, servers, entry.kind
                )
