"""
Tests for `sipsorcery.transport.layer`.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import DatagramProtocol

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.via import Via
from sipsorcery.testing.reactor import MemoryDatagramPort, MemoryReactor
from sipsorcery.transport.errors import ListenError, TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.target import Target
from tests.transport.cases import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    LayerCase,
)
from tests.transport.messages import options, options_bytes


def target(text: str) -> Target:
    """
    Make a target of an address.
    """
    return Target(Endpoint.parse(text))


class ListeningTests(LayerCase):
    """
    Opening the sockets.
    """

    def test_any_number(self) -> None:
        """
        There may be any number of listeners, of every kind and family.
        """
        layer, _ = self.layer(
            self.server,
            f"udp:{SERVER}:5060",
            f"udp:{SERVER}:0",
            f"tcp:[{SERVER6}]:5060",
        )
        first, second, third = (one.local for one in layer.listeners)
        self.assertEqual(first, Endpoint(Transport.UDP, SERVER, 5060))
        self.assertNotEqual(second.port, 0)
        self.assertEqual(third, Endpoint(Transport.TCP, SERVER6, 5060))

    def test_wildcard(self) -> None:
        """
        A wildcard opens a socket for each address of its family.
        """
        layer, _ = self.layer(self.server, "udp:0.0.0.0:5060", "tcp:[::]:5060")
        self.assertEqual(
            [str(one.local) for one in layer.listeners],
            [f"udp:{SERVER}:5060", f"tcp:[{SERVER6}]:5060"],
        )

    def test_all_or_nothing(self) -> None:
        """
        If one address is taken none is opened; the error says which.
        """
        self.layer(self.server, f"tcp:{SERVER}:5070")
        error = self.assertRaises(
            ListenError,
            self.layer,
            self.server,
            f"udp:{SERVER}:5060",
            f"tcp:{SERVER}:5060",
            f"tcp:{SERVER}:5070",
        )
        self.assertEqual(
            str(error), f"cannot listen on tcp:{SERVER}:5070: Address already in use"
        )
        self.assertEqual(list(self.server.udp_ports), [])
        self.assertEqual(list(self.server.tcp_ports), [(SERVER, 5070)])

    def test_no_such_family(self) -> None:
        """
        A wildcard that stands for nothing is an error.
        """
        only4 = self.network.machine("192.0.2.7")
        error = self.assertRaises(ListenError, self.layer, only4, "udp:[::]:5060")
        self.assertIn("no interface", str(error))

    def test_tls_needs_a_certificate(self) -> None:
        """
        Without a certificate there is no TLS listener.
        """
        error = self.assertRaises(
            ListenError, self.layer, self.server, f"tls:{SERVER}:5061"
        )
        self.assertIn("certificate", str(error))

    def test_websocket_is_not_there_yet(self) -> None:
        """
        A listener of a kind that does not exist is refused, and none is opened.
        """
        self.assertRaises(
            ListenError, self.layer, self.server, "udp:0.0.0.0:5060", f"ws:{SERVER}:80"
        )
        self.assertEqual(self.server.udp_ports, {})


class LifeTests(LayerCase):
    """
    Starting and stopping.
    """

    def stop(self, stopping: Deferred[None]) -> None:
        """
        Wait for the end.
        """
        self.network.advance()
        self.successResultOf(stopping)

    def test_stop_closes_everything(self) -> None:
        """
        Listeners and connections are closed, and no timer is left.
        """
        layer, consumer = self.layer(
            self.server, f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060"
        )
        peer = self.connect()
        peer.pipe.write(options_bytes("SIP/2.0/TCP 192.0.2.2"))
        self.network.advance()
        self.stop(Deferred.fromCoroutine(layer.stop()))
        assert peer.lost is not None
        peer.lost.trap(ConnectionDone)
        self.assertEqual(self.server.tcp_ports, {})
        self.assertEqual(self.server.udp_ports, {})
        self.assertIn("stops", consumer.closed[0][1])
        self.assert_settled(layer)

    def test_stop_gives_up_attempts(self) -> None:
        """
        What waits for a connection fails when the layer stops.
        """
        layer, _ = self.layer(self.client)
        sent = layer.send_request(options(), target("tcp:192.0.2.99:5060"))
        self.stop(Deferred.fromCoroutine(layer.stop()))
        self.failed(sent, TransportError)
        self.assert_settled(layer)

    def test_stop_cuts_off_who_does_not_read(self) -> None:
        """
        A peer that does not read delays the end, but not for long.
        """
        layer, consumer = self.layer(self.server, f"tcp:{SERVER}:5060")
        peer = self.connect()
        peer.pipe.write(options_bytes("SIP/2.0/TCP 192.0.2.2"))
        self.network.advance()
        peer.pipe.pauseProducing()
        consumer.requests[0][1].send(b"x" * 10_000)
        stopping = Deferred.fromCoroutine(layer.stop())
        self.network.advance(4.9)
        self.assertNoResult(stopping)
        self.network.advance(0.2)
        self.successResultOf(stopping)

    def test_nothing_is_sent_when_stopped(self) -> None:
        """
        A layer that has stopped says so.
        """
        layer, _ = self.layer(self.client, f"udp:{CLIENT}:5060")
        self.stop(Deferred.fromCoroutine(layer.stop()))
        for text in (f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060"):
            self.failed(layer.send_request(options(), target(text)), TransportError)


class DatagramTests(LayerCase):
    """
    Requests and responses over UDP.
    """

    def setUp(self) -> None:
        super().setUp()
        self.udp, self.consumer = self.layer(
            self.server,
            f"udp:{SERVER}:5060",
            on_request=lambda request, flow: self.respond(request, flow),
        )
        self.heard: list[tuple[bytes, tuple[str, int]]] = []
        self.answers: list[Deferred[Flow]] = []
        self.socket = self.open(self.client, CLIENT, 5062)

    def respond(self, request: Request, flow: Flow) -> None:
        """
        Answer a request.
        """
        self.answers.append(self.udp.send_response(request.respond(200), flow))

    def open(self, machine: MemoryReactor, host: str, port: int) -> MemoryDatagramPort:
        """
        Open a bare UDP port on a machine, which keeps what it hears.
        """
        heard = self.heard

        class Hearing(DatagramProtocol):
            noisy = False

            def datagramReceived(self, datagram: bytes, addr: object) -> None:
                heard.append((datagram, (host, port)))

        return machine.listenUDP(port, Hearing(), host)

    def send(self, data: bytes, port: int = 5060) -> list[tuple[str, int]]:
        """
        Send a datagram; give the addresses that heard an answer.
        """
        self.socket.write(data, (SERVER, port))
        self.network.advance()
        return [where for _, where in self.heard]

    def test_rport(self) -> None:
        """
        Asked for it, we answer to the source port (RFC 3581).
        """
        where = self.send(options_bytes("SIP/2.0/UDP a.example:9;rport"))
        self.assertEqual(where, [(CLIENT, 5062)])
        response = parse(self.heard[0][0])
        self.assertEqual(
            str(response[VIA]), f"SIP/2.0/UDP a.example:9;rport=5062;received={CLIENT}"
        )

    def test_sent_by_port(self) -> None:
        """
        Otherwise the answer goes to the source address and the port of sent-by.
        """
        self.open(self.client, CLIENT, 5070)
        where = self.send(options_bytes("SIP/2.0/UDP a.example:5070"))
        self.assertEqual(where, [(CLIENT, 5070)])

    def test_maddr(self) -> None:
        """
        An address in maddr that is not the sender's gets nothing.
        """
        self.open(self.network.machine("192.0.2.9"), "192.0.2.9", 5070)
        via = "SIP/2.0/UDP a.example:5070;maddr=192.0.2.9;rport"
        self.assertEqual(self.send(options_bytes(via)), [(CLIENT, 5062)])

    def test_maddr_allowed(self) -> None:
        """
        It comes before all others where the settings say so.
        """
        self.open(self.network.machine("192.0.2.9"), "192.0.2.9", 5070)
        layer, consumer = self.layer(
            self.server, f"udp:{SERVER}:5064", follow_maddr=True
        )
        consumer.on_request = lambda request, flow: layer.send_response(
            request.respond(200), flow
        )
        via = "SIP/2.0/UDP a.example:5070;maddr=192.0.2.9;rport"
        where = self.send(options_bytes(via), 5064)
        self.assertEqual(where, [("192.0.2.9", 5070)])

    def test_forged_received(self) -> None:
        """
        Nobody can send our answers to somebody else.
        """
        self.open(self.network.machine("192.0.2.9"), "192.0.2.9", 5062)
        via = f"SIP/2.0/UDP {CLIENT}:5062;received=192.0.2.9"
        self.assertEqual(self.send(options_bytes(via)), [(CLIENT, 5062)])

    def test_answer_comes_from_where_the_request_went(self) -> None:
        """
        Of several sockets the one that heard the request answers.
        """
        layer, consumer = self.layer(
            self.server, f"udp:{SERVER}:5061", f"udp:{SERVER}:5062"
        )
        consumer.on_request = lambda request, flow: layer.send_response(
            request.respond(200), flow
        )
        sources: list[tuple[str, int]] = []
        self.network.drop = lambda data, source, to: bool(sources.append(source))  # type: ignore[func-returns-value]  # which makes it False
        self.socket.write(options_bytes(), (SERVER, 5062))
        self.network.advance()
        self.assertEqual(sources, [(CLIENT, 5062), (SERVER, 5062)])

    def test_response_is_handed_on(self) -> None:
        """
        A response comes with its flow; whether its Via is ours can be asked.
        """
        via = f"SIP/2.0/UDP {SERVER}:5060;branch=z9hG4bK1"
        other = "SIP/2.0/UDP other.example;branch=z9hG4bK2"
        for one in (via, other):
            self.send(options(one).respond(200).to_bytes())
        ours, theirs = (response for response, _ in self.consumer.responses)
        self.assertTrue(self.udp.is_own(ours[VIA]))
        self.assertFalse(self.udp.is_own(theirs[VIA]))

    def test_stun_and_pings(self) -> None:
        """
        STUN is told from SIP by its first bytes; keep-alives are swallowed.
        """
        stun = b"\x00\x01\x00\x00" + b"\x21\x12\xa4\x42" + b"t" * 12
        for data in (stun, b"\r\n\r\n", b"jaK\0", b"\0\0\0\0", b"png"):
            self.assertEqual(self.send(data), [])
        self.assertEqual([data for data, _ in self.consumer.stun], [stun])
        self.assertEqual(self.udp.counters.pings, 4)
        self.assertEqual(self.consumer.errors, [])

    def test_unparsable_is_answered(self) -> None:
        """
        What can be read of a broken request is enough for an answer to it.
        """
        bad = options_bytes().replace(b"Content-Length: 0", b"Content-Length: 9")
        self.assertEqual(self.send(bad), [(CLIENT, 5062)])
        response = parse(self.heard[0][0])
        self.assertEqual(response.get("Call-ID"), "1@there")
        self.assertIn("rport=5062", str(response.get("Via")))
        self.assertEqual(len(self.consumer.errors), 1)
        self.assertEqual(self.udp.counters.answered, 1)

    def test_answers_to_repetitions_are_alike(self) -> None:
        """
        A stateless answer has the same To tag each time (RFC 3261, 8.2.7).
        """
        bad = options_bytes().replace(b"Content-Length: 0", b"Content-Length: 9")
        self.send(bad)
        self.send(bad)
        self.assertEqual(self.heard[0], self.heard[1])

    def test_unanswerable(self) -> None:
        """
        What says not where an answer goes, and broken responses, get none.
        """
        for data in (
            b"hello\r\n\r\n",
            b"\xff\xfe\xfd",
            options_bytes("SIP/2.0/UDP"),
            b"SIP/2.0 900 No\r\n\r\n",
            options_bytes().replace(b"OPTIONS", b"ACK").replace(b": 0", b": 9"),
        ):
            self.assertEqual(self.send(data), [])
        self.assertEqual(len(self.consumer.errors), 5)
        self.assertEqual(self.udp.counters.answered, 0)

    def test_error_from_the_consumer(self) -> None:
        """
        A field that the consumer cannot read is answered for it.
        """
        self.consumer.on_request = lambda request, flow: request.check()
        self.send(options_bytes().replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"))
        self.assertTrue(self.heard[0][0].startswith(b"SIP/2.0 400 "))

    def test_failure_of_parse_failed(self) -> None:
        """
        Not even a consumer that fails on an error lets anything escape.
        """

        def fail(error: ParseError, flow: Flow) -> None:
            raise RuntimeError("a bug")

        self.consumer.parse_failed = fail  # type: ignore[method-assign]
        self.send(b"\xff")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_send_request(self) -> None:
        """
        A request leaves from the socket that leads to its target.
        """
        flow = self.fired(
            self.udp.send_request(options(), target(f"udp:{CLIENT}:5062"))
        )
        self.assertEqual(self.heard, [(options().to_bytes(), (CLIENT, 5062))])
        self.assertEqual(flow, self.udp.datagram_flow(flow.remote))

    def test_send_from_a_certain_socket(self) -> None:
        """
        The sender may choose the socket; one that does not exist is an error.
        """
        layer, _ = self.layer(self.server, f"udp:{SERVER}:5061", f"udp:{SERVER}:5062")
        to, second = target(f"udp:{CLIENT}:5062"), layer.listeners[1].local
        flow = self.fired(layer.send_request(options(), to, source=second))
        self.assertEqual(flow.local, second)
        elsewhere = Endpoint(Transport.UDP, SERVER, 5099)
        self.failed(layer.send_request(options(), to, source=elsewhere), TransportError)

    def test_never_to_a_group(self) -> None:
        """
        Nothing goes to multicast, broadcast or unspecified addresses.
        """
        for host in ("224.0.1.75", "255.255.255.255", "0.0.0.0"):
            self.failed(
                self.udp.send_request(options(), target(f"udp:{host}:5060")),
                TransportError,
            )

    def test_no_socket_of_the_family(self) -> None:
        """
        Without an IPv6 socket there is no way to an IPv6 address.
        """
        sent = self.udp.send_request(options(), target(f"udp:[{CLIENT6}]:5060"))
        self.assertIn("no UDP socket", self.failed(sent, TransportError))

    def test_response_without_via(self) -> None:
        """
        A response that says not where it goes is the caller's mistake.
        """
        self.send(options_bytes())
        _, flow = self.consumer.requests[0]
        response = options().respond(200)
        response.remove(VIA)
        self.failed(self.udp.send_response(response, flow), TransportError)


class RequestTests(LayerCase):
    """
    Requests over TCP, and the connections they need.
    """

    def setUp(self) -> None:
        super().setUp()
        self.tcp, self.consumer = self.layer(
            self.server,
            f"tcp:{SERVER}:5060",
            limits=TransportLimits(connect=10, waiting=3, connections_per_address=2),
        )
        self.to = target(f"tcp:{CLIENT}:5060")

    def send(self, to: Target | None = None) -> Deferred[Flow]:
        """
        Send a request.
        """
        return self.tcp.send_request(options("SIP/2.0/TCP a.example"), to or self.to)

    def test_connects_once(self) -> None:
        """
        What is sent while connecting waits, and leaves in order on one connection.
        """
        factory = self.listen(5060)
        sent = [self.send(), self.send()]
        self.assertEqual(len(self.tcp._connections._openings), 1)
        flows = [self.fired(one) for one in sent]
        flows.append(self.fired(self.send()))
        self.network.advance()
        self.assertEqual(len(factory.made), 1)
        self.assertEqual(factory.made[0].data.count(b"OPTIONS sip:"), 3)
        self.assertEqual(len({id(flow) for flow in flows}), 1)
        self.assertEqual(flows[0].remote, self.to.endpoint)
        self.assertIsNone(flows[0].listener)

    def test_connects_again(self) -> None:
        """
        A connection that has closed is not used again.
        """
        factory = self.listen(5060)
        self.fired(self.send())
        factory.made[0].pipe.loseConnection()
        self.network.advance()
        self.fired(self.send())
        self.assertEqual(len(factory.made), 2)

    def test_refused(self) -> None:
        """
        A refused connection fails everything that waits; the next try is a new one.
        """
        sent = [self.send(), self.send()]
        for one in sent:
            text = self.failed(one, TransportError)
            self.assertIn(f"cannot connect to tcp:{CLIENT}:5060", text)
        self.assert_settled(self.tcp)
        self.listen(5060)
        self.fired(self.send())

    def test_no_answer(self) -> None:
        """
        The attempt ends after its time.
        """
        sent = self.send(target("tcp:192.0.2.99:5060"))
        self.network.advance(9.9)
        self.assertNoResult(sent)
        self.network.advance(0.2)
        self.failed(sent, TransportError)
        self.assert_settled(self.tcp)

    def test_waiting_is_bounded(self) -> None:
        """
        Only so many may wait for one connection; one more fails at once.
        """
        self.listen(5060)
        sent = [self.send() for _ in range(4)]
        self.assertIn("wait", self.failed(sent[3], TransportError))
        for one in sent[:3]:
            self.fired(one)

    def test_given_up_while_waiting(self) -> None:
        """
        What the sender gives up does not leave.
        """
        factory = self.listen(5060)
        first, second = self.send(), self.send()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.fired(second)
        self.network.advance()
        self.assertEqual(factory.made[0].data.count(b"OPTIONS sip:"), 1)

    def test_caps_hold_for_us_too(self) -> None:
        """
        We open no more connections to one address than it may open to us.
        """
        self.listen(5060)
        self.listen(5061)
        for port in (5060, 5061):
            self.fired(self.send(target(f"tcp:{CLIENT}:{port}")))
        self.assertIn(
            "too many",
            self.failed(self.send(target(f"tcp:{CLIENT}:5062")), TransportError),
        )

    def test_on_a_flow(self) -> None:
        """
        A request to who has connected goes out on that flow, and nowhere else.
        """
        peer = self.connect()
        peer.pipe.write(options_bytes("SIP/2.0/TCP a.example"))
        self.network.advance()
        flow = self.consumer.requests[0][1]
        self.fired(self.tcp.send_request(options(), self.to, flow))
        self.network.advance()
        self.assertTrue(peer.data.startswith(b"OPTIONS "))
        peer.pipe.loseConnection()
        self.network.advance()
        sent = self.tcp.send_request(options(), self.to, flow)
        self.assertIn("closed", self.failed(sent, TransportError))

    def test_to_the_address_of_a_flow(self) -> None:
        """
        A request to the very address that a peer connected from uses its connection.
        """
        peer = self.connect()
        here = peer.pipe.getHost()
        sent = self.send(target(f"tcp:{CLIENT}:{here.port}"))
        self.assertIsNotNone(self.fired(sent).listener)

    def test_no_websocket_yet(self) -> None:
        """
        A transport that does not exist is an error.
        """
        text = self.failed(self.send(target(f"ws:{CLIENT}:80")), TransportError)
        self.assertIn("no channel", text)

    def test_source(self) -> None:
        """
        The sender may choose the address to connect from.
        """
        wide = self.network.machine("192.0.2.10", "192.0.2.11")
        layer, _ = self.layer(wide)
        factory = self.listen(5060)
        source = Endpoint(Transport.TCP, "192.0.2.11", 5060)
        flow = self.fired(layer.send_request(options(), self.to, source=source))
        self.assertEqual(flow.local.host, "192.0.2.11")
        self.assertEqual(factory.made[0].pipe.getPeer().host, "192.0.2.11")


class ResponseTests(LayerCase):
    """
    Responses to requests that came by TCP (RFC 3261, 18.2.2).
    """

    def receive(
        self, via: str, resolve: object = None
    ) -> tuple[TransportLayer, Request, Flow]:
        """
        Let a peer send a request with this Via.
        """
        self.tcp, consumer = self.layer(
            self.server, f"tcp:{SERVER}:5060", resolve=resolve
        )
        self.peer = self.connect()
        self.peer.pipe.write(options_bytes(via))
        self.network.advance()
        request, flow = consumer.requests[0]
        return self.tcp, request, flow

    def close(self) -> None:
        """
        Let the peer's connection end; until then it might only have ended its side.
        """
        self.peer.pipe.loseConnection()
        self.network.advance(TransportLimits().answers + 0.1)

    def test_same_connection(self) -> None:
        """
        The connection of the request takes the response, whatever the Via says.
        """
        layer, request, flow = self.receive(
            "SIP/2.0/TCP 198.51.100.1:9;maddr=192.0.2.9"
        )
        self.assertIs(self.fired(layer.send_response(request.respond(200), flow)), flow)
        self.network.advance()
        self.assertTrue(self.peer.data.startswith(b"SIP/2.0 200 "))

    def test_connection_is_gone(self) -> None:
        """
        Then a new one is opened to the source address and the port of sent-by.
        """
        factory = self.listen(5070)
        layer, request, flow = self.receive("SIP/2.0/TCP phone.example:5070;rport")
        self.close()
        back = self.fired(layer.send_response(request.respond(200), flow))
        self.network.advance()
        self.assertEqual(back.remote, Endpoint(Transport.TCP, CLIENT, 5070))
        self.assertTrue(factory.made[0].data.startswith(b"SIP/2.0 200 "))

    def test_nobody_listens(self) -> None:
        """
        Without anybody there the failure is told to the sender.
        """
        layer, request, flow = self.receive("SIP/2.0/TCP 192.0.2.2:5070")
        self.close()
        sent = layer.send_response(request.respond(200), flow)
        self.failed(sent, TransportError)

    def test_name_is_looked_up(self) -> None:
        """
        If the source address does not answer, the name in sent-by is located.
        """
        factory = self.listen(5080)
        asked: list[str] = []

        async def resolve(via: Via) -> Sequence[Target]:
            asked.append(via.host)
            return [target(f"tcp:{CLIENT}:5079"), target(f"tcp:{CLIENT}:5080")]

        layer, request, flow = self.receive("SIP/2.0/TCP phone.example", resolve)
        self.close()
        self.fired(layer.send_response(request.respond(200), flow))
        self.network.advance()
        self.assertEqual(asked, ["phone.example"])
        self.assertTrue(factory.made[0].data.startswith(b"SIP/2.0 200 "))


class ViaTests(LayerCase):
    """
    How requests of ours name us.
    """

    def test_udp(self) -> None:
        """
        Over UDP we ask for the port that we are seen with.
        """
        layer, _ = self.layer(self.client, f"udp:{CLIENT}:5060")
        via = layer.via_for(target(f"udp:{SERVER}:5060"))
        self.assertEqual(str(via), f"SIP/2.0/UDP {CLIENT}:5060;rport")
        self.assertTrue(layer.is_own(via))

    def test_advertised(self) -> None:
        """
        The address given to others is the one that they can reach.
        """
        layer, _ = self.layer(
            self.client, f"tcp:{CLIENT}:5060 advertise sip.example.com:5090"
        )
        via = layer.via_for(target(f"tcp:{SERVER}:5060"))
        self.assertEqual(str(via), "SIP/2.0/TCP sip.example.com:5090")
        self.assertTrue(layer.is_own(via))
        self.assertTrue(layer.is_own(Via.parse("SIP/2.0/TCP SIP.Example.Com:5090")))
        self.assertFalse(layer.is_own(Via.parse("SIP/2.0/TCP sip.example.com")))

    def test_ipv6(self) -> None:
        """
        An IPv6 address stands in brackets.
        """
        layer, _ = self.layer(
            self.client, f"udp:{CLIENT}:5060", f"udp:[{CLIENT6}]:5060"
        )
        via = layer.via_for(target(f"udp:[{SERVER6}]:5060"))
        self.assertEqual(via.sent_by, f"[{CLIENT6}]:5060")

    def test_of_a_flow(self) -> None:
        """
        On a flow that came in, the listener it came to is named.
        """
        layer, consumer = self.layer(
            self.server, f"tcp:{SERVER}:5060", f"tcp:{SERVER}:5070"
        )
        self.connect(port=5070).pipe.write(options_bytes("SIP/2.0/TCP a.example"))
        self.network.advance()
        via = layer.via_for(consumer.requests[0][1])
        self.assertEqual(via.sent_by, f"{SERVER}:5070")

    def test_nothing_listens(self) -> None:
        """
        A client without a listener names its address; answers come on the connection.
        """
        layer, _ = self.layer(self.client)
        via = layer.via_for(target(f"tcp:{SERVER}:5060"))
        self.assertEqual(str(via), f"SIP/2.0/TCP {CLIENT}:5060")

    def test_nearest_socket(self) -> None:
        """
        Of several sockets the one that leads to the peer is named.
        """
        wide = self.network.machine("192.0.2.10", "192.0.2.11")
        layer, _ = self.layer(wide, "udp:0.0.0.0:5060")
        way = target("udp:192.0.2.11:5061")
        self.assertEqual(layer.via_for(way).host, "192.0.2.11")
        source = layer.listeners[0].local
        self.assertEqual(layer.via_for(way, source).host, "192.0.2.10")


class ConversationTests(LayerCase):
    """
    Two layers that talk to each other.
    """

    def test_ask_and_answer(self) -> None:
        """
        A request made with `via_for` is answered, over each transport and family.
        """
        ours, heard = self.layer(
            self.client,
            *(f"{kind}:{CLIENT}:5060" for kind in ("udp", "tcp")),
            *(f"{kind}:[{CLIENT6}]:5060" for kind in ("udp", "tcp")),
        )
        theirs, asked = self.layer(
            self.server, "udp:0.0.0.0:5060", "udp:[::]:5060", "tcp:[::]:5060"
        )
        asked.on_request = lambda request, flow: theirs.send_response(
            request.respond(200), flow
        )
        for text in (
            f"udp:{SERVER}:5060",
            f"udp:[{SERVER6}]:5060",
            f"tcp:[{SERVER6}]:5060",
        ):
            to = target(text)
            via = ours.via_for(to).with_parameter("branch", "z9hG4bK1")
            self.fired(ours.send_request(options(str(via)), to))
            self.network.advance()
            response, flow = heard.responses[-1]
            self.assertEqual(response.status, 200)
            self.assertEqual(flow.remote, to.endpoint)
            self.assertTrue(ours.is_own(response[VIA]))
        self.assertEqual(len(heard.responses), 3)
        noted = [str(request[VIA].received) for request, _ in asked.requests]
        self.assertEqual(noted, [CLIENT, CLIENT6, "None"])
