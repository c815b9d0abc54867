"""
One dial under way: legs that ring, until one is answered or none is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure as TwistedFailure

from sipsorcery.appserver.calls.legs import CallLeg, Delivered, MakeLeg
from sipsorcery.appserver.dial.best_failure import Failure
from sipsorcery.appserver.dial.forking import (
    Abandon,
    Accept,
    Cancel,
    Effect,
    Fail,
    Fork,
    HangUp,
    Start,
)
from sipsorcery.appserver.dial.options import OnRedirect
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Session
from sipsorcery.ua.outcome import Outcome


class Budget:
    """
    How many legs a call may still have, over all its dials and redirections.
    """

    def __init__(self, legs: int) -> None:
        self._left = legs

    @property
    def left(self) -> int:
        """
        How many there are left.
        """
        return self._left

    def take(self, legs: int) -> int:
        """
        Take as many as there are left, up to *legs*.
        """
        taken = min(legs, self._left)
        self._left -= taken
        return taken


@dataclass(frozen=True, slots=True)
class Answered:
    """
    Somebody has answered.

    :ivar target: whom we have called in the end.
    """

    session: Session
    target: Target


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """
    Nobody has.

    :ivar timed_out: whether the time to ring was over.
    :ivar redirect: where a leg has been redirected that is not to be followed; None:
        there is none.
    :ivar runs_again: whether the dialplan is to decide about that from the start.
    :ivar fields: what the caller may be told beside the status.
    """

    status: int
    reason: str
    timed_out: bool = False
    redirect: SIPURI | None = None
    runs_again: bool = False
    fields: tuple[FieldValue, ...] = ()


Result: TypeAlias = Answered | Delivered | NotAnswered

#: Finds where a redirection of a target leads.
Follow: TypeAlias = Callable[[Target, SIPURI], Awaitable[Sequence[Target]]]


class Dialling:
    """
    Drives a fork with legs.

    :param stages: the targets, stage by stage.
    :param ringing: seconds until the dial is given up.
    :param follow: see `Follow`.
    :param progress: is given each provisional response while nobody has answered.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        stages: Sequence[Sequence[Target]],
        *,
        ringing: float,
        budget: Budget,
        make_leg: MakeLeg,
        follow: Follow,
        progress: Callable[[Response, Session | None], object],
    ) -> None:
        self._clock = clock
        self._budget = budget
        self._make_leg = make_leg
        self._follow = follow
        self._progress = progress
        self._result: Outcome[Result] = Outcome()
        self._redirect: tuple[SIPURI, bool] | None = None
        self._timer: IDelayedCall | None = None
        self._due: float | None = None  # when the timer is
        afforded = [stage[: budget.take(len(stage))] for stage in stages]
        self._legs = [
            _Ringing(self, number, target)
            for number, target in enumerate(
                each for stage in afforded for each in stage
            )
        ]
        self._fork = Fork(
            [[target.options.delay for target in stage] for stage in afforded],
            ringing=ringing,
            now=clock.seconds(),
        )

    def start(self) -> Deferred[Result]:
        """
        Start the first legs, and wait for what comes of all.
        """
        self._act()
        return self._result.wait()

    def cancel(self) -> None:
        """
        End everything, because the caller has gone.
        """
        self._fork.cancel()
        self._act()

    # What the legs tell

    def progressed(
        self, leg: _Ringing, response: Response, session: Session | None
    ) -> None:
        """
        Hear a provisional response.
        """
        self._receive(leg, response.status, response.reason)
        if not self._fork.is_over:
            self._progress(response, session)

    def answered(self, leg: _Ringing) -> None:
        """
        Hear that somebody has answered.
        """
        self._receive(leg, 200, "OK")

    def failed(
        self, leg: _Ringing, failure: Failure, contacts: Sequence[SIPURI]
    ) -> None:
        """
        Hear that a leg has failed, or leads elsewhere.
        """
        status = failure.status
        if 300 <= status < 400 and contacts:
            option = leg.target.options.on_redirect
            if option is OnRedirect.FOLLOW:
                leg.contacts = list(contacts)
            elif self._redirect is None:
                self._redirect = contacts[0], option is OnRedirect.NEW_RUN
        if leg.contacts and status < 600:
            redirecting = Deferred.fromCoroutine(self._go_on(leg, failure))
            redirecting.addErrback(self._lose, leg)
        else:
            self._fail(leg, failure)

    # Inside

    async def _go_on(self, leg: _Ringing, failure: Failure) -> None:
        """
        Call the next contact of a redirection that leads to somebody.
        """
        targets: Sequence[Target] = ()
        while leg.contacts and not targets and not self._fork.is_over:
            found = await self._follow(leg.target, leg.contacts.pop(0))
            targets = found[: self._budget.take(len(found))]
        # What is redirected speaks by its contacts. One of these that fails has a say,
        # whatever becomes of the next one.
        said = None if failure.status < 400 else failure
        numbers = self._fork.redirect(leg.number, len(targets), said) if targets else ()
        if not numbers:
            self._fail(leg, failure)
            return
        for number, target in zip(numbers, targets, strict=True):
            self._legs.append(_Ringing(self, number, target))
        # The other contacts are for when this one fails.
        self._legs[-1].contacts = leg.contacts
        self._act()

    def _lose(self, failure: TwistedFailure, leg: _Ringing) -> None:
        self._log.failure("A redirection cannot be followed", failure)
        self._fail(leg, Failure(500, "The redirection cannot be followed"))

    def _fail(self, leg: _Ringing, failure: Failure) -> None:
        self._receive(leg, failure.status, failure.reason, failure.fields)

    def _receive(
        self,
        leg: _Ringing,
        status: int,
        reason: str,
        fields: Sequence[FieldValue] = (),
    ) -> None:
        self._fork.receive(leg.number, status, reason, self._clock.seconds(), fields)
        self._act()

    def _act(self) -> None:
        for effect in self._fork.take_effects():
            self._carry_out(effect)
        self._set_timer()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Start(number):
                self._legs[number].start(self._make_leg)
            case Cancel(number):
                self._legs[number].cancel()
            case Abandon(number):
                self._legs[number].abandon()
            case Accept(number):
                self._result.succeed(self._legs[number].success)
            case HangUp(number):
                self._legs[number].hang_up()
            case Fail(failure, timed_out):
                uri, runs_again = self._redirect or (None, False)
                self._result.succeed(
                    NotAnswered(
                        failure.status,
                        failure.reason,
                        timed_out,
                        uri,
                        runs_again,
                        failure.fields,
                    )
                )
            case _:
                assert_never(effect)

    def _set_timer(self) -> None:
        due = self._fork.next_timer()
        if due == self._due:
            return  # as after most responses
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        self._due = due
        if due is not None:
            delay = max(0.0, due - self._clock.seconds())
            self._timer = self._clock.callLater(delay, self._time_passes)

    def _time_passes(self) -> None:
        self._due = None
        self._fork.handle_timer(self._clock.seconds())
        self._act()


