"""
Tests for :mod:`sipsorcery.sdp.origin`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp.errors import LocalProtocolError, ParseError
from sipsorcery.sdp.origin import Origin


class OriginTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """
        User name, session id, version, network and address (RFC 8866, 5.2).
        """
        origin = Origin.parse("jdoe 3724394400 3724394405 IN IP4 198.51.100.1")
        self.assertEqual(
            origin, Origin("jdoe", "3724394400", 3724394405, "198.51.100.1")
        )
        self.assertEqual((origin.nettype, origin.addrtype), ("IN", "IP4"))
        self.assertEqual(str(origin), "jdoe 3724394400 3724394405 IN IP4 198.51.100.1")

    def test_next_version(self) -> None:
        """
        The next origin is the same but for its version, which is one more.

        "the version in the origin field MUST increment by one" (RFC 3264, 8); the
        spelling of the session id must not change on the way.
        """
        origin = Origin.parse("- 007 9 IN IP6 2001:db8::1")
        self.assertEqual(str(origin.with_next_version()), "- 007 10 IN IP6 2001:db8::1")

    def test_version_after_the_last(self) -> None:
        """
        The version stays within the 63 bits that it may have (RFC 3264, 5).
        """
        last = Origin("-", "1", 2**63 - 1, "192.0.2.1")
        self.assertEqual(last.with_next_version().version, 0)

    def test_largest_numbers(self) -> None:
        """
        Numbers of 64 bits are read, though RFC 3264 allows 63.
        """
        text = f"- {2**64 - 1} {2**64 - 1} IN IP4 192.0.2.1"
        self.assertEqual(str(Origin.parse(text)), text)

    def test_blanks_in_user_name(self) -> None:
        """
        A user name with blanks is tolerated: the other five parts are counted from
        the end.
        """
        self.assertEqual(
            Origin.parse("John  Smith 1 2 IN IP4 192.0.2.1").username, "John Smith"
        )

    def test_bad(self) -> None:
        """
        Too few parts, numbers that are none or endless: refused with 400.
        """
        for text in (
            *("", "-", "- 1 1 IN IP4", "1 1 IN IP4 192.0.2.1"),
            *("- x 1 IN IP4 192.0.2.1", "- -1 1 IN IP4 192.0.2.1"),
            *("- 1 x IN IP4 192.0.2.1", "- 1 1.5 IN IP4 192.0.2.1"),
            "- ٣ 1 IN IP4 192.0.2.1",
            f"- {'1' * 41} 1 IN IP4 192.0.2.1",
            f"- 1 {'1' * 21} IN IP4 192.0.2.1",
            " " * 8000,
            "x " * 4000,
        ):
            with self.subTest(text=text[:40]):
                error = self.assertRaises(ParseError, Origin.parse, text)
                self.assertEqual(error.status, 400)

    def test_with_address(self) -> None:
        """
        Another address brings its type along.
        """
        origin = Origin("-", "1", 1, "192.0.2.1").with_address("2001:db8::1")
        self.assertEqual(str(origin), "- 1 1 IN IP6 2001:db8::1")

    def test_check(self) -> None:
        """
        What could not be read again is not written.
        """
        Origin("-", "1", 1, "192.0.2.1").check()
        for origin in (
            Origin("", "1", 1, "192.0.2.1"),
            Origin("-", "one", 1, "192.0.2.1"),
            Origin("-", "1", -1, "192.0.2.1"),
            Origin("-", "1", 1, ""),
            Origin("-", "1", 1, "192.0.2.1 x"),
        ):
            with self.subTest(origin=origin):
                self.assertRaises(LocalProtocolError, origin.check)
