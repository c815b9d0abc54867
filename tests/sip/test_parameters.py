"""
Tests for :mod:`sipsorcery.sip.parameters`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.parameters import NONE, Parameters

# What a header line can carry.
texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
names = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,8}", fullmatch=True)
values = (
    st.none()
    | st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~=@?/:\[\]]{0,8}", fullmatch=True)
    | texts.map(grammar.quote)
)
pairs = st.lists(st.tuples(names, values), max_size=6)


class ReadTests(SynchronousTestCase):
    """
    What parameters say.
    """

    def test_flag_and_value(self) -> None:
        """
        A parameter is a flag or has a value.
        """
        parameters = Parameters.parse(";lr;server=hippo")
        self.assertIn("lr", parameters)
        self.assertIsNone(parameters.get("lr"))
        self.assertEqual(parameters.get("server"), "hippo")
        self.assertEqual(list(parameters), [("lr", None), ("server", "hippo")])

    def test_absent(self) -> None:
        """
        What is absent is not there, and may have a default.
        """
        parameters = Parameters.parse(";lr")
        self.assertNotIn("x", parameters)
        self.assertNotIn(7, parameters)
        self.assertIsNone(parameters.get("x"))
        self.assertEqual(parameters.get("x", "y"), "y")

    def test_names_without_case(self) -> None:
        """
        Names are found in any case.
        """
        parameters = Parameters.parse(";RePoRt=1")
        self.assertEqual(parameters.get("report"), "1")
        self.assertIn("REPORT", parameters)

    def test_blanks(self) -> None:
        """
        Blanks and tabs round ``;`` and ``=`` mean nothing.
        """
        parameters = Parameters.parse(" ; branch\t=  z9 ;\tlr ")
        self.assertEqual(list(parameters), [("branch", "z9"), ("lr", None)])

    def test_quoted_values(self) -> None:
        """
        Separators in a quoted value separate nothing; the quotes are kept.
        """
        parameters = Parameters.parse(r';a="b;c,d=e<f>";g="\";\\";h')
        self.assertEqual(
            list(parameters),
            [("a", '"b;c,d=e<f>"'), ("g", r'"\";\\"'), ("h", None)],
        )

    def test_unusual_values(self) -> None:
        """
        Values may be empty, hold ``=`` (base64), brackets and UTF-8, as devices send.
        """
        text = ";a=;b=Zg==;c=[2001:db8::1]:5060;d=caf\u00e9;e=sip:x@y?z"
        parameters = Parameters.parse(text)
        self.assertEqual(
            list(parameters),
            [
                ("a", ""),
                ("b", "Zg=="),
                ("c", "[2001:db8::1]:5060"),
                ("d", "caf\u00e9"),
                ("e", "sip:x@y?z"),
            ],
        )

    def test_cisco_names(self) -> None:
        """
        Cisco's ``+u.sip!model.ccm.cisco.com="7"`` is a parameter like any other.
        """
        text = ';+sip.instance="<urn:uuid:0>";+u.sip!model.ccm.cisco.com="7"'
        parameters = Parameters.parse(text)
        self.assertEqual(parameters.get("+u.sip!model.ccm.cisco.com"), '"7"')
        self.assertEqual(str(parameters), text)

    def test_doubled(self) -> None:
        """
        Of two parameters with the same name the first one counts.
        """
        self.assertEqual(Parameters.parse(";a=1;A=2").get("a"), "1")

    def test_nothing(self) -> None:
        """
        No text is no parameters.
        """
        for text in ("", " ", "\t "):
            self.assertEqual(list(Parameters.parse(text)), [])
        self.assertEqual(len(NONE), 0)
        self.assertEqual(str(NONE), "")

    def test_broken(self) -> None:
        """
        Missing names, loose quotes, blanks inside and a missing semicolon are errors.
        """
        for text in (
            ";",
            ";;",
            "lr",
            ";lr;",
            ";=1",
            ";a b",
            ";a=b c",
            ';a="b',
            ';a="b"c',
            ';a=b"c"',
            ";a=b,c",
            ";a=<b>",
            ";a\0",
            ";a=\x7f",
            ";a=b\r\nc",
            ";\u00e9",
        ):
            with self.assertRaises(ParseError, msg=text):
                Parameters.parse(text)


class ChangeTests(SynchronousTestCase):
    """
    New parameters of old ones.
    """

    def test_set_new(self) -> None:
        """
        A new parameter goes to the end; the old ones keep their spelling.
        """
        old = Parameters.parse("; LR ; a = 1")
        self.assertEqual(str(old.set("b", "2")), f"{old};b=2")
        self.assertEqual(list(old), [("LR", None), ("a", "1")])

    def test_set_old(self) -> None:
        """
        A parameter that is there keeps its place and the spelling of its name.
        """
        old = Parameters.parse(";A=1;rport;b=2")
        self.assertEqual(str(old.set("a", "3")), ";A=3;rport;b=2")
        self.assertEqual(str(old.set("rport", "5060")), ";A=1;rport=5060;b=2")
        self.assertEqual(str(old.set("B")), ";A=1;rport;b")

    def test_remove(self) -> None:
        """
        Parameters are removed in any case; what is not there is no error.
        """
        old = Parameters.parse(";A=1;b;a=2;c")
        self.assertEqual(str(old.remove("a", "C", "x")), ";b")

    def test_what_cannot_be_written(self) -> None:
        """
        A name or value that would end the parameter, the field or the line is refused.
        """
        for name, value in (
            ("", None),
            ("a b", None),
            ("a;b", None),
            ("a", "b;c"),
            ("a", "b c"),
            ("a", "b\r\nc"),
            ("a", '"b'),
            ("a", "b,c"),
            ("a", "b>"),
        ):
            with self.assertRaises(LocalProtocolError):
                NONE.set(name, value)
            with self.assertRaises(LocalProtocolError):
                Parameters([(name, value)])

    @given(pairs)
    def test_round_trip(self, items: list[tuple[str, str | None]]) -> None:
        """
        What is written is read again.
        """
        written = Parameters(items)
        self.assertEqual(list(Parameters.parse(str(written))), items)

    @given(pairs, names, values)
    def test_set_then_get(
        self, items: list[tuple[str, str | None]], name: str, value: str | None
    ) -> None:
        """
        What is set is got, and all others stay.
        """
        parameters = Parameters(items).set(name, value)
        self.assertIn(name, parameters)
        self.assertEqual(parameters.get(name), value)
        others = [item for item in items if item[0].lower() != name.lower()]
        self.assertEqual(list(parameters.remove(name)), others)


class CompareTests(SynchronousTestCase):
    """
    Equality.
    """

    def test_equal(self) -> None:
        """
        Order, the case of names and that of unquoted values mean nothing
        (RFC 3261, 7.3.1).
        """
        one = Parameters.parse(";A=tcp;lr")
        other = Parameters.parse(";LR;a=TCP")
        self.assertEqual(one, other)
        self.assertEqual(hash(one), hash(other))

    def test_different(self) -> None:
        """
        Another value, another name, a flag for a value and the case of a quoted string
        are differences.
        """
        one = Parameters.parse(';a=1;b="x"')
        for text in (';a=2;b="x"', ";a=1", ';a;b="x"', ';a=1;b="X"', ""):
            self.assertNotEqual(one, Parameters.parse(text))
        self.assertNotEqual(NONE, "")
