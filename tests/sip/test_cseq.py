"""
Tests for :mod:`sipsorcery.sip.cseq`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.cseq import MAX_CSEQ, MAX_RSEQ, CSeq, RAck
from sipsorcery.sip.errors import ParseError

methods = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,12}", fullmatch=True)


class CSeqTests(SynchronousTestCase):
    """
    CSeq.
    """

    def test_read(self) -> None:
        """
        A number and a method, with any blanks between (RFC 3261, 20.16).
        """
        self.assertEqual(CSeq.parse("4711 INVITE"), CSeq(4711, "INVITE"))
        self.assertEqual(CSeq.parse("0009 \t INVITE"), CSeq(9, "INVITE"))

    def test_case_of_the_method(self) -> None:
        """
        Methods are compared with case.
        """
        self.assertNotEqual(CSeq.parse("1 invite"), CSeq.parse("1 INVITE"))

    def test_largest(self) -> None:
        """
        A number is less than 2**31 (RFC 3261, 8.1.1.5; RFC 4475, 3.1.2.4).
        """
        self.assertEqual(CSeq.parse("2147483647 ACK").number, MAX_CSEQ)
        for number in ("2147483648", "36893488147419103232", "9" * 60000):
            with self.assertRaises(ParseError):
                CSeq.parse(f"{number} ACK")

    def test_broken(self) -> None:
        """
        Both parts must be there, and nothing else.
        """
        for text in ("", "1", "INVITE", "1INVITE", "-1 ACK", "1 ACK x", "1 A(C", "1 "):
            with self.assertRaises(ParseError):
                CSeq.parse(text)

    @given(st.integers(0, MAX_CSEQ), methods)
    def test_round_trip(self, number: int, method: str) -> None:
        """
        What is written is read again.
        """
        cseq = CSeq(number, method)
        self.assertEqual(CSeq.parse(str(cseq)), cseq)


class RAckTests(SynchronousTestCase):
    """
    RAck.
    """

    def test_read(self) -> None:
        """
        The RSeq, then the CSeq of the response (RFC 3262, 7.2).
        """
        rack = RAck.parse("423501656 1 INVITE")
        self.assertEqual(rack, RAck(423501656, CSeq(1, "INVITE")))

    def test_largest(self) -> None:
        """
        The RSeq may have 32 bits, the CSeq 31.
        """
        self.assertEqual(RAck.parse("4294967295 1 INVITE").rseq, MAX_RSEQ)
        for text in ("4294967296 1 INVITE", "1 2147483648 INVITE"):
            with self.assertRaises(ParseError):
                RAck.parse(text)

    def test_broken(self) -> None:
        """
        All three parts must be there.
        """
        for text in ("", "1", "1 INVITE", "1 1", "x 1 INVITE", "1 1 INVITE 1"):
            with self.assertRaises(ParseError):
                RAck.parse(text)

    @given(st.integers(0, MAX_RSEQ), st.integers(0, MAX_CSEQ), methods)
    def test_round_trip(self, rseq: int, number: int, method: str) -> None:
        """
        What is written is read again.
        """
        rack = RAck(rseq, CSeq(number, method))
        self.assertEqual(RAck.parse(str(rack)), rack)
