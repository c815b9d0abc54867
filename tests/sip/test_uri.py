"""
Tests for :mod:`sipsorcery.sip.uri`.
"""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.uri import (
    SIPURI,
    OtherURI,
    TelURI,
    parse_relaxed,
    parse_uri,
)

users = st.from_regex(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,20}", fullmatch=True)
hosts = st.from_regex(r"[a-z0-9]([a-z0-9.\-]{0,10}[a-z0-9])?", fullmatch=True) | (
    st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map("[{}]".format)
)
names = st.from_regex(r"[A-Za-z0-9\-_.!~*'()\[\]/:&+$%]{1,8}", fullmatch=True)
uris = st.builds(
    SIPURI,
    scheme=st.sampled_from(["sip", "sips"]),
    user=users,
    host=hosts,
    port=st.none() | st.integers(0, 65535),
    parameters=st.lists(st.tuples(names, st.none() | names), max_size=4).map(
        Parameters
    ),
    headers=st.lists(st.tuples(names, names), max_size=3).map(
        lambda pairs: tuple(
            (name.replace("&", ""), value.replace("&", ""))
            for name, value in pairs
            if name.replace("&", "")
        )
    ),
    password=st.none() | users,
)


class ReadTests(SynchronousTestCase):
    """
    The parts of sip and sips URIs.
    """

    def test_host_only(self) -> None:
        """
        A URI needs no more than a scheme and a host.
        """
        uri = SIPURI.parse("sip:sip.example.com")
        self.assertEqual(uri, SIPURI("sip", None, "sip.example.com"))
        self.assertEqual(str(uri), "sip:sip.example.com")

    def test_all_parts(self) -> None:
        """
        User, password, host, port, parameters and headers (RFC 3261, 19.1.1).
        """
        text = "sips:alice:secret@example.com:5070;transport=TCP;lr?a=b&c="
        uri = SIPURI.parse(text)
        self.assertEqual(uri.scheme, "sips")
        self.assertEqual(uri.user, "alice")
        self.assertEqual(uri.password, "secret")
        self.assertEqual(uri.host, "example.com")
        self.assertEqual(uri.port, 5070)
        self.assertEqual(uri.hostport, "example.com:5070")
        self.assertEqual(uri.transport, "tcp")
        self.assertTrue(uri.is_loose)
        self.assertEqual(uri.headers, (("a", "b"), ("c", "")))
        self.assertEqual(str(uri), text)

    def test_scheme_without_case(self) -> None:
        """
        Schemes are read in any case, and written in lower case.
        """
        self.assertEqual(str(parse_uri("SIP:a@b")), "sip:a@b")
        self.assertEqual(str(parse_uri("SipS:a@b")), "sips:a@b")

    def test_parameter_names_without_case(self) -> None:
        """
        A parameter is found in any case.
        """
        uri = SIPURI.parse("sip:1234@example.com;Param=x")
        self.assertEqual(uri.parameters.get("PARAM"), "x")

    def test_flag_parameter(self) -> None:
        """
        Netgear's ``;TCID-0`` is a parameter without value.
        """
        uri = SIPURI.parse("sip:1234@example.com:5060;TCID-0")
        self.assertIn("tcid-0", uri.parameters)
        self.assertEqual(uri.port, 5060)

    def test_semicolon_in_user(self) -> None:
        """
        What stands before the ``@`` belongs to the user, whatever it looks like
        (RFC 4475, 3.1.1.9).
        """
        uri = SIPURI.parse("sip:C=on;t=DLPAN@10.0.0.1:5060;lr")
        self.assertEqual(uri.user, "C=on;t=DLPAN")
        self.assertEqual(str(uri.parameters), ";lr")
        uri = SIPURI.parse("sip:+41999999999;cpc=ordinary@example.com;user=phone")
        self.assertEqual(uri.user, "+41999999999;cpc=ordinary")
        self.assertEqual(uri.parameters.get("user"), "phone")

    def test_question_mark_in_user(self) -> None:
        """
        A question mark and a slash may stand in a user.
        """
        uri = SIPURI.parse("sip:crazy?,/;;*@example.com")
        self.assertEqual(uri.user, "crazy?,/;;*")

    def test_long_user(self) -> None:
        """
        A user may be long.
        """
        user = "x" * 54
        self.assertEqual(SIPURI.parse(f"sip:{user}@65.98.14.50:5069").user, user)

    def test_user_that_looks_like_a_host(self) -> None:
        """
        Some devices register with a domain for user.
        """
        uri = SIPURI.parse("sip:sip.example.com@sip.example.com")
        self.assertEqual((uri.user, uri.host), ("sip.example.com", "sip.example.com"))

    def test_blank_in_host(self) -> None:
        """
        The PA168S registers at domains such as ``Blue Face``.
        """
        uri = SIPURI.parse("sip:303@Blue Face;x")
        self.assertEqual(uri.host, "Blue Face")
        self.assertEqual(str(uri), "sip:303@Blue Face;x")

    def test_star_host(self) -> None:
        """
        ``sip:*`` is read, as a REGISTER may carry it.
        """
        self.assertEqual(SIPURI.parse("sip:*").host, "*")

    def test_underscore_in_host(self) -> None:
        """
        Windows host names have underscores.
        """
        self.assertEqual(SIPURI.parse("sip:my_pc:5060").host, "my_pc")

    def test_unescaped_user(self) -> None:
        """
        ``#``, ``|``, ``^`` and UTF-8 come unescaped from many phones.
        """
        for user in ("*69#", "a|b^c", "j\u00fcrgen"):
            uri = SIPURI.parse(f"sip:{user}@example.com")
            self.assertEqual(uri.user, user)

    def test_escapes_are_kept(self) -> None:
        """
        Escapes stay as they came; an escaped ``@`` is part of the user
        (RFC 4475, 3.1.1.3).
        """
        text = "sip:sips%3Auser%40example.com@example.net"
        uri = SIPURI.parse(text)
        self.assertEqual(uri.user, "sips%3Auser%40example.com")
        self.assertEqual(uri.host, "example.net")
        self.assertEqual(str(uri), text)

    def test_header(self) -> None:
        """
        Headers may follow host or parameters.
        """
        self.assertEqual(
            SIPURI.parse("sip:1234@example.com?header=1234").headers,
            (("header", "1234"),),
        )

    def test_broken(self) -> None:
        """
        A URI without scheme or host, with blanks, quotes or commas where none may be,
        with two ``@`` or a bad port is refused with 400.
        """
        for text in (
            "",
            "sip",
            "sip:",
            "example.com",
            "alice@example.com",
            "sip:@example.com",
            "sip:alice@",
            "sip:a@b@c",
            "sip:alice@exa,mple.com",
            'sip:alice@"example.com"',
            "sip:a b@example.com",
            "sip: alice@example.com",
            "sip:alice@example.com ",
            "sip:example.com:",
            "sip:example.com:port",
            "sip:example.com:65536",
            "sip:example.com:123456",
            "sip:example.com:-1",
            "sip:;lr",
            "sip:?a=b",
            "sip:example.com;",
            "sip:example.com;;lr",
            "sip:example.com?",
            "sip:example.com?a",
            "sip:example.com?=b",
            "sip:example.com?a=b&",
            "sip:exam\r\nple.com",
            "<sip:example.com>",
            "sip:a\0b.example.com",
            "9sip:example.com",
        ):
            with self.assertRaises(ParseError, msg=text) as caught:
                parse_uri(text)
            self.assertEqual(caught.exception.status, 400)

    def test_no_host_from_zoiper(self) -> None:
        """
        Zoiper without a domain sends ``sip:;transport=UDP``, which names nobody.
        """
        with self.assertRaises(ParseError):
            parse_uri("sip:;transport=UDP")

    def test_list_from_ekiga(self) -> None:
        """
        Ekiga has sent ``sip:u@24.183.120.253, sip:5060`` as one URI; it is none.
        """
        with self.assertRaises(ParseError):
            parse_uri("sip:u@24.183.120.253, sip:5060")


