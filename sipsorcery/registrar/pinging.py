"""
Keeping the way to phones behind NATs open, by an OPTIONS now and then.

It goes along the Path of the binding, so it leaves by the very socket of the proxy that
calls will leave by. What the phone answers does not matter, that it is sent something
does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import EventKind
from sipsorcery.registrar.keepalive import KeepAlives
from sipsorcery.registrar.locations import Locations
from sipsorcery.registrar.telling import Telling
from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, MAX_FORWARDS, TO, VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.bindings import Binding
from sipsorcery.store.errors import StoreError
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.transactions.clients import new_branch

# Seconds from one look to the next, and how many are sent then: 1,000 a second at most,
# a tenth of what a proxy does, which is every phone of 25,000 in 25 seconds. With more,
# the interval grows.
_TURN = 0.1
_AT_ONCE = 100
# Phones that nothing goes to any more and of whom that was told: they are few.
_LOST = 10_000


class Pinging:
    """
    Sends to each that is due, as long as it runs.

    :ivar sent: how many were sent.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        transport: TransportLayer,
        locations: Locations,
        due: KeepAlives,
        bus: Bus,
        clock: Callable[[], float],
    ) -> None:
        self.sent = 0
        self._reactor = reactor
        self._transport = transport
        self._locations = locations
        self._due = due
        self._telling = Telling(bus, clock)
        self._lost: set[tuple[str, str]] = set()  # address-of-record and contact
        self._clock = clock
        self._turns = LoopingCall(self._turn)
        self._turns.clock = reactor

    def start(self) -> None:
        """
        Begin.
        """
        self._turns.start(_TURN, now=False)

    def stop(self) -> None:
        """
        Send nothing any more.
        """
        self._turns.stop()

    def _turn(self) -> Deferred[None] | None:
        due = self._due.take(self._reactor.seconds(), _AT_ONCE)
        return Deferred.fromCoroutine(self._ping_all(due)) if due else None

    async def _ping_all(self, aors: list[str]) -> None:
        for aor in aors:
            try:
                bindings = await self._locations.get(aor)
            except StoreError:
                return  # the next turn may find it
            for binding in bindings.current(self._clock()):
                if binding.keeps_alive and not self._ping(aor, binding):
                    await self._tell_lost(aor, binding)

    def _ping(self, aor: str, binding: Binding) -> bool:
        """
        Send one.

        :return: whether that was possible.
        """
        try:
            flow = self._transport.datagram_flow(_next_hop(binding))
            via = self._transport.via_for(flow)
            request = make_ping(aor, binding)
            request.prepend(VIA, via.with_parameter("branch", new_branch()))
            flow.send(request.to_bytes())
        except (TransportError, ParseError, ValueError):
            return False  # to a phone like that nothing goes, calls neither
        self._lost.discard((aor, binding.contact))
        self.sent += 1
        return True

    async def _tell_lost(self, aor: str, binding: Binding) -> None:
        """
        Tell once that a phone cannot be reached, until it can be again.
        """
        name = (aor, binding.contact)
        if name in self._lost or len(self._lost) >= _LOST:
            return
        self._lost.add(name)
        kind = EventKind.KEEP_ALIVE_LOST
        if not self._telling.wants(kind):
            return
        try:
            owner = await self._locations.owner(aor)
        except StoreError:
            owner = ""
        message = f"no keep-alive gets to {aor} at {binding.contact}"
        self._telling.tell(kind, aor, owner, binding, message)


def make_ping(aor: str, binding: Binding) -> Request:
    """
    Make the OPTIONS for a binding, without a Via.
    """
    return Request(
        "OPTIONS",
        binding.target or binding.contact,
        [
            *(("Route", f"<{uri}>") for uri in binding.path),
            (MAX_FORWARDS, 70),
            (FROM, Address(SIPURI.parse(aor)).with_tag(secrets.token_hex(4))),
            (TO, Address(SIPURI.parse(aor))),
            (CALL_ID, secrets.token_hex(16)),
            (CSEQ, CSeq(1, "OPTIONS")),
            ("Content-Length", "0"),
        ],
    )


def _next_hop(binding: Binding) -> Endpoint:
    """
    Give where it is sent to: the proxy, or where the phone has been heard.

    :raises ValueError: if that is no address. A proxy of ours writes its own.
    """
    if not binding.path:
        return Endpoint.parse(binding.received)
    uri = SIPURI.parse(binding.path[0])
    return Endpoint.parse(f"{Transport.UDP}:{uri.host}:{uri.port or 5060}")
