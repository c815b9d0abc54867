"""
Tests for `sipsorcery.monitor.pcap`.
"""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from pathlib import Path
from subprocess import run

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.pcap import write
from tests.peers import require

OPTIONS = (
    b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
    b"From: <sip:a@a>;tag=1\r\nTo: <sip:a@a>\r\nCall-ID: pcap-1\r\n"
    b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def trace(
    direction: Direction, local: str, remote: str, data: bytes = OPTIONS
) -> Event:
    """
    Make a trace.
    """
    here, there = Endpoint.parse(local), Endpoint.parse(remote)
    return Event(
        time=1763841240.25,
        server="proxy",
        kind=EventKind.SIP_TRACE,
        trace=Trace(data, direction, here, there),
    )


def _sum(data: bytes) -> int:
    # One word after the other, with the carry added at once.
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2], "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


class PcapTests(SynchronousTestCase):
    """
    Capture files.
    """

    def test_record(self) -> None:
        """
        A message is a datagram from its sender to its receiver, at its time.
        """
        event = trace(Direction.SENT, "udp:192.0.2.1:5060", "udp:198.51.100.7:33000")
        header, record = write([event])
        self.assertEqual(len(header), 24)
        seconds, micros, kept, length = struct.unpack("<IIII", record[:16])
        self.assertEqual((seconds, micros), (1763841240, 250000))
        self.assertEqual((kept, length), (len(OPTIONS) + 28, len(record) - 16))
        packet = record[16:]
        self.assertEqual(packet[12:20], bytes([192, 0, 2, 1, 198, 51, 100, 7]))
        self.assertEqual(struct.unpack("!HH", packet[20:24]), (5060, 33000))
        self.assertEqual(packet[28:], OPTIONS)

    def test_checksums(self) -> None:
        """
        Over what they cover, the sums come out as ones (RFC 1071), in both families.
        """
        ends = "udp:192.0.2.1:5060", "udp:198.51.100.7:33000"
        _, record = write([trace(Direction.SENT, *ends, data=b"odd")])
        packet = record[16:]
        self.assertEqual(_sum(packet[:20]), 0xFFFF)
        pseudo = packet[12:20] + struct.pack("!HH", 17, len(packet) - 20)
        self.assertEqual(_sum(pseudo + packet[20:] + b"\0"), 0xFFFF)
        ends = "tls:[2001:db8::1]:5061", "tls:[2001:db8::2]:33000"
        _, record = write([trace(Direction.RECEIVED, *ends, data=b"even")])
        packet = record[16:]
        self.assertEqual(packet[8:24], IPv6Address("2001:db8::2").packed)
        pseudo = packet[8:40] + struct.pack("!II", len(packet) - 40, 17)
        self.assertEqual(_sum(pseudo + packet[40:]), 0xFFFF)

    def test_other_events(self) -> None:
        """
        What is no trace is left out.
        """
        event = Event(time=0, server="proxy", kind=EventKind.OVERLOAD)
        self.assertEqual(len([*write([event])]), 1)

    def test_large_message(self) -> None:
        """
        What no datagram can hold is cut off.
        """
        ends = "tcp:192.0.2.1:5060", "tcp:198.51.100.7:33000"
        _, record = write([trace(Direction.SENT, *ends, data=b"x" * 100_000)])
        self.assertEqual(len(record), 16 + 65535)

    def test_tshark(self) -> None:
        """
        tshark reads SIP in it, over IPv4 and IPv6, with right checksums.
        """
        tshark = require("tshark", "tshark")
        v4 = trace(Direction.SENT, "udp:192.0.2.1:5060", "udp:198.51.100.7:33000")
        v6 = trace(
            Direction.RECEIVED, "tls:[2001:db8::1]:5061", "tls:[2001:db8::2]:33000"
        )
        file = Path(self.mktemp())
        file.write_bytes(b"".join(write([v4, v6])))
        found = run(
            [
                *(tshark, "-r", str(file), "-T", "fields"),
                *("-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"),
                *("-d", "udp.port==5061,sip", "-e", "sip.Call-ID"),
                *("-e", "udp.checksum.status", "-e", "ip.checksum.status"),
            ],
            capture_output=True,
            check=True,
            text=True,
        )
        self.assertEqual(found.stdout, "pcap-1\t1\t1\npcap-1\t1\t\n")
