"""
Tests for :mod:`sipsorcery.monitor.origin`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.origin import origin_of
from sipsorcery.sip.via import Via

TEXT = "SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bK7"


class OriginTests(SynchronousTestCase):
    """
    The names of transactions.
    """

    def test_same(self) -> None:
        """
        The Via of a request, as its receiver has completed it, gives the same each
        time; what a later proxy or a retransmission adds does not matter.
        """
        via = Via.parse(TEXT).seen_from("192.0.2.1", 4000)
        again = Via.parse(str(via))
        self.assertEqual(origin_of(via), origin_of(again))

    def test_others(self) -> None:
        """
        Another branch, sent-by or source is another transaction, whatever the sender
        has written into the Via.
        """
        via = Via.parse(TEXT)
        names = {
            origin_of(each)
            for each in (
                via.seen_from("192.0.2.1", 4000),
                via.seen_from("192.0.2.2", 4000),
                via.seen_from("192.0.2.1", 4001),
                Via.parse(TEXT.replace("K7", "K8")).seen_from("192.0.2.1", 4000),
                Via.parse(TEXT.replace("5062", "5063")).seen_from("192.0.2.1", 4000),
            )
        }
        self.assertEqual(len(names), 5)
        lie = Via.parse(f"{TEXT};received=192.0.2.1").seen_from("192.0.2.9", 4000)
        self.assertNotIn(origin_of(lie), names)
