"""
A copy of what phones and we say to each other, for Homer and sngrep, in HEP3.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IListeningPort, IPushProducer
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from zope.interface import implementer

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.monitor.bus import Bus, Subscription
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.hep import encode

_KINDS = frozenset({EventKind.SIP_TRACE, EventKind.OWNER_KNOWN})
# Packets that wait for a receiver on TCP: of a kilobyte each, a second of a busy proxy.
_WAITING = 1000
# Calls, and legs, of which is remembered what belongs together: those of a busy hour.
_CALLS = 20_000
# Seconds between two attempts to connect, at most.
_MAX_PAUSE = 30.0


class HEPService(Service):
    """
    Sends each trace on to one receiver, without ever waiting for it.

    What goes between servers of ours is left out. The correlation of a packet is the
    Call-ID of the first leg of its call, as Homer wants it.

    :param reactor: has time and sockets.
    :param target: of UDP or TCP.
    """

    name = "hep"

    def __init__(self, reactor: Any, target: Endpoint, bus: Bus) -> None:
        self._bus = bus
        self._correlation = Correlation()
        self._subscription: Subscription | None = None
        self._learning: Subscription | None = None
        self._way: _Datagrams | _Stream
        if target.transport is Transport.UDP:
            self._way = _Datagrams(reactor, target)
        else:
            self._way = _Stream(reactor, target)

    @property
    def dropped(self) -> int:
        """
        Traces that could not be sent.
        """
        before = 0 if self._subscription is None else self._subscription.dropped
        return before + self._way.dropped

    def startService(self) -> None:
        """
        Begin to send.
        """
        self._way.start()
        # What another process has traced it sends itself; of legs it tells us.
        self._subscription = self._bus.here.subscribe(self._take, _KINDS)
        if self._bus.here is not self._bus:
            legs = {EventKind.OWNER_KNOWN}
            self._learning = self._bus.subscribe(self._learn, legs)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        Send no more.
        """
        super().stopService()
        for subscription in (self._subscription, self._learning):
            if subscription is not None:
                subscription.stop()
        return Deferred.fromCoroutine(self._way.stop())

    def _take(self, event: Event) -> None:
        if event.kind is EventKind.OWNER_KNOWN:
            self._learn(event)
        elif event.trace is not None and "role" not in event.detail:
            correlation = self._correlation.of(event.call_id)
            self._way.send(encode(event.time, event.trace, correlation=correlation))

    def _learn(self, event: Event) -> None:
        self._correlation.learn(event.call_id, event.dialogue)


class Correlation:
    """
    Knows which legs are of one call.

    A server tells of a leg before it sends the first request of it.
    """

    def __init__(self, limit: int = _CALLS) -> None:
        self._limit = limit
        self._first: dict[str, str] = {}  # the first leg, by call
        self._of_leg: dict[str, str] = {}

    def learn(self, call_id: str, call: str) -> None:
        """
        Know that a leg is of a call.
        """
        if not (call_id and call):
            return
        self._of_leg[call_id] = self._first.setdefault(call, call_id)
        for table in (self._first, self._of_leg):
            if len(table) > self._limit:
                del table[next(iter(table))]

    def of(self, call_id: str) -> str:
        """
        Give the first leg of the call that a leg is of; else itself.
        """
        return self._of_leg.get(call_id, call_id)


class _Datagrams:
    """
    The way to a receiver on UDP.
    """

    def __init__(self, reactor: Any, target: Endpoint) -> None:
        self.dropped = 0
        self._reactor = reactor
        self._target = target
        self._protocol = DatagramProtocol()
        self._port: IListeningPort | None = None

    def start(self) -> None:
        """
        Open a port.
        """
        host = "::" if self._target.is_ipv6 else "0.0.0.0"
        self._port = self._reactor.listenUDP(0, self._protocol, interface=host)

    def send(self, packet: bytes) -> None:
        """
        Send a packet, or drop it if the system has no room.
        """
        transport = self._protocol.transport
        assert transport is not None  # the port is open
        try:
            transport.write(packet, (self._target.host, self._target.port))
        except OSError:
            self.dropped += 1

    async def stop(self) -> None:
        """
        Close the port.
        """
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)


class _Stream:
    """
    The way to a receiver on TCP: connected again whenever that has ended.
    """

    def __init__(self, reactor: Any, target: Endpoint) -> None:
        self.dropped = 0
        self._queue: deque[bytes] = deque(maxlen=_WAITING)
        self._connection: _Connection | None = None
        kind = TCP6ClientEndpoint if target.is_ipv6 else TCP4ClientEndpoint
        factory = Factory.forProtocol(lambda: _Connection(self))
        factory.noisy = False
        self._service = ClientService(
            kind(reactor, target.host, target.port),
            factory,
            retryPolicy=backoffPolicy(maxDelay=_MAX_PAUSE),
            clock=reactor,
        )

    def start(self) -> None:
        """
        Begin to connect.
        """
        self._service.startService()

    def send(self, packet: bytes) -> None:
        """
        Send a packet when there is room; the oldest goes if too many wait.
        """
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(packet)
        self.flush()

    async def stop(self) -> None:
        """
        Hang up.
        """
        await maybeDeferred(self._service.stopService)

    # For the connection

    def use(self, connection: _Connection | None) -> None:
        """
        Send by this one from now on; None: there is none.
        """
        self._connection = connection
        self.flush()

    def flush(self) -> None:
        """
        Send as much as there is room for.
        """
        connection = self._connection
        while connection is not None and connection.has_room and self._queue:
            connection.transport.write(self._queue.popleft())


@implementer(IPushProducer)
class _Connection(Protocol):
    """
    A connection to a receiver. What it says is not listened to.
    """

    transport: Any  # it takes producers, which the type of Twisted does not say

    def __init__(self, way: _Stream) -> None:
        self.has_room = True
        self._way = way

    def connectionMade(self) -> None:
        """
        Begin to send.
        """
        self.transport.registerProducer(self, True)
        self._way.use(self)

    def connectionLost(self, reason: object = None) -> None:
        """
        Send no more here.
        """
        self._way.use(None)

    def resumeProducing(self) -> None:
        """
        Go on.
        """
        self.has_room = True
        self._way.flush()

    def pauseProducing(self) -> None:
        """
        Wait: the receiver is slow.
        """
        self.has_room = False

    def stopProducing(self) -> None:
        """
        Wait for ever.
        """
        self.has_room = False
