"""
The transports over real sockets, on the loopback.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import replace
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import capturedLogs, formatEvent

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.fields import VIA
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.errors import (
    ListenError,
    TLSVerificationError,
    TransportError,
)
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.local import local_addresses, source_address
from sipsorcery.transport.target import Target
from tests.integration.sockets import SocketCase, later, target
from tests.transport.authority import Authority
from tests.transport.cases import Peer
from tests.transport.messages import options, options_bytes

VIA_TCP = "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1"


def has_ipv6() -> bool:
    """
    Tell whether this machine has a loopback of IPv6.
    """
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class ExchangeTests(SocketCase):
    """
    A request and its answer, over each transport and family.
    """

    async def exchange(self, kind: str, host: str) -> None:
        """
        Ask one layer by another, and look at both ends.
        """
        theirs, asked = self.layer(
            f"{kind}:{host}:0", answers=True, tls=self.secure("example.com")
        )
        ours, heard = self.layer(f"udp:{host}:0", tls=self.trusting())
        end = theirs.listeners[0].local
        flow = await self.ask(ours, heard, target(end, "example.com"))
        self.assertEqual(flow.remote, end)
        self.assertEqual(heard.responses[0][0].status, 200)
        request, back = asked.requests[0]
        self.assertEqual(back.remote, flow.local)
        if kind == "udp":
            self.assertEqual(request[VIA].received, host.strip("[]"))
            self.assertEqual(request[VIA].rport, flow.local.port)
            self.assertTrue(ours.is_own(heard.responses[0][0][VIA]))

    async def test_ipv4(self) -> None:
        """
        UDP, TCP and TLS over IPv4.
        """
        for kind in ("udp", "tcp", "tls"):
            await self.exchange(kind, "127.0.0.1")

    async def test_ipv6(self) -> None:
        """
        UDP, TCP and TLS over IPv6.
        """
        for kind in ("udp", "tcp", "tls"):
            await self.exchange(kind, "[::1]")

    async def test_received_ipv6(self) -> None:
        """
        The source of a request over IPv6 is noted without brackets.
        """
        theirs, _ = self.layer("udp:[::1]:0", answers=True)
        ours, heard = self.layer("udp:[::1]:0")
        to = target(theirs.listeners[0].local)
        await ours.send_request(options("SIP/2.0/UDP [2001:db8::9]:5060;rport"), to)
        await self.wait_for(lambda: heard.responses)
        self.assertIn(";received=::1", str(heard.responses[0][0].get("Via")))

    if not has_ipv6():
        for test in (test_ipv6, test_received_ipv6):
            test.skip = "no IPv6 loopback here"  # type: ignore[attr-defined]  # trial's

    async def test_quiet(self) -> None:
        """
        A UDP socket is opened without a word: it is for the service to say where.
        """
        with capturedLogs() as events:
            self.layer("udp:127.0.0.1:0")
        self.assertEqual([formatEvent(event) for event in events], [])

    async def test_long_datagram(self) -> None:
        """
        The longest datagram arrives whole; a longer one fails at the sender.
        """
        theirs, asked = self.layer("udp:127.0.0.1:0")
        ours, _ = self.layer("udp:127.0.0.1:0")
        to = target(theirs.listeners[0].local)
        request = options()
        size = 65507 - len(request.to_bytes()) - len("65000") + len("0")
        request.body = b"x" * size
        self.assertEqual(len(request.to_bytes()), 65507)
        await ours.send_request(request, to)
        await self.wait_for(lambda: asked.requests)
        self.assertEqual(len(asked.requests[0][0].body), size)
        request.body += b"x"
        failure = await self.raised(ours.send_request(request, to), TransportError)
        self.assertIn(os.strerror(errno.EMSGSIZE), str(failure))

    async def raised(self, sent: Any, kind: type[Exception]) -> Exception:
        """
        Give the error of what must fail.
        """
        try:
            await sent
        except kind as error:
            return error
        raise AssertionError("nothing failed")

    async def test_closed_udp_port(self) -> None:
        """
        A port that nobody listens on harms nobody: the socket goes on.
        """
        ours, heard = self.layer("udp:127.0.0.1:0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        closed = target(Endpoint(Transport.UDP, "127.0.0.1", port))
        for _ in range(3):
            await ours.send_request(options(), closed)
            await later(0.01)
        theirs, _ = self.layer("udp:127.0.0.1:0", answers=True)
        await self.ask(ours, heard, target(theirs.listeners[0].local))

    async def test_wildcard(self) -> None:
        """
        A wildcard hears on each address of this machine, the loopback among them.
        """
        theirs, _ = self.layer("udp:0.0.0.0:0", answers=True)
        ends = [one.local for one in theirs.listeners]
        self.assertEqual(
            {one.host for one in ends},
            {one for one in local_addresses() if ":" not in one},
        )
        ours, heard = self.layer("udp:127.0.0.1:0")
        end = next(one for one in ends if one.host == "127.0.0.1")
        flow = await self.ask(ours, heard, target(end))
        self.assertEqual(heard.responses[0][1], flow)

    async def test_taken(self) -> None:
        """
        If one address is taken, none is opened.
        """
        theirs, _ = self.layer("tcp:127.0.0.1:0")
        taken = theirs.listeners[0].local
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        error = self.assertRaises(
            ListenError, self.layer, f"tcp:127.0.0.1:{free}", str(taken)
        )
        self.assertIn(os.strerror(errno.EADDRINUSE), str(error))
        await later(0)
        self.layer(f"tcp:127.0.0.1:{free}")

    def test_source_address(self) -> None:
        """
        The system says which address leads to a peer.
        """
        self.assertEqual(source_address("127.0.0.1"), "127.0.0.1")


class StreamTests(SocketCase):
    """
    What only a stream can do to a message.
    """

    async def connect(self, end: Endpoint) -> Peer:
        """
        Connect a peer made of bare bytes.
        """
        where = TCP4ClientEndpoint(reactor, end.host, end.port)
        peer = await where.connect(Factory.forProtocol(Peer))
        assert isinstance(peer, Peer)
        return peer

    async def test_trickle(self) -> None:
        """
        A message may come byte by byte.
        """
        theirs, asked = self.layer("tcp:127.0.0.1:0", answers=True)
        peer = await self.connect(theirs.listeners[0].local)
        peer.pipe.setTcpNoDelay(True)
        for byte in options_bytes(VIA_TCP):
            peer.pipe.write(bytes([byte]))
            await later(0)
        await self.wait_for(lambda: b"SIP/2.0 200" in peer.data)
        self.assertEqual(len(asked.requests), 1)
        peer.pipe.loseConnection()
        await self.wait_for(lambda: asked.closed)

    async def test_back_to_back(self) -> None:
        """
        Many messages in one write are as many messages, in order.
        """
        theirs, asked = self.layer("tcp:127.0.0.1:0", answers=True)
        peer = await self.connect(theirs.listeners[0].local)
        calls = [f"call-{number}" for number in range(300)]
        peer.pipe.write(b"".join(options_bytes(VIA_TCP, call) for call in calls))
        await self.wait_for(lambda: peer.data.count(b"SIP/2.0 200") == len(calls))
        self.assertEqual(
            [request.get("Call-ID") for request, _ in asked.requests], calls
        )
        peer.pipe.loseConnection()
        await self.wait_for(lambda: asked.closed)

    async def test_answer_survives_the_end(self) -> None:
        """
        The answer to what is not SIP reaches a peer that has more to send.
        """
        theirs, asked = self.layer("tcp:127.0.0.1:0")
        peer = await self.connect(theirs.listeners[0].local)
        bad = options_bytes(VIA_TCP).replace(b"Length: 0", b"Length: x")
        peer.pipe.write(bad + b"x" * 1_000_000)
        await self.wait_for(lambda: peer.lost)
        self.assertTrue(peer.data.startswith(b"SIP/2.0 400 "))
        await self.wait_for(lambda: asked.closed)

    async def test_half_close(self) -> None:
        """
        Peers that end their side behind the request all get their answers.
        """
        theirs, asked = self.layer("tcp:127.0.0.1:0", answers=True)
        peers = [await self.connect(theirs.listeners[0].local) for _ in range(20)]
        for peer in peers:
            peer.pipe.write(options_bytes(VIA_TCP))
            peer.pipe.loseWriteConnection()
        await self.wait_for(lambda: len(asked.closed) == len(peers))
        await self.wait_for(lambda: all(peer.lost for peer in peers))
        for peer in peers:
            self.assertTrue(peer.data.startswith(b"SIP/2.0 200 "))

    async def test_idle(self) -> None:
        """
        A connection on which nothing moves is closed by the server.
        """
        theirs, asked = self.layer(
            "tcp:127.0.0.1:0", limits=TransportLimits(idle=0.1, close=1)
        )
        peer = await self.connect(theirs.listeners[0].local)
        await self.wait_for(lambda: peer.lost)
        await self.wait_for(lambda: asked.closed)
        self.assertIn("nothing moved", asked.closed[0][1])

    async def test_cap(self) -> None:
        """
        Who comes when there is no room is closed at once; the others stay.
        """
        theirs, asked = self.layer(
            "tcp:127.0.0.1:0", answers=True, limits=TransportLimits(connections=2)
        )
        end = theirs.listeners[0].local
        peers = [await self.connect(end) for _ in range(5)]
        await self.wait_for(lambda: sum(peer.lost is not None for peer in peers) == 3)
        peers[0].pipe.write(options_bytes(VIA_TCP))
        await self.wait_for(lambda: peers[0].data)
        for peer in peers[:2]:
            peer.pipe.loseConnection()
        await self.wait_for(lambda: len(asked.closed) == 2)


class TLSTests(SocketCase):
    """
    Certificates over real sockets.
    """

    def serve(self, tls: TLSSettings) -> Endpoint:
        """
        Start a server; give its address.
        """
        layer, self.asked = self.layer("tls:127.0.0.1:0", answers=True, tls=tls)
        self.server = layer
        return layer.listeners[0].local

    async def refused(self, to: Target, tls: TLSSettings | None = None) -> str:
        """
        Check that a server is not trusted, and give the sentence.
        """
        ours, _ = self.layer(tls=tls or self.trusting())
        try:
            await ours.send_request(options(), to)
        except TLSVerificationError as error:
            return str(error)
        raise AssertionError("the server was trusted")

    async def test_refused(self) -> None:
        """
        An expired, a wrong, an unknown and a self-signed certificate are refused.
        """
        end = self.serve(self.secure("example.com"))
        self.assertIn(
            "expected the SIP domain example.net; the certificate holds: example.com",
            await self.refused(target(end, "example.net")),
        )
        stranger = Authority(self.authority.file.parent, "stranger")
        text = await self.refused(
            target(end, "example.com"), TLSSettings(authorities=stranger.file)
        )
        self.assertIn("not trusted", text)
        expired = self.authority.issue("expired", "example.com", expired=True)
        end = self.serve(TLSSettings((expired,)))
        self.assertIn("expired", await self.refused(target(end, "example.com")))
        alone = self.authority.issue_alone("alone", "example.com")
        end = self.serve(TLSSettings((alone,)))
        self.assertIn("itself", await self.refused(target(end, "example.com")))
        self.assertEqual(self.asked.requests, [])

    async def test_address(self) -> None:
        """
        Under "target" the address of the server is proved.
        """
        end = self.serve(self.secure("127.0.0.1"))
        ours, heard = self.layer(tls=self.trusting())
        proved = Target(end, Expectation("127.0.0.1", TLSVerify.TARGET))
        await self.ask(ours, heard, proved)

    async def test_swap(self) -> None:
        """
        New certificate files serve new connections; those that are open go on.
        """
        end = self.serve(self.secure("old.example"))
        ours, heard = self.layer(tls=self.trusting())
        before = await self.ask(ours, heard, target(end, "old.example"))
        self.authority.issue("old.example", "new.example")
        await later(0.2)
        self.assertIs(await self.ask(ours, heard, target(end, "old.example")), before)
        after = await self.ask(ours, heard, target(end, "new.example"))
        self.assertIsNot(after, before)
        self.assertTrue(before.is_open)

    async def test_mutual_and_alias(self) -> None:
        """
        A peer that proves its name gets requests on the connection that it opened.
        """
        tls = replace(
            self.secure("example.com"),
            client_authorities=self.authority.file,
            client_required=True,
        )
        end = self.serve(tls)
        files = self.authority.issue("client", "proxy.example")
        ours, heard = self.layer(
            "tls:127.0.0.1:0",
            tls=TLSSettings((files,), authorities=self.authority.file),
        )
        await self.ask(ours, heard, target(end, "example.com"))
        flow = self.asked.requests[0][1]
        self.assertEqual(flow.identities, ("proxy.example",))
        back = target(ours.listeners[0].local, "proxy.example")
        self.assertIs(await self.server.send_request(options(), back), flow)
        await self.wait_for(lambda: heard.requests)

    async def test_nobody_without_certificate(self) -> None:
        """
        Where a certificate is required, a client without one is not heard.
        """
        tls = replace(
            self.secure("example.com"),
            client_authorities=self.authority.file,
            client_required=True,
        )
        end = self.serve(tls)
        ours, _ = self.layer(tls=self.trusting())
        sent = ours.send_request(options(), target(end, "example.com"))
        sent.addErrback(lambda failure: failure.trap(TransportError))
        await sent
        await self.wait_for(lambda: self.server.counters.handshakes_failed)
        self.assertEqual(self.asked.requests, [])
