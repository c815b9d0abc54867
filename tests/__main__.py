"""
Run tests with trial and close with one plain line: ``N passed, N failed, N skipped``.

Usage: ``python -m tests [NAME ...]``. A name is that of a package, module, class or
method, such as ``tests.sip.test_via``; without one, all tests run. Unlike with trial
alone, a run in which no test ran has failed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from twisted.trial.reporter import TestResult, TextReporter
from twisted.trial.runner import DestructiveTestSuite, TestLoader, TrialRunner


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
        troubles = [*result.errors, *result.failures, *result.unexpectedSuccesses]
        return cls(
            passed=result.successes,
            failed=len({test.id() for test, _ in troubles}),
            skipped=len(result.skips) + len(result.expectedFailures),
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
    loader = TestLoader()
    loader.suiteFactory = DestructiveTestSuite  # each test is dropped once it has run
    result = TrialRunner(TextReporter).run(loader.loadByNames(names, recurse=True))
    assert isinstance(result, TestResult)  # as every TextReporter is
    return Outcome.of(result)


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
