"""
Tests for `sipsorcery.monitor.hep`.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Trace
from sipsorcery.monitor.hep import encode


def chunks(packet: bytes) -> dict[int, bytes]:
    """
    Take a packet apart, and check its lengths.
    """
    magic, length = struct.unpack("!4sH", packet[:6])
    assert (magic, length) == (b"HEP3", len(packet))
    found, at = {}, 6
    while at < len(packet):
        vendor, type, size = struct.unpack("!HHH", packet[at : at + 6])
        assert vendor == 0
        found[type] = packet[at + 6 : at + size]
        at += size
    return found


def trace(direction: Direction, local: str, remote: str, data: bytes) -> Trace:
    """
    Make a trace.
    """
    return Trace(data, direction, Endpoint.parse(local), Endpoint.parse(remote))


class HEPTests(SynchronousTestCase):
    """
    Packets of HEP3.
    """

    def test_sent_over_udp(self) -> None:
        """
        What we sent goes from our address, at its time, under our number and key.
        """
        sent = trace(
            Direction.SENT, "udp:192.0.2.1:5060", "udp:198.51.100.7:33000", b"SIP"
        )
        self.assertEqual(
            chunks(encode(5.25, sent, agent=7, key="k")),
            {
                1: b"\x02",
                2: b"\x11",
                3: bytes([192, 0, 2, 1]),
                4: bytes([198, 51, 100, 7]),
                7: struct.pack("!H", 5060),
                8: struct.pack("!H", 33000),
                9: struct.pack("!I", 5),
                10: struct.pack("!I", 250000),
                11: b"\x01",
                12: struct.pack("!I", 7),
                14: b"k",
                15: b"SIP",
            },
        )

    def test_received_over_tls(self) -> None:
        """
        What we received comes from the other side; a stream is TCP, IPv6 has its types.
        """
        received = trace(
            Direction.RECEIVED,
            "tls:[2001:db8::1]:5061",
            "tls:[2001:db8::2]:33000",
            b"SIP",
        )
        found = chunks(encode(5.0, received))
        self.assertEqual((found[1], found[2]), (b"\x0a", b"\x06"))
        self.assertEqual(found[5], ip_address("2001:db8::2").packed)
        self.assertEqual(found[6], ip_address("2001:db8::1").packed)
        self.assertNotIn(14, found)

    def test_large_message(self) -> None:
        """
        A packet fits in a datagram, whatever the message and the key are.
        """
        ends = "tcp:[2001:db8::1]:5060", "tcp:[2001:db8::2]:33000"
        large = trace(Direction.SENT, *ends, b"x" * 100_000)
        self.assertLess(len(encode(5.0, large, key="k" * 1000)), 65508)

    def test_correlation(self) -> None:
        """
        What belongs together is named; a long name is cut.
        """
        sent = trace(Direction.SENT, "udp:192.0.2.1:5060", "udp:192.0.2.2:5060", b"S")
        self.assertEqual(chunks(encode(0, sent, correlation="a\udcff"))[17], b"a\xff")
        self.assertNotIn(17, chunks(encode(0, sent)))
        self.assertEqual(len(chunks(encode(0, sent, correlation="x" * 300))[17]), 255)
