"""
What the machines of this package share: effects to take and a timer.
"""

from __future__ import annotations

from typing import Generic, TypeVar

E = TypeVar("E")


class Machine(Generic[E]):
    """
    Something that goes on over time, told what happens and what time it is.

    Each call that needs the time takes ``now``, in seconds of any clock that never goes
    back. What is to be done is handed over by :meth:`take_effects`, after every call.
    """

    __slots__ = ("_due", "_effects")

    def __init__(self) -> None:
        self._effects: tuple[E, ...] = ()
        self._due: float | None = None

    def take_effects(self) -> list[E]:
        """
        Hand over what is to be done, in this order, since the last time.
        """
        effects = list(self._effects)
        self._effects = ()
        return effects

    def next_timer(self) -> float | None:
        """
        Give the time to call :meth:`handle_timer`; ``None`` means that none is needed.
        """
        return self._due

    def handle_timer(self, now: float) -> None:
        """
        Act on what is due; being early does no harm.
        """
        if self._due is not None and self._due <= now:
            self._due = None
            self._fire(now)

    def _fire(self, now: float) -> None:
        """
        Act on the timer, which runs no more.
        """
        raise NotImplementedError

    def _act(self, *effects: E) -> None:
        self._effects += effects
