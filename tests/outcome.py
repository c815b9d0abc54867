"""
How many tests of a run went which way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twisted.trial.reporter import TestResult


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How many tests went which way.
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0

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
            failed=len(set(failed(result))),
            skipped=len(result.skips) + len(result.expectedFailures),
        )

    def after(self, again: Outcome) -> Outcome:
        """
        Count anew with the second run of some of the failed ones.
        """
        return Outcome(
            self.passed + again.passed, self.failed - again.passed, self.skipped
        )

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )

    def __sub__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed - other.passed,
            self.failed - other.failed,
            self.skipped - other.skipped,
        )

    @property
    def is_success(self) -> bool:
        """
        Tell whether something ran and nothing failed.
        """
        return self.passed > 0 and self.failed == 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def failed(result: TestResult) -> Iterator[str]:
    """
    Give the names of the tests that have failed, once for each trouble they had.
    """
    troubles = [*result.errors, *result.failures, *result.unexpectedSuccesses]
    yield from (test.id() for test, _ in troubles)
