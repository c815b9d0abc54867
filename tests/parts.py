"""
Run tests in several processes side by side: most of those with peers only wait.

Each process asks for one module after the other, and tells how that went. What one
prints, its failures above all, is shown when it is through.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import monotonic

from twisted.python.modules import getModule
from twisted.trial.itrial import ITestCase
from twisted.trial.reporter import TestResult, TextReporter
from twisted.trial.runner import DestructiveTestSuite, TestLoader, TrialRunner
from zope.interface import implementer

from tests.outcome import Outcome, failed

#: How the names of tests with real peers begin.
WITH_PEERS = "tests.integration."
# Who takes the longest begins the earliest.
_FIRST = ("tests.integration.test_soak", WITH_PEERS, "")


@dataclass(frozen=True, slots=True)
class Module:
    """
    How the tests of one module went.
    """

    name: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Part:
    """
    How all tests of one process went.

    :ivar failed: the names of those that failed.
    :ivar text: what it has printed.
    """

    outcome: Outcome
    failed: list[str]
    text: str


def modules(names: Iterable[str]) -> list[str]:
    """
    Give the modules with tests that some names stand for, those that take long first.

    What is no package stands for itself.
    """
    found = {module for name in names for module in _below(name)}
    return sorted(found, key=_turn)


def run(names: Iterable[str], processes: int, told: Callable[[Module], object]) -> Part:
    """
    Run modules in several processes; give how all went.

    :param told: hears of each module that is through.
    """
    left = iter(names)
    running = dict(_start() for _ in range(processes))
    doing = {pipe: next(left, None) for pipe in running}
    for pipe, name in doing.items():
        pipe.send(name)
    parts = []
    while running:
        ready = wait(list(running))
        for pipe in [each for each in running if each in ready]:
            try:
                said = pipe.recv()
            except EOFError:
                parts.append(_lost(running.pop(pipe), doing[pipe]))
                continue
            if isinstance(said, Module):
                told(said)
                doing[pipe] = next(left, None)
                pipe.send(doing[pipe])
            else:
                parts.append(said)
                running.pop(pipe).join()
    return Part(
        sum((part.outcome for part in parts), Outcome()),
        [name for part in parts for name in part.failed],
        "".join(part.text for part in parts if part.failed or part.outcome.skipped),
    )


def run_here(names: Iterable[str]) -> Part:
    """
    Run tests in this process, reporting to standard output.
    """
    suite = _loader().loadByNames(list(names), recurse=True)
    result = TrialRunner(TextReporter).run(suite)
    assert isinstance(result, TestResult)  # as every TextReporter is
    return Part(Outcome.of(result), sorted(set(failed(result))), "")


@implementer(ITestCase)
class _Turns:
    """
    What a process runs: whatever module it is given next.
    """

    failureException = AssertionError
    skip = None

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, result: TestResult) -> None:
        """
        Run modules until there is none left.
        """
        while (name := self._pipe.recv()) is not None:
            begun, before = monotonic(), Outcome.of(result)
            _loader().loadByNames([name], recurse=True)(result)
            outcome = Outcome.of(result) - before
            self._pipe.send(Module(name, outcome, monotonic() - begun))

    run = __call__

    def id(self) -> str:
        """
        Give a name for people.
        """
        return "tests"

    def shortDescription(self) -> str:
        """
        Give a name for people.
        """
        return self.id()

    def countTestCases(self) -> int:
        """
        Tell of how many tests it is known beforehand.
        """
        return 0


def _take_turns(pipe: Connection) -> None:
    """
    Be one of the processes.
    """
    text = io.StringIO()
    result = TrialRunner(TextReporter, stream=text).run(_Turns(pipe))  # type: ignore[arg-type]  # it is an ITestCase
    assert isinstance(result, TestResult)
    pipe.send(Part(Outcome.of(result), sorted(set(failed(result))), text.getvalue()))


def _start() -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_take_turns, args=(there,))
    process.start()
    there.close()  # so that the end of the process is the end of the pipe
    return here, process


def _lost(process: SpawnProcess, name: str | None) -> Part:
    """
    Say that a process has gone in the middle of a module.
    """
    process.join()
    text = f"The process that ran {name} ended with {process.exitcode}.\n"
    return Part(Outcome(failed=1), [str(name)], text)


def _turn(name: str) -> tuple[int, str]:
    numbers = (number for number, first in enumerate(_FIRST) if name.startswith(first))
    return next(numbers), name


def _below(name: str) -> Iterator[str]:
    try:
        module = getModule(name)
    except KeyError:
        yield name  # a class, or a test
        return
    if not module.isPackage():
        yield name
        return
    for each in module.walkModules():
        if each.name.rpartition(".")[2].startswith("test_"):
            yield each.name


def _loader() -> TestLoader:
    loader = TestLoader()
    loader.suiteFactory = DestructiveTestSuite  # each test is dropped once it has run
    return loader
