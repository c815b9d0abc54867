"""
Tests for :mod:`sipsorcery.dialog.record`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.acceptance import Acceptance
from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.effects import Send
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.dialog.record import DialogRecord
from sipsorcery.dialog.session_timer import Refresher, SessionTimer
from sipsorcery.sdp import hold
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ
from tests.dialog.messages import (
    BOB_CONTACT,
    BOB_TAG,
    alices_dialog,
    bobs_dialog,
    request,
    response,
)
from tests.dialog.sessions import ALICE, BOB, ORIGIN, answer, theirs

ROUTES = ("Record-Route: <sip:p2;lr;x=1>", "Record-Route: <sip:p1.example.com;lr>;y")


def through_json(record: DialogRecord) -> DialogRecord:
    """
    Let a record go through a store that knows words and numbers.
    """

    def to_text(value: object) -> object:
        return {"b": b64encode(value).decode()} if isinstance(value, bytes) else value

    def from_text(value: Any) -> Any:
        return b64decode(value["b"]) if isinstance(value, dict) else value

    text = json.dumps({name: to_text(value) for name, value in asdict(record).items()})
    fields = {name: from_text(value) for name, value in json.loads(text).items()}
    return DialogRecord(**{**fields, "route_set": tuple(fields["route_set"])})


class DialogTests(SynchronousTestCase):
    def assert_same(self, dialog: Dialog) -> None:
        """
        Check that a dialog comes out of its record as it went in.
        """
        record = through_json(DialogRecord.of(dialog))
        restored = record.dialog()
        self.assertEqual(DialogRecord.of(restored), record)
        self.assertEqual(restored.id, dialog.id)
        self.assertEqual(
            restored.request("INFO").to_bytes(), dialog.request("INFO").to_bytes()
        )

    def test_round_trip(self) -> None:
        """
        A dialog is the same after it was written down, in each state and of each side.
        """
        self.assert_same(alices_dialog(180, *ROUTES))
        self.assert_same(alices_dialog(200, *ROUTES))
        self.assert_same(bobs_dialog(*ROUTES))
        self.assert_same(
            Dialog.of_request(request(from_tag=None), BOB_TAG, BOB_CONTACT)
        )
        secure = request(uri="sips:bob@example.net", contact=None)
        self.assert_same(Dialog.of_response(secure, response(200), over_tls=True))

    def test_take_over(self) -> None:
        """
        Another process counts ahead, and takes the peer's next request.
        """
        dialog = bobs_dialog()
        dialog.respond(request(), 200)
        taken = DialogRecord.of(dialog).dialog()
        taken.take_over()
        self.assertEqual(taken.request("BYE")[CSEQ].number, 1001)
        self.assertIsNone(taken.receive(request("BYE", cseq=50, to_tag=BOB_TAG)))

    def test_damaged(self) -> None:
        """
        A record that nobody has written is refused.
        """
        record = DialogRecord.of(alices_dialog())
        for damaged in (
            replace(record, remote_target="nowhere"),
            replace(record, local="<sip:"),
            replace(record, state="Lost"),
        ):
            self.assertRaises((ParseError, ValueError), damaged.dialog)

    def test_over(self) -> None:
        """
        A dialog that is over stays so.
        """
        dialog = alices_dialog()
        dialog.terminate()
        self.assertIs(DialogRecord.of(dialog).dialog().state, State.Terminated)


class SessionTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """
        A dialog without a session has nothing more.
        """
        record = DialogRecord.of(alices_dialog())
        self.assertIsNone(record.offer_answer())
        self.assertIsNone(record.acceptance(0.0))
        timer = SessionTimer()
        record.resume(timer, 0.0)
        self.assertIsNone(timer.next_timer())

    def test_session(self) -> None:
        """
        The session comes back with both descriptions, octet for octet, and goes on with
        the version after the last one that was sent.
        """
        session = OfferAnswer(ORIGIN)
        invite = theirs("INVITE", BOB)
        session.receive(invite)
        session.sent(answer(invite, 200, session.answer(ALICE)))
        held = session.offer(hold(ALICE))
        update = request("UPDATE", cseq=2, to_tag=BOB_TAG, body=str(held).splitlines())
        session.sent(update)
        session.receive(answer(update, 488))
        record = through_json(DialogRecord.of(alices_dialog(), offer_answer=session))
        restored = record.offer_answer()
        assert restored is not None
        self.assertEqual(
            (restored.local, restored.remote), (session.local, session.remote)
        )
        self.assertEqual(restored.offer(ALICE).origin.version, 3)

    def test_session_without_agreement(self) -> None:
        """
        A session that nothing has been agreed upon begins anew.
        """
        session = OfferAnswer(ORIGIN)
        record = DialogRecord.of(alices_dialog(180), offer_answer=session)
        restored = record.offer_answer()
        assert restored is not None
        self.assertIsNone(restored.local)
        self.assertEqual(restored.offer(ALICE).origin, ORIGIN)

    def test_acceptance(self) -> None:
        """
        A 2xx without its ACK is sent again at once, and as before until the ACK comes.
        """
        sent = response(200)
        acceptance = Acceptance(sent, now=0.0)
        record = through_json(DialogRecord.of(alices_dialog(), acceptance=acceptance))
        restored = record.acceptance(now=100.0)
        assert restored is not None
        self.assertEqual(restored.take_effects(), [Send(sent)])
        self.assertEqual(restored.next_timer(), 100.5)
        self.assertTrue(restored.receive(request("ACK", to_tag=BOB_TAG)))

    def test_acceptance_that_is_done(self) -> None:
        """
        A 2xx that has its ACK is no part of the record.
        """
        acceptance = Acceptance(response(200), now=0.0)
        acceptance.receive(request("ACK", to_tag=BOB_TAG))
        record = DialogRecord.of(alices_dialog(), acceptance=acceptance)
        self.assertIsNone(record.unacknowledged)

    def test_damaged_acceptance(self) -> None:
        """
        What is no 2xx is refused.
        """
        record = DialogRecord.of(alices_dialog())
        for text in (b"x", request().to_bytes()):
            damaged = replace(record, unacknowledged=text)
            self.assertRaises(ParseError, damaged.acceptance, 0.0)

    def test_session_timer(self) -> None:
        """
        The session timer goes on with its interval and its roles.
        """
        timer = SessionTimer()
        timer.resume(600, Refresher.Remote, refreshed_at=0.0)
        record = through_json(DialogRecord.of(alices_dialog(), session_timer=timer))
        restored = SessionTimer()
        record.resume(restored, refreshed_at=100.0)
        self.assertEqual(
            (restored.interval, restored.refresher), (600, Refresher.Remote)
        )
        self.assertEqual(restored.next_timer(), 668.0)
