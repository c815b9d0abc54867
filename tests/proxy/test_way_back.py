"""
Tests for :mod:`sipsorcery.proxy.way_back`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.way_back import origin_below

HOST, PORT = "198.51.100.7", 5062
NOTED = f";rport={PORT};received={HOST}"


class OriginBelowTests(SynchronousTestCase):
    """
    The Via below ours.
    """

    def test_usual(self) -> None:
        """
        Branch, sent-by and source come out, in whatever order the client wrote.
        """
        for via in (
            f"SIP/2.0/UDP 10.0.0.1:61000;branch=z9hG4bK1{NOTED}",
            f"SIP/2.0/UDP 10.0.0.1:61000{NOTED};branch=z9hG4bK1",
            f"SIP/2.0/UDP 10.0.0.1:61000;ob;branch=z9hG4bK1{NOTED}",
        ):
            self.assertEqual(
                origin_below(via, HOST, PORT), ("z9hG4bK1", "10.0.0.1:61000", HOST)
            )

    def test_nothing_noted(self) -> None:
        """
        Where nothing was noted the sent-by is the source.
        """
        via = f"SIP/2.0/UDP {HOST}:{PORT};branch=z9hG4bK1"
        self.assertEqual(
            origin_below(via, HOST, PORT), ("z9hG4bK1", f"{HOST}:{PORT}", "")
        )

    def test_longer_look(self) -> None:
        """
        A Via that leads elsewhere, or that is odd, is for those who parse.
        """
        usual = f"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1{NOTED}"
        self.assertIsNotNone(origin_below(usual, HOST, PORT))
        for old, new in (
            (f"rport={PORT}", f"rport={PORT}0"),
            (f"rport={PORT}", f"xport={PORT}"),
            (f"received={HOST}", f"received=2{HOST}"),
            (";branch=z9hG4bK1", ";branch=z9hG4bK1;maddr=192.0.2.1"),
            (";branch=z9hG4bK1", ";branch=z9hG4bK1;branch=z9hG4bK2"),
            (";branch=z9hG4bK1", ""),
            ("z9hG4bK1", "1"),
            ("10.0.0.1", "10.0.0.1:99999"),
            ("UDP", "UDP\n"),
        ):
            self.assertIn(old, usual)
            via = usual.replace(old, new)
            self.assertIsNone(origin_below(via, HOST, PORT), via)
