"""
The rules about who may import whom, kept by walking the imports of every module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests import ROOT

# What each room may import, beside itself. A room is a package or a module that stands
# directly below sipsorcery. Whoever adds a room says here where it stands.
_TEXT = {"sip", "sdp", "stun", "rtp"}
_STACK = _TEXT | {"endpoint", "transaction", "dialog", "transport", "ua"}
_COMMON = {"regex", "config", "control", "store", "access", "monitor", "dispatch"}
_ROLES = {
    "proxy",
    "registrar",
    "regagent",
    "appserver",
    "notifier",
    "watchtower",
    "console",
    "web",
}
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),  # sipsorcery/__init__.py
    "sip": set(),
    "sdp": set(),
    "stun": set(),
    "rtp": set(),
    "endpoint": {"sip"},
    "regex": {"sip"},
    "transaction": {"sip"},
    "dialog": {"sip", "sdp", "transaction"},
    "transport": _TEXT | {"endpoint", "transaction"},
    "ua": _TEXT | {"endpoint", "transaction", "dialog", "transport"},
    "config": {"sip", "endpoint"},
    "control": {"config"},
    "monitor": _STACK | {"regex", "config", "control", "store"},
    "store": {"sip", "endpoint", "config", "dialog"},
    "dispatch": _STACK | {"config", "store"},
    "access": _STACK | {"config", "store", "monitor"},
    "logs": {"config", "monitor"},
    "softphone": _STACK,
    **dict.fromkeys(_ROLES, _STACK | _COMMON),
    "tap": _STACK | _COMMON | _ROLES | {"logs"},
    "cli": _STACK | _COMMON | _ROLES,
    "__main__": {"cli"},
    "testing": _STACK | _COMMON | _ROLES | {"softphone", "tap", "cli"},
}

# These decide and remember, and leave it to others to act: no reactor, no socket, no
# clock, no log. The time is an argument.
PURE = _TEXT | {"endpoint", "regex", "transaction", "dialog", "config"}
IMPURE_MODULES = {
    "asyncio",
    "logging",
    "sched",
    "select",
    "selectors",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "twisted",
}


class Module:
    """
    One module of the package: where it stands and what it imports.
    """

    def __init__(self, name: str, source: str) -> None:
        """
        :param name: dotted, such as ``sipsorcery.sip.via``.
        """
        self.name = name
        self.tree = ast.parse(source)
        _, *path = name.split(".")
        self.room = path[0] if path else ""
        self.is_pure = (
            # Their Twisted protocols live beside them.
            (self.room in PURE and path[1:] != ["protocol"])
            or (self.room in _ROLES and path[1:] == ["core"])
        )

    def imports(self) -> Iterator[tuple[str, str]]:
        """
        Give each import: the function it stands in, or "", and what is imported, as
        ``package.module.name``.
        """
        yield from self._imports(self.tree, "")

    def _imports(self, node: ast.AST, function: str) -> Iterator[tuple[str, str]]:
        match node:
            case ast.Import(names):
                yield from ((function, each.name) for each in names)
            case ast.ImportFrom(module, names, level):
                # Relative ones leave nothing to check: ruff refuses them (TID252).
                assert level == 0, f"{self.name} has a relative import"
                yield from ((function, f"{module}.{each.name}") for each in names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                function = name
        for child in ast.iter_child_nodes(node):
            yield from self._imports(child, function)

    def faults(self) -> Iterator[str]:
        """
        Tell each rule that this module breaks, as a sentence.
        """
        if self.room not in MAY_IMPORT:
            yield f"{self.name}: MAY_IMPORT does not say what {self.room} may import"
            return
        for function, target in self.imports():
            top, *rest = target.split(".")
            if top == "sipsorcery" and not self._may_import(rest):
                yield f"{self.name} imports {target}"
            if self.is_pure and top in IMPURE_MODULES:
                yield f"{self.name} is pure, yet imports {target}"
            if target.startswith("twisted.internet.reactor") and not (
                self.room == "tap" and function == "makeService"
            ):
                yield f"{self.name} imports the reactor"

    def _may_import(self, path: list[str]) -> bool:
        """
        Tell whether the room may use a module or name at *path* below sipsorcery.
        """
        if path in ([], ["__version__"]):
            return True
        return path[0] == self.room or path[0] in MAY_IMPORT[self.room]


def modules() -> Iterator[Module]:
    """
    Read every module of the package.
    """
    for file in sorted((ROOT / "sipsorcery").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        yield Module(".".join(parts), file.read_text("utf-8"))


class LayersTests(SynchronousTestCase):
    """
    The house itself.
    """

    def test_every_module_keeps_the_rules(self) -> None:
        """
        Imports go downwards only, pure modules touch nothing that acts, and only
        makeService of a tap module imports the reactor.
        """
        faults = [fault for module in modules() for fault in module.faults()]
        self.assertEqual(faults, [])

    def test_the_walk_finds_the_package(self) -> None:
        """
        The walk sees the modules in the rooms, else the test above checks nothing.
        """
        names = {module.name for module in modules()}
        self.assertIn("sipsorcery", names)
        self.assertIn("sipsorcery.sip.errors", names)

    def test_plugins_are_only_declared(self) -> None:
        """
        The plugin file, which every twistd command imports, holds nothing but an import
        and ServiceMaker lines.
        """
        file = ROOT / "twisted" / "plugins" / "sipsorcery_plugins.py"
        first, *others = ast.parse(file.read_text("utf-8")).body
        self.assertEqual(
            ast.unparse(first), "from twisted.application.service import ServiceMaker"
        )
        for statement in others:
            match statement:
                case ast.Assign(value=ast.Call(func=ast.Name("ServiceMaker"))):
                    pass
                case _:
                    self.fail(f"{file.name}, line {statement.lineno}")


class CheckerTests(SynchronousTestCase):
    """
    The checker, on modules that break a rule and on some that only look so.
    """

    def assert_faults(self, name: str, source: str, *expected: str) -> None:
        """
        Check that a module of that name and source breaks exactly these rules.
        """
        self.assertEqual(list(Module(name, source).faults()), list(expected))

    def test_import_upwards(self) -> None:
        """
        A lower room does not import a higher one, however the import is spelled.
        """
        for source in (
            "import sipsorcery.transport.udp",
            "from sipsorcery import transport",
            "from sipsorcery.transport import udp",
            "def f():\n    import sipsorcery.transport",
            "if TYPE_CHECKING:\n    from sipsorcery.transport import udp",
        ):
            (fault,) = Module("sipsorcery.sip.via", source).faults()
            self.assertIn("sipsorcery.sip.via imports sipsorcery.transport", fault)

    def test_import_downwards(self) -> None:
        """
        A higher room imports a lower one, each room itself, and anybody the version.
        """
        self.assert_faults("sipsorcery.transport.udp", "import sipsorcery.sip.via")
        self.assert_faults("sipsorcery.sip.via", "import sipsorcery.sip.errors")
        self.assert_faults("sipsorcery.ua.call", "from sipsorcery import __version__")
        self.assert_faults("sipsorcery.tap.proxy", "import sipsorcery.proxy.service")

    def test_role_imports_role(self) -> None:
        """
        A role never imports another.
        """
        self.assert_faults(
            "sipsorcery.proxy.service",
            "from sipsorcery.registrar import core",
            "sipsorcery.proxy.service imports sipsorcery.registrar.core",
        )

    def test_stack_knows_no_role(self) -> None:
        """
        Transports and user agents know no role.
        """
        for name in ("sipsorcery.transport.udp", "sipsorcery.ua.call"):
            self.assert_faults(
                name, "import sipsorcery.proxy", f"{name} imports sipsorcery.proxy"
            )

    def test_only_tests_import_the_doubles(self) -> None:
        """
        Nothing that runs in production imports sipsorcery.testing.
        """
        for room in set(MAY_IMPORT) - {"", "testing"}:
            self.assertNotIn("testing", MAY_IMPORT[room])

    def test_pure_room_acts(self) -> None:
        """
        A pure module imports no Twisted, socket, clock or log, not even for types.
        """
        for source in (
            "import time",
            "import socket as s",
            "from twisted.internet import defer",
            "if TYPE_CHECKING:\n    import twisted.python.failure",
        ):
            for name in (
                "sipsorcery.sip.via",
                "sipsorcery.stun.message",
                "sipsorcery.transaction.invite_client",
                "sipsorcery.proxy.core",
            ):
                (fault,) = Module(name, source).faults()
                self.assertIn(f"{name} is pure, yet imports", fault)

    def test_protocol_of_pure_room(self) -> None:
        """
        The Twisted protocol beside a codec, and what is around a role's core, may act.
        """
        source = "import time\nfrom twisted.internet import protocol"
        self.assert_faults("sipsorcery.stun.protocol", source)
        self.assert_faults("sipsorcery.proxy.service", source)

    def test_reactor(self) -> None:
        """
        The reactor is an argument everywhere but inside a tap module's makeService.
        """
        for line in (
            "from twisted.internet import reactor",
            "import twisted.internet.reactor",
            "from twisted.internet.reactor import callLater",
        ):
            inside = f"def makeService(options):\n    {line}"
            elsewhere = f"def main():\n    {line}"
            self.assert_faults("sipsorcery.tap.proxy", inside)
            for name, source in (
                ("sipsorcery.tap.proxy", line),
                ("sipsorcery.tap.proxy", elsewhere),
                ("sipsorcery.transport.udp", inside),
                ("sipsorcery.cli.main", elsewhere),
            ):
                self.assert_faults(name, source, f"{name} imports the reactor")

    def test_unknown_room(self) -> None:
        """
        A room that the table does not name is a fault until somebody places it.
        """
        self.assert_faults(
            "sipsorcery.attic.box",
            "",
            "sipsorcery.attic.box: MAY_IMPORT does not say what attic may import",
        )
