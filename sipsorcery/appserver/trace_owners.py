"""
Whose the traces of calls are.

The proxy that traces messages does not know. Who has the call says it for each request:
of one that has come, by the branch of the proxy's Via, and of one that is sent, by what
the proxy makes of ours. The responses go with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, TypeVar

from sipsorcery.appserver.calls.connection import Connection
from sipsorcery.appserver.events import Events
from sipsorcery.dialog.dialog import DialogID
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.origin import origin_of
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, FROM, TO, VIA
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.via import Via
from sipsorcery.transport.flow import Flow

# Dialogs that are remembered beside the established calls: those that ring, and those
# whose last messages are under way. At 500 calls a second, those of ten seconds.
_RECENT = 10_000
# Of a sent-by that names none.
_PORT = 5060

_K = TypeVar("_K")
_V = TypeVar("_V")

#: Finds the established call that a dialog is of.
Find: TypeAlias = Callable[[DialogID], Connection | None]


class Belonging(NamedTuple):
    """
    Whose a dialog is.

    :ivar call: the identifier of the call.
    """

    owner: str
    call: str


class TraceOwners:
    """
    Tells whose the messages of calls are, for as long as somebody wants to know.

    A dialog is known by its Call-ID and by the tag that we have made, which nobody
    guesses: never by a Call-ID alone, which others could use, too.

    :param events: take what is told.
    :param limit: how many dialogs are remembered beside the established ones.
    """

    def __init__(self, events: Events, limit: int = _RECENT) -> None:
        self._events = events
        self._limit = limit
        self._recent: dict[tuple[str, str], Belonging] = {}
        # Via branches of requests that were asked for credentials.
        self._challenged: dict[tuple[str, str, Endpoint], str] = {}
        self._established: Find = lambda id: None

    def follow(self, established: Find) -> None:
        """
        Know the established calls, too.
        """
        self._established = established

    def challenged(self, request: Request, source: Endpoint) -> None:
        """
        Hear of a request that was asked for credentials: it is nobody's for now.

        :param source: where it really came from.
        """
        if self._is_wanted:
            _keep(
                self._challenged,
                _beginning(request, source),
                request[VIA].branch or "",
                self._limit,
            )

    def received(
        self, request: Request, belonging: Belonging, tag: str, source: Endpoint
    ) -> None:
        """
        Tell whose a request is that has begun something, and what will come of it.

        The one before it, of the same client, that brought no credentials is theirs as
        well.

        :param tag: ours in the dialog that it makes; "": it makes none.
        :param source: where it really came from.
        """
        if not self._is_wanted:
            return
        call_id = request.get(CALL_ID) or ""
        self.remember(call_id, tag, belonging)
        before = self._challenged.pop(_beginning(request, source), "")
        self._claim(belonging, call_id, "branch", before)
        self._claim_received(belonging, call_id, request[VIA])

    def sent(self, request: Request, belonging: Belonging) -> None:
        """
        Tell the same of one that we have sent, with our Via on top.
        """
        if self._is_wanted:
            call_id = request.get(CALL_ID) or ""
            self.remember(call_id, request[FROM].tag or "", belonging)
            self._claim_sent(belonging, call_id, request[VIA])

    def remember(self, call_id: str, tag: str, belonging: Belonging) -> None:
        """
        Know a dialog, or what may become one, by its Call-ID and our tag.
        """
        if tag and belonging.owner:
            _keep(self._recent, (call_id, tag), belonging, self._limit)

    def trace(self, data: bytes, flow: Flow, received: bool) -> None:
        """
        See a message on the wire: tell whose a request within a dialog of ours is.
        """
        if data.startswith(b"SIP/2.0 ") or not self._is_wanted:
            return
        try:
            request = parse(data)
            via, tags = request[VIA], (request[FROM].tag, request[TO].tag)
            call_id = request[CALL_ID]
        except ParseError:
            return
        remote, ours = tags if received else (tags[1], tags[0])
        belonging = self._find(DialogID(call_id, ours or "", remote or ""))
        if belonging is None:
            return
        if received:
            self._claim_received(belonging, call_id, via)
        else:
            self._claim_sent(belonging, call_id, via)

    # Inside

    @property
    def _is_wanted(self) -> bool:
        return self._events.wants(EventKind.OWNER_KNOWN)

    def _find(self, id: DialogID) -> Belonging | None:
        connection = self._established(id)
        if connection is None:
            return self._recent.get((id.call_id, id.local_tag))
        # Of both sides: when one hangs up, the other is told after the end.
        belonging = Belonging(connection.owner, connection.id)
        for side in connection.sides:
            id = side.session.dialog.id
            self.remember(id.call_id, id.local_tag, belonging)
        return belonging

    def _claim_received(self, belonging: Belonging, call_id: str, via: Via) -> None:
        self._claim(belonging, call_id, "branch", via.branch or "")

    def _claim_sent(self, belonging: Belonging, call_id: str, via: Via) -> None:
        # The proxy sees us at the address that we name.
        seen = via.seen_from(via.host, via.port or _PORT)
        self._claim(belonging, call_id, "origin", origin_of(seen))

    def _claim(self, belonging: Belonging, call_id: str, name: str, value: str) -> None:
        if belonging.owner and value:
            self._events.belongs(belonging.owner, belonging.call, call_id, name, value)


def _beginning(request: Request, source: Endpoint) -> tuple[str, str, Endpoint]:
    """
    Name what a client begins, with credentials or without.
    """
    return request.get(CALL_ID) or "", request[FROM].tag or "", source


def _keep(memory: dict[_K, _V], key: _K, value: _V, limit: int) -> None:
    """
    Remember something, and forget the oldest where there is too much.
    """
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > limit:
        del memory[next(iter(memory))]
