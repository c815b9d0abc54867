"""
Tests for :mod:`sipsorcery.appserver.dial.dialling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.calls.legs import Listener
from sipsorcery.appserver.dial.dialling import Answered, Budget, Dialling, NotAnswered
from sipsorcery.appserver.dial.options import NO_OPTIONS, OnRedirect
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Session


class FakeSession:
    """
    A session that hears whether it is hung up.
    """

    def __init__(self) -> None:
        self.core = self
        self.is_hung_up = False

    async def bye(self) -> None:
        """
        Be hung up.
        """
        self.is_hung_up = True

    def spawn(self, coroutine: Any) -> None:
        """
        Run a coroutine.
        """
        Deferred.fromCoroutine(coroutine)


class FakeLeg:
    """
    A leg that does what the test says.
    """

    def __init__(self, target: Target, listener: Listener) -> None:
        self.target = target
        self.listener = listener
        self.done: list[str] = []

    def start(self) -> None:
        """
        Note it.
        """
        self.done.append("start")

    def cancel(self) -> None:
        """
        Note it.
        """
        self.done.append("cancel")

    def abandon(self) -> None:
        """
        Note it.
        """
        self.done.append("abandon")

    # What the test lets happen

    def ring(self) -> None:
        """
        Ring.
        """
        self.listener.progressed(Response(180, "Ringing"), None)

    def answer(self) -> FakeSession:
        """
        Answer.
        """
        session = FakeSession()
        self.listener.answered(cast(Session, session), self.target)
        return session

    def fail(
        self, status: int, *contacts: str, fields: Sequence[FieldValue] = ()
    ) -> None:
        """
        Fail, or lead elsewhere.
        """
        uris = [SIPURI.parse(each) for each in contacts]
        self.listener.failed(status, f"reason {status}", uris, fields)


def target(user: str, **options: Any) -> Target:
    """
    Make a target.
    """
    uri = SIPURI("sip", user, "example.com")
    return Target(Kind.ANYBODY, uri, uri, uri, replace(NO_OPTIONS, **options))


class DiallingTests(SynchronousTestCase):
    """
    A dial, its legs, and what follows from what these tell.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.legs: dict[str, FakeLeg] = {}
        self.progress: list[int] = []
        self.followed: list[str] = []
        self.leads_nowhere: set[str] = set()

    def dial(
        self, *stages: Sequence[Target], legs: int = 20, ringing: float = 60
    ) -> Dialling:
        """
        Begin a dial; what comes of it is in `result`.
        """
        dialling = Dialling(
            self.clock,
            stages,
            ringing=ringing,
            budget=Budget(legs),
            make_leg=self.make_leg,
            follow=self.follow,
            progress=lambda response, session: self.progress.append(response.status),
        )
        self.result = dialling.start()
        return dialling

    def make_leg(self, target: Target, listener: Listener) -> FakeLeg:
        """
        Make a leg and keep it by its user.
        """
        leg = FakeLeg(target, listener)
        self.legs[str(target.uri.user)] = leg
        return leg

    async def follow(self, redirected: Target, contact: SIPURI) -> Sequence[Target]:
        """
        Follow a redirection to whoever it names.
        """
        user = str(contact.user)
        self.followed.append(user)
        return () if user in self.leads_nowhere else [target(user)]

    def failure(self) -> NotAnswered:
        """
        Give the result, which is none.
        """
        result = self.successResultOf(self.result)
        assert isinstance(result, NotAnswered)
        return result

    def test_first_answer_counts(self) -> None:
        """
        Who answers first has the call; the others are cancelled, or hung up if they
        answer all the same.
        """
        self.dial([target("a"), target("b"), target("c")])
        self.legs["b"].ring()
        session = self.legs["a"].answer()
        result = self.successResultOf(self.result)
        assert isinstance(result, Answered)
        self.assertIs(result.session, session)
        self.assertEqual(self.legs["b"].done, ["start", "cancel"])
        self.assertEqual(self.legs["c"].done, ["start", "abandon"])
        self.assertTrue(self.legs["b"].answer().is_hung_up)
        self.assertFalse(session.is_hung_up)

    def test_stages(self) -> None:
        """
        The next stage is tried when all legs of one have failed, and the best failure
        is told.
        """
        self.dial([target("a"), target("b")], [target("c")])
        self.legs["a"].fail(486)
        self.assertNotIn("c", self.legs)
        self.legs["b"].fail(404)
        self.legs["c"].fail(503)
        self.assertEqual(self.failure().status, 486)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_time(self) -> None:
        """
        A delayed leg starts when its time comes, and after the ringing all are ended.
        """
        self.dial([target("a"), target("b", delay=5)])
        self.legs["a"].ring()
        self.clock.advance(4)
        self.assertNotIn("b", self.legs)
        self.clock.advance(1)
        self.assertEqual(self.legs["b"].done, ["start"])
        self.clock.advance(55)
        self.assertTrue(self.failure().timed_out)
        self.assertEqual(self.legs["a"].done, ["start", "cancel"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_progress(self) -> None:
        """
        What legs tell is passed on until somebody has answered.
        """
        self.dial([target("a"), target("b")])
        self.legs["a"].ring()
        self.legs["b"].answer()
        self.legs["a"].ring()
        self.assertEqual(self.progress, [180])

    def test_cancel(self) -> None:
        """
        When the caller has gone every leg is ended, and no other one is started.
        """
        dialling = self.dial([target("a"), target("b", delay=9)], [target("c")])
        self.legs["a"].ring()
        dialling.cancel()
        self.assertEqual(self.legs["a"].done, ["start", "cancel"])
        self.legs["a"].fail(487)
        self.clock.advance(100)
        self.assertEqual([*self.legs], ["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_redirection(self) -> None:
        """
        A redirection is followed to its first contact that leads to somebody, and to
        the next one when that one has failed.
        """
        self.leads_nowhere = {"x"}
        self.dial([target("a")])
        self.legs["a"].fail(302, "sip:x@h", "sip:y@h", "sip:z@h")
        self.assertEqual(self.followed, ["x", "y"])
        self.legs["y"].fail(486)
        self.assertEqual(self.legs["z"].done, ["start"])
        self.legs["z"].fail(503)
        self.assertEqual(self.failure().status, 486)

    def test_failed_contact(self) -> None:
        """
        A contact that has failed has a say in what the caller is told, though the next
        one was tried; the redirection itself, which was followed, has none.
        """
        self.dial([target("a")])
        self.legs["a"].fail(302, "sip:x@h", "sip:y@h")
        self.legs["x"].fail(486)
        self.legs["y"].fail(500)
        self.assertEqual(self.failure().status, 486)

    def test_fields(self) -> None:
        """
        The failure that counts brings along what it says beside its status.
        """
        self.dial([target("a"), target("b")])
        self.legs["a"].fail(503, fields=[("Retry-After", "7")])
        self.legs["b"].fail(500, fields=[("Retry-After", "9")])
        failure = self.failure()
        self.assertEqual(
            (failure.status, failure.fields), (500, (("Retry-After", "9"),))
        )

    def test_fields_of_503(self) -> None:
        """
        A 503 becomes a 500, which can say as well when to come back.
        """
        self.dial([target("a")])
        self.legs["a"].fail(503, fields=[("Retry-After", "7")])
        failure = self.failure()
        self.assertEqual(
            (failure.status, failure.fields), (500, (("Retry-After", "7"),))
        )

    def test_redirection_to_nobody(self) -> None:
        """
        A redirection that leads to nobody is a failure, and no leg waits for ever.
        """
        self.leads_nowhere = {"x"}
        self.dial([target("a")])
        self.legs["a"].fail(302, "sip:x@h")
        self.assertEqual(self.failure().status, 302)

    def test_redirection_without_contact(self) -> None:
        """
        So is one without a contact.
        """
        self.dial([target("a")])
        self.legs["a"].fail(302)
        self.assertEqual((self.failure().status, self.followed), (302, []))

    def test_options_of_redirection(self) -> None:
        """
        Where the dial string says so the dialplan hears of it instead.
        """
        for option, runs_again in ((OnRedirect.MANUAL, False), (OnRedirect.NEW_RUN, 1)):
            self.dial([target("a", on_redirect=option)])
            self.legs["a"].fail(302, "sip:x@h")
            failure = self.failure()
            self.assertEqual(str(failure.redirect), "sip:x@h")
            self.assertEqual(failure.runs_again, runs_again)
        self.assertEqual(self.followed, [])

    def test_decline(self) -> None:
        """
        A 6xx ends everything, even where a redirection has other contacts.
        """
        self.dial([target("a"), target("b")], [target("c")])
        self.legs["a"].fail(302, "sip:x@h", "sip:y@h")
        self.legs["x"].fail(603)
        self.assertEqual(self.failure().status, 603)
        self.assertEqual(self.legs["b"].done, ["start", "abandon"])
        self.assertEqual(self.followed, ["x"])

    def test_budget(self) -> None:
        """
        Legs of stages and of redirections count together.
        """
        self.dial([target("a")], [target("b"), target("c")], legs=2)
        self.legs["a"].fail(302, "sip:x@h")
        self.assertNotIn("x", self.legs)
        self.legs["b"].fail(486)
        self.assertNotIn("c", self.legs)
        self.assertEqual(self.failure().status, 302)
