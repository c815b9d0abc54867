"""
Tests for :mod:`sipsorcery.sdp.fitting`: what is remembered of answers, and what is not.
"""

from __future__ import annotations

import itertools

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import SessionDescription, create_answer

OFFER = (
    "v=0\r\no=alice {id} 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n{level}"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n{line}"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)
OURS = (
    "v=0{end}o=- {id} 1 IN IP4 {host}{end}s=-{end}c=IN IP4 {host}{end}t=0 0{end}"
    "m=audio {port} RTP/AVP 8 0 101{end}a=rtpmap:0 PCMU/8000{end}"
    "a=rtpmap:101 telephone-event/8000{end}{line}"
)
_ids = itertools.count(1)  # no two descriptions have the same


def offer(
    host: str = "192.0.2.1", port: int = 4000, level: str = "", line: str = ""
) -> SessionDescription:
    """
    Make an offer.
    """
    values = {"host": host, "port": port, "level": level, "line": line}
    return SessionDescription.parse(OFFER.format(id=next(_ids), **values).encode())


def ours(
    host: str = "192.0.2.9", port: int = 6000, line: str = "", end: str = "\r\n"
) -> SessionDescription:
    """
    Say what we can do.
    """
    values = {"host": host, "port": port, "line": line, "end": end}
    return SessionDescription.parse(OURS.format(id=next(_ids), **values).encode())


class RememberedTests(SynchronousTestCase):
    def answer(self, one: SessionDescription, other: SessionDescription) -> list[str]:
        """
        Give the lines of the answer to *one* but for ``o=``, which is as it must be.
        """
        answer = bytes(create_answer(one, other)).decode()
        lines = answer.splitlines(keepends=True)
        self.assertEqual(lines.pop(1).strip(), f"o={other.origin}")
        return lines

    def test_each_call_has_its_own(self) -> None:
        """
        Ports and addresses of ours are those of the call, whoever offered the same.
        """
        for port in (6000, 6002):
            for host in ("192.0.2.9", "192.0.2.10"):
                lines = self.answer(offer(port=port), ours(host, port))
                self.assertIn(f"m=audio {port} RTP/AVP 0 8 101\r\n", lines)
                self.assertIn(f"c=IN IP4 {host}\r\n", lines)

    def test_peers_differ_in_address_alone(self) -> None:
        """
        Offers that differ in address and port get the same answer.
        """
        mine = ours()
        first = self.answer(offer(), mine)
        self.assertEqual(self.answer(offer("192.0.2.77", 7777), mine), first)

    def test_hold(self) -> None:
        """
        An address that is none, a port that is none and a direction all count.
        """
        mine = ours()
        first = self.answer(offer(), mine)
        self.assertIn("a=sendrecv\r\n", first)
        away = "a=sendonly\r\n"
        for held in (offer("0.0.0.0"), offer(level=away), offer(line=away)):
            self.assertIn("a=recvonly\r\n", self.answer(held, mine))
        ice = "a=ice-ufrag:x\r\na=ice-pwd:y\r\n"
        self.assertIn("a=sendrecv\r\n", self.answer(offer("0.0.0.0", line=ice), mine))
        self.assertEqual(self.answer(offer(), mine), first)

    def test_what_is_offered(self) -> None:
        """
        Names, times and properties of the offer are in its answer and in no other.
        """
        mine = ours(line="a=rtcp-mux\r\n")
        named = self.answer(offer(line="a=mid:7\r\na=rtcp-mux\r\n"), mine)
        self.assertLess({"a=mid:7\r\n", "a=rtcp-mux\r\n"}, set(named))
        bare = self.answer(offer(), mine)
        self.assertTrue({"a=mid:7\r\n", "a=rtcp-mux\r\n"}.isdisjoint(bare))

    def test_how_ours_is_spelled(self) -> None:
        """
        Line ends and attributes of ours are as they are in the call.
        """
        for end in ("\r\n", "\n", "\r\n"):
            for line in (f"a=ptime:20{end}", f"a=ptime:30{end}"):
                lines = self.answer(offer(), ours(line=line, end=end))
                self.assertIn(line, lines)
                self.assertTrue(lines[0].endswith(f"0{end}"))
                self.assertEqual(lines[0], f"v=0{end}")

    def test_long(self) -> None:
        """
        An offer that is too long to be remembered is answered as well.
        """
        long = "".join(f"a=candidate:{n} 1 UDP {n} 192.0.2.1 9\r\n" for n in range(400))
        mine = ours()
        self.assertEqual(
            self.answer(offer(line=long), mine), self.answer(offer(), mine)
        )
