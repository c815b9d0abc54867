"""
What the four machines share: a state, effects to take, and at most two timers.
"""

from __future__ import annotations

from math import inf
from typing import Generic, TypeVar

from sipsorcery.transaction.effects import ClientEffect, ServerEffect, Terminated
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers

#: When a timer fires that does not run.
NEVER = inf


E = TypeVar("E", ClientEffect, ServerEffect)


class Machine(Generic[E]):
    """
    A transaction. There are many, so it holds no more than it has to.

    One of its timers makes it repeat something; the other one ends it.
    """

    __slots__ = ("_effects", "_end_at", "_repeat_at", "_timers", "state")

    _effects: tuple[E, ...]
    _end_at: float
    _repeat_at: float

    def __init__(self, state: State, timers: Timers) -> None:
        self.state = state
        self._timers = timers
        self._effects = ()
        self._end_at = NEVER
        self._repeat_at = NEVER

    @property
    def is_terminated(self) -> bool:
        """
        Whether it is over.
        """
        return self.state is State.Terminated

    def take_effects(self) -> list[E]:
        """
        Hand over what is to be done, in this order, since the last time.
        """
        effects = list(self._effects)
        self._effects = ()
        return effects

    def next_timer(self) -> float | None:
        """
        Give the time to call `handle_timer`; None: not before something has come.
        """
        due = min(self._end_at, self._repeat_at)
        return None if due == NEVER else due

    def handle_timer(self, now: float) -> None:
        """
        Act on the timers that are due; being early does no harm.
        """
        if self._end_at <= now:
            self._end()
        elif self._repeat_at <= now:
            self._repeat(now)

    def abandon(self) -> None:
        """
        End at once, without a word: whoever drives it stops.
        """
        self.state = State.Terminated
        self._end_at = self._repeat_at = NEVER
        self._effects = ()

    def _end(self) -> None:
        raise NotImplementedError

    def _repeat(self, now: float) -> None:
        raise NotImplementedError

    def _act(self, *effects: E) -> None:
        self._effects += effects

    def _terminate(self, *effects: E) -> None:
        self.state = State.Terminated
        self._end_at = self._repeat_at = NEVER
        self._act(*effects)
        self._effects += (_TERMINATED,)


_TERMINATED = Terminated()
