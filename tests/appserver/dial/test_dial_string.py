"""
Tests for :mod:`sipsorcery.appserver.dial.dial_string`.
"""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.dial_string import (
    MAX_LEGS,
    MAX_LENGTH,
    Credentials,
    DialString,
    Leg,
    is_asterisk_form,
    parse_dial_string,
)
from sipsorcery.appserver.dial.options import LegOptions, OnRedirect, TransferMode
from sipsorcery.appserver.dial.template import MAX_VALUE, Caller, Template
from sipsorcery.appserver.errors import DialStringError, UnusableValue
from sipsorcery.sip.uri import SIPURI

CALLER = Caller("380", "Alice", "alice", "example.org")


def dialled(text: str, caller: Caller = CALLER) -> list[list[str]]:
    """
    Give the URIs of each stage.
    """
    return [
        [str(leg.destination.fill(caller)) for leg in stage]
        for stage in parse_dial_string(text).stages
    ]


def options(text: str) -> LegOptions:
    """
    Give the options of the only leg.
    """
    (leg,) = parse_dial_string(text).legs
    return leg.options


class StagesTests(SynchronousTestCase):
    def test_parallel_and_sequential(self) -> None:
        """
        "&" joins legs that ring together, "|" what is tried afterwards.
        """
        self.assertEqual(
            dialled("123@provider1&456@provider2[dt=5]|789@provider3"),
            [["sip:123@provider1", "sip:456@provider2"], ["sip:789@provider3"]],
        )

    def test_empty_legs(self) -> None:
        """
        Empty legs and stages are left out; one with nothing else is refused.
        """
        self.assertEqual(dialled(" |a@b&& c@d ||"), [["sip:a@b", "sip:c@d"]])
        for text in ("", "  ", "&|&"):
            self.assertRaises(DialStringError, parse_dial_string, text)

    def test_same_destination_twice(self) -> None:
        """
        A destination may be tried again: the original dropped the second attempt.
        """
        self.assertEqual(
            dialled("123@p1|123@p1[dt=5]"), [["sip:123@p1"], ["sip:123@p1"]]
        )

    def test_too_many_legs(self) -> None:
        """
        There are no more legs than one run of a dialplan may have.
        """
        self.assertEqual(
            len([*parse_dial_string("&".join(["a@b"] * MAX_LEGS)).legs]), 20
        )
        with self.assertRaisesRegex(DialStringError, "more than 20 legs"):
            parse_dial_string("|".join(["a@b"] * (MAX_LEGS + 1)))

    def test_too_long(self) -> None:
        """
        A longer text is not even looked at.
        """
        self.assertRaises(DialStringError, parse_dial_string, "a" * (MAX_LENGTH + 1))


class DestinationTests(SynchronousTestCase):
    def test_provider_without_user(self) -> None:
        """
        Without user and scheme, the user part is what the caller has dialled.
        """
        self.assertEqual(dialled("blueface", Caller("1234")), [["sip:1234@blueface"]])

    def test_scheme_without_user(self) -> None:
        """
        A URI with a scheme is complete.
        """
        self.assertEqual(dialled("sip:h&SIPS:h"), [["sip:h", "sips:h"]])

    def test_user_that_looks_like_a_scheme(self) -> None:
        """
        A destination keeps port, parameters and a header.
        """
        self.assertEqual(
            dialled("u@h:5070;transport=tcp?X-A=b"),
            [["sip:u@h:5070;transport=tcp?X-A=b"]],
        )

    def test_ipv6(self) -> None:
        """
        A bracket at the start of a host is an address, one behind it starts options.
        """
        text = "u@[2001:db8::1]:5070;transport=tcp[dt=5]&[::1]&sip:[::1][dt=1]"
        self.assertEqual(
            dialled(text),
            [
                [
                    "sip:u@[2001:db8::1]:5070;transport=tcp",
                    "sip:380@[::1]",
                    "sip:[::1]",
                ]
            ],
        )
        self.assertEqual(
            [leg.options.delay for leg in parse_dial_string(text).legs], [5, 0, 1]
        )

    def test_what_is_none(self) -> None:
        """
        What makes no URI is refused where it stands.
        """
        for text, position in (
            ("a@b@c", 0),
            ("x@h& u@h:99999", 5),
            ('a@"b"', 0),
            ("u@", 0),
            ("u@h\r\nVia: x", 0),
        ):
            with self.assertRaises(DialStringError) as caught:
                parse_dial_string(text)
            self.assertEqual(caught.exception.position, position, text)