class ControlTests(SynchronousTestCase):
    """
    Control characters have no place in a URI of any scheme.
    """

    def test_refused(self) -> None:
        """
        NUL, line ends and DEL are refused; escaped they are legal.
        """
        for text in ("sip:a\0@b", "x:y\nz", "tel:+1\r2", "urn:a\x7f", "sip:a@b;c=\x01"):
            with self.assertRaises(ParseError, msg=text):
                parse_uri(text)
        self.assertEqual(SIPURI.parse("sip:a%00@b").user, "a%00")


class IPv6Tests(SynchronousTestCase):
    """
    IPv6 addresses in URIs (RFC 5118).
    """

    def test_references(self) -> None:
        """
        A reference is kept with its brackets in host, without them in address.
        """
        for text, address, port in (
            ("sip:[::1]", "::1", None),
            ("sip:u@[::1]:6060", "::1", 6060),
            ("sip:u@[2001:db8::9:1];lr", "2001:db8::9:1", None),
            ("sip:[::ffff:127.0.0.1]:5060", "::ffff:127.0.0.1", 5060),
            ("sip:[fe80::1%eth0]:5060", "fe80::1%eth0", 5060),
        ):
            uri = SIPURI.parse(text)
            self.assertEqual(uri.host, f"[{address}]")
            self.assertEqual(uri.address, address)
            self.assertEqual(uri.port, port)
            self.assertEqual(str(uri), text)

    def test_port_inside_the_brackets(self) -> None:
        """
        ``[2001:db8::10:5070]`` is an address of its own, without a port
        (RFC 5118, 4.3).
        """
        uri = SIPURI.parse("sip:[2001:db8::10:5070]")
        self.assertEqual((uri.address, uri.port), ("2001:db8::10:5070", None))

    def test_broken(self) -> None:
        """
        Without brackets, with three colons, with half a bracket or with letters that
        are none of IPv6 there is no address (RFC 5118, 4.2 and 4.10).
        """
        for host in (
            "2001:db8::10",
            "2a00:1450:4005:800::2004",
            ":::ffff:127.0.0.1",
            "[:::1]",
            "[::1",
            "::1]",
            "[]",
            "[1]",
            "[::g]",
            "[::1]5060",
            "[1.2.3.4]",
            "[fe80::1%]",
        ):
            with self.assertRaises(ParseError, msg=host):
                parse_uri(f"sip:u@{host}")

    def test_compared_as_numbers(self) -> None:
        """
        The spelling of an IPv6 address makes no difference (RFC 5954, 4.2).
        """
        one = SIPURI.parse("sip:u@[2001:db8::1]")
        self.assertTrue(one.is_equivalent(SIPURI.parse("sip:u@[2001:DB8:0:0::1]")))
        self.assertFalse(one.is_equivalent(SIPURI.parse("sip:u@[2001:db8::2]")))
        self.assertFalse(one.is_equivalent(SIPURI.parse("sip:u@[2001:db8::1]:5060")))
        self.assertFalse(one.is_equivalent(SIPURI.parse("sip:u@example.com")))


