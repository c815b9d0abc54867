"""
Tests for :mod:`sipsorcery.sip.scalars`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import scalars
from sipsorcery.sip.errors import ParseError
from tests.sip.test_parameters import names


class NumberTests(SynchronousTestCase):
    """
    Fields that are one number.
    """

    def test_largest(self) -> None:
        """
        Each number has the bound that its RFC gives it.
        """
        for parse, largest in (
            (scalars.parse_max_forwards, 255),
            (scalars.parse_seconds, 2**32 - 1),
            (scalars.parse_rseq, 2**32 - 1),
            (scalars.parse_content_length, 2**31 - 1),
        ):
            self.assertEqual(parse(str(largest)), largest)
            self.assertEqual(parse("000"), 0)
            for text in (str(largest + 1), "-1", "", "1.0", "1 1", "x", "9" * 60000):
                with self.assertRaises(ParseError, msg=text[:20]):
                    parse(text)


class TextTests(SynchronousTestCase):
    """
    Fields that are words or text.
    """

    def test_text(self) -> None:
        """
        Free text is taken as it is.
        """
        self.assertEqual(scalars.parse_text("a (b), \u00e9;"), "a (b), \u00e9;")

    def test_token(self) -> None:
        """
        A token is one word.
        """
        self.assertEqual(scalars.parse_token("non-urgent"), "non-urgent")
        for text in ("", "a b", "a,b", "a;b"):
            with self.assertRaises(ParseError):
                scalars.parse_token(text)

    def test_call_id(self) -> None:
        """
        A Call-ID may hold what a word may, and what devices put there; no blanks.
        """
        for text in ("a@b", "{1-2}", "word%ZK-!.*_+'@word`~)(><:\\/\"][?}{", "\u00e9"):
            self.assertEqual(scalars.parse_call_id(text), text)
        for text in ("", "a b", "a\tb", "a,b", "a;b", "a\0", "\x7f"):
            with self.assertRaises(ParseError):
                scalars.parse_call_id(text)

    def test_privacy(self) -> None:
        """
        Several values are separated by semicolons (RFC 3323, 4.2).
        """
        self.assertEqual(
            scalars.parse_privacy("Header; session"), ("header", "session")
        )
        self.assertEqual(scalars.write_privacy(("id", "critical")), "id;critical")
        for text in ("", "id;", "id, header", "a b"):
            with self.assertRaises(ParseError):
                scalars.parse_privacy(text)


class DateTests(SynchronousTestCase):
    """
    Date.
    """

    def test_read(self) -> None:
        """
        A date is in GMT (RFC 3261, 20.17).
        """
        self.assertEqual(
            scalars.parse_date("Sat, 13 Nov 2010 23:29:00 GMT"),
            datetime(2010, 11, 13, 23, 29, tzinfo=UTC),
        )

    def test_other_zone(self) -> None:
        """
        Another time zone is an error (RFC 4475, 3.1.2.12).
        """
        for zone in ("EST", "+0100", "UTC", "gmt", ""):
            with self.assertRaises(ParseError):
                scalars.parse_date(f"Fri, 01 Jan 2010 16:00:00 {zone}")

    def test_no_date(self) -> None:
        """
        A day, month or time that does not exist is an error.
        """
        for text in (
            "",
            "Sat, 31 Feb 2010 23:29:00 GMT",
            "Sat, 13 Foo 2010 23:29:00 GMT",
            "Sat, 13 Nov 2010 25:29:00 GMT",
            "Sat, 13 Nov 2010 23:60:00 GMT",
            "Sat, 00 Nov 2010 23:29:00 GMT",
            "Sat, 13 Nov 0000 23:29:00 GMT",
            "Sat 13 Nov 2010 23:29:00 GMT",
            "Sat, 13 Nov 2010 23:29:00 GMT x",
        ):
            with self.assertRaises(ParseError, msg=text):
                scalars.parse_date(text)

    def test_write(self) -> None:
        """
        A moment in another zone is written in GMT.
        """
        moment = datetime(2026, 11, 22, 18, 0, tzinfo=timezone(timedelta(hours=1)))
        self.assertEqual(scalars.write_date(moment), "Sun, 22 Nov 2026 17:00:00 GMT")

    @given(
        st.datetimes(min_value=datetime(1000, 1, 1)).map(  # noqa: DTZ001
            lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
        )
    )
    def test_round_trip(self, moment: datetime) -> None:
        """
        What is written is read again.
        """
        self.assertEqual(scalars.parse_date(scalars.write_date(moment)), moment)


class WarningTests(SynchronousTestCase):
    """
    Warning.
    """

    def test_read(self) -> None:
        """
        Code, agent and a quoted text (RFC 3261, 20.43).
        """
        value = scalars.WarningValue.parse('307 isi.edu:5060 "Session, \\"x\\""')
        self.assertEqual(
            value, scalars.WarningValue(307, "isi.edu:5060", 'Session, "x"')
        )

    def test_broken(self) -> None:
        """
        A code has three digits (RFC 4475, 3.1.2.5), a text has quotes.
        """
        for text in (
            "",
            '1812 overture "In Progress"',
            '30 a "b"',
            '099 a "b"',
            "307 a b",
            '307 "b"',
            '307 a "b',
            '307 a "b" c',
        ):
            with self.assertRaises(ParseError, msg=text):
                scalars.WarningValue.parse(text)

    @given(st.integers(100, 999), names, st.text())
    def test_round_trip(self, code: int, agent: str, text: str) -> None:
        """
        What is written is read again.
        """
        value = scalars.WarningValue(code, agent, text)
        self.assertEqual(scalars.WarningValue.parse(str(value)), value)


class TimestampTests(SynchronousTestCase):
    """
    Timestamp.
    """

    def test_read(self) -> None:
        """
        What was sent is kept as spelled; a delay is seconds (RFC 3261, 20.38).
        """
        self.assertEqual(scalars.Timestamp.parse("54.20"), scalars.Timestamp("54.20"))
        for text in ("54 .5", "54\t0.5", "54   0.500"):
            self.assertEqual(
                scalars.Timestamp.parse(text), scalars.Timestamp("54", 0.5)
            )

    def test_nanoseconds(self) -> None:
        """
        Nanoseconds since 1970 are a timestamp, too.
        """
        text = "1795368240123456789"
        self.assertEqual(scalars.Timestamp.parse(text).sent, text)

    def test_broken(self) -> None:
        """
        Anything but one or two decimal numbers is an error.
        """
        for text in (
            "",
            "x",
            "-1",
            ".5",
            "1 x",
            "1 2 3",
            "1 .",
            "1.2.3",
            "1e5",
            "1 nan",
        ):
            with self.assertRaises(ParseError, msg=text):
                scalars.Timestamp.parse(text)

    @given(st.from_regex(r"[0-9]+(\.[0-9]*)?", fullmatch=True), st.floats(0, 10**8))
    def test_round_trip(self, sent: str, delay: float) -> None:
        """
        What is written is read again, the delay to the microsecond.
        """
        value = scalars.Timestamp.parse(str(scalars.Timestamp(sent, delay)))
        self.assertEqual(value.sent, sent)
        assert value.delay is not None
        self.assertAlmostEqual(value.delay, delay, places=5)
