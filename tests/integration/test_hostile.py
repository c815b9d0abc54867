"""
A flood of bad input, beside which a good client is served as if nothing were.

With ``SIPSORCERY_LONG`` set it is ten times as much.
"""

from __future__ import annotations

import gc
import os
import random
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import ClientFactory
from zope.interface import implementer

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.transport.certificates import TLSContexts, TLSSettings
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.target import Target
from sipsorcery.transport.tls import ClientSide, TLSFactory
from tests import LONG
from tests.integration.sockets import SocketCase, later, target
from tests.transport.cases import Peer
from tests.transport.messages import options, options_bytes

ROUNDS = 40 if LONG else 4
DATAGRAMS = 2500  # a round
CONNECTIONS = 250  # a round; both ends have to fit into 1,024 file descriptors

# The times of the layer, far shorter than the real ones, so that the rounds fit.
LIMITS = TransportLimits(
    idle=1.5, handshake=0.4, message_time=0.4, close=0.3, unsent=20_000
)
# What may be left of all rounds: the free lists of Python, names that the parser keeps,
# 40 kB at first and 1 kB for each round. One connection that leaked in fifty, at 10 kB
# each, would be over it.
MEMORY = 150_000
# The longest that the good client may wait: Timer F, after which it would give up. It
# is 0.4 s mostly, and ten on a machine that has a lot of other things to do.
PATIENCE = 32.0
T1 = 0.5

GOOD = options_bytes("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1")
CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + b"r" * 32