class OptionsTests(SynchronousTestCase):
    def test_all(self) -> None:
        """
        Each option of the table is read.
        """
        self.assertEqual(
            options(
                'u@h[dt=5, cd=600,rm=n,ma=false,fd="A, B",fu=u,fh=h,tr=p,rcd=true,'
                "ac=AC1,rc=R1,dr=3,swln=line,swcid=id,swo=o]"
            ),
            LegOptions(
                5,
                600,
                OnRedirect.NEW_RUN,
                False,
                Template(("A, B",)),
                Template(("u",)),
                Template(("h",)),
                TransferMode.PASS_THROUGH,
                True,
                "AC1",
                "R1",
                3,
                Template(("line",)),
                Template(("id",)),
                Template(("o",)),
            ),
        )

    def test_exact_keys(self) -> None:
        """
        rcd sets no cd, and the value of fd no delay, as they did in the original.
        """
        self.assertEqual(
            options("u@h[rcd=true]"), LegOptions(wants_caller_details=True)
        )
        self.assertEqual(
            options("u@h[fd=x dt=5]"), LegOptions(from_name=Template(("x dt=5",)))
        )
        self.assertEqual(
            options("u@h[fd=,fu=x]"),
            LegOptions(from_name=Template(), from_user=Template(("x",))),
        )

    def test_quoted(self) -> None:
        r"""
        Quotes keep commas, brackets, "&" and "|"; \\ and \" stand for themselves.
        """
        value = options(r'u@h[fd="a, [b]&c|\"d\" \\"]').from_name
        self.assertEqual(value, Template((r'a, [b]&c|"d" \ '.strip(),)))

    def test_limits(self) -> None:
        """
        A delay is 120 s at most; a re-INVITE after more than 5 s comes after 2.
        """
        self.assertEqual(options("u@h[dt=999]").delay, 120)
        self.assertEqual(options("u@h[dr=5]").reinvite_delay, 5)
        self.assertEqual(options("u@h[dr=6]").reinvite_delay, 2)
        self.assertEqual(options("u@h[ir=x]").reinvite_delay, 2)

    def test_former_redirect_modes(self) -> None:
        """
        rm=a and rm=r mean what is done without the option.
        """
        self.assertEqual(options("u@h[rm=a]&".rstrip("&")), LegOptions())

    def test_faults(self) -> None:
        """
        Each fault is told with its place.
        """
        for text, position, words in (
            ("a[dt=5", 1, "not closed"),
            ("a[dt=5]x", 7, "has to follow, not 'x'"),
            ("a[DT=5]", 2, "did you mean 'dt'"),
            ("a[fd=,fu]", 6, "a key, '=' and a value"),
            ("a[]", 2, "a key, '=' and a value"),
            ("a[dt=1,dt=2]", 7, "twice"),
            ("a[dr=1,ir=2]", 7, "twice"),
            ("a[dt=x]", 5, "no number of seconds"),
            ("a[dt=\u0665]", 5, "no number of seconds"),
            ("a[cd=0]", 5, "cannot last 0 seconds"),
            ("a[rm=q]", 5, "none of n, m"),
            ("a[tr=]", 5, "none of n, p, c"),
            ("a[ma=1]", 5, "neither true nor false"),
            ("a[ac=x y]", 5, "no code"),
            ('a[fd="x]', 5, "this quote is not closed"),
            ('a[fd=x"y"]', 6, "at the start of a value only"),
            ('a[fd="x"y]', 8, "has to follow the quote"),
            ("a&[dt=5]", 2, "options need a destination"),
            ("a]", 1, "has to follow, not ']'"),
        ):
            with self.assertRaises(DialStringError) as caught:
                parse_dial_string(text)
            self.assertIn(words, str(caught.exception))
            self.assertEqual(caught.exception.position, position, text)


