"""
Tests for `sipsorcery.transport.tls`, between machines in memory.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from OpenSSL import SSL
from twisted.internet.defer import Deferred

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.via import Via
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.errors import TLSVerificationError, TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import Expectation, TLSVerify, fingerprints
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.target import Target
from tests.transport.authority import Authority
from tests.transport.cases import CLIENT, SERVER, LayerCase, Peer
from tests.transport.messages import options, options_bytes

END = Endpoint.parse(f"tls:{SERVER}:5061")


def to_domain(
    name: str = "example.com", verify: TLSVerify = TLSVerify.DOMAIN
) -> Target:
    """
    Make a target that has to prove a name.
    """
    return Target(END, Expectation(name, TLSVerify(verify)))


class MutePhone:
    """
    A client that shakes hands, and never ends its side within TLS, as baresip does.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._tls = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        self._tls.set_connect_state()

    def shake_hands(self) -> bool:
        """
        Write and read what there is.

        :return: whether that was the end of it.
        """
        data, self._peer.data = self._peer.data, b""
        if data:
            self._tls.bio_write(data)
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        finally:
            self._peer.pipe.write(self._tls.bio_read(2**16))
        return True

    def read(self) -> bytes:
        """
        Read what has come.
        """
        self._tls.bio_write(self._peer.data)
        return self._tls.recv(2**16)


class TLSCase(LayerCase):
    """
    A server with a certificate for example.com, and a client that trusts its authority.
    """

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.mktemp())
        self.authority = Authority(self.folder)

    def serve(self, settings: TLSSettings | None = None) -> None:
        """
        Start the server.
        """
        if settings is None:
            files = self.authority.issue("server", "example.com", SERVER)
            settings = TLSSettings((files,), poll=1e9)
        self.theirs, self.asked = self.layer(
            self.server, f"tls:{SERVER}:5061", tls=settings
        )
        self.asked.on_request = lambda request, flow: self.theirs.send_response(
            request.respond(200), flow
        )

    def call(self, settings: TLSSettings | None = None) -> TransportLayer:
        """
        Start a client.
        """
        trusting = TLSSettings(authorities=self.authority.file, poll=1e9)
        layer, self.heard = self.layer(self.client, tls=settings or trusting)
        return layer

    def send(self, layer: TransportLayer, to: Target) -> Deferred[Flow]:
        """
        Send a request.
        """
        via = layer.via_for(to).with_parameter("branch", "z9hG4bK1")
        return layer.send_request(options(str(via)), to)