class EquivalenceTests(SynchronousTestCase):
    """
    Whether two URIs mean the same (RFC 3261, 19.1.4).
    """

    def check(self, expected: bool, *texts: str) -> None:
        """
        Compare all *texts* with each other, both ways.
        """
        for one, other in itertools.permutations(texts, 2):
            self.assertIs(
                parse_uri(one).is_equivalent(parse_uri(other)),
                expected,
                f"{one} and {other}",
            )

    def test_equivalent(self) -> None:
        """
        The examples of the RFC for URIs that are equivalent.
        """
        self.check(
            True,
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp",
        )
        for other in ("newparam=5", "security=on"):
            self.check(True, "sip:carol@chicago.com", f"sip:carol@chicago.com;{other}")
        self.check(
            True,
            "sip:carol@chicago.com;newparam=5",
            "sip:carol@chicago.com;security=on",
        )
        self.check(
            True,
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        )
        self.check(
            True,
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        )

    def test_different(self) -> None:
        """
        The examples of the RFC for URIs that are not equivalent.
        """
        for one, other in (
            # different usernames
            (
                "SIP:ALICE@AtLanTa.CoM;Transport=udp",
                "sip:alice@AtLanTa.CoM;Transport=UDP",
            ),
            # can resolve to different ports
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            # can resolve to different transports
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            # can resolve to different port and transports
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            # different header component
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            # an address is not what a name resolves to
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ):
            self.check(False, one, other)

    def test_not_transitive(self) -> None:
        """
        A parameter that both carry must match, one that only one carries need not; so
        equivalence is not transitive, as the RFC points out.
        """
        self.check(True, "sip:carol@chicago.com", "sip:carol@chicago.com;security=on")
        self.check(True, "sip:carol@chicago.com", "sip:carol@chicago.com;security=off")
        self.check(
            False,
            "sip:carol@chicago.com;security=on",
            "sip:carol@chicago.com;security=off",
        )

    def test_parameters_that_must_match(self) -> None:
        """
        user, ttl, method, maddr and transport never match their absence, not even when
        they have their default value.
        """
        for parameter in (
            "user=phone",
            "ttl=15",
            "method=INVITE",
            "maddr=239.255.255.1",
            "transport=udp",
        ):
            self.check(False, "sip:a@b", f"sip:a@b;{parameter}")

    def test_other_parts(self) -> None:
        """
        Scheme, user and password must match; user and password with case.
        """
        self.check(False, "sip:a@b", "sips:a@b", "sip:b", "sip:a:p@b", "sip:a:P@b")

    def test_escapes(self) -> None:
        """
        An escape is the character, unless that is reserved.
        """
        self.check(True, "sip:a%2Db@c", "sip:a-b@c", "sip:a%2db@c")
        self.check(False, "sip:a%3Bb@c", "sip:a;b@c")
        self.check(True, "sip:a%3Bb@c", "sip:a%3bb@c")
        self.check(True, "sip:a@b;n%61me=v%61lue", "sip:a@b;name=value")
        self.check(False, "sip:null-%00-null@c", "sip:null-@c", "sip:null--null@c")

    def test_spelling(self) -> None:
        """
        ``==`` is stricter: it takes the user as spelled.
        """
        self.assertNotEqual(parse_uri("sip:%61@b"), parse_uri("sip:a@b"))
        self.assertEqual(parse_uri("sip:a@b;x;y=1"), parse_uri("sip:a@b;Y=1;x"))
        self.assertEqual(
            hash(parse_uri("sip:a@b;x;y=1")), hash(parse_uri("sip:a@b;Y=1;x"))
        )

    def test_other_schemes(self) -> None:
        """
        A URI is never equivalent to one of another scheme.
        """
        self.check(False, "sip:1@b", "tel:1", "urn:service:sos", "mailto:1@b")


