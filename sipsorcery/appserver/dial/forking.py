"""
Decides which legs of a dial ring, and when. Pure.

A fork is told what has become of its legs, and what time it is; it hands back what
shall be done. All legs of a stage are known before the first is started, so that a leg
that fails at once never looks like the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sipsorcery.appserver.dial.best_failure import Failure, best_failure
from sipsorcery.dialog.refusal import FieldValue

#: Seconds that a dial rings at most, as the transactions of phones end by then.
MAX_RINGING = 180.0


class LegState(Enum):
    """
    Name what a leg is doing.
    """

    WAITING = "not started"
    TRYING = "started, no provisional response yet"
    PROCEEDING = "started, may be cancelled"
    CANCELLING = "cancelled, without a final response yet"
    DONE = "has its final response, or needs none"


@dataclass(frozen=True, slots=True)
class Start:
    """
    Start a leg.
    """

    leg: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """
    Send CANCEL for a leg, which has had a provisional response.
    """

    leg: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """
    Stop looking for where a leg leads, or hold its CANCEL back.

    It has had no response. If its request has left, a CANCEL follows by itself as soon
    as there is a provisional response (:rfc:`3261#section-9.1`).
    """

    leg: int


@dataclass(frozen=True, slots=True)
class Accept:
    """
    Bridge the caller with this leg.
    """

    leg: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """
    Acknowledge the 2xx of a leg that came too late, and send BYE.
    """

    leg: int


@dataclass(frozen=True, slots=True)
class Fail:
    """
    Tell the dialplan that nobody has answered.

    :ivar timed_out: whether the time to ring was over.
    """

    failure: Failure
    timed_out: bool = False


Effect: TypeAlias = Start | Cancel | Abandon | Accept | HangUp | Fail


class Fork:
    """
    One dial: stages of legs, tried in turn.

    Legs are numbered through all stages, from 0.

    :param stages: the delay of each leg of each stage, in seconds.
    :param ringing: seconds until the dial is given up.
    """

    def __init__(
        self, stages: Sequence[Sequence[float]], *, ringing: float, now: float
    ) -> None:
        self._effects: list[Effect] = []
        self._states: list[LegState] = []
        self._stages: list[list[int]] = []
        self._delays = [delay for stage in stages for delay in stage]
        for stage in stages:
            start = len(self._states)
            self._states += [LegState.WAITING] * len(stage)
            self._stages.append([*range(start, len(self._states))])
        self._due: dict[int, float] = {}
        self._current = -1
        self._failures: list[Failure] = []
        self._is_over = False
        self._deadline = now + (ringing if 0 < ringing <= MAX_RINGING else MAX_RINGING)
        self._next_stage(now)

    @property
    def is_over(self) -> bool:
        """
        Whether it is settled how the dial ends; legs may still have to be ended.
        """
        return self._is_over

    def take_effects(self) -> list[Effect]:
        """
        Hand over what shall be done, in order.
        """
        effects, self._effects = self._effects, []
        return effects

    def next_timer(self) -> float | None:
        """
        Give the time of the next `handle_timer`; None: there is none.
        """
        if self._is_over:
            return None
        return min([self._deadline, *self._due.values()])

    def handle_timer(self, now: float) -> None:
        """
        Start the legs whose delay is over; give up when the ringing is.
        """
        if self._is_over:
            return
        if now >= self._deadline:
            self._stop()
            failure = best_failure([*self._failures, Failure(408, "Nobody answered")])
            self._effects.append(Fail(failure, timed_out=True))
            return
        for leg in sorted(self._due, key=lambda each: self._due[each]):
            if self._due[leg] <= now:
                self._start(leg)

    def receive(
        self,
        leg: int,
        status: int,
        reason: str,
        now: float,
        fields: Sequence[FieldValue] = (),
    ) -> None:
        """
        Take a response to a leg.

        A leg that has led nowhere is told as the response that stands for that, 408 or
        503, and a redirection that nobody follows as what it is.
        A response to a leg that has its final one is of no account, but for a 2xx: two
        phones behind one leg may both answer.

        :param fields: what the caller may be told of a failure beside its status.
        """
        state = self._states[leg]
        if status < 200:
            self._receive_provisional(leg, state, status)
        elif status < 300:
            self._receive_success(leg)
        elif state not in (LegState.DONE, LegState.WAITING):
            self._states[leg] = LegState.DONE
            if not self._is_over:
                self._receive_failure(Failure(status, reason, tuple(fields)), now)

    def redirect(
        self, leg: int, targets: int, failure: Failure | None = None
    ) -> Sequence[int]:
        """
        Put other legs in the place of one that has been redirected, and start them.

        :param targets: how many, 1 at least; who follows redirections limits them.
        :param failure: of the contact whose place they take; None: it has not failed,
            but was redirected.
        :return: their numbers; none if the dial is over or the leg has ended.
        """
        if self._states[leg] in (LegState.DONE, LegState.WAITING):
            return ()
        self._states[leg] = LegState.DONE
        if self._is_over:
            return ()
        if failure is not None:
            self._failures.append(failure)
        added = range(len(self._states), len(self._states) + targets)
        for number in added:
            self._states.append(LegState.TRYING)
            self._stages[self._current].append(number)
            self._effects.append(Start(number))
        return added

    def cancel(self) -> None:
        """
        End everything, because the caller has hung up.
        """
        if not self._is_over:
            self._stop()

    def _receive_provisional(self, leg: int, state: LegState, status: int) -> None:
        if state is not LegState.TRYING:
            return
        self._states[leg] = LegState.PROCEEDING
        if self._is_over:
            self._states[leg] = LegState.CANCELLING
            self._effects.append(Cancel(leg))

    def _receive_success(self, leg: int) -> None:
        self._states[leg] = LegState.DONE
        if self._is_over:
            self._effects.append(HangUp(leg))
            return
        self._effects.append(Accept(leg))
        self._stop()

    def _receive_failure(self, failure: Failure, now: float) -> None:
        self._failures.append(failure)
        if failure.status >= 600:
            # It speaks for the callee wherever they are (RFC 3261, 16.7, 5): no other
            # leg and no other stage is tried.
            self._stop()
            self._effects.append(Fail(best_failure(self._failures)))
        elif self._due and not self._is_ringing():
            self._start(min(self._due, key=lambda each: self._due[each]))
        elif not self._is_ringing():
            self._next_stage(now)

    def _is_ringing(self) -> bool:
        return any(
            self._states[leg] in (LegState.TRYING, LegState.PROCEEDING)
            for leg in self._stages[self._current]
        )

    def _next_stage(self, now: float) -> None:
        while self._current + 1 < len(self._stages):
            self._current += 1
            stage = self._stages[self._current]
            if not stage:
                continue
            # All are entered before one is started.
            self._due = {leg: now + self._delays[leg] for leg in stage}
            at_once = [leg for leg in stage if self._delays[leg] <= 0]
            for leg in at_once or [min(stage, key=lambda each: self._due[each])]:
                self._start(leg)
            return
        self._stop()
        self._effects.append(Fail(best_failure(self._failures)))

    def _start(self, leg: int) -> None:
        del self._due[leg]
        self._states[leg] = LegState.TRYING
        self._effects.append(Start(leg))

    def _stop(self) -> None:
        """
        Start nothing any more, and end what has been started.
        """
        self._is_over = True
        self._due.clear()
        for leg, state in enumerate(self._states):
            match state:
                case LegState.PROCEEDING:
                    self._states[leg] = LegState.CANCELLING
                    self._effects.append(Cancel(leg))
                case LegState.TRYING:
                    self._effects.append(Abandon(leg))
                case LegState.WAITING:
                    self._states[leg] = LegState.DONE
