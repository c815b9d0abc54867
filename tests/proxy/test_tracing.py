"""
Tests for `sipsorcery.proxy.tracing`.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import ListenAddress
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.masking import mask
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.tracing import Tracing
from sipsorcery.testing.bus import RecordingBus
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.udp import DatagramFlow, UDPChannel, listen_udp
from tests.proxy.flows import make_request

LINE = (
    b'Authorization: Digest username="a", realm="r", nonce="n", uri="sip:r", '
    b'response="%s", opaque="o"'
)
PROOF = b"0123456789abcdef0123456789abcdef"


class MaskTests(SynchronousTestCase):
    """
    Credentials in traces.
    """

    def test_proofs(self) -> None:
        """
        The proof of a password cannot be read, however the field is spelled or folded;
        everything else stays, and in its place.
        """
        for line in (
            LINE,
            b"Proxy-" + LINE,
            LINE.replace(b"Authorization:", b"authorization \t:"),
            LINE.replace(b"response=", b"\r\n RESPONSE = "),
        ):
            data = b"REGISTER sip:r SIP/2.0\r\n" + line % PROOF + b"\r\nX: 1\r\n\r\n"
            self.assertEqual(mask(data), data.replace(PROOF, b"*" * 32), line)

    def test_others(self) -> None:
        """
        What is none stays, be it in another field or in the body.
        """
        data = (
            b'X: response="abc"\r\nWWW-Authenticate: response="abc"\r\n\r\nresponse=1'
        )
        self.assertEqual(mask(data), data)


class TracingTests(SynchronousTestCase):
    """
    Messages as events.
    """

    def setUp(self) -> None:
        self.bus = RecordingBus()
        self.tracing = Tracing(self.bus, lambda: 1000.0)
        self.tracing.branches = Branches(b"v" * 32)
        listen = ListenAddress.parse("udp:127.0.0.1:5060")
        channel = UDPChannel(listen, lambda data, flow: None, Counters())
        listen_udp(MemoryReactor(), channel, "127.0.0.1", 5060)
        self.flow = DatagramFlow(channel, ("192.0.2.1", 5060))

    def test_nobody_listens(self) -> None:
        """
        Where nobody wants traces, nothing is read.
        """
        tracing = Tracing(LocalBus(Clock()))
        tracing.trace(b"anything", self.flow, True)

    def test_keep_alive(self) -> None:
        """
        Empty lines, which keep connections open, are no messages.
        """
        for data in (b"\r\n\r\n", b"\r\n", b""):
            self.tracing.trace(data, self.flow, True)
        self.assertEqual(self.bus.events, [])

    def test_unreadable(self) -> None:
        """
        What cannot be read is shown as it is.
        """
        self.tracing.trace(b"\xff\x00garbage", self.flow, True)
        (event,) = self.bus.events
        assert event.trace is not None
        self.assertEqual(event.trace.data, b"\xff\x00garbage")
        self.assertEqual((event.call_id, event.trace.branch), ("", ""))

    def test_claimed_branch(self) -> None:
        """
        A response with a branch on top that we have not made is of nobody's.
        """
        request = make_request(
            "INVITE", "sip:x", "Via: SIP/2.0/UDP b;branch=z9hG4bKb", via="SIP/2.0/UDP a"
        )
        self.tracing.trace(request.respond(200).to_bytes(), self.flow, True)
        (event,) = self.bus.events
        assert event.trace is not None
        self.assertEqual((event.detail, event.trace.branch), ({}, ""))

    def test_inside(self) -> None:
        """
        What goes between servers of ours says to whom, where the configuration knows.
        """
        placed = {self.flow.remote: "registrar"}
        for roles, role in (({}, "server"), (placed, "registrar")):
            tracing = Tracing(self.bus, inside=self.flow.local, roles=roles)
            tracing.trace(b"anything", self.flow, True)
            self.assertEqual(self.bus.events[-1].detail, {"role": role})