class _Ringing:
    """
    One leg of a dial, by its number: the listener of a `CallLeg`.

    :ivar target: whom it calls, and in the end whom it has called.
    :ivar contacts: where else it may lead: those of a redirection, the best first.
    :ivar session: of who has answered last.
    :ivar receipt: of who has taken what is no INVITE.
    """

    def __init__(self, dialling: Dialling, number: int, target: Target) -> None:
        self._dialling: Dialling | None = dialling
        self._leg: CallLeg | None = None  # None: not started
        self.number = number
        self.target = target
        self.contacts: list[SIPURI] = []
        self.session: Session | None = None
        self.receipt: Delivered | None = None

    @property
    def success(self) -> Answered | Delivered:
        """
        What the dial has come to, if this leg has succeeded.
        """
        if self.receipt is not None:
            return self.receipt
        assert self.session is not None  # or it would not have answered
        return Answered(self.session, self.target)

    def start(self, make: MakeLeg) -> None:
        self._leg = make(self.target, self)
        self._leg.start()

    def cancel(self) -> None:
        if self._leg is not None:
            self._leg.cancel()

    def abandon(self) -> None:
        if self._leg is not None:
            self._leg.abandon()

    def hang_up(self) -> None:
        """
        Say BYE to who has answered too late.
        """
        if self.session is not None:
            self.session.core.spawn(self.session.bye())

    # What the leg tells

    def progressed(self, response: Response, session: Session | None) -> None:
        if self._dialling is not None:
            self._dialling.progressed(self, response, session)

    def answered(self, session: Session, target: Target) -> None:
        self.session, self.target = session, target
        if (dialling := self._leave()) is not None:
            dialling.answered(self)

    def delivered(self, delivered: Delivered) -> None:
        self.receipt = delivered
        if (dialling := self._leave()) is not None:
            dialling.answered(self)

    def failed(
        self,
        status: int,
        reason: str,
        contacts: Sequence[SIPURI] = (),
        fields: Sequence[FieldValue] = (),
    ) -> None:
        if (dialling := self._leave()) is not None:
            dialling.failed(self, Failure(status, reason, tuple(fields)), contacts)

    def _leave(self) -> Dialling | None:
        """
        Let go of the dial and of the leg, which tells its end once.

        So nobody has to find the cycle.
        """
        self._leg = None
        dialling, self._dialling = self._dialling, None
        return dialling