class AddressOfRecordTests(SynchronousTestCase):
    """
    The canonical address-of-record (RFC 3261, 10.3).
    """

    def test_canonical(self) -> None:
        """
        Port, parameters, headers and password go, escapes are resolved, the host is in
        lower case.
        """
        for text in (
            "sip:alice@example.com",
            "sip:%61lice@Example.COM:5060;transport=tcp?a=b",
            "sip:alice:secret@example.com",
        ):
            self.assertEqual(SIPURI.parse(text).aor, "sip:alice@example.com")
        self.assertEqual(SIPURI.parse("sips:Example.com;x").aor, "sips:example.com")

    def test_case_of_user(self) -> None:
        """
        Users differ by case.
        """
        self.assertEqual(SIPURI.parse("sip:Alice@b").aor, "sip:Alice@b")

    def test_nul(self) -> None:
        """
        Nothing ends at a NUL: %00 and %00%00 are two users (RFC 4475, 3.1.1.4).
        """
        self.assertNotEqual(
            SIPURI.parse("sip:%00@b").aor, SIPURI.parse("sip:%00%00@b").aor
        )

    @given(uris)
    def test_is_a_fixed_point(self, uri: SIPURI) -> None:
        """
        The canonical form of a canonical form is the same, and can be read.
        """
        self.assertEqual(SIPURI.parse(uri.aor).aor, uri.aor)


class WriteTests(SynchronousTestCase):
    """
    URIs as text.
    """

    def test_with_parameter(self) -> None:
        """
        A parameter is set in a copy.
        """
        uri = SIPURI.parse("sip:a@b;lr")
        self.assertEqual(
            str(uri.with_parameter("transport", "tcp")), "sip:a@b;lr;transport=tcp"
        )
        self.assertEqual(str(uri), "sip:a@b;lr")
        with self.assertRaises(LocalProtocolError):
            uri.with_parameter("x", "a b")

    @given(uris)
    def test_round_trip(self, uri: SIPURI) -> None:
        """
        What is written is read again, and equivalent to itself.
        """
        again = SIPURI.parse(str(uri))
        self.assertEqual(again, uri)
        self.assertEqual(str(again), str(uri))
        self.assertTrue(again.is_equivalent(uri))


