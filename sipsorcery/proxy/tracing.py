"""
Traces: every message of the proxy as an event, for those who look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from types import MappingProxyType

from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.masking import mask
from sipsorcery.monitor.origin import origin_of
from sipsorcery.proxy.allowance import Allowance
from sipsorcery.proxy.branch import Branches, Kind
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.transport.flow import Flow

# Who speaks on the inside and is no role that the configuration places.
_ANY_SERVER = "server"


# Traces may take this share of the time of a proxy, and as many seconds of it at once;
# who keeps them, in the same process, takes up to three times as much beside. So a
# proxy with all it can do still has three quarters of its throughput, and one that has
# less to do traces everything: some thousand messages a second.
_SHARE, _RESERVE = 0.03, 0.04


class Tracing:
    """
    Emits the messages that come and go.

    Each has the branch of our Via, if that is in it; by this a role says whose message
    it is. All of one transaction, on both sides of the proxy, have the same ``origin``,
    which is made of the client's Via: by this a role says whose those are that it has
    sent itself. What goes between servers of ours has the ``role`` of the other one.

    :param inside: the address of the inside socket.
    :param roles: who has which address there.

    :param allowance: how much time there is for it.

    :ivar branches: what makes our branches; None: there are none yet.
    :ivar skipped: messages for which there was no time.
    """

    _log = Logger()

    def __init__(
        self,
        bus: Bus,
        clock: Callable[[], float] = time,
        *,
        inside: Endpoint | None = None,
        roles: Mapping[Endpoint, str] = MappingProxyType({}),
        allowance: Allowance | None = None,
    ) -> None:
        self.branches: Branches | None = None
        self.skipped = 0
        self._allowance = allowance or Allowance(_SHARE, _RESERVE)
        self._bus = bus
        self._clock = clock
        self._inside = inside
        self._roles = roles

    def trace(self, data: bytes, flow: Flow, received: bool) -> None:
        """
        Emit one message, if anybody wants it.
        """
        if not self._bus.wants(EventKind.SIP_TRACE) or not data.strip():
            return
        began = self._allowance.begin()
        if began is None:
            self._skip()
            return
        self._emit(data, flow, received)
        self._allowance.end(began)

    def _skip(self) -> None:
        # Once for each power of ten: the log must not drown with it.
        self.skipped += 1
        if str(self.skipped).strip("0") == "1":
            self._log.warn(
                "{count} messages were not traced: there are too many",
                count=self.skipped,
            )

    def _emit(self, data: bytes, flow: Flow, received: bool) -> None:
        call_id, branch, origin = self._names(data, flow, received)
        detail = {"origin": origin} if origin else {}
        if flow.local == self._inside:
            detail["role"] = self._roles.get(flow.remote, _ANY_SERVER)
        direction = Direction.RECEIVED if received else Direction.SENT
        self._bus.emit(
            Event(
                time=self._clock(),
                server="proxy",
                kind=EventKind.SIP_TRACE,
                call_id=call_id,
                remote=flow.remote,
                detail=detail,
                trace=Trace(mask(data), direction, flow.local, flow.remote, branch),
            )
        )

    def _names(self, data: bytes, flow: Flow, received: bool) -> tuple[str, str, str]:
        """
        Give the Call-ID, our branch and the origin of a message, as far as it has them.
        """
        try:
            message = parse(data)
            vias = message.all(VIA)
        except ParseError:
            return "", "", ""
        call_id = message.get("Call-ID") or ""
        branches = self.branches
        if branches is None or not vias:
            return call_id, "", ""
        # Ours is on top of what we send on, and of what comes back of that.
        is_ours = isinstance(message, Request) is not received
        if not is_ours:
            # What comes has yet to be completed; what goes back is complete.
            via = vias[0].seen_from(*flow.address) if received else vias[0]
            return call_id, "", origin_of(via)
        branch = vias[0].branch or ""
        if len(vias) == 1:
            return call_id, "" if received else branch, ""
        if received and not self._made(message, branch):
            return call_id, "", ""
        return call_id, branch, origin_of(vias[1])

    def _made(self, response: Message, branch: str) -> bool:
        assert self.branches is not None  # the caller has looked
        below = response.all(VIA)[1]
        return any(self.branches.made(kind, branch, response, below) for kind in Kind)
