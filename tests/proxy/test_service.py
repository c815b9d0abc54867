"""
Tests for `sipsorcery.proxy.service`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.contacts import Contact
from sipsorcery.config import ConfigError, parse
from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.proxy.errors import ScriptError
from sipsorcery.proxy.service import ProxyService
from sipsorcery.sip import Response
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.bus import RecordingBus
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.errors import CertificateError, ListenError
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.target import Target
from sipsorcery.transport.udp import DatagramFlow, UDPChannel
from tests.proxy.test_core import make_request

SERVER, CLIENT = "192.0.2.1", "192.0.2.2"


class ProxyServiceTests(SynchronousTestCase):
    """
    The proxy and one client in a network.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        self.machine = self.network.machine(SERVER)
        self.data_dir = Path(self.mktemp())
        self.bus = RecordingBus()
        self.consumer = RecordingConsumer()
        self.client = TransportLayer(
            self.network.machine(CLIENT),
            TransportSettings((ListenAddress.parse(f"udp:{CLIENT}:5060"),)),
            self.consumer,
        )
        self.client.start()

    def make(self, text: str, **options: Any) -> ProxyService:
        """
        Make the service, with its data in a folder of the test's own.

        :param options: as `ProxyService` takes them.
        """
        config = parse(f"server.data_dir = '{self.data_dir}'\n{text}".encode())
        return ProxyService(
            self.machine,
            config,
            bus=self.bus,
            secrets=Secrets(self.data_dir),
            **options,
        )

    def start(self, text: str, **options: Any) -> ProxyService:
        """
        Start the service, and stop it after the test.
        """
        service = self.make(text, **options)
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def ask(self, to: str, uri: str, *lines: str) -> Response:
        """
        Let the client send OPTIONS to an end point of the server.
        """
        target = Target(Endpoint.parse(to), Expectation(SERVER, TLSVerify.NONE))
        request = make_request("OPTIONS", uri, *lines)
        via = self.client.via_for(target)
        branch = via.parameters.set("branch", "z9hG4bK1")
        request.set(VIA, via._replace(parameters=branch))
        self.client.send_request(request, target)
        self.network.advance(1)
        ((response, _),) = self.consumer.responses
        self.consumer.responses.clear()
        return response

    def send(self, *datagrams: bytes) -> None:
        """
        Send datagrams to the server as they are.
        """
        for datagram in datagrams:
            self.network.send(datagram, (CLIENT, 5060), (SERVER, 5060))
        self.network.advance(1)

    def test_every_transport(self) -> None:
        """
        OPTIONS is answered over UDP, TCP and TLS.
        """
        self.start(
            f"proxy.listen = ['udp:{SERVER}:5060', 'tcp:{SERVER}:5060', "
            f"'tls:{SERVER}:5061']"
        )
        for to in (f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060", f"tls:{SERVER}:5061"):
            self.assertEqual(self.ask(to, f"sip:{SERVER}").status, 200, to)

    def test_reconfigure(self) -> None:
        """
        Other domains are served from the next request on; with a script that cannot be
        used all stays as it was.
        """
        end = f"udp:{SERVER}:5060"
        service = self.start(f"proxy.listen = ['{end}']\nsip.domains = ['a.example']")

        def statuses() -> list[int]:
            return [self.ask(end, f"sip:{one}.example").status for one in "ab"]

        self.assertEqual(statuses(), [200, 403])
        other = "sip.domains = ['b.example']"
        wrong = parse(f"{other}\nproxy.script = '{self.data_dir}'".encode())
        fault = self.assertRaises(ConfigError, service.reconfigure, wrong)
        self.assertTrue(str(fault).startswith("proxy.script: "))
        self.assertEqual(statuses(), [200, 403])
        service.reconfigure(parse(other.encode()))
        self.assertEqual(statuses(), [403, 200])

    def test_own_addresses(self) -> None:
        """
        Ours are the addresses that we listen on and advertise, the public address and
        the served domains.
        """
        self.start(
            f"""
            proxy.listen = ['udp:{SERVER}:5060 advertise sip.example.net:5070']
            sip.public_address = '203.0.113.9'
            sip.domains = ['example.com']
            """
        )
        for uri, status in (
            (f"sip:{SERVER}:5060", 200),
            ("sip:sip.example.net:5070", 200),
            ("sip:203.0.113.9:5060", 200),
            ("sip:example.com", 200),
            ("sip:203.0.113.9:5070", 403),
            ("sip:example.net", 403),
        ):
            response = self.ask(f"udp:{SERVER}:5060", uri)
            self.assertEqual(response.status, status, uri)

    def test_malformed(self) -> None:
        """
        What breaks the grammar is answered, and the next request is served.
        """
        self.start(f"proxy.listen = ['udp:{SERVER}:5060']")
        broken = self.ask(f"udp:{SERVER}:5060", f"sip:{SERVER}", "Max-Forwards: x")
        self.assertEqual(broken.status, 400)
        self.assertEqual(self.ask(f"udp:{SERVER}:5060", f"sip:{SERVER}").status, 200)

    def test_ack(self) -> None:
        """
        An ACK is taken without a word, as is what is no request.
        """
        self.start(f"proxy.listen = ['udp:{SERVER}:5060']")
        ack = make_request("ACK", f"sip:{SERVER}").to_bytes()
        response = make_request().respond(200).to_bytes()
        self.send(ack, response, b"\0\1\0\0", b"\r\n\r\n", b"hello")
        self.assertEqual(self.consumer.responses, [])

    def test_no_way_back(self) -> None:
        """
        An answer that cannot be sent is no fault of ours, and fills no log.
        """
        service = self.start(f"proxy.listen = ['udp:{SERVER}:5060']")
        listen = ListenAddress.parse(f"udp:{SERVER}:5061")
        closed = UDPChannel(listen, lambda data, flow: None, Counters())
        closed.listener = Listener(listen, listen.endpoint)
        via = f"SIP/2.0/UDP {CLIENT};rport;branch=z9hG4bK1"
        request = make_request("OPTIONS", f"sip:{SERVER}", via=via)
        request.note_source(CLIENT, 5060)
        with capturedLogs() as events:
            service.request_received(request, DatagramFlow(closed, (CLIENT, 5060)))
        self.assertEqual(events, [])

    def test_stop(self) -> None:
        """
        Once it is stopped, every port is closed.
        """
        service = self.make(
            f"proxy.listen = ['udp:{SERVER}:5060', 'tcp:{SERVER}:5060']"
        )
        service.startService()
        stopped = service.stopService()
        assert stopped is not None
        self.network.advance(10)
        self.successResultOf(stopped)
        self.assertEqual((self.machine.udp_ports, self.machine.tcp_ports), ({}, {}))
        self.assertFalse(service.running)

    def test_stop_without_start(self) -> None:
        """
        A service that could not start can be stopped.
        """
        service = self.make("")
        self.assertIsNone(service.stopService())

    def test_taken_port(self) -> None:
        """
        Where a port is taken, no listener is left open.
        """
        self.start(f"proxy.listen = ['tcp:{SERVER}:5060']")
        late = self.make(f"proxy.listen = ['udp:{SERVER}:5060', 'tcp:{SERVER}:5060']")
        error = self.assertRaises(ListenError, late.startService)
        self.assertIn(f"tcp:{SERVER}:5060", str(error))
        self.assertEqual(self.machine.udp_ports, {})
        self.assertFalse(late.running)

    def test_own_certificate(self) -> None:
        """
        TLS without a configured certificate makes one, and the log tells its file.
        """
        with capturedLogs() as events:
            self.start(f"proxy.listen = ['tls:{SERVER}:5061']")
        file = self.data_dir / "tls" / "self-signed.pem"
        self.assertTrue(file.exists())
        self.assertTrue(any(str(file) in formatEvent(each) for each in events))

    def test_no_certificate_needed(self) -> None:
        """
        Without TLS no certificate is made.
        """
        self.start(f"proxy.listen = ['udp:{SERVER}:5060']")
        self.assertFalse((self.data_dir / "tls").exists())

    def test_configured_certificate(self) -> None:
        """
        A configured certificate that is not there is not replaced by one of our own.
        """
        service = self.make(
            f"""
            [proxy]
            listen = ['tls:{SERVER}:5061']
            tls_certificate = 'missing.pem'
            tls_key = 'missing.key'
            """
        )
        self.assertRaises(CertificateError, service.startService)
        self.assertFalse((self.data_dir / "tls").exists())

    def test_log(self) -> None:
        """
        At its start it tells where it listens and what it leaves out.
        """
        with capturedLogs() as events:
            self.start(f"proxy.listen = ['udp:{SERVER}:0', 'ws:{SERVER}:80']")
        lines = [formatEvent(each) for each in events]
        ((_, port),) = self.machine.udp_ports
        self.assertIn(f"Listening on udp:{SERVER}:{port}", lines)
        self.assertIn(f"Not opened in this version: ws:{SERVER}:80", lines)

    def test_script(self) -> None:
        """
        The operator's script decides; one that cannot be used is told at the start.
        """
        file = Path(self.mktemp()).absolute()
        text = f"proxy.script = '{file}'\nproxy.listen = ['udp:{SERVER}:5060']"
        self.assertRaises(ScriptError, self.make(text).startService)
        self.assertEqual(self.machine.udp_ports, {})
        file.write_text("def request(sys, req): sys.respond(410)")
        self.start(text)
        self.assertEqual(self.ask(f"udp:{SERVER}:5060", f"sip:{SERVER}").status, 410)

    def test_lookup(self) -> None:
        """
        A request to a user of ours goes to where that is registered, on the listener
        that leads there, and the answer comes back.
        """

        class Users:
            async def of(self, uri: SIPURI | str) -> Sequence[Contact] | None:
                assert isinstance(uri, SIPURI)
                known = uri.aor == "sip:bob@example.com"
                contact = SIPURI.parse(f"sip:bob@{CLIENT}:5060")
                return [Contact(contact)] if known else None

        self.start(
            f"sip.domains = ['example.com']\nproxy.listen = ['udp:{SERVER}:5060']",
            contacts=Users(),
        )
        self.consumer.on_request = lambda request, flow: self.client.send_response(
            request.respond(200, to_tag="b"), flow
        )
        to = f"udp:{SERVER}:5060"
        self.assertEqual(self.ask(to, "sip:nobody@example.com").status, 404)
        self.assertEqual(self.ask(to, "sip:bob@example.com").status, 200)
        ((request, _),) = self.consumer.requests
        self.assertEqual(request.request_uri, f"sip:bob@{CLIENT}:5060")

    def test_trunk(self) -> None:
        """
        Who comes from the network of a trunk may send to others.
        """
        text = f"proxy.listen = ['udp:{SERVER}:5060']"
        uri = f"sip:x@{CLIENT}:5060"
        service = self.start(text)
        self.assertEqual(self.ask(f"udp:{SERVER}:5060", uri).status, 403)
        service.stopService()
        self.network.advance(10)
        self.start(f"{text}\n[[trunk]]\nname = 'it'\nnetworks = ['{CLIENT}/32']")
        self.consumer.on_request = lambda request, flow: self.client.send_response(
            request.respond(200, to_tag="b"), flow
        )
        self.assertEqual(self.ask(f"udp:{SERVER}:5060", uri).status, 200)
