"""
Tests for `sipsorcery.appserver.transfers.referrals`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.options import TransferMode
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.transfers.referrals import (
    Decision,
    Join,
    Party,
    PassOn,
    PlaceCall,
    check_join,
    check_replaces,
    decide,
)
from sipsorcery.dialog.refer import Refer
from sipsorcery.sip.uri import parse_uri

DEFAULT, NONE, PASS, PLACE = (
    TransferMode.DEFAULT,
    TransferMode.NOT_ALLOWED,
    TransferMode.PASS_THROUGH,
    TransferMode.PLACE_CALL,
)
REFER = Refer(parse_uri("sip:102@example.com"))
JOE = Party("joe", "joe")
OUTSIDE = Party("", "joe")


class DecideTests(SynchronousTestCase):
    """
    What becomes of a REFER (the table of modes).
    """

    def code(self, *arguments: object, **options: bool) -> Code:
        """
        Give why a REFER is refused.
        """
        with self.assertRaises(Refused) as caught:
            decide(*arguments, **options)  # type: ignore[arg-type]  # as given
        code: Code = caught.exception.code
        return code

    def test_blind(self) -> None:
        """
        Without Replaces: a call for who proves to be ours, else the phones' business.
        """
        table: dict[tuple[TransferMode, bool], Decision] = {
            (DEFAULT, True): PlaceCall(proof=True),
            (DEFAULT, False): PassOn(),
            (PASS, True): PassOn(),
            (PASS, False): PassOn(),
            (PLACE, True): PlaceCall(proof=False),
            (PLACE, False): PlaceCall(proof=False),
        }
        for (mode, is_served), expected in table.items():
            decided = decide(REFER, mode, JOE, None, is_served=is_served)
            self.assertEqual(decided, expected, (mode, is_served))

    def test_attended(self) -> None:
        """
        With Replaces of a call of ours the ends are joined, unless phones do it.
        """
        table: dict[TransferMode, Decision] = {
            DEFAULT: Join(),
            PASS: PassOn(),
            PLACE: Join(),
        }
        for mode, expected in table.items():
            decided = decide(REFER, mode, JOE, JOE, is_served=True)
            self.assertEqual(decided, expected, mode)

    def test_not_allowed(self) -> None:
        """
        With "tr=n" nothing is done, with Replaces or without.
        """
        for replaced in (None, JOE):
            code = self.code(REFER, NONE, JOE, replaced, is_served=True)
            self.assertEqual(code, Code.TRANSFER_DISABLED)

    def test_other_method(self) -> None:
        """
        We make calls and nothing else; a phone may know better.
        """
        refer = Refer(REFER.target, method="BYE")
        code = self.code(refer, DEFAULT, JOE, None, is_served=True)
        self.assertEqual(code, Code.TRANSFER_METHOD)
        decided = decide(refer, PASS, JOE, None, is_served=True)
        self.assertEqual(decided, PassOn())

    def test_other_scheme(self) -> None:
        """
        There is no way from here to a web page.
        """
        refer = Refer(parse_uri("https://example.com/"))
        code = self.code(refer, DEFAULT, JOE, None, is_served=True)
        self.assertEqual(code, Code.TRANSFER_TARGET)

    def test_call_of_another_user(self) -> None:
        """
        Nobody joins a call that is another user's, though he knows its tags.
        """
        replaced = Party("ann", "ann")
        code = self.code(REFER, DEFAULT, JOE, replaced, is_served=True)
        self.assertEqual(code, Code.TRANSFER_OWNER)


class JoinTests(SynchronousTestCase):
    """
    Who may join two calls.
    """

    def test_callee(self) -> None:
        """
        Who was called by one user and has called another joins both: both are theirs.
        """
        check_join(Party("ann", "joe"), Party("ann", "ann"))

    def test_outside(self) -> None:
        """
        Somebody from outside joins two calls of one user, but none of two.
        """
        check_join(OUTSIDE, OUTSIDE)
        with self.assertRaises(Refused):
            check_join(OUTSIDE, Party("", "ann"))

    def test_outside_and_inside(self) -> None:
        """
        Somebody from outside cannot pass for the user whose call it is.
        """
        with self.assertRaises(Refused):
            check_join(OUTSIDE, JOE)


class ReplacesTests(SynchronousTestCase):
    """
    Who may take the place of a party.
    """

    def allowed(self, mode: TransferMode, replaced: Party, proven: str) -> bool:
        """
        Tell whether somebody may, in a call of joe with ann.
        """
        try:
            check_replaces(mode, replaced, Party("ann", "joe"), proven)
        except Refused:
            return False
        return True

    def test_users_of_the_call(self) -> None:
        """
        The users of both ends may, and the one whose call it is.
        """
        for mode in (DEFAULT, PLACE):
            self.assertTrue(self.allowed(mode, JOE, "joe"))
            self.assertTrue(self.allowed(mode, JOE, "ann"))
            self.assertTrue(self.allowed(mode, OUTSIDE, "joe"))
            self.assertFalse(self.allowed(mode, JOE, "eve"))
            self.assertFalse(self.allowed(mode, JOE, ""))

    def test_nobody_is_no_user(self) -> None:
        """
        That one end is nobody's does not let everybody in who has proved nothing.
        """
        self.assertFalse(self.allowed(DEFAULT, OUTSIDE, ""))

    def test_modes(self) -> None:
        """
        Anybody may where phones transfer by themselves, nobody where they must not.
        """
        self.assertTrue(self.allowed(PASS, JOE, ""))
        self.assertFalse(self.allowed(NONE, JOE, "joe"))
