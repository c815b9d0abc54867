"""
Whether a server is well, by what it has answered and what not. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

# Probes without an answer in a row after which a server is down, and those with one
# after which it is up again: one lost packet says nothing.
_MISSES = 2
_ANSWERS = 2
# Where calls have no answer though probes have, it takes twice as many each time, up to
# these: half a minute, twice a second.
_MOST_ANSWERS = 64
# Seconds in which one that is silent may only stand still, as a busy machine does.
_STANDSTILL = 10.0
_LAST = 2


class State(StrEnum):
    """
    Name how a server is.
    """

    NEW = "new"  # nobody knows yet; it gets calls when no other is up
    UP = "up"
    BUSY = "busy"  # overloaded: it gets calls when no other is up, and keeps its own
    DOWN = "down"


@dataclass(slots=True)
class Health:
    """
    One server.

    :ivar since: when it came into its state; all times are seconds since the epoch.
    :ivar why: what has brought it there, for people.
    :ivar round_trip: of the last probe with an answer, in seconds.
    """

    since: float
    state: State = State.NEW
    why: str = "it has not been asked yet"
    asked_at: float | None = None
    answered_at: float | None = None
    answer: str = ""
    round_trip: float | None = None
    _is_silent: bool = field(default=False, repr=False)
    _misses: int = field(default=0, repr=False)
    _answers: int = field(default=0, repr=False)
    _silences: int = field(default=0, repr=False)  # calls without an answer, in a row
    _needed: int = field(default=_ANSWERS, repr=False)
    _needed_next: int = field(default=_ANSWERS, repr=False)

    def rank(self, now: float) -> int | None:
        """
        Give how much better others are for a new call; None: it is not to have any.

        One that has been silent for no more than a while comes last.
        """
        if self.state is State.DOWN:
            is_still = self._is_silent and now - self.since < _STANDSTILL
            return _LAST if is_still else None
        return 0 if self.state is State.UP else 1

    def asked(self, now: float) -> None:
        """
        Note that a probe leaves.
        """
        self.asked_at = now

    def answered(self, now: float, answer: str, round_trip: float) -> bool:
        """
        Note a good answer to a probe.

        :return: whether its state is another one now.
        """
        return self._lives(State.UP, now, answer, round_trip)

    def busy(self, now: float, answer: str, round_trip: float) -> bool:
        """
        Note an answer that says it has too much to do: it lives.
        """
        return self._lives(State.BUSY, now, answer, round_trip)

    def unwell(self, now: float, answer: str) -> bool:
        """
        Note an answer that says it cannot work.
        """
        self.answered_at, self.answer = now, answer
        changed = self.missed(now, answer)
        self._is_silent = False
        return changed

    def missed(self, now: float, why: str) -> bool:
        """
        Note that a probe had no answer in time.
        """
        self._answers, self._is_silent = 0, True
        self._misses += 1
        return self._falls(now, why)

    def heard(self) -> None:
        """
        Note that a call had an answer, whatever it says.
        """
        self._silences = 0
        self._needed_next = _ANSWERS

    def unheard(self, now: float, why: str) -> bool:
        """
        Note that a call had no answer in time.

        Good answers to probes do not make up for that.
        """
        self._answers, self._is_silent = 0, True
        self._silences += 1
        return self._falls(now, why)

    def refused(self, now: float, why: str) -> bool:
        """
        Note that nobody is there at all: its machine says so.
        """
        self._answers, self._misses, self._is_silent = 0, _MISSES, False
        return self._falls(now, why)

    def _lives(self, state: State, now: float, answer: str, round_trip: float) -> bool:
        self.answered_at, self.answer, self.round_trip = now, answer, round_trip
        self._misses = 0
        self._answers += 1
        if self.state is State.DOWN and self._answers < self._needed:
            return False
        return self._become(state, now, answer)

    def _falls(self, now: float, why: str) -> bool:
        if self._misses + self._silences < _MISSES:
            return False
        if self.state is not State.DOWN:
            self._needed = _ANSWERS
            if self._silences:
                self._needed = self._needed_next
                self._needed_next = min(2 * self._needed_next, _MOST_ANSWERS)
        self._silences = 0
        return self._become(State.DOWN, now, why)

    def _become(self, state: State, now: float, why: str) -> bool:
        if state is self.state:
            return False
        self.state, self.since, self.why = state, now, why
        return True
