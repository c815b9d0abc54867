"""
Tests for :mod:`sipsorcery.sip.grammar`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError


class TokenTests(SynchronousTestCase):
    """
    Tokens.
    """

    def test_token(self) -> None:
        """
        Letters, digits and ``-.!%*_+`'~`` make a token, and nothing else does.
        """
        for text in ("INVITE", "a", "-.!%*_+`'~", "100rel", "RE%47"):
            self.assertTrue(grammar.is_token(text), text)
        for text in ("", "a b", "a:b", "a/b", "a@b", "\u00e9", "a\r", 'a"', "a\n"):
            self.assertFalse(grammar.is_token(text), text)


class QuotedStringTests(SynchronousTestCase):
    """
    Quoted strings.
    """

    def test_unquote(self) -> None:
        """
        Quotes go, and with them the backslash of each quoted pair.
        """
        self.assertEqual(grammar.unquote('"a b"'), "a b")
        self.assertEqual(grammar.unquote(r'"\\ \" \a"'), r"\ " + '" a')
        self.assertEqual(grammar.unquote('""'), "")

    def test_unquote_without_quotes(self) -> None:
        """
        What has no quotes is returned as it is.
        """
        self.assertEqual(grammar.unquote(r"a\b"), r"a\b")
        self.assertEqual(grammar.unquote(""), "")

    def test_unbalanced(self) -> None:
        """
        Quotes that are not closed, or closed too early, are an error.
        """
        for text in ('"', '"a', '"a\\"', '"a"b', '"a" ', '"a"b"'):
            self.assertFalse(grammar.is_quoted(text))
            with self.assertRaises(ParseError):
                grammar.unquote(text)

    def test_quote_escapes(self) -> None:
        """
        Quotes, backslashes and control characters stand as quoted pairs
        (RFC 3261, 25.1).
        """
        self.assertEqual(grammar.quote('a "b" \\'), r'"a \"b\" \\"')
        self.assertEqual(grammar.quote("\x07\0\x7f\t"), '"\\\x07\\\0\\\x7f\t"')

    @given(st.text())
    def test_round_trip(self, text: str) -> None:
        """
        Any text survives being quoted.
        """
        quoted = grammar.quote(text)
        self.assertTrue(grammar.is_quoted(quoted))
        self.assertEqual(grammar.unquote(quoted), text)


class UnfoldTests(SynchronousTestCase):
    """
    Folded values.
    """

    def test_folds(self) -> None:
        """
        A line end with the blanks and tabs behind it is worth one space
        (RFC 3261, 7.3.1).
        """
        self.assertEqual(grammar.unfold("a\r\n b"), "a b")
        self.assertEqual(grammar.unfold("a\r\n\tb"), "a b")
        self.assertEqual(grammar.unfold("a \r\n \t b\r\n c"), "a b c")

    def test_unfolded(self) -> None:
        """
        A value in one line stays as it is.
        """
        self.assertEqual(grammar.unfold("a  b\t"), "a  b\t")


class SplitTests(SynchronousTestCase):
    """
    Lists.
    """

    def test_plain(self) -> None:
        """
        Elements are separated by commas and stripped.
        """
        self.assertEqual(grammar.split_list("a, b\t,c "), ["a", "b", "c"])
        self.assertEqual(grammar.split_list(" a "), ["a"])

    def test_empty_elements_stay(self) -> None:
        """
        An empty element is kept, for its reader to judge.
        """
        self.assertEqual(grammar.split_list(",a,,"), ["", "a", "", ""])
        self.assertEqual(grammar.split_list(""), [""])
        self.assertEqual(grammar.split_list('"a",,<b>,'), ['"a"', "", "<b>", ""])

    def test_commas_inside(self) -> None:
        """
        Commas in quotes, behind a quoted quote and in angle brackets separate nothing.
        """
        text = r'"Bell, \"A, B\"" <sip:a,b@c;x="y">;q=1 , <sip:d>;m="x, y"	, e'
        self.assertEqual(
            grammar.split_list(text),
            [r'"Bell, \"A, B\"" <sip:a,b@c;x="y">;q=1', '<sip:d>;m="x, y"', "e"],
        )

    def test_other_separator(self) -> None:
        """
        A semicolon may separate instead.
        """
        self.assertEqual(grammar.split_list('a;b=";";<;>', ";"), ["a", 'b=";"', "<;>"])

    def test_unbalanced(self) -> None:
        """
        A quote or bracket that is not closed is an error, not the end of the list.
        """
        for text in ('a,"b', "a,<b", 'a,"b\\"', "<a,b", '"a", <b>, "c'):
            with self.assertRaises(ParseError):
                grammar.split_list(text)

    @given(st.lists(st.text().map(grammar.quote), min_size=1))
    def test_round_trip(self, elements: list[str]) -> None:
        """
        Quoted elements, whatever they hold, come back as they were.
        """
        self.assertEqual(grammar.split_list(" , ".join(elements)), elements)


class NumberTests(SynchronousTestCase):
    """
    Decimal numbers.
    """

    def test_in_range(self) -> None:
        """
        Numbers up to the maximum are read, leading zeros and all.
        """
        self.assertEqual(grammar.number("0", 255, "x"), 0)
        self.assertEqual(grammar.number("0000255", 255, "x"), 255)
        self.assertEqual(grammar.number("0" * 5000, 255, "x"), 0)

    def test_out_of_range(self) -> None:
        """
        A number above the maximum is an error, however long.
        """
        for text in ("256", "999", "1000", "9" * 60000):
            with self.assertRaises(ParseError):
                grammar.number(text, 255, "x")

    def test_no_number(self) -> None:
        """
        Signs, blanks, underscores and digits of other scripts are no number.
        """
        for text in ("", "-1", "+1", " 1", "1 ", "1_0", "1.0", "\u0661", "\u00b2", "a"):
            with self.assertRaises(ParseError):
                grammar.number(text, 255, "x")


class EscapeTests(SynchronousTestCase):
    """
    Percent escapes.
    """

    def test_unescape(self) -> None:
        """
        Escapes are resolved, as UTF-8; a lone percent sign stays.
        """
        self.assertEqual(grammar.unescape("%75se%72"), "user")
        self.assertEqual(grammar.unescape("%C3%A9%00"), "\u00e9\0")
        self.assertEqual(grammar.unescape("100%"), "100%")
        self.assertEqual(grammar.unescape("%Z%4"), "%Z%4")

    def test_escape(self) -> None:
        """
        All is escaped but unreserved characters and those that are called safe.
        """
        self.assertEqual(grammar.escape("a b@c/~", "/"), "a%20b%40c/~")
        self.assertEqual(grammar.escape("\u00e9%", ""), "%C3%A9%25")

    @given(st.binary())
    def test_round_trip(self, octets: bytes) -> None:
        """
        Any octets survive, UTF-8 or not.
        """
        text = octets.decode("utf-8", "surrogateescape")
        self.assertEqual(grammar.unescape(grammar.escape(text, "")), text)