class VariablesTests(SynchronousTestCase):
    def test_vectors(self) -> None:
        """
        The vectors of the original, for what the caller has dialled.
        """
        for text, expected in (
            ("${dst}123", "380123"),
            ("${dst}123${dst}", "380123380"),
            ("${dst:1}123${dst:2}", "801230"),
            ("${dst:1}123${dst}000", "80123380000"),
            ("${EXTEN:3}", "380"),
            (
                "${fromName} x ${fromuriuser} ${fromAOR}",
                "Alice x alice alice@example.org",
            ),
        ):
            self.assertEqual(Template.parse(text).fill(CALLER), expected)

    def test_nothing_known(self) -> None:
        """
        A variable without a value is empty, and the text is trimmed.
        """
        template = Template.parse("${fromname} <sip:user@provider>")
        self.assertEqual(template.fill(Caller()), "<sip:user@provider>")

    def test_unknown(self) -> None:
        """
        A variable that does not exist, or is not closed, is refused where it stands.
        """
        for text in (
            "u@h&${x}@h",
            "u@h&${dst@h",
            "u@h&${dst:-1}@h",
            "u@h&${dst:1:2}@h",
        ):
            with self.assertRaises(DialStringError) as caught:
                parse_dial_string(text)
            self.assertEqual(caught.exception.position, 4)

    def test_address_of_the_caller(self) -> None:
        """
        ${fromaor} alone is a destination: user and host.
        """
        self.assertEqual(dialled("${fromaor}"), [["sip:alice@example.org"]])

    def test_too_long_value(self) -> None:
        """
        A value has a limit.
        """
        (leg,) = parse_dial_string("p").legs
        leg.destination.fill(Caller("1" * MAX_VALUE))
        self.assertRaises(
            UnusableValue, leg.destination.fill, Caller("1" * (MAX_VALUE + 1))
        )

    def test_no_value_as_user(self) -> None:
        """
        A user part that comes to nothing makes no URI.
        """
        (leg,) = parse_dial_string("${fromuriuser}@p1").legs
        self.assertRaises(UnusableValue, leg.destination.fill, Caller("1"))

    def test_value_as_host(self) -> None:
        """
        A host cannot be escaped, so what is none is refused.
        """
        (leg,) = parse_dial_string("u@${dst}").legs
        self.assertEqual(leg.destination.fill(Caller("h.example")).host, "h.example")
        for value in ("h;maddr=x", "a@b", "h:5060", "h&b", "", "h[dt=1]"):
            self.assertRaises(UnusableValue, leg.destination.fill, Caller(value))


class AsteriskFormTests(SynchronousTestCase):
    def test_choice(self) -> None:
        """
        Two commas outside brackets make the form.
        """
        self.assertTrue(is_asterisk_form("user,pass,100@h"))
        self.assertFalse(is_asterisk_form("100@h[dt=1,cd=2,fd=x]"))
        self.assertFalse(is_asterisk_form("100@h,x"))

    def test_short(self) -> None:
        """
        From is the account, at the host of the destination.
        """
        (leg,) = parse_dial_string("user, 'pa,ss' ,${EXTEN:2}@sip.x.ie").legs
        self.assertEqual(leg.credentials, Credentials("user", "pa,ss"))
        self.assertNotIn("pa,ss", repr(leg))
        assert leg.sender is not None
        self.assertEqual(
            leg.sender.fill(CALLER), ("", SIPURI.parse("sip:user@sip.x.ie"))
        )
        self.assertEqual(str(leg.destination.fill(CALLER)), "sip:0@sip.x.ie")

    def test_long(self) -> None:
        """
        From, the next hop and the trace flag may follow.
        """
        text = 'anon,,${dst}@h, "name" <sip:anon@d>, 194.213.29.100,true'
        (leg,) = parse_dial_string(text).legs
        self.assertIsNone(leg.credentials)
        assert leg.sender is not None
        self.assertEqual(leg.sender.fill(CALLER), ("name", SIPURI.parse("sip:anon@d")))
        self.assertEqual(str(leg.route), "sip:194.213.29.100;lr")

    def test_anonymous(self) -> None:
        """
        Somebody anonymous calls from the host of the caller.
        """
        (leg,) = parse_dial_string("anon,,303@h").legs
        assert leg.sender is not None
        self.assertEqual(str(leg.sender.fill(CALLER)[1]), "sip:anon@example.org")

    def test_faults(self) -> None:
        """
        A missing destination, an open quote and too many parts are refused.
        """
        for text in ("u,p,@", "u,p,d,,,,x", 'u,"p,d@h', "u,p,d,<sip:x@y", "u,p,d,,a@@"):
            self.assertRaises(DialStringError, parse_dial_string, text)


