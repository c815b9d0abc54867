"""
Tests for :mod:`sipsorcery.sip.address`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import STAR, Address, parse_contact
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.uri import SIPURI, OtherURI, parse_uri
from tests.sip.test_parameters import pairs, texts
from tests.sip.test_uri import uris

addresses = st.builds(
    Address,
    uri=uris | st.sampled_from([parse_uri("tel:+1-201"), parse_uri("urn:service:sos")]),
    display_name=st.none() | texts.filter(bool),
    parameters=pairs.map(Parameters),
)
# Pieces of addresses, whole and broken.
pieces = st.lists(
    st.sampled_from(
        [
            *(
                '"',
                "\\",
                "<",
                ">",
                ";",
                "=",
                ",",
                " ",
                "\t",
                "?",
                "@",
                ":",
                "a",
                "5060",
            ),
            *(
                '"Joe"',
                "Joe",
                "<sip:a@b>",
                "sip:a@b",
                "sips:b",
                "tag",
                ";tag=x",
                "\u00e9",
            ),
            *(
                ';x="y"',
                "[::1]",
                "b.c",
                ":6000",
                ";lr",
                "?a=b",
                "%41",
                "'Joe'",
                "-_.+~",
            ),
        ]
    ),
    max_size=10,
).map("".join)


class ReadTests(SynchronousTestCase):
    """
    The forms of an address.
    """

    def test_name_addr(self) -> None:
        """
        A quoted name, a URI with parameters, parameters of the field.
        """
        address = Address.parse(
            '"Jane \\"J\\" Doe" <sip:jane@example.com:5070;user=phone>;tag=1234;x'
        )
        self.assertEqual(address.display_name, 'Jane "J" Doe')
        self.assertEqual(str(address.uri), "sip:jane@example.com:5070;user=phone")
        self.assertEqual(address.tag, "1234")
        self.assertEqual(str(address.parameters), ";tag=1234;x")

    def test_addr_spec(self) -> None:
        """
        Without brackets all parameters are those of the field (RFC 3261, 20).
        """
        address = Address.parse("sip:user@example.com;tag=1;lr")
        self.assertEqual(str(address.uri), "sip:user@example.com")
        self.assertEqual(address.tag, "1")
        self.assertIn("lr", address.parameters)
        self.assertIsNone(address.display_name)

    def test_no_name(self) -> None:
        """
        Brackets alone, and an empty name, are no name.
        """
        for text in ("<sip:a@b>", '"" <sip:a@b>', '""<sip:a@b> '):
            address = Address.parse(text)
            self.assertIsNone(address.display_name)
            self.assertIsNone(address.tag)

    def test_name_without_quotes(self) -> None:
        """
        A row of tokens is a name; so is what devices leave unquoted.
        """
        for name in (
            "Joe",
            "Joe  Bloggs",
            "A. Bell",
            "J\u00fcrgen",
            "1/2 (x)",
            "a@b:c",
        ):
            address = Address.parse(f"{name} <sip:a@b>")
            self.assertEqual(address.display_name, name)

    def test_no_space_before_bracket(self) -> None:
        """
        The blank before the bracket may be missing (RFC 4475, 3.1.1.6); the MSC sends
        ``UNAVAILABLE<sip:..>``.
        """
        for name in ("UNAVAILABLE", '"UNAVAILABLE"'):
            address = Address.parse(f"{name}<sip:127.0.0.1>;tag=1")
            self.assertEqual(address.display_name, "UNAVAILABLE")
            self.assertEqual(str(address.uri), "sip:127.0.0.1")

    def test_bare_address_with_tag(self) -> None:
        """
        The MSC sends ``sip:xxx@127.0.110.30;tag=AZHf2-ZMfDX0``.
        """
        address = Address.parse("sip:xxx@127.0.110.30;tag=AZHf2-ZMfDX0")
        self.assertEqual(address.tag, "AZHf2-ZMfDX0")
        self.assertEqual(str(address), "<sip:xxx@127.0.110.30>;tag=AZHf2-ZMfDX0")

    def test_quotes_in_a_uri(self) -> None:
        """
        A parameter of a URI is never quoted, however usual the rest of it is.
        """
        for text in ('<sip:a@b;x="y">', '<sip:a@b;x="y">;tag=1', '"J" <sip:b;x="">'):
            with self.assertRaises(ParseError):
                Address.parse(text)

    def test_apostrophes(self) -> None:
        """
        Avaya quotes names with apostrophes, which are characters of the name.
        """
        address = Address.parse("'Joe' <sip:joe@example.com>")
        self.assertEqual(address.display_name, "'Joe'")

    def test_missing_semicolon(self) -> None:
        """
        Some gateways send parameters right behind the bracket.
        """
        address = Address.parse("<sip:a@b;lr>tag=1;x")
        self.assertEqual(address.tag, "1")
        self.assertEqual(str(address.parameters), ";tag=1;x")
        self.assertTrue(isinstance(address.uri, SIPURI) and address.uri.is_loose)

    def test_parameters_of_uri_and_field(self) -> None:
        """
        Brackets part the parameters (RFC 4475, 3.3.12 and 3.3.13).
        """
        inside = Address.parse("<sip:a@b;unknownparam>")
        outside = Address.parse("sip:a@b;unknownparam")
        assert isinstance(inside.uri, SIPURI)
        assert isinstance(outside.uri, SIPURI)
        self.assertIn("unknownparam", inside.uri.parameters)
        self.assertNotIn("unknownparam", inside.parameters)
        self.assertIn("unknownparam", outside.parameters)
        self.assertNotIn("unknownparam", outside.uri.parameters)

    def test_blanks_in_the_brackets(self) -> None:
        """
        Blanks round the URI are dropped (RFC 4475, 3.1.2.14, leaves that free).
        """
        address = Address.parse('"Watson, Thomas" < sip:t.watson@example.org\t>')
        self.assertEqual(str(address.uri), "sip:t.watson@example.org")

    def test_tag_in_the_name(self) -> None:
        """
        What looks like a tag in a name or URI is none.
        """
        address = Address.parse('"x;tag=1" <sip:a;tag=2@b;tag=3>;Tag=4')
        self.assertEqual(address.tag, "4")
        self.assertIsNone(Address.parse('"x;tag=1" <sip:a@b>').tag)

    def test_cisco_instance(self) -> None:
        """
        Cisco's ``+sip.instance`` has brackets in quotes, with and without brackets
        round the URI.
        """
        parameter = '+sip.instance="<urn:uuid:00000000-0000-0000-0000-000000000000>"'
        for uri in ("<sip:a@b>", "sip:a@b", '"x" <sip:a@b>'):
            address = Address.parse(f"{uri};{parameter};+u.sip!model.ccm.cisco.com=7")
            self.assertEqual(str(address.uri), "sip:a@b")
            self.assertEqual(
                address.parameters.get("+SIP.instance"), parameter.split("=", 1)[1]
            )

    def test_methods_of_a_contact(self) -> None:
        """
        MS RTC lists methods in quotes.
        """
        address = Address.parse('<sip:a@b:5060;maddr=c>;methods="INVITE, BYE, ACK"')
        self.assertEqual(address.parameters.get("methods"), '"INVITE, BYE, ACK"')

    def test_headers_of_a_contact(self) -> None:
        """
        A URI in brackets may have headers (RFC 4475, 3.3.14), a bare one may not
        (3.1.2.13).
        """
        address = Address.parse("<sip:a@b?Route=%3Csip:c%3E>")
        assert isinstance(address.uri, SIPURI)
        self.assertEqual(address.uri.headers, (("Route", "%3Csip:c%3E"),))
        with self.assertRaises(ParseError):
            Address.parse("sip:a@b?Route=%3Csip:c%3E")

    def test_other_schemes(self) -> None:
        """
        An address may have a URI of any scheme (RFC 4475, 3.3.4).
        """
        for text in ("isbn:2983792873", "<http://www.example.com>;tag=1", "<tel:+1>"):
            self.assertNotIsInstance(Address.parse(text).uri, SIPURI)
        self.assertIsInstance(Address.parse("<cid:a@b>").uri, OtherURI)

    def test_missing_bracket(self) -> None:
        """
        Aastra has sent a Contact without its closing bracket, which cannot be mended.
        """
        for text in (
            "<sip:a@b",
            "sip:a@b>",
            '"Joe" <sip:a@b;tag=1',
            "<sip:a@b User: x",
        ):
            with self.assertRaises(ParseError):
                Address.parse(text)

    def test_broken(self) -> None:
        """
        Unbalanced quotes, loose commas, a name without a URI and rubbish behind the
        brackets are refused.
        """
        for text in (
            "",
            " ",
            "<>",
            "Joe",
            '"Joe"',
            '"Joe" sip:a@b',
            '"Mr. J. User <sip:a@b>',
            "Bell, Alexander <sip:a@b>",
            "a, sip:a@b",
            "<sip:a@b>;;;;",
            "<sip:a@b>;=",
            "<sip:a@b><sip:a@b>",
            "<<sip:a@b>>",
            '"a" "b" <sip:a@b>',
            "<sip:a@b>, <sip:c@d>",
            "<sip:a b@c>",
            STAR,
        ):
            with self.assertRaises(ParseError, msg=text):
                Address.parse(text)

    @given(pieces)
    def test_shortcut(self, text: str) -> None:
        """
        The usual form, for which there is a shorter way, is read like any other: a
        blank at the end, which makes it unusual, changes nothing.
        """
        self.assertEqual(_outcome(text), _outcome(f"{text} "))


def _outcome(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ParseError:
        return None


class OneReadingTests(SynchronousTestCase):
    """
    The address of a URI and the URI by itself are read alike.
    """

    def check(self, text: str) -> None:
        """
        Read *text* both ways.
        """
        try:
            uri = parse_uri(text)
        except ParseError:
            self.assertRaises(ParseError, Address.parse, f"<{text}>")
        else:
            self.assertEqual(Address.parse(f"<{text}>").uri, uri)

    def test_parameters_in_the_user_part(self) -> None:
        """
        What stands before "@" is the user part, as gateways write a telephone number
        with its context (RFC 3261, 19.1.6), and never a host.
        """
        text = "sip:7042;phone-context=example.com@gw.example.net;user=phone"
        address = Address.parse(f"<{text}>")
        assert isinstance(address.uri, SIPURI)
        self.assertEqual(address.uri.host, "gw.example.net")
        self.assertEqual(address.uri.user, "7042;phone-context=example.com")
        for text in (
            "sip:trusted.example;x=y@evil.example",
            "sip:a.example:5060;x=y@evil.example",
            "sip:a.example;x@evil.example:1",
        ):
            self.check(text)

    @given(
        st.lists(
            st.sampled_from(["sip:", "a", "b.c", "@", ";", "=", ":", "1", "?", "%40"]),
            max_size=12,
        ).map("".join)
    )
    def test_any(self, text: str) -> None:
        """
        So it is with any text, in the usual shape of an address or not.
        """
        self.check(f"sip:{text}")


class ContactTests(SynchronousTestCase):
    """
    What only a Contact has.
    """

    def test_star(self) -> None:
        """
        A star is a value of its own.
        """
        self.assertEqual(parse_contact("*"), STAR)
        self.assertEqual(parse_contact("<sip:a@b>"), Address.parse("<sip:a@b>"))

    def test_expires(self) -> None:
        """
        A binding's own expiry: 0 is not absence, and blanks mean nothing.
        """
        self.assertEqual(Address.parse("<sip:a@b>; expires=60").expires, 60)
        self.assertEqual(Address.parse("<sip:a@b>;Expires = 0").expires, 0)
        self.assertIsNone(Address.parse("<sip:a@b>").expires)
        self.assertEqual(
            Address.parse("<sip:a@b>;expires=4294967295").expires, 2**32 - 1
        )

    def test_broken_expires(self) -> None:
        """
        An expiry that is no number below 2**32 is an error (RFC 4475, 3.1.2.4).
        """
        for value in ("280297596632815", "-1", "soon", '"60"', ""):
            address = Address.parse(f"<sip:a@b>;expires={value}")
            with self.assertRaises(ParseError):
                _ = address.expires

    def test_q(self) -> None:
        """
        A preference is 0 to 1, however many digits (RFC 3261, 25.1).
        """
        for text, value in (
            ("1", 1.0),
            ("1.000", 1.0),
            ("0.33", 0.33),
            ("0", 0.0),
            (".5", 0.5),
            ("0.", 0.0),
            ("0.123456", 0.123456),
        ):
            self.assertEqual(Address.parse(f"<sip:a@b>;q={text}").q, value)
        self.assertIsNone(Address.parse("<sip:a@b>").q)

    def test_broken_q(self) -> None:
        """
        Anything else is an error.
        """
        for value in ("2", "1.1", "-0", "", ".", "nan", "1e0", "0,5", '"1"'):
            with self.assertRaises(ParseError):
                _ = Address.parse(f"<sip:a@b>;q={value}").q


class WriteTests(SynchronousTestCase):
    """
    Addresses as text.
    """

    def test_name_is_quoted(self) -> None:
        """
        A name is always written in quotes, whatever it holds.
        """
        self.assertEqual(str(Address.parse("Joe <sip:a@b>")), '"Joe" <sip:a@b>')
        address = Address(parse_uri("sip:a@b"), 'a "b", <c>;tag=d')
        self.assertEqual(str(address), r'"a \"b\", <c>;tag=d" <sip:a@b>')
        self.assertEqual(Address.parse(str(address)), address)

    def test_brackets_are_added(self) -> None:
        """
        A URI is always written in brackets, so that its parameters stay its own.
        """
        self.assertEqual(str(Address.parse("sip:a@b;x")), "<sip:a@b>;x")

    def test_tag(self) -> None:
        """
        A tag is set in a copy, in the place of an old one.
        """
        address = Address.parse("<sip:a@b>;x")
        self.assertEqual(str(address.with_tag("1")), "<sip:a@b>;x;tag=1")
        self.assertEqual(str(address.with_tag("1").with_tag("2")), "<sip:a@b>;x;tag=2")
        self.assertIsNone(address.tag)

    @given(addresses)
    def test_round_trip(self, address: Address) -> None:
        """
        What is written is read again.
        """
        self.assertEqual(Address.parse(str(address)), address)
