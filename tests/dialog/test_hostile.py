"""
Messages that a peer has got wrong, in every field, given to everything in a dialog.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.acceptance import Acceptance
from sipsorcery.dialog.acknowledgement import Acknowledgement
from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.extensions import EXTENSIONS, check_required
from sipsorcery.dialog.forks import DialogSet
from sipsorcery.dialog.glare import Overlap
from sipsorcery.dialog.notifier import Durations, Notifier, check_subscribe
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.dialog.refer import is_subscribed, read_refer
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.dialog.reliable_client import ReliableReceiver
from sipsorcery.dialog.reliable_server import ReliableResponses
from sipsorcery.dialog.replaces import find_joined, find_replaced, find_target_dialog
from sipsorcery.dialog.session_timer import SessionTimer
from sipsorcery.dialog.sipfrag import read_sipfrag
from sipsorcery.dialog.subscriber import Subscriber
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.message import Message
from sipsorcery.sip.parameterised import Event
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from tests.dialog.messages import (
    ALICE_TAG,
    BOB_CONTACT,
    BOB_TAG,
    PHONE,
    alices_dialog,
    bobs_dialog,
    from_bob,
    request,
    response,
)
from tests.dialog.sessions import ALICE, ORIGIN

CALL_ID = "a84b4c76e66710@192.0.2.1"
REFERENCE = f"{CALL_ID};to-tag={ALICE_TAG};from-tag={BOB_TAG}"

#: Everything that is read of a request in a dialog, and a value that is sound.
REQUEST_FIELDS = {
    "From": f"<sip:bob@example.net>;tag={BOB_TAG}",
    "To": f"<sip:alice@example.com>;tag={ALICE_TAG}",
    "Call-ID": CALL_ID,
    "CSeq": "2 {method}",
    "Contact": "<sip:bob@192.0.2.4>",
    "Record-Route": "<sip:p.example.com;lr>",
    "Require": "100rel",
    "Supported": "timer, replaces",
    "Allow": "INVITE, UPDATE",
    "Content-Type": "application/sdp",
    "Content-Disposition": "session;handling=required",
    "Session-Expires": "600;refresher=uas",
    "Min-SE": "120",
    "RAck": "7 1 INVITE",
    "Event": "presence;id=7",
    "Expires": "600",
    "Subscription-State": "terminated;reason=giveup;retry-after=5;expires=7",
    "Accept": "application/pidf+xml",
    "Refer-To": "<sip:c@example.org?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>",
    "Referred-By": "<sip:a@example.com>",
    "Refer-Sub": "false",
    "Replaces": REFERENCE,
    "Join": REFERENCE,
    "Target-Dialog": f"{CALL_ID};local-tag={ALICE_TAG};remote-tag={BOB_TAG}",
}
#: The same of a response.
RESPONSE_FIELDS = {
    **{name: REQUEST_FIELDS[name] for name in ("Contact", "Record-Route", "Allow")},
    "From": f"Alice <sip:alice@example.com>;tag={ALICE_TAG}",
    "To": f"Bob <sip:bob@example.net>;tag={BOB_TAG}",
    "Call-ID": CALL_ID,
    "CSeq": "1 INVITE",
    "Require": "100rel",
    "RSeq": "5",
    "Content-Type": "application/sdp",
    "Content-Disposition": "session",
    "Session-Expires": "600;refresher=uac",
    "Min-SE": "120",
    "Expires": "600",
    "Min-Expires": "1200",
    "Retry-After": "5 (busy);duration=7",
    "Refer-Sub": "false",
}
METHODS = (
    *("INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO"),
    *("SUBSCRIBE", "NOTIFY", "REFER", "OPTIONS", "invite"),
)
STATUSES = (100, 180, 183, 199, 200, 202, 204, 302, 408, 422, 423, 481, 491, 503, 604)

#: Values that fit nowhere, and some that fit where they should not.
JUNK = st.one_of(
    st.sampled_from(
        (
            *("", " ", ",", ";", "<", ">", '"', "*", "=", "%", "\x00", "\x7f", "()"),
            *("<sip:>", "<sip:a@[::1>", "<tel:1>", "<sip:a@b>;tag", "<sip:a@b>;tag="),
            *("-1", "4294967296", "2147483648", "9" * 200, "1 ", "1 2 3", "1 ACK"),
            *("x;expires=x", "terminated;retry-after=-1", "active;expires", "0"),
            *(";a" * 3000, "<" * 500, "a/b/c", "a/", "100rel" * 100, "é\udcff"),
            *(REFERENCE, f"{CALL_ID};to-tag=;from-tag=", "x;to-tag=1;from-tag=0"),
        )
    ),
    st.text(st.characters(exclude_characters="\r\n"), max_size=20),
)
BODIES = st.one_of(
    st.sampled_from(
        (
            b"",
            "".join(f"{line}\r\n" for line in PHONE).encode(),
            bytes(ALICE),
            b"v=0\r\n",
            b"\xff\x00",
            b"SIP/2.0 200 OK",
            b"m=" * 2000,
        )
    ),
    st.binary(max_size=50),
)


@st.composite
def spoilt(draw: st.DrawFn, start: str, fields: dict[str, str]) -> Message:
    """
    Draw a message of which some fields are missing, doubled or wrong.
    """
    lines = []
    wrong = draw(st.sets(st.sampled_from(sorted(fields)), max_size=4))
    for name, value in fields.items():
        if name in wrong:
            values = draw(st.lists(JUNK, max_size=2))
            lines += [f"{name}: {each}" for each in values]
        elif draw(st.booleans()) or name in ("From", "To", "Call-ID", "CSeq"):
            lines.append(f"{name}: {value}")
    body = draw(BODIES)
    head = "".join(f"{line}\r\n" for line in (start, *lines))
    data = f"{head}Content-Length: {len(body)}\r\n\r\n"
    return parse(data.encode("utf-8", "surrogatepass") + body)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """
    Draw a request of Bob.
    """
    method = draw(st.sampled_from(METHODS))
    fields = {
        name: value.format(method=method) for name, value in REQUEST_FIELDS.items()
    }
    made = draw(spoilt(f"{method} sip:alice@192.0.2.1 SIP/2.0", fields))
    assert isinstance(made, Request)
    return made


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """
    Draw a response of Bob.
    """
    status = draw(st.sampled_from(STATUSES))
    made = draw(spoilt(f"SIP/2.0 {status} Whatever", RESPONSE_FIELDS))
    assert isinstance(made, Response)
    return made


def sessions() -> Iterator[OfferAnswer]:
    """
    Make a session in each of its states.
    """
    yield OfferAnswer(ORIGIN)
    yield OfferAnswer(ORIGIN, local=ALICE, remote=ALICE)
    offering = OfferAnswer(ORIGIN)
    offering.sent(request(body=str(ALICE).splitlines()))
    yield offering
    waiting = OfferAnswer(ORIGIN)
    waiting.sent(request())
    yield waiting
    asked = OfferAnswer(ORIGIN)
    asked.receive(from_bob("INVITE", cseq=2))
    asked.sent(
        from_bob("INVITE", cseq=2).respond(
            200, fields=[("Content-Type", "application/sdp")], body=bytes(ALICE)
        )
    )
    yield asked


class HostileTests(SynchronousTestCase):
    def assert_refusal(self, refusal: object, received: Request) -> None:
        """
        Check that what a request is refused with can be sent.
        """
        if isinstance(refusal, Refusal):
            self.assertIn(refusal.status, range(400, 700))
            answer = refusal.response(received, "1")
            self.assertEqual(answer.status, refusal.status)
            self.assertNotIn("\n", answer.reason)
            parse(answer.to_bytes())

    @given(requests())
    def test_requests(self, received: Request) -> None:
        """
        A request is acted upon or refused, whatever is in it; nothing breaks.
        """
        dialog = alices_dialog()
        refusals: list[object] = [dialog.receive(received)]
        if refusals == [None]:
            dialog.respond(received, 200)
        refusals += [
            check_required(received, EXTENSIONS),
            Overlap().receive(received, 3),
            *(each.receive(received, 3) for each in sessions()),
            read_refer(received),
            find_replaced(received, {dialog.id: dialog}.get),
            find_joined(received, {dialog.id: dialog}.get),
            check_subscribe(received, ("presence",), Durations()),
        ]
        timer = SessionTimer()
        refusals.append(timer.receive(received))
        if refusals[-1] is None:
            timer.accept(received, now=0.0)
            self.assertIn(timer.interval, range(90, 86401))
        reliable = ReliableResponses(first_rseq=7)
        reliable.send(bobs_dialog().respond(request(), 183), now=0.0)
        refusals.append(reliable.receive(received, 1.0))
        for refusal in refusals:
            self.assert_refusal(refusal, received)
        find_target_dialog(received, {dialog.id: dialog}.get)
        read_sipfrag(received)
        Acceptance(response(200), now=0.0).receive(received)

    @given(requests())
    def test_notify(self, received: Request) -> None:
        """
        Nor does anything break of a subscription, in any of its states.
        """
        subscribe = request("SUBSCRIBE", "Event: presence;id=7", "Expires: 600")
        fresh = Subscriber(subscribe, now=0.0)
        good = from_bob(
            "NOTIFY", "Event: presence;id=7", "Subscription-State: active;expires=9"
        )
        standing, leaving = Subscriber(subscribe, 0.0), Subscriber(subscribe, 0.0)
        standing.receive(good, 0.0)
        leaving.unsubscribe(0.0)
        for subscriber in (fresh, standing, leaving):
            self.assert_refusal(subscriber.receive(received, 1.0), received)
            subscriber.take_effects()
            due = subscriber.next_timer()
            if due is not None:
                subscriber.handle_timer(due)

    @given(requests())
    def test_first_requests(self, received: Request) -> None:
        """
        A request that is to make a dialog makes it, or is told to be broken.
        """
        try:
            dialog = Dialog.of_request(received, "7", BOB_CONTACT)
        except ParseError as error:
            self.assertIn(error.status, (400, 416))
        else:
            parse(dialog.request("INFO").to_bytes())

    @given(responses())
    def test_responses(self, received: Response) -> None:
        """
        A response is acted upon or passed over, whatever is in it; nothing breaks.
        """
        for is_abandoned in (False, True):
            calls = DialogSet(request())
            calls.receive(response(180), now=0.0)
            if is_abandoned:
                calls.abandon()
            calls.receive(received, now=0.0)
        dialog = alices_dialog()
        for method in ("INVITE", "INFO"):
            dialog.receive_response(dialog.request(method), received)
        alices_dialog(180).receive_response(request(), received)
        for session in sessions():
            self.assertIsNone(session.receive(received))
        timer = SessionTimer()
        timer.ask()
        timer.too_small(received)
        timer.answered(received, now=0.0)
        ReliableReceiver().receive(received)
        is_subscribed(received)
        Acknowledgement(dialog.acknowledge(request()), now=0.0).receive(received)

    @given(responses())
    def test_responses_to_subscriptions(self, received: Response) -> None:
        """
        Nor does anything break of a subscription.
        """
        subscribe = request("SUBSCRIBE", "Event: presence;id=7", "Expires: 600")
        good = from_bob("NOTIFY", "Event: presence;id=7", "Subscription-State: active")
        for is_standing in (False, True):
            subscriber = Subscriber(subscribe, now=0.0)
            if is_standing:
                subscriber.receive(good, 0.0)
            subscriber.receive_response(received, 1.0)
            due = subscriber.next_timer()
            if due is not None:
                subscriber.handle_timer(due)
        notifier = Notifier(bobs_dialog(), Event("presence"), 600, now=0.0)
        notifier.notify(None, now=0.0)
        notifier.receive_response(received, now=1.0)
