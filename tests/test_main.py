"""
The closing line of ``python -m tests``: what counts as what.
"""

from __future__ import annotations

from twisted.python import log
from twisted.trial.reporter import TestResult
from twisted.trial.runner import ErrorHolder, TestSuite
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.__main__ import second_runs
from tests.outcome import Outcome


class Sample(SynchronousTestCase):
    """
    Tests that go every way there is.
    """

    def passes(self) -> None:
        pass

    def fails(self) -> None:
        self.fail()

    def breaks(self) -> None:
        raise KeyError

    def fails_twice(self) -> None:
        log.err(KeyError())
        log.err(ValueError())

    def skips(self) -> None:
        raise SkipTest("no peer")

    def works_not_yet(self) -> None:
        self.fail()

    works_not_yet.todo = "later"  # type: ignore[attr-defined]  # read by trial

    def works_after_all(self) -> None:
        pass

    works_after_all.todo = "later"  # type: ignore[attr-defined]  # read by trial


def outcome_of(*names: str) -> Outcome:
    """
    Run methods of the sample and count.
    """
    result = TestResult()
    TestSuite(Sample(name) for name in names).run(result)
    return Outcome.of(result)


class OutcomeTests(SynchronousTestCase):
    """
    What a run counts, and whether it is a success.
    """

    def test_line(self) -> None:
        """
        The closing line is plain, with all three numbers.
        """
        self.assertEqual(str(Outcome(3, 2, 1)), "3 passed, 2 failed, 1 skipped")

    def test_success(self) -> None:
        """
        A run is a success if something passed and nothing failed.
        """
        outcome = outcome_of("passes", "skips")
        self.assertEqual(outcome, Outcome(1, 0, 1))
        self.assertTrue(outcome.is_success)

    def test_failure_and_error(self) -> None:
        """
        A failed assertion and an exception are failures alike.
        """
        outcome = outcome_of("passes", "fails", "breaks")
        self.assertEqual(outcome, Outcome(1, 2, 0))
        self.assertFalse(outcome.is_success)

    def test_several_errors_of_one_test(self) -> None:
        """
        A test that logs two errors has failed once.
        """
        self.assertEqual(outcome_of("fails_twice"), Outcome(0, 1, 0))

    def test_nothing_ran(self) -> None:
        """
        A run without tests, or with skipped ones only, is no success.
        """
        self.assertFalse(outcome_of().is_success)
        self.assertFalse(outcome_of("skips").is_success)

    def test_todo(self) -> None:
        """
        What does not work yet is skipped; once it works, its mark is a failure.
        """
        self.assertEqual(outcome_of("works_not_yet"), Outcome(0, 0, 1))
        self.assertEqual(outcome_of("works_after_all"), Outcome(0, 1, 0))

    def test_module_that_cannot_be_imported(self) -> None:
        """
        What is no test but went wrong while tests were loaded is a failure.
        """
        result = TestResult()
        ErrorHolder("tests.broken", (ImportError, ImportError(), None)).run(result)
        self.assertEqual(Outcome.of(result), Outcome(0, 1, 0))


class SecondRunTests(SynchronousTestCase):
    """
    Which failed tests run once more, and what that changes.
    """

    def test_with_peers(self) -> None:
        """
        Those with real peers do; what runs in memory fails at once.
        """
        peers = "tests.integration.test_calls.CallTests.test_busy"
        self.assertEqual(second_runs([peers, "tests.sip.test_via.A.b"]), [peers])

    def test_too_many(self) -> None:
        """
        Where many fail, none runs again.
        """
        names = [f"tests.integration.test_calls.CallTests.test_{n}" for n in range(6)]
        self.assertEqual(len(second_runs(names[:5])), 5)
        self.assertEqual(second_runs(names), [])

    def test_counts(self) -> None:
        """
        What passes the second time has passed; what fails twice has failed once.
        """
        first, second = Outcome(7, 3, 1), Outcome(1, 1, 0)
        self.assertEqual(first.after(second), Outcome(8, 2, 1))
