"""
Tests for `sipsorcery.proxy.service`: STUN, and the address behind a NAT.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.protocol import DatagramProtocol
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import parse
from sipsorcery.endpoint import ListenAddress
from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.service import ProxyService
from sipsorcery.store.secrets import Secrets
from sipsorcery.stun import Address, answer
from sipsorcery.stun.protocol import ClientProtocol
from sipsorcery.testing.bus import RecordingBus
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.testing.network import MemoryNetwork
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.target import Target
from tests.proxy.test_core import make_request

_PROXY, _PHONE, _STUN = "192.168.1.2", "192.168.1.7", "192.0.2.1"


class NAT(DatagramProtocol):
    """
    A STUN server that sees its clients behind a NAT.
    """

    seen = ("203.0.113.9", 61000)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Answer as the NAT makes the client look.
        """
        response = answer(datagram, self.seen)
        assert response is not None and self.transport is not None
        self.transport.write(response, addr)


class STUNTests(SynchronousTestCase):
    """
    A proxy, a phone and a STUN server.
    """

    def setUp(self) -> None:
        self.network = MemoryNetwork()
        machine = self.network.machine(_PROXY)
        self.phone = self.network.machine(_PHONE)
        self.nat = NAT()
        self.network.machine(_STUN).listenUDP(3478, self.nat, _STUN)
        self.bus = RecordingBus()
        folder = Path(self.mktemp())
        config = parse(
            f"""
            server.data_dir = '{folder}'
            proxy.listen = ['udp:{_PROXY}:5060', 'tcp:{_PROXY}:5060']
            sip.stun_server = '{_STUN}'
            """.encode()
        )
        secrets = Secrets(folder)
        service = ProxyService(machine, config, bus=self.bus, secrets=secrets)
        service.startService()
        self.addCleanup(service.stopService)
        self.network.advance()
        self.consumer = RecordingConsumer()
        listen = ListenAddress.parse(f"udp:{_PHONE}:5060")
        self.layer = TransportLayer(
            self.phone, TransportSettings((listen,)), self.consumer
        )
        self.layer.start()

    def status(self, uri: str) -> int:
        """
        Ask the proxy by OPTIONS, and give the status of the answer.
        """
        target = Target(ListenAddress.parse(f"udp:{_PROXY}:5060").endpoint)
        via = self.layer.via_for(target).with_parameter("branch", "z9hG4bK1")
        self.layer.send_request(make_request("OPTIONS", uri, via=str(via)), target)
        self.network.advance(1)
        ((response, _),) = self.consumer.responses
        self.consumer.responses.clear()
        return response.status

    def test_keep_alive(self) -> None:
        """
        A phone that asks on the SIP port learns its address.
        """
        client = ClientProtocol(self.phone)
        self.phone.listenUDP(6000, client, _PHONE)
        found = client.discover(Address(_PROXY, 5060))
        self.network.advance()
        self.assertEqual(self.successResultOf(found), (_PHONE, 6000))

    def test_learned_address(self) -> None:
        """
        What the STUN server says is ours, for TCP with the port of the listener, and is
        reported.
        """
        for uri, status in (
            ("sip:203.0.113.9:61000", 200),
            ("sip:203.0.113.9:5060", 200),
            ("sip:203.0.113.9", 200),
            ("sip:203.0.113.9:5070", 403),
            ("sip:203.0.113.8", 403),
        ):
            self.assertEqual(self.status(uri), status, uri)
        (event,) = (
            one for one in self.bus.events if one.kind is EventKind.PUBLIC_ADDRESS
        )
        self.assertEqual(
            event.detail,
            {"listener": f"udp:{_PROXY}:5060", "address": "203.0.113.9:61000"},
        )

    def test_changed_address(self) -> None:
        """
        A new one is ours within a minute; the one before stays ours for the dialogs
        that name it.
        """
        self.nat.seen = ("203.0.113.77", 5060)
        self.network.advance(60)
        self.assertEqual(self.status("sip:203.0.113.77"), 200)
        self.assertEqual(self.status("sip:203.0.113.9:61000"), 200)
