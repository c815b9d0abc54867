"""
Run tests with trial and close with one plain line: ``N passed, N failed, N skipped``.

Usage: ``python -m tests [NAME ...]``. A name is that of a package, module, class or
method, such as ``tests.sip.test_via``; without one, all tests run. Modules run side by
side, a few more than there are processors, as many only wait. Unlike with trial alone,
a run in which no test ran has failed.

A test with real peers, one of `tests.integration`, that fails gets a second run when
all others are through: a machine that stood still for a while is no fault of ours. What
passes only then is named before the closing line; how it failed stands above.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from tests.outcome import Outcome
from tests.parts import WITH_PEERS, Module, modules, run, run_here

# Processes at most, and more than processors: what yet more of them save, the slowest
# module takes.
_PROCESSES, _MORE = 4, 1
# A second run is for the odd one out; where more fail, something is wrong.
_SECOND_RUNS = 5
# Of a module that takes longer, people are told how long.
_LONG = 1.0


def run_twice(names: Iterable[str]) -> Outcome:
    """
    Run the named tests, and some of those that fail once more.
    """
    found = modules(names)
    processes = min(len(found), (os.cpu_count() or 1) + _MORE, _PROCESSES)
    part = run(found, processes, _tell) if processes > 1 else run_here(found)
    print(part.text, end="")
    again = second_runs(part.failed)
    if not again:
        return part.outcome
    print(f"\nOnce more: {', '.join(again)}")
    second = run_here(again)
    for name in again:
        if name not in second.failed:
            print(f"Passed only the second time: {name}")
    return part.outcome.after(second.outcome)


def second_runs(failed: Iterable[str]) -> list[str]:
    """
    Give the names of the failed tests that get a second run, none if too many do.
    """
    names = sorted(name for name in failed if name.startswith(WITH_PEERS))
    return names if len(names) <= _SECOND_RUNS else []


def _tell(module: Module) -> None:
    if module.seconds >= _LONG or not module.outcome.is_success:
        told = f"{module.name}: {module.outcome}, {module.seconds:.0f} s"
        print(told, flush=True)


def main() -> int:
    """
    Run the tests named on the command line.

    :return: the exit status.
    """
    outcome = run_twice(sys.argv[1:] or ["tests"])
    if outcome.passed + outcome.failed == 0:
        print("No test ran.")
    print(outcome)
    return 0 if outcome.is_success else 1


if __name__ == "__main__":
    sys.exit(main())
