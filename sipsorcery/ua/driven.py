"""
A machine of `sipsorcery.dialog` at work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sipsorcery.dialog.machine import Machine
from sipsorcery.ua.core import Core

M = TypeVar("M", bound=Machine)  # type: ignore[type-arg]  # of whatever E
E = TypeVar("E")


class Driven(Generic[M, E]):
    """
    Wake a machine at its times, and act on its effects.

    :param act: is given each effect.

    :ivar slot: where on the wheel it is.
    """

    __slots__ = ("_act", "_core", "_is_stopped", "machine", "slot")

    def __init__(self, core: Core, machine: M, act: Callable[[E], object]) -> None:
        self.machine = machine
        self.slot: int | None = None
        self._core = core
        self._act = act
        self._is_stopped = False

    def run(self) -> None:
        """
        Do what the machine wants to be done, whenever it was told of something.
        """
        act = self._act
        for effect in self.machine.take_effects():
            act(effect)
        if not self._is_stopped:  # an effect may have brought the end
            self._core.wheel.set(self, self.machine.next_timer())

    def stop(self) -> None:
        """
        Wake it no more, and do no more for it.
        """
        self._is_stopped = True
        # Mostly a method of who drives the machine: so nobody has to find the cycle.
        self._act = _nothing
        self._core.wheel.set(self, None)

    def timer_due(self, now: float) -> None:
        """
        Hear from the wheel.
        """
        self.machine.handle_timer(now)
        self.run()


def _nothing(effect: object) -> None:
    pass