class VerifyTests(TLSCase):
    """
    What a server has to prove.
    """

    def refused(self, to: Target, settings: TLSSettings | None = None) -> str:
        """
        Check that a server is not trusted, and give the sentence.
        """
        layer = self.call(settings)
        text = self.failed(self.send(layer, to), TLSVerificationError)
        self.assertEqual(self.asked.requests, [])
        self.network.advance(10)
        self.assertEqual(len(self.theirs._connections.table), 0)
        self.assertEqual(layer.counters.connections_failed, 1)
        return text

    def test_domain(self) -> None:
        """
        A server that proves the SIP domain is spoken to; its names are known.
        """
        self.serve()
        layer = self.call()
        flow = self.fired(self.send(layer, to_domain()))
        self.network.advance()
        self.assertEqual(self.heard.responses[0][0].status, 200)
        self.assertIn("example.com", flow.identities)
        self.assertIsInstance(flow.certificate, x509.Certificate)
        self.assertEqual(flow.remote, END)

    def test_other_domain(self) -> None:
        """
        One that proves another name is not; the sentence names both.
        """
        self.serve()
        text = self.refused(to_domain("example.net"))
        self.assertIn("expected the SIP domain example.net", text)
        self.assertIn("holds: example.com", text)

    def test_unknown_authority(self) -> None:
        """
        A certificate of an authority that we do not know proves nothing.
        """
        self.serve()
        other = Authority(self.folder, "other")
        text = self.refused(to_domain(), TLSSettings(authorities=other.file))
        self.assertIn("authority that is not trusted", text)
        self.assertIn("expected the SIP domain example.com", text)

    def test_authorities_of_the_system(self) -> None:
        """
        Without a file of our own those of the system count, and ours is none of them.
        """
        self.serve()
        self.assertIn("not trusted", self.refused(to_domain(), TLSSettings()))

    def test_expired(self) -> None:
        """
        A certificate that has expired proves nothing.
        """
        files = self.authority.issue("server", "example.com", expired=True)
        self.serve(TLSSettings((files,), poll=1e9))
        self.assertIn("it has expired", self.refused(to_domain()))

    def test_target(self) -> None:
        """
        Under "target" the server has to prove the address, or the host, we went to.
        """
        self.serve()
        layer = self.call()
        self.fired(self.send(layer, to_domain(SERVER, TLSVerify.TARGET)))
        self.fired(self.send(layer, to_domain("example.com", TLSVerify.TARGET)))
        text = self.failed(
            self.send(layer, to_domain("192.0.2.9", TLSVerify.TARGET)),
            TLSVerificationError,
        )
        self.assertIn("expected the address 192.0.2.9", text)

    def test_without_expectation(self) -> None:
        """
        A target that expects nothing in particular has to prove its address.
        """
        self.serve()
        self.fired(self.send(self.call(), Target(END)))

    def test_pin(self) -> None:
        """
        A pinned certificate needs no authority, and no other one will do.
        """
        self.serve()
        data = (self.folder / "server.pem").read_bytes()
        pins = fingerprints(x509.load_pem_x509_certificate(data))
        for pin in pins:
            layer = self.call(TLSSettings())
            expected = Expectation("", TLSVerify.PIN, frozenset({pin}))
            flow = self.fired(self.send(layer, Target(END, expected)))
            self.assertEqual(flow.identities, ())
        layer = self.call(TLSSettings())
        expected = Expectation("", TLSVerify.PIN, frozenset({"00" * 32}))
        sent = self.send(layer, Target(END, expected))
        self.assertIn("pinned", self.failed(sent, TLSVerificationError))

    def test_none(self) -> None:
        """
        Under "none" anybody will do, and proves nothing.
        """
        self.serve()
        layer = self.call(TLSSettings())
        flow = self.fired(self.send(layer, to_domain("any.test", TLSVerify.NONE)))
        self.assertEqual(flow.identities, ())

    def test_server_name(self) -> None:
        """
        The server learns which domain we look for, and can serve several.
        """
        first = self.authority.issue("first", "example.com")
        second = self.authority.issue("second", "example.net")
        self.serve(TLSSettings((first, second), poll=1e9))
        layer = self.call()
        for name in ("example.com", "example.net"):
            flow = self.fired(self.send(layer, to_domain(name)))
            self.assertEqual(flow.identities, (name,))

    def test_no_tls_there(self) -> None:
        """
        A server that speaks no TLS is no server for us.
        """
        self.serve()
        factory = self.listen(5071)
        layer = self.call()
        end = Endpoint.parse(f"tls:{CLIENT}:5071")
        sent = layer.send_request(options(), Target(end, Expectation("example.com")))
        self.network.advance()
        factory.made[0].pipe.write(b"SIP/2.0 200 OK\r\n\r\n")
        self.assertIn("TLS with", self.failed(sent, TransportError))

    def test_silent_server(self) -> None:
        """
        One that never answers has as long as a handshake may take.
        """
        self.serve()
        self.listen(5071)
        layer = self.call()
        end = Endpoint.parse(f"tls:{CLIENT}:5071")
        sent = layer.send_request(options(), Target(end, Expectation("example.com")))
        self.network.advance(4.9)
        self.assertNoResult(sent)
        self.network.advance(0.2)
        self.assertIn("5 s for TLS", self.failed(sent, TransportError))


