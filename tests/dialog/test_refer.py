"""
Tests for :mod:`sipsorcery.dialog.refer`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.event_state import Phase
from sipsorcery.dialog.notifier import NotifierEffect
from sipsorcery.dialog.refer import (
    Refer,
    ReferNotifier,
    is_subscribed,
    read_refer,
    refer_fields,
)
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.replaces import reference_to
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import CONTENT_TYPE, EVENT, REFER_TO, SUBSCRIPTION_STATE
from sipsorcery.sip.uri import parse_uri
from tests.dialog.messages import BOB_TAG, alices_dialog, from_bob, request, response

CAROL = "sip:carol@example.org"


def read(*lines: str) -> Refer | Refusal:
    """
    Read a REFER with these lines.
    """
    return read_refer(request("REFER", *lines))


def written(fields: list[FieldValue]) -> dict[str, str]:
    """
    Give the text of each field.
    """
    return {
        field if isinstance(field, str) else field.name: f"{value}"
        for field, value in fields
    }


class ReadingTests(SynchronousTestCase):
    def test_blind(self) -> None:
        """
        A plain Refer-To asks for an INVITE, and for a subscription (RFC 3515, 2.4).
        """
        refer = read(f"Refer-To: Carol <{CAROL}>")
        self.assertEqual(refer, Refer(parse_uri(CAROL)))
        assert isinstance(refer, Refer)
        self.assertEqual(refer.agreed, ())

    def test_compact(self) -> None:
        """
        Refer-To and Referred-By have compact forms.
        """
        refer = read(f"r: <{CAROL}>", "b: <sip:alice@example.com>")
        assert isinstance(refer, Refer)
        self.assertEqual(str(refer.referred_by), "<sip:alice@example.com>")

    def test_method_and_headers(self) -> None:
        """
        The method of the URI is the one to use; it and the headers are no part of the
        target, for nobody is to speak with the sender's words.
        """
        refer = read(f"Refer-To: <{CAROL};method=MESSAGE?Subject=x&From=y>")
        self.assertEqual(refer, Refer(parse_uri(CAROL), "MESSAGE"))

    def test_other_schemes(self) -> None:
        """
        The target may have any scheme.
        """
        self.assertEqual(read("Refer-To: <tel:+1555>"), Refer(parse_uri("tel:+1555")))

    def test_attended(self) -> None:
        """
        A Replaces in the URI names the call to be replaced (RFC 5589, 7.1).
        """
        escaped = "Replaces=12345%40h%3Bto-tag%3D1%3Bfrom-tag%3D2"
        refer = read(f"Refer-To: <{CAROL}?{escaped}>")
        assert isinstance(refer, Refer)
        self.assertEqual(str(refer.replaces), "12345@h;to-tag=1;from-tag=2")
        self.assertEqual(str(refer.target), CAROL)

    def test_without_subscription(self) -> None:
        """
        Refer-Sub: false asks for none, which the 2xx confirms (RFC 4488, 4).
        """
        for line, subscribes in (
            ("Refer-Sub: false", False),
            ("Refer-Sub: FALSE;x=1", False),
            ("Refer-Sub: true", True),
        ):
            refer = read(f"Refer-To: <{CAROL}>", line)
            assert isinstance(refer, Refer)
            self.assertIs(refer.subscribes, subscribes)
            self.assertEqual(
                written(list(refer.agreed)),
                {} if subscribes else {"Refer-Sub": "false"},
            )

    def test_malformed(self) -> None:
        """
        Without a Refer-To, with several, or with one that cannot be read: 400.
        """
        for lines in (
            (),
            (f"Refer-To: <{CAROL}>", f"Refer-To: <{CAROL}>"),
            ("Refer-To: <sip:>",),
            ("Refer-To: carol",),
            (f"Refer-To: <{CAROL}?Replaces=%3Bto-tag%3D1>",),
            (f"Refer-To: <{CAROL}>", "Refer-Sub: ;"),
            (f"Refer-To: <{CAROL}>", "Referred-By: <sip:>"),
        ):
            refusal = read(*lines)
            assert isinstance(refusal, Refusal)
            self.assertEqual(refusal.status, 400, lines)


class WritingTests(SynchronousTestCase):
    def test_blind(self) -> None:
        """
        A blind transfer says whom to call, and perhaps who asks.
        """
        fields = refer_fields(
            parse_uri(CAROL), referred_by=Address.parse("<sip:alice@example.com>")
        )
        self.assertEqual(
            written(fields),
            {"Refer-To": f"<{CAROL}>", "Referred-By": "<sip:alice@example.com>"},
        )

    def test_without_subscription(self) -> None:
        """
        Who does not care what comes of it says so.
        """
        fields = refer_fields(parse_uri(CAROL), subscribes=False)
        self.assertEqual(written(fields)["Refer-Sub"], "false")

    def test_attended(self) -> None:
        """
        An attended transfer names our call with the target, as the target has it; the
        other end reads what we write.
        """
        call = alices_dialog()
        fields = refer_fields(call.remote_target, replaced=call)
        refer = read_refer(request("REFER", f"Refer-To: {dict(fields)[REFER_TO]}"))
        self.assertEqual(refer, Refer(call.remote_target, replaces=reference_to(call)))

    def test_is_subscribed(self) -> None:
        """
        Only a 2xx with Refer-Sub: false makes no subscription.
        """
        for lines, subscribed in (
            ((), True),
            (("Refer-Sub: true",), True),
            (("Refer-Sub: false",), False),
            (("Refer-Sub: ;",), True),
        ):
            self.assertIs(is_subscribed(response(202, *lines)), subscribed)


class ReferNotifierTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.dialog = alices_dialog()
        self.refer = from_bob("REFER", f"Refer-To: <{CAROL}>", cseq=9)
        self.dialog.receive(self.refer)
        self.notifier = ReferNotifier(self.dialog, self.refer, now=0.0)

    def told(self, effects: list[NotifierEffect]) -> tuple[str, bytes]:
        """
        Check that a NOTIFY is sent; return its Subscription-State and body.
        """
        (sent,) = effects
        assert isinstance(sent, Send)
        self.assertEqual(str(sent.message[CONTENT_TYPE]), "message/sipfrag;version=2.0")
        return str(sent.message[SUBSCRIPTION_STATE]), sent.message.body

    def answered(self, status: int = 200) -> list[NotifierEffect]:
        """
        Let the NOTIFY be answered.
        """
        self.notifier.receive_response(response(status), now=1.0)
        return self.notifier.take_effects()

    def test_at_once(self) -> None:
        """
        The first NOTIFY goes out at once and tells of a 100 (RFC 3515, 2.4.4).
        """
        self.assertEqual(
            self.told(self.notifier.take_effects()),
            ("active;expires=180", b"SIP/2.0 100 Trying\r\n"),
        )

    def test_event(self) -> None:
        """
        From the second REFER on the Event has its number (2.4.6).
        """
        for is_first, event in ((True, "refer"), (False, "refer;id=9")):
            notifier = ReferNotifier(
                self.dialog, self.refer, now=0.0, is_first=is_first
            )
            (sent,) = notifier.take_effects()
            assert isinstance(sent, Send)
            self.assertEqual(str(sent.message[EVENT]), event)

    def test_progress(self) -> None:
        """
        Each response to the call is told in its turn, and the final one is the end.
        """
        self.notifier.take_effects()
        self.notifier.progress(180, None, now=1.0)
        self.assertEqual(self.notifier.take_effects(), [])
        self.assertEqual(
            self.told(self.answered()),
            ("active;expires=179", b"SIP/2.0 180 Ringing\r\n"),
        )
        self.assertEqual(self.answered(), [])
        self.notifier.progress(200, "Fine", now=1.0)
        self.assertEqual(
            self.told(self.notifier.take_effects()),
            ("terminated;reason=noresource", b"SIP/2.0 200 Fine\r\n"),
        )
        self.assertIs(self.notifier.phase, Phase.Terminated)
        self.assertEqual(self.answered(), [Terminated()])

    def test_refresh(self) -> None:
        """
        A SUBSCRIBE for it is told how far the call is.
        """
        self.notifier.take_effects()
        self.notifier.progress(180, None, now=1.0)
        self.answered()
        self.answered()
        self.assertIsNone(self.notifier.refresh(60, now=100.0))
        self.assertEqual(
            self.told(self.notifier.take_effects()),
            ("active;expires=60", b"SIP/2.0 180 Ringing\r\n"),
        )

    def test_expiry(self) -> None:
        """
        A call that rings too long is told no more.
        """
        self.notifier.take_effects()
        self.answered()
        self.assertEqual(self.notifier.next_timer(), 180.0)
        self.notifier.handle_timer(180.0)
        (sent,) = self.notifier.take_effects()
        assert isinstance(sent, Send)
        self.assertEqual(
            str(sent.message[SUBSCRIPTION_STATE]), "terminated;reason=timeout"
        )
        self.notifier.progress(200, None, now=181.0)
        self.assertEqual(self.notifier.take_effects(), [])

    def test_dialog_of_its_own(self) -> None:
        """
        A REFER outside a dialog makes one, in which the NOTIFY goes.
        """
        self.assertEqual(
            self.told(self.notifier.take_effects())[0], "active;expires=180"
        )
        self.assertEqual(self.dialog.remote_tag, BOB_TAG)
