"""
Tests for :mod:`sipsorcery.dialog.sipfrag`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.sipfrag import read_sipfrag, write_sipfrag
from tests.dialog.messages import from_bob


class SipfragTests(SynchronousTestCase):
    def read(self, body: bytes) -> tuple[int, str] | None:
        """
        Read the body of a NOTIFY.
        """
        notify = from_bob("NOTIFY")
        notify.body = body
        return read_sipfrag(notify)

    def test_write(self) -> None:
        """
        A fragment is a status line (RFC 3515, 2.4.5), with the usual phrase or another.
        """
        self.assertEqual(write_sipfrag(100), b"SIP/2.0 100 Trying\r\n")
        self.assertEqual(write_sipfrag(486, "Besetzt"), b"SIP/2.0 486 Besetzt\r\n")

    def test_phrase_of_a_peer(self) -> None:
        """
        A phrase cannot bring lines of its own.
        """
        self.assertEqual(
            write_sipfrag(200, "OK\r\nX-Evil: 1"), b"SIP/2.0 200 OKX-Evil: 1\r\n"
        )

    @given(
        st.integers(100, 699),
        st.text(st.characters(categories=["L", "N", "P"]), min_size=1),
    )
    def test_round_trip(self, status: int, reason: str) -> None:
        """
        What is written is read.
        """
        self.assertEqual(self.read(write_sipfrag(status, reason)), (status, reason))

    def test_read(self) -> None:
        """
        Only the status line counts, without phrase or line end too, as devices send it.
        """
        for body, found in (
            (b"SIP/2.0 200 OK\r\nTo: <sip:b@example.net>\r\n\r\n", (200, "OK")),
            (b"SIP/2.0 100", (100, "")),
            (b"SIP/2.0 180 Ringing\n", (180, "Ringing")),
            (b"\r\nsip/2.0  503  Service Unavailable ", (503, "Service Unavailable")),
            (b"SIP/2.0 200 \xff\r\n", (200, "\ufffd")),
        ):
            self.assertEqual(self.read(body), found)

    def test_no_fragment(self) -> None:
        """
        A body without a status line tells nothing.
        """
        for body in (b"", b"OK", b"SIP/2.0 99 x", b"SIP/2.0 2000 x", b"SIP/2.0 700 x"):
            self.assertIsNone(self.read(body), body)