class ReuseTests(TLSCase):
    """
    Which connection serves which request.
    """

    def test_same_domain(self) -> None:
        """
        Requests to one domain at one address share a connection.
        """
        self.serve()
        layer = self.call()
        flows = [self.fired(self.send(layer, to_domain())) for _ in range(2)]
        self.assertIs(*flows)

    def test_other_domain(self) -> None:
        """
        A connection is never used for another domain than it was verified for, even if
        the certificate would do for both.
        """
        files = self.authority.issue("server", "example.com", "example.net")
        self.serve(TLSSettings((files,), poll=1e9))
        layer = self.call()
        com = self.fired(self.send(layer, to_domain("example.com")))
        net = self.fired(self.send(layer, to_domain("example.net")))
        self.assertIsNot(com, net)
        self.failed(self.send(layer, to_domain("example.org")), TLSVerificationError)

    def test_other_check(self) -> None:
        """
        Nor is one that was opened without a check used for who wants one.
        """
        self.serve()
        layer = self.call()
        loose = self.fired(self.send(layer, to_domain(verify=TLSVerify.NONE)))
        strict = self.fired(self.send(layer, to_domain()))
        self.assertIsNot(loose, strict)


class ServerTests(TLSCase):
    """
    Peers that come to us.
    """

    def test_never_starts(self) -> None:
        """
        A peer that connects and never starts TLS is cut off, and others are served.
        """
        self.serve()
        peer = self.connect(port=5061)
        self.network.advance(4.9)
        self.fired(self.send(self.call(), to_domain()))
        self.assertIsNone(peer.lost)
        self.network.advance(0.2)
        self.assertIsNotNone(peer.lost)
        self.assertEqual(self.theirs.counters.handshakes_failed, 1)
        self.assertEqual(self.asked.closed, [])

    def test_plain_sip(self) -> None:
        """
        One that speaks SIP without TLS is turned away at once.
        """
        self.serve()
        peer = self.connect(port=5061)
        peer.pipe.write(options_bytes())
        self.network.advance()
        self.assertIsNotNone(peer.lost)
        self.assertEqual(self.asked.requests, [])
        self.assertEqual(self.theirs.counters.handshakes_failed, 1)

    def test_peer_without_close_notify(self) -> None:
        """
        Closing takes no time with a peer that says nothing to the end of TLS, and what
        was written before arrives (RFC 5246, 7.2.1).
        """
        self.serve()
        peer = self.connect(port=5061)
        phone = MutePhone(peer)
        while not phone.shake_hands():
            self.network.advance()
        self.network.advance()
        (flow,) = self.theirs._connections.table
        flow.send(options_bytes())
        stopped = Deferred.fromCoroutine(self.theirs.stop())
        self.fired(stopped)
        self.assertEqual(phone.read(), options_bytes())
        self.assert_settled(self.theirs)

    def test_swap_keeps_connections(self) -> None:
        """
        A new certificate serves those who come; who is there stays.
        """
        files = self.authority.issue("server", "example.com")
        self.serve(TLSSettings((files,), poll=10))
        layer = self.call()
        before = self.fired(self.send(layer, to_domain("example.com")))
        self.authority.issue("server", "example.net")
        self.network.advance(10)
        self.assertIs(self.fired(self.send(layer, to_domain("example.com"))), before)
        self.network.advance()
        self.assertEqual(len(self.heard.responses), 2)
        self.fired(self.send(layer, to_domain("example.net")))

    def test_idle(self) -> None:
        """
        Both sides let go of a connection on which nothing moves, and keep nothing.
        """
        self.serve()
        layer = self.call()
        self.fired(self.send(layer, to_domain()))
        self.network.advance(130)
        self.assertEqual(len(self.theirs._connections.table), 0)
        self.assertEqual(len(layer._connections.table), 0)