class OtherSchemeTests(SynchronousTestCase):
    """
    URIs that are not of SIP.
    """

    def test_tel(self) -> None:
        """
        A tel URI keeps its visual separators and its parameters (RFC 3966).
        """
        text = "tel:+1-(201) 555 0123;phone-context=example.com"
        uri = parse_uri(text)
        assert isinstance(uri, TelURI)
        self.assertEqual(uri.number, "+1-(201) 555 0123")
        self.assertEqual(uri.digits, "+12015550123")
        self.assertEqual(uri.parameters.get("phone-context"), "example.com")
        self.assertEqual(str(uri), text)

    def test_tel_equivalence(self) -> None:
        """
        Visual separators and the case of digits such as ``A`` mean nothing; parameters
        must match in any order (RFC 3966, 4).
        """
        one = parse_uri("TEL:+1-201-555-0123;a=1;b")
        self.assertTrue(one.is_equivalent(parse_uri("tel:+12015550123;B;a=1")))
        for other in ("tel:12015550123;a=1;b", "tel:+12015550123", "tel:+12015550124"):
            self.assertFalse(one.is_equivalent(parse_uri(other)))

    def test_broken_tel(self) -> None:
        """
        A tel URI has a number.
        """
        for text in ("tel:", "tel:;x=1", "tel:1;", 'tel:"1"', "tel: 1"):
            with self.assertRaises(ParseError):
                parse_uri(text)

    def test_others_are_kept(self) -> None:
        """
        Every other scheme is carried as it came (RFC 4475, 3.3.2 to 3.3.4).
        """
        for text in (
            "urn:service:sos",
            "http://www.example.com/a?b#c",
            "mailto:alice@example.com",
            "soap.beep://192.0.2.103:3002",
            "nobodyKnowsThisScheme:totallyopaquecontent",
            "isbn:2983792873",
        ):
            uri = parse_uri(text)
            self.assertIsInstance(uri, OtherURI)
            self.assertEqual(str(uri), text)
            self.assertTrue(uri.is_equivalent(parse_uri(text)))

    def test_case_of_others(self) -> None:
        """
        Only the scheme of an unknown URI is compared without case.
        """
        uri = parse_uri("URN:service:sos")
        self.assertTrue(uri.is_equivalent(parse_uri("urn:service:sos")))
        self.assertFalse(uri.is_equivalent(parse_uri("urn:service:SOS")))

    def test_broken_others(self) -> None:
        """
        Blanks, quotes and brackets stand in no URI.
        """
        for text in ("urn:", "urn:a b", "urn:<a>", 'urn:"a"', "a/b:c", ":x"):
            with self.assertRaises(ParseError):
                parse_uri(text)

    def test_wanted_sip(self) -> None:
        """
        Where a SIP URI must stand, another scheme is answered 416.
        """
        for text in ("tel:+1", "mailto:a@b"):
            with self.assertRaises(ParseError) as caught:
                SIPURI.parse(text)
            self.assertEqual(caught.exception.status, 416)


class RelaxedTests(SynchronousTestCase):
    """
    URIs as people type them.
    """

    def test_scheme_is_added(self) -> None:
        """
        Where the scheme is missing it is ``sip``.
        """
        for text, expected in (
            ("sip.example.com", "sip:sip.example.com"),
            ("127.0.0.1", "sip:127.0.0.1"),
            (" joe@example.com:5060 ", "sip:joe@example.com:5060"),
            ("[::1]:5060", "sip:[::1]:5060"),
            ("sips:example.com:1234", "sips:example.com:1234"),
            ("SIP:joe@example.com", "sip:joe@example.com"),
            (
                "sip:joe.bloggs@example.com:1234;transport=tcp",
                "sip:joe.bloggs@example.com:1234;transport=tcp",
            ),
        ):
            self.assertEqual(str(parse_relaxed(text)), expected)

    def test_broken(self) -> None:
        """
        Nothing at all is no URI.
        """
        for text in ("", "  ", "a b@c"):
            with self.assertRaises(ParseError):
                parse_relaxed(text)