class Answering:
    """
    Answer whatever can be read, and keep nothing.
    """

    layer: TransportLayer

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        Answer, as a server does that reads every mandatory field.
        """
        request.check()
        sent = self.layer.send_response(request.respond(200), flow)
        sent.addErrback(lambda failure: None)

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        Drop a response.
        """

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Drop a STUN message.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Forget an error.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Forget a flow.
        """


Attack = Callable[["Attacker"], None]


@implementer(IHandshakeListener)
class Attacker(Peer):
    """
    Attack as soon as the connection, or TLS over it, is there.
    """

    has_connected = False

    def __init__(self, attack: Attack, *, secure: bool) -> None:
        super().__init__()
        self._attack = attack
        self._secure = secure

    def connectionMade(self) -> None:
        """
        Attack, unless TLS is to come.
        """
        self.has_connected = True
        if not self._secure:
            self._attack(self)

    def handshakeCompleted(self) -> None:
        """
        Attack.
        """
        self._attack(self)


class AttackerFactory(ClientFactory):
    """
    Give one attacker to its connection.
    """

    noisy = False

    def __init__(self, attacker: Attacker) -> None:
        self._attacker = attacker

    def buildProtocol(self, addr: object) -> Attacker:
        """
        Give it.
        """
        return self._attacker


def malformed(chance: random.Random) -> Iterator[bytes]:
    """
    Make bad datagrams without end, of every sort in turn.
    """
    good = options_bytes()
    lines = good.split(b"\r\n")

    def without_a_line() -> bytes:
        left = list(lines)
        del left[chance.randrange(len(left) - 2)]
        return b"\r\n".join(left)

    def with_a_bad_line() -> bytes:
        left = list(lines)
        left[chance.randrange(len(left) - 2)] = chance.randbytes(40)
        return b"\r\n".join(left)

    def with_bad_bytes() -> bytes:
        data = bytearray(good)
        for _ in range(5):
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data)

    sorts: list[Callable[[], bytes]] = [
        lambda: chance.randbytes(chance.randrange(1, 600)),
        lambda: good[: chance.randrange(1, len(good) - 5)],
        without_a_line,
        with_a_bad_line,
        with_bad_bytes,
        lambda: good.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1),
        lambda: good.replace(b"Content-Length: 0", b"Content-Length: 99999"),
        lambda: good.replace(b"CSeq: 1 OPTIONS", b"CSeq: 4294967299 INVITE"),
        lambda: good.replace(b"Via: ", b"Via: SIP/2.0/UDP " + b"[" * 200),
        lambda: good.replace(b"Max-Forwards: 70", b"X: 1\r\n" * 300 + b"X: 1"),
        lambda: good.replace(b"To: ", b"To: " + b"<" * 9000),
        lambda: b"SIP/2.0 999 What\r\n\r\n",
        lambda: b"\x00\x01" + chance.randbytes(18),
        lambda: b"\r\n" * chance.randrange(1, 9),
    ]
    for sort in cycle(sorts):
        yield sort()


# What a peer does to a TCP listener once it has connected. What it does not end itself
# the layer has to.


def say_nothing(peer: Attacker) -> None:
    """
    Connect, and no more.
    """


def trickle(peer: Attacker) -> None:
    """
    Send a message so slowly that it is never whole.
    """
    left = iter(GOOD)

    def send() -> None:
        if peer.lost is None:
            peer.pipe.write(bytes([next(left)]))
            reactor.callLater(0.05, send)

    send()


def send_garbage(peer: Attacker) -> None:
    """
    Send what is no SIP.
    """
    peer.pipe.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + os.urandom(2000))


def send_without_end(peer: Attacker) -> None:
    """
    Send a header section that never ends.
    """
    peer.pipe.write(b"OPTIONS sip:a SIP/2.0\r\n" + b"X: 1\r\n" * 12_000)


def announce_too_much(peer: Attacker) -> None:
    """
    Announce a body that is over the limit.
    """
    peer.pipe.write(GOOD.replace(b"Length: 0", b"Length: 70000"))


def close_in_the_middle(peer: Attacker) -> None:
    """
    Go away in the middle of a message.
    """
    peer.pipe.write(GOOD[:100])
    peer.pipe.loseConnection()


def reset_in_the_middle(peer: Attacker) -> None:
    """
    Be cut off in the middle of a message.
    """
    peer.pipe.write(GOOD[:100])
    peer.pipe.abortConnection()


def half_close(peer: Attacker) -> None:
    """
    End one direction in the middle of a message.
    """
    peer.pipe.write(GOOD + GOOD[:100])
    peer.pipe.loseWriteConnection()


def never_read(peer: Attacker) -> None:
    """
    Ask a lot and read no answer.
    """
    peer.pipe.pauseProducing()
    peer.pipe.write(GOOD * 20)


def ping_and_never_read(peer: Attacker) -> None:
    """
    Ping a lot and read no answer.
    """
    peer.pipe.pauseProducing()
    peer.pipe.write(b"\r\n\r\n" * 5_000)


def stall_the_handshake(peer: Attacker) -> None:
    """
    Begin with TLS, and stop.
    """
    peer.pipe.write(CLIENT_HELLO)


OVER_TCP = (
    say_nothing,
    trickle,
    send_garbage,
    send_without_end,
    announce_too_much,
    close_in_the_middle,
    reset_in_the_middle,
    half_close,
    never_read,
    ping_and_never_read,
)
# The same bytes at a TLS listener: not TLS, not whole, or never there.
BELOW_TLS = (*OVER_TCP, stall_the_handshake)
# And after a proper handshake.
OVER_TLS = (
    say_nothing,
    trickle,
    send_garbage,
    send_without_end,
    close_in_the_middle,
    reset_in_the_middle,
    never_read,
)


class HostileTests(SocketCase):
    """
    Nothing is left of bad input, and good input does not notice it.
    """

    timeout = 600

    def setUp(self) -> None:
        super().setUp()
        answering = Answering()
        tls = self.secure("example.com")
        self.server, _ = self.layer(
            *(f"{kind}:127.0.0.1:0" for kind in ("udp", "tcp", "tls")),
            limits=LIMITS,
            tls=TLSSettings(tls.certificates, poll=1e6),
            consumer=answering,
        )
        answering.layer = self.server
        self.udp, self.tcp, self.tls = (one.local for one in self.server.listeners)
        self.chance = random.Random(5060)
        self.datagrams = malformed(self.chance)
        self.unsafe = TLSContexts(TLSSettings())

    async def flood(self) -> None:
        """
        Send bad datagrams, as fast as they are taken.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
            attacker.bind(("127.0.0.66", 0))
            attacker.connect((self.udp.host, self.udp.port))
            attacker.setblocking(False)
            for _ in range(DATAGRAMS // 50):
                due = self.taken + 50
                for data in islice(self.datagrams, 50):
                    attacker.send(data)
                await self.wait_for(partial(self.has_taken, due))

    def has_taken(self, due: int) -> bool:
        """
        Tell whether so many datagrams and messages have been taken.
        """
        return self.taken >= due

    @property
    def taken(self) -> int:
        """
        Count what has been taken from the UDP socket, and more.
        """
        counters = self.server.counters
        return (
            counters.requests_received
            + counters.responses_received
            + counters.unparsable
            + counters.pings
            + counters.stun
        )

    async def crowd(self) -> None:
        """
        Let bad peers connect, all at once, and wait until the server is rid of them.
        """
        kinds: list[tuple[Endpoint, bool, Attack]] = [
            *((self.tcp, False, attack) for attack in OVER_TCP),
            *((self.tls, False, attack) for attack in BELOW_TLS),
            *((self.tls, True, attack) for attack in OVER_TLS),
        ]
        attackers = []
        for number, kind in enumerate(islice(cycle(kinds), CONNECTIONS)):
            attackers.append(self.attacker(number % 20, *kind))
        await self.wait_for(lambda: all(one.has_connected for one in attackers))
        await self.wait_for(lambda: self.crowded() == 0)
        # Who reads nothing has not seen the end.
        for one in attackers:
            if one.lost is None:
                one.pipe.abortConnection()
        await self.wait_for(lambda: all(one.lost for one in attackers))

    def attacker(
        self, number: int, end: Endpoint, secure: bool, attack: Attack
    ) -> Attacker:
        """
        Connect from one of the attackers' addresses.
        """
        attacker = Attacker(attack, secure=secure)
        factory = AttackerFactory(attacker)
        outer: Any = factory
        if secure:
            side = ClientSide(self.unsafe, Expectation("", TLSVerify.NONE))
            outer = TLSFactory(side, True, factory, reactor)
        reactor.connectTCP(
            end.host, end.port, outer, bindAddress=(f"127.0.1.{number + 1}", 0)
        )
        return attacker

    def crowded(self) -> int:
        """
        Count the connections of attackers that the server holds.
        """
        places = self.server._connections.table._places
        return sum(
            count for host, count in places.items() if host.startswith("127.0.1.")
        )

    async def serve_meanwhile(self) -> float:
        """
        Ask by each transport, again and again, until told to stop.

        :return: the longest time that an answer took.
        """
        ours, heard = self.layer("udp:127.0.0.1:0", tls=self.trusting())
        ways = [
            target(self.udp),
            target(self.tcp),
            target(self.tls, "example.com"),
        ]
        longest = 0.0
        while not self.enough:
            for way in ways:
                begun = time.monotonic()
                while not heard.responses:
                    await self.ask_once(ours, heard, way)
                longest = max(longest, time.monotonic() - begun)
                heard.responses.clear()
        await ours.stop()
        self.layers.remove(ours)
        self.assertGreater(ours.counters.responses_received, 3 * ROUNDS)
        return longest

    async def ask_once(
        self, layer: TransportLayer, heard: RecordingConsumer, way: Target
    ) -> None:
        """
        Send a request, and wait for an answer as long as T1: then it is sent again, as
        a transaction does. (On a slow machine a connection may be idle for too long.)
        """
        via = layer.via_for(way).with_parameter("branch", "z9hG4bK1")
        try:
            await layer.send_request(options(str(via)), way)
        except TransportError:
            return
        end = time.monotonic() + T1
        while not heard.responses and time.monotonic() < end:
            await later(0.005)

    def memory(self) -> int:
        """
        Give the bytes that Python holds.
        """
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    async def test_nothing_is_left(self) -> None:
        """
        Ten thousand bad datagrams and a thousand bad connections leave memory, timers
        and tables where they were, and no exception in the log; a good client is
        served all the time.
        """
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        await self.flood()  # what is made once is made now
        await self.crowd()
        before = self.memory()
        calls = set(reactor.getDelayedCalls())
        self.enough = False
        good = Deferred.fromCoroutine(self.serve_meanwhile())
        for _ in range(ROUNDS):
            await self.flood()
            await self.crowd()
        self.enough = True
        self.assertLess(await good, PATIENCE)
        await self.wait_for(lambda: not self.server._connections.table.taken)

        grown = self.memory() - before
        self.assertLess(grown, MEMORY)
        table = self.server._connections.table
        self.assertEqual(len(table), 0)
        for index in (table._by_key, table._by_alias, table._places, table._homes):
            self.assertEqual(len(index), 0)
        left = set(reactor.getDelayedCalls()) - calls
        self.assertEqual({call for call in left if call.active()}, set())
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.server.counters.consumer_failures, 0)
        self.assertGreater(self.server.counters.unparsable, ROUNDS * DATAGRAMS // 2)
