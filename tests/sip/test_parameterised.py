"""
Tests for :mod:`sipsorcery.sip.parameterised`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.parameterised import (
    DialogReference,
    Event,
    MediaType,
    Parameterised,
    Reason,
    Seconds,
    SubscriptionState,
)
from sipsorcery.sip.parameters import Parameters
from tests.sip.test_parameters import names, pairs


class ParameterisedTests(SynchronousTestCase):
    """
    A word with parameters.
    """

    def test_read(self) -> None:
        """
        Word and parameters, with blanks round the semicolon.
        """
        value = Parameterised.parse("gzip ; q=0.5")
        self.assertEqual(value, Parameterised("gzip", Parameters.parse(";q=0.5")))
        self.assertEqual(Parameterised.parse("*"), Parameterised("*"))

    def test_with_parameter(self) -> None:
        """
        A parameter is set in a copy of the same kind.
        """
        event = Event.parse("dialog").with_parameter("id", "7")
        self.assertIsInstance(event, Event)
        self.assertEqual(str(event), "dialog;id=7")

    def test_broken(self) -> None:
        """
        There is one word, without blanks, and its parameters are sound.
        """
        for text in ("", ";a", "a b", "a;", "a;=b", "a,b", '"a"', "<a>", 'a;b="'):
            with self.assertRaises(ParseError, msg=text):
                Parameterised.parse(text)

    @given(names, pairs)
    def test_round_trip(self, word: str, items: list[tuple[str, str | None]]) -> None:
        """
        What is written is read again.
        """
        for kind in (Parameterised, Event, Reason, SubscriptionState):
            value = kind(word, Parameters(items))
            self.assertEqual(kind.parse(str(value)), value)


class EventTests(SynchronousTestCase):
    """
    Event.
    """

    def test_read(self) -> None:
        """
        The package with its templates, and the id (RFC 6665, 8.2.1).
        """
        event = Event.parse("presence.winfo;id=17")
        self.assertEqual(event.package, "presence.winfo")
        self.assertEqual(event.id, "17")
        self.assertIsNone(Event.parse("presence").id)

    def test_case(self) -> None:
        """
        Packages differ by case.
        """
        self.assertNotEqual(Event.parse("Presence"), Event.parse("presence"))


class SubscriptionStateTests(SynchronousTestCase):
    """
    Subscription-State.
    """

    def test_read(self) -> None:
        """
        State, expiry, reason and when to try again (RFC 6665, 8.2.3).
        """
        value = SubscriptionState.parse(
            "Terminated;Expires=0;reason=Probation;retry-after=30"
        )
        self.assertEqual(value.state, "terminated")
        self.assertEqual(value.expires, 0)
        self.assertEqual(value.reason, "probation")
        self.assertEqual(value.retry_after, 30)

    def test_least(self) -> None:
        """
        Nothing but the state is needed.
        """
        value = SubscriptionState.parse("active")
        self.assertEqual(
            (value.expires, value.reason, value.retry_after), (None, None, None)
        )

    def test_broken_numbers(self) -> None:
        """
        A number that is none is an error to whoever reads it.
        """
        value = SubscriptionState.parse("active;expires=soon;retry-after=-1")
        with self.assertRaises(ParseError):
            _ = value.expires
        with self.assertRaises(ParseError):
            _ = value.retry_after


class ReasonTests(SynchronousTestCase):
    """
    Reason.
    """

    def test_read(self) -> None:
        """
        Protocol, cause and text (RFC 3326, 2).
        """
        reason = Reason.parse('Q.850 ;cause=16 ;text="Terminated; \\"normally\\""')
        self.assertEqual(reason.protocol, "Q.850")
        self.assertEqual(reason.cause, 16)
        self.assertEqual(reason.text, 'Terminated; "normally"')

    def test_least(self) -> None:
        """
        Cause and text may be missing; a text may stand without quotes.
        """
        reason = Reason.parse("SIP")
        self.assertEqual((reason.cause, reason.text), (None, None))
        self.assertEqual(Reason.parse("SIP;text=gone").text, "gone")

    def test_broken_cause(self) -> None:
        """
        A cause that is no number is an error to whoever reads it.
        """
        with self.assertRaises(ParseError):
            _ = Reason.parse("SIP;cause=busy").cause


class MediaTypeTests(SynchronousTestCase):
    """
    Content-Type and Accept.
    """

    def test_read(self) -> None:
        """
        Type and subtype are in lower case; parameters as spelled (RFC 3261, 20.15).
        """
        value = MediaType.parse('Text / HTML ; Charset="ISO-8859-4"')
        self.assertEqual((value.type, value.subtype), ("text", "html"))
        self.assertEqual(value.parameters.get("charset"), '"ISO-8859-4"')
        self.assertEqual(str(MediaType.parse("application/sdp")), "application/sdp")

    def test_ranges(self) -> None:
        """
        A range admits all types that it stands for.
        """
        sdp = MediaType.parse("application/sdp")
        for text in (
            "*/*",
            "application/*",
            "APPLICATION/SDP",
            "application/sdp;q=0.1",
        ):
            self.assertTrue(MediaType.parse(text).includes(sdp), text)
        for text in ("text/*", "application/isup", "text/sdp"):
            self.assertFalse(MediaType.parse(text).includes(sdp), text)

    def test_broken(self) -> None:
        """
        Both halves are tokens.
        """
        for text in ("", "text", "text/", "/plain", "a/b/c", "a b/c", "a/b;", '"a"/b'):
            with self.assertRaises(ParseError, msg=text):
                MediaType.parse(text)

    @given(names.map(str.lower), names.map(str.lower), pairs)
    def test_round_trip(
        self, kind: str, subtype: str, items: list[tuple[str, str | None]]
    ) -> None:
        """
        What is written is read again.
        """
        value = MediaType(kind, subtype, Parameters(items))
        self.assertEqual(MediaType.parse(str(value)), value)


class SecondsTests(SynchronousTestCase):
    """
    Session-Expires, Min-SE, Retry-After.
    """

    def test_session_expires(self) -> None:
        """
        Seconds and who refreshes (RFC 4028, 4).
        """
        value = Seconds.parse("4000;refresher=UAC")
        self.assertEqual((value.seconds, value.refresher), (4000, "uac"))
        self.assertIsNone(Seconds.parse("90").refresher)

    def test_retry_after(self) -> None:
        """
        Seconds, a comment, a duration (RFC 3261, 20.33).
        """
        value = Seconds.parse("120 (I'm in a meeting) ;duration=3600")
        self.assertEqual(value.seconds, 120)
        self.assertEqual(value.comment, "I'm in a meeting")
        self.assertEqual(value.parameters.get("duration"), "3600")
        self.assertEqual(str(value), "120 (I'm in a meeting);duration=3600")

    def test_largest(self) -> None:
        """
        Seconds stay below 2**32 (RFC 4475, 3.1.2.5).
        """
        self.assertEqual(Seconds.parse("4294967295").seconds, 2**32 - 1)
        for text in ("4294967296", "949302838503028349304023988"):
            with self.assertRaises(ParseError):
                Seconds.parse(text)

    def test_broken(self) -> None:
        """
        There is a number, and no comment is left open.
        """
        for text in ("", "x", "-1", "1.5", "1 2", "1 (", "1 (a", "1 )", "1;", ";a"):
            with self.assertRaises(ParseError, msg=text):
                Seconds.parse(text)

    @given(
        st.integers(0, 2**32 - 1),
        pairs,
        st.none() | st.from_regex("[^()\r\n]*", fullmatch=True),
    )
    def test_round_trip(
        self, number: int, items: list[tuple[str, str | None]], comment: str | None
    ) -> None:
        """
        What is written is read again.
        """
        value = Seconds(number, Parameters(items), comment)
        self.assertEqual(Seconds.parse(str(value)), value)


class DialogReferenceTests(SynchronousTestCase):
    """
    Replaces, Join, Target-Dialog.
    """

    def test_replaces(self) -> None:
        """
        Call-ID and both tags (RFC 3891, 6.1).
        """
        value = DialogReference.parse(
            "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only"
        )
        self.assertEqual(value.call_id, "98732@sip.example.com")
        self.assertEqual((value.from_tag, value.to_tag), ("r33th4x0r", "ff87ff"))
        self.assertTrue(value.early_only)
        self.assertFalse(DialogReference.parse("a;to-tag=1;from-tag=2").early_only)

    def test_target_dialog(self) -> None:
        """
        Target-Dialog calls its tags local and remote (RFC 4538, 7).
        """
        value = DialogReference.parse(
            "fa77as7dad8-sd98ajzz@host;local-tag=l;remote-tag=r"
        )
        self.assertEqual((value.from_tag, value.to_tag), ("l", "r"))

    def test_rare_call_id(self) -> None:
        """
        A Call-ID may hold quotes and brackets (RFC 3261, 25.1).
        """
        call_id = "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
        value = DialogReference.parse(f"{call_id};to-tag=1;from-tag=2")
        self.assertEqual(value.call_id, call_id)

    def test_escaped(self) -> None:
        """
        In a Refer-To the value is escaped like any header of a URI (RFC 3891, 4).
        """
        text = "425928%40phone.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472"
        value = DialogReference.parse_escaped(text)
        self.assertEqual(value.call_id, "425928@phone.example.org")
        self.assertEqual((value.to_tag, value.from_tag), ("7743", "6472"))
        self.assertEqual(value.escaped(), text)

    def test_broken(self) -> None:
        """
        There is a Call-ID.
        """
        for text in ("", ";to-tag=1", "a b;to-tag=1", "a,b", "a;;"):
            with self.assertRaises(ParseError, msg=text):
                DialogReference.parse(text)

    @given(names, pairs)
    def test_round_trip(
        self, call_id: str, items: list[tuple[str, str | None]]
    ) -> None:
        """
        What is written is read again, escaped or not.
        """
        value = DialogReference(call_id, Parameters(items))
        self.assertEqual(DialogReference.parse(str(value)), value)
        self.assertEqual(DialogReference.parse_escaped(value.escaped()), value)