_WORDS = st.text("abcXYZ019._-", min_size=1, max_size=8)
_PLAIN = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]))
_PIECES = st.lists(
    st.one_of(_WORDS, st.sampled_from(["${dst}", "${dst:2}", "${fromuriuser}"])),
    min_size=1,
    max_size=3,
).map("".join)
_TEMPLATES = _PLAIN.map(lambda text: Template.parse(text.replace("${", "").strip()))
_OPTIONS = st.builds(
    LegOptions,
    delay=st.integers(0, 120),
    max_duration=st.none() | st.integers(1, 3600),
    on_redirect=st.sampled_from(OnRedirect),
    rewrites_sdp=st.booleans(),
    from_name=st.none() | _TEMPLATES,
    from_user=st.none() | _TEMPLATES,
    transfer=st.sampled_from(TransferMode),
    wants_caller_details=st.booleans(),
    account_code=st.just("") | _WORDS,
    reinvite_delay=st.integers(0, 5),
)
_HOSTS = st.sampled_from(
    ["p1", "local", "sip.example.org:5070", "[2001:db8::1]", "[::]:1"]
)


@st.composite
def _legs(draw: st.DrawFn) -> Leg:
    text = draw(st.sampled_from(["", "sip:", "sips:"]))
    text += draw(st.just("") | _PIECES.map(lambda user: f"{user}@")) + draw(_HOSTS)
    (leg,) = parse_dial_string(text).legs
    return Leg(leg.destination, draw(_OPTIONS))


_DIAL_STRINGS = st.builds(
    DialString,
    st.lists(
        st.lists(_legs(), min_size=1, max_size=3).map(tuple), min_size=1, max_size=3
    ).map(tuple),
)
_CALLERS = st.builds(Caller, *[st.text(min_size=1, max_size=40)] * 4)


class PropertyTests(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(_DIAL_STRINGS)
    def test_round_trip(self, dial_string: DialString) -> None:
        """
        What is written is read again as the same.
        """
        self.assertEqual(parse_dial_string(str(dial_string)), dial_string)

    @settings(max_examples=150, deadline=None)
    @given(_DIAL_STRINGS, _CALLERS)
    def test_no_injection(self, dial_string: DialString, caller: Caller) -> None:
        """
        Whatever a caller sends, each leg stays one URI with the host, the parameters
        and the headers that the plan has.
        """
        for leg in dial_string.legs:
            uri = leg.destination.fill(caller)
            plain = leg.destination.fill(Caller("0", "0", "0", "0"))
            self.assertEqual(SIPURI.parse(str(uri)), uri)
            self.assertEqual(
                (uri.scheme, uri.hostport, uri.parameters, uri.headers, uri.password),
                (
                    plain.scheme,
                    plain.hostport,
                    plain.parameters,
                    plain.headers,
                    plain.password,
                ),
            )

    @settings(max_examples=300, deadline=None)
    @given(st.text("ab@[]|&,=;?:\"'\\<>${}dst 1", max_size=60))
    def test_hostile(self, text: str) -> None:
        """
        Any text is read, or refused with a place inside it.
        """
        try:
            parse_dial_string(text)
        except DialStringError as error:
            self.assertTrue(0 <= error.position <= len(text))

    def test_linear(self) -> None:
        """
        Twice the text takes about twice the time, whatever it is made of.
        """
        for unit in ("[", "${", "a@", '"', 'a[fd="\\', "|", "<", "a,", "[::", "a[b="):
            short, long = (
                min(_cost((unit * MAX_LENGTH)[:length]) for _ in range(3))
                for length in (MAX_LENGTH // 4, MAX_LENGTH)
            )
            # Four times as long: sixteen times would be the square.
            self.assertLess(long, 12 * short + 0.002, unit)


def _cost(text: str) -> float:
    start = time.process_time()
    try:
        parse_dial_string(text)
    except DialStringError:
        pass
    return time.process_time() - start
