"""
What the proxy tells the monitor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time

from sipsorcery.dispatch.health import State
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.transport.location.locator import Finding

# Targets that are named where DNS has given more.
_TARGETS = 8


class Events:
    """
    Makes the events of the proxy.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, bus: Bus, clock: Callable[[], float] = time) -> None:
        self.bus = bus
        self._clock = clock

    def rejected(
        self, request: Request, status: int, remote: Endpoint, why: str = ""
    ) -> None:
        """
        Tell that a request was refused, be it by a rule or by the script.

        :param why: a sentence; the peer is not told.
        """
        if request.method == "ACK":
            return  # nobody hears of it
        self.emit(
            EventKind.REJECTED,
            f"{request.method} was refused with {status}{f': {why}' if why else ''}",
            about=request,
            remote=remote,
            detail={"method": request.method, "status": str(status)},
        )

    def dispatched(self, request: Request, server: Endpoint) -> None:
        """
        Tell which application server gets a call.
        """
        if self.bus.wants(EventKind.DISPATCHED):
            self.emit(
                EventKind.DISPATCHED,
                f"{request.method} goes to the application server at {server}",
                about=request,
                detail={"server": str(server)},
            )

    def server_changed(self, server: Endpoint, state: State, why: str) -> None:
        """
        Tell that an application server is otherwise than it was.
        """
        self.emit(
            EventKind.SERVER_STATE,
            f"The application server at {server} is {state}: {why}",
            detail={"server": str(server), "state": state.value, "why": why},
        )

    def located(self, found: Finding) -> None:
        """
        Tell what DNS has said.
        """
        kind = EventKind.DNS_FAILED if found.problem else EventKind.DNS_LOOKUP
        if not self.bus.wants(kind):
            return
        targets = ", ".join(map(str, found.targets[:_TARGETS]))
        self.emit(
            kind,
            found.problem or f"{found.host} leads to {targets}",
            detail={"host": found.host, **({"targets": targets} if targets else {})},
        )

    def unreadable(self, error: ParseError, remote: Endpoint) -> None:
        """
        Tell that a message could not be read.
        """
        self.emit(
            EventKind.BAD_MESSAGE,
            f"A message could not be read: {error.text}",
            remote=remote,
        )

    def emit(
        self,
        kind: EventKind,
        message: str,
        *,
        about: Message | None = None,
        remote: Endpoint | None = None,
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """
        Tell whoever wants to know.

        :param message: a sentence for people.
        :param about: the SIP message that it is about.
        """
        if not self.bus.wants(kind):
            return
        call_id = None if about is None else about.get("Call-ID")
        self.bus.emit(
            Event(
                time=self._clock(),
                server="proxy",
                kind=kind,
                call_id=call_id or "",
                remote=remote,
                message=message,
                detail=detail or {},
            )
        )
