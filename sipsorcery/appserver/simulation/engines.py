"""
The engines of a simulation, with the clock of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, execute

from sipsorcery.appserver.plans.engine import Engine
from sipsorcery.appserver.plans.line_plan import LineEngine
from sipsorcery.appserver.python.engine import PythonEngine
from sipsorcery.appserver.python.workers import Workers
from sipsorcery.appserver.wizard.engine import WizardEngine
from sipsorcery.store.directory import Language

_T = TypeVar("_T")


class Engines:
    """
    Makes engines; dialplans in Python share one worker process.

    :param turn_seconds: that a dialplan may compute between two host calls.
    """

    def __init__(self, turn_seconds: float = 1.0) -> None:
        self._workers = Workers(
            None, size=1, turn_seconds=turn_seconds, threads=_NoThreads()
        )
        self._is_running = False

    def make(self, clock: Callable[[], float]) -> Mapping[Language, Engine]:
        """
        Make the engines of one call.

        :param clock: gives the seconds since the epoch.
        """
        if not self._is_running:
            self._workers.start()
            self._is_running = True
        return {
            Language.LINES: LineEngine(),
            Language.PYTHON: PythonEngine(self._workers, clock),
            Language.WIZARD: WizardEngine(clock),
        }

    def stop(self) -> None:
        """
        End the worker process.
        """
        if self._is_running:
            self._workers.stop()
            self._is_running = False


class _NoThreads:
    """
    Runs functions in the thread of the caller, who has nothing else to do.
    """

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def run(self, work: Callable[..., _T], *arguments: Any) -> Deferred[_T]:
        done: Deferred[_T] = execute(work, *arguments)
        return done
