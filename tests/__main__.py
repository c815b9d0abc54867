"""
Run tests with trial and close with one plain line: ``N passed, N failed, N skipped``.

Usage: ``python -m tests [NAME ...]``. A name is that of a package, module, class or
method, such as ``tests.sip.test_via``; without one, all tests run. Unlike with trial
alone, a run in which no test ran has failed.

A test with real peers, one of `tests.integration`, that fails gets a second run when
all others are through: a machine that stood still for a while is no fault of ours. What
passes only then is named before the closing line; how it failed stands above.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from twisted.trial.reporter import TestResult, TextReporter
from twisted.trial.runner import DestructiveTestSuite, TestLoader, TrialRunner

_WITH_PEERS = "tests.integration."
# A second run is for the odd one out; where more fail, something is wrong.
_SECOND_RUNS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How many tests went which way.
    """

    passed: int
    failed: int
    skipped: int

    @classmethod
    def of(cls, result: TestResult) -> Outcome:
        """
        Count what trial has gathered.

        A test with several errors has failed once; a module that cannot be imported is
        one error. A test that is marked as not working yet counts as skipped, and as
        failed once it works, so that the mark goes.
        """
        return cls(
            passed=result.successes,
            failed=len(set(_failed(result))),
            skipped=len(result.skips) + len(result.expectedFailures),
        )

    def after(self, again: Outcome) -> Outcome:
        """
        Count anew with the second run of some of the failed ones.
        """
        return Outcome(
            self.passed + again.passed, self.failed - again.passed, self.skipped
        )

    @property
    def is_success(self) -> bool:
        """
        Tell whether something ran and nothing failed.
        """
        return self.passed > 0 and self.failed == 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(names: list[str]) -> Outcome:
    """
    Run the named tests in this process, reporting to standard output.
    """
    result = _run(names)
    outcome = Outcome.of(result)
    again = second_runs(result)
    if not again:
        return outcome
    print(f"\nOnce more: {', '.join(again)}")
    second = _run(again)
    still = set(_failed(second))
    for name in again:
        if name not in still:
            print(f"Passed only the second time: {name}")
    return outcome.after(Outcome.of(second))


def second_runs(result: TestResult) -> list[str]:
    """
    Give the names of the failed tests that get a second run, none if too many do.
    """
    names = sorted({name for name in _failed(result) if name.startswith(_WITH_PEERS)})
    return names if len(names) <= _SECOND_RUNS else []


def _run(names: list[str]) -> TestResult:
    loader = TestLoader()
    loader.suiteFactory = DestructiveTestSuite  # each test is dropped once it has run
    result = TrialRunner(TextReporter).run(loader.loadByNames(names, recurse=True))
    assert isinstance(result, TestResult)  # as every TextReporter is
    return result


def _failed(result: TestResult) -> Iterator[str]:
    troubles = [*result.errors, *result.failures, *result.unexpectedSuccesses]
    yield from (test.id() for test, _ in troubles)


def main() -> int:
    """
    Run the tests named on the command line.

    :return: the exit status.
    """
    outcome = run(sys.argv[1:] or ["tests"])
    if outcome.passed + outcome.failed == 0:
        print("No test ran.")
    print(outcome)
    return 0 if outcome.is_success else 1


if __name__ == "__main__":
    sys.exit(main())
