"""
Tests for :mod:`sipsorcery.dialog.replaces`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.dialog import Dialog, DialogID
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.dialog.replaces import (
    find_joined,
    find_replaced,
    find_target_dialog,
    reference_to,
    target_dialog,
)
from sipsorcery.sip.parameterised import DialogReference
from tests.dialog.messages import (
    ALICE_TAG,
    BOB_CONTACT,
    BOB_TAG,
    alices_dialog,
    bobs_dialog,
    request,
    response,
)

CALL_ID = "a84b4c76e66710@192.0.2.1"
#: As Bob writes it to Alice.
TO_ALICE = f"{CALL_ID};to-tag={ALICE_TAG};from-tag={BOB_TAG}"
NO_MATCH = Refusal(481)


def table(*dialogs: Dialog) -> dict[DialogID, Dialog]:
    """
    Put dialogs into a table.
    """
    return {dialog.id: dialog for dialog in dialogs}


class ReplacesTests(SynchronousTestCase):
    def find(self, dialog: Dialog, *lines: str, method: str = "INVITE") -> object:
        """
        Let a request with these lines reach who has the dialog.
        """
        return find_replaced(request(method, *lines), table(dialog).get)

    def test_match(self) -> None:
        """
        The to-tag is the local one of whoever reads, the from-tag the remote one
        (RFC 3891, 3).
        """
        dialog = alices_dialog()
        self.assertIs(self.find(dialog, f"Replaces: {TO_ALICE}"), dialog)

    def test_none(self) -> None:
        """
        A request without Replaces replaces nothing.
        """
        self.assertIsNone(self.find(alices_dialog()))

    def test_no_match(self) -> None:
        """
        Where no dialog matches, the answer is 481; both tags and the Call-ID count.
        """
        for reference in (
            f"{CALL_ID};to-tag={BOB_TAG};from-tag={ALICE_TAG}",
            f"{CALL_ID};to-tag={ALICE_TAG};from-tag=other",
            f"other;to-tag={ALICE_TAG};from-tag={BOB_TAG}",
            f"{CALL_ID};to-tag={ALICE_TAG};from-tag=0",
        ):
            found = self.find(alices_dialog(), f"Replaces: {reference}")
            self.assertEqual(found, NO_MATCH, reference)

    def test_peer_without_tag(self) -> None:
        """
        A from-tag of zero stands for a peer without a tag, too.
        """
        dialog = Dialog.of_response(request(), response(200, to_tag=None))
        line = f"Replaces: {CALL_ID};to-tag={ALICE_TAG};from-tag=0"
        self.assertIs(self.find(dialog, line), dialog)

    def test_malformed(self) -> None:
        """
        Several, in another method, without both tags, beside Join, or unreadable: 400.
        """
        line = f"Replaces: {TO_ALICE}"
        for method, lines in (
            ("INVITE", (line, line)),
            ("OPTIONS", (line,)),
            ("INVITE", (f"Replaces: {CALL_ID}",)),
            ("INVITE", (f"Replaces: {CALL_ID};to-tag={ALICE_TAG}",)),
            ("INVITE", (line, f"Join: {TO_ALICE}")),
            ("INVITE", ("Replaces: ;to-tag=1;from-tag=2",)),
        ):
            found = self.find(alices_dialog(), *lines, method=method)
            assert isinstance(found, Refusal)
            self.assertEqual(found.status, 400, (method, lines))

    def test_dialog_of_a_subscription(self) -> None:
        """
        Only calls are replaced.
        """
        dialog = alices_dialog()
        dialog.method = "SUBSCRIBE"
        self.assertEqual(self.find(dialog, f"Replaces: {TO_ALICE}"), NO_MATCH)

    def test_call_that_is_over(self) -> None:
        """
        A call that is over gets a 603.
        """
        dialog = alices_dialog()
        dialog.terminate()
        self.assertEqual(self.find(dialog, f"Replaces: {TO_ALICE}"), Refusal(603))

    def test_early_only(self) -> None:
        """
        With early-only, an answered call gets a 486; an early one is replaced.
        """
        line = f"Replaces: {TO_ALICE};early-only"
        self.assertEqual(self.find(alices_dialog(200), line), Refusal(486))
        early = alices_dialog(180)
        self.assertIs(self.find(early, line), early)

    def test_call_that_rings_here(self) -> None:
        """
        An early dialog is replaced at its caller only.
        """
        line = f"Replaces: {CALL_ID};to-tag={BOB_TAG};from-tag={ALICE_TAG}"
        self.assertEqual(self.find(bobs_dialog(), line), NO_MATCH)

    def test_reference(self) -> None:
        """
        What one end writes is found by the other end.
        """
        alice = alices_dialog(180)
        bob = bobs_dialog()
        self.assertEqual(str(reference_to(bob)), TO_ALICE)
        line = f"Replaces: {reference_to(bob, early_only=True)}"
        self.assertIs(self.find(alice, line), alice)
        bob.respond(request(), 200)
        self.assertIs(self.find(bob, f"Replaces: {reference_to(alice)}"), bob)

    def test_reference_without_tags(self) -> None:
        """
        Tags that are missing are written as zero.
        """
        dialog = Dialog.of_request(request(from_tag=None), BOB_TAG, BOB_CONTACT)
        self.assertEqual(
            reference_to(dialog),
            DialogReference.parse(f"{CALL_ID};to-tag=0;from-tag={BOB_TAG}"),
        )


class JoinTests(SynchronousTestCase):
    def test_join(self) -> None:
        """
        Join finds a call as Replaces does (RFC 3911, 4).
        """
        dialog = alices_dialog()
        lookup = table(dialog).get
        invite = request("INVITE", f"Join: {TO_ALICE}")
        self.assertIs(find_joined(invite, lookup), dialog)
        self.assertIsNone(find_joined(request(), lookup))
        other = request("INVITE", "Join: x;to-tag=1;from-tag=2")
        self.assertEqual(find_joined(other, lookup), NO_MATCH)


class TargetDialogTests(SynchronousTestCase):
    def test_match(self) -> None:
        """
        What one end writes is found by the other end, and so it is with the tags the
        wrong way round (RFC 4538, 4).
        """
        dialog = bobs_dialog()
        lookup = table(dialog).get
        written = target_dialog(alices_dialog())
        self.assertEqual(
            str(written), f"{CALL_ID};local-tag={BOB_TAG};remote-tag={ALICE_TAG}"
        )
        turned = f"{CALL_ID};local-tag={ALICE_TAG};remote-tag={BOB_TAG}"
        for reference in (f"{written}", turned):
            refer = request("REFER", f"Target-Dialog: {reference}")
            self.assertIs(find_target_dialog(refer, lookup), dialog)

    def test_no_match(self) -> None:
        """
        Without a match, or with one that is over or unreadable, nothing is shown.
        """
        dialog = bobs_dialog()
        lookup = table(dialog).get
        for lines in (
            (),
            ("Target-Dialog: x;local-tag=1;remote-tag=2",),
            (f"Target-Dialog: {CALL_ID};local-tag={BOB_TAG}",),
            ("Target-Dialog: ;",),
        ):
            self.assertIsNone(find_target_dialog(request("REFER", *lines), lookup))
        dialog.terminate()
        line = f"Target-Dialog: {target_dialog(alices_dialog())}"
        self.assertIsNone(find_target_dialog(request("REFER", line), lookup))