class MutualTests(TLSCase):
    """
    Peers that prove a name of theirs.
    """

    def serve_mutual(self, *, required: bool) -> None:
        """
        Start a server that asks for certificates.
        """
        files = self.authority.issue("server", "example.com")
        self.serve(
            TLSSettings(
                (files,),
                client_authorities=self.authority.file,
                client_required=required,
                poll=1e9,
            )
        )

    def call_as(self, name: str, authority: Authority) -> TransportLayer:
        """
        Start a client that has a certificate, and a listener of its own.
        """
        files = authority.issue("client", name)
        settings = TLSSettings((files,), authorities=self.authority.file, poll=1e9)
        layer, self.heard = self.layer(self.client, f"tls:{CLIENT}:5061", tls=settings)
        return layer

    def test_identity(self) -> None:
        """
        The flow of a peer that has proved a name tells it.
        """
        self.serve_mutual(required=True)
        layer = self.call_as("proxy.example", self.authority)
        self.fired(self.send(layer, to_domain()))
        self.network.advance()
        flow = self.asked.requests[0][1]
        self.assertEqual(flow.identities, ("proxy.example",))
        self.assertEqual(self.heard.responses[0][0].status, 200)

    def test_required(self) -> None:
        """
        Where a certificate is required, nobody gets in without.
        """
        self.serve_mutual(required=True)
        self.send(self.call(), to_domain()).addErrback(lambda failure: None)
        self.network.advance(1)
        self.assertEqual(self.asked.requests, [])
        self.assertEqual(self.theirs.counters.handshakes_failed, 1)

    def test_optional(self) -> None:
        """
        Where it is only asked for, one may come without, and has no name then.
        """
        self.serve_mutual(required=False)
        self.fired(self.send(self.call(), to_domain()))
        self.network.advance()
        flow = self.asked.requests[0][1]
        self.assertEqual((flow.identities, flow.certificate), ((), None))

    def test_unknown_authority(self) -> None:
        """
        A certificate of an unknown authority is worse than none.
        """
        self.serve_mutual(required=False)
        layer = self.call_as("proxy.example", Authority(self.folder, "other"))
        self.send(layer, to_domain()).addErrback(lambda failure: None)
        self.network.advance(1)
        self.assertEqual(self.asked.requests, [])

    def back(self, name: str) -> Deferred[Flow]:
        """
        Send a request from the server to the client's own listener.
        """
        end = Endpoint.parse(f"tls:{CLIENT}:5061")
        return self.theirs.send_request(options(), Target(end, Expectation(name)))

    def test_alias(self) -> None:
        """
        A peer that has proved its name may ask that its connection serve requests to
        its own listener, and to the name that it proved (RFC 5923).
        """
        self.serve_mutual(required=True)
        layer = self.call_as("proxy.example", self.authority)
        self.assertIn("alias", layer.via_for(to_domain()).parameters)
        self.fired(self.send(layer, to_domain()))
        self.network.advance()
        flow = self.asked.requests[0][1]
        self.assertIs(self.fired(self.back("proxy.example")), flow)
        self.network.advance()
        self.assertEqual(len(self.heard.requests), 1)
        self.failed(self.back("other.example"), TransportError)

    def test_no_alias_without_asking(self) -> None:
        """
        Without the parameter there is no alias.
        """
        self.serve_mutual(required=True)
        layer = self.call_as("proxy.example", self.authority)
        self.fired(layer.send_request(options(f"SIP/2.0/TLS {CLIENT}"), to_domain()))
        self.network.advance()
        self.assertEqual(len(self.asked.requests), 1)
        self.assertEqual(self.theirs._connections.table._by_alias, {})

    def test_no_alias_without_certificate(self) -> None:
        """
        A peer that has proved nothing cannot divert requests to itself.
        """
        self.serve_mutual(required=False)
        layer = self.call()
        via = Via.parse(f"SIP/2.0/TLS {CLIENT};alias")
        self.fired(layer.send_request(options(str(via)), to_domain()))
        self.network.advance()
        self.assertEqual(len(self.asked.requests), 1)
        self.assertEqual(self.theirs._connections.table._by_alias, {})

    def test_alias_ends_with_its_connection(self) -> None:
        """
        A closed connection is no alias any more.
        """
        self.serve_mutual(required=True)
        layer = self.call_as("proxy.example", self.authority)
        self.fired(self.send(layer, to_domain()))
        self.network.advance(130)
        self.assertEqual(self.theirs._connections.table._by_alias, {})
