"""
Looking for faults in dialplans in Python, without running them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic_monty import (
    Monty,
    MontyError,
    MontySyntaxError,
    MontyTypingError,
    ResourceLimits,
)

from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.python.declarations import STUB
from sipsorcery.appserver.python.workers import LAUNCHER
from sipsorcery.store.directory.dialplans import MAX_SCRIPT

_FAULT = re.compile(r"^[^:\n]*:(\d+):(\d+): (?:\w+\[[\w-]+\] )?(.*)$", re.MULTILINE)
_MAX_FAULTS = 20
# Seconds of the turn that checks a dialplan: it is read, and nothing runs.
_NO_TIME = 1e-6
# Seconds until a worker that does not come to an end is killed.
_PATIENCE = 10.0


def check(script: str) -> None:
    """
    Look for faults in a script; this blocks.

    :raises PlanErrors: naming the line and column of each.
    """
    with Monty(
        binary_path=LAUNCHER,
        min_processes=1,
        max_processes=1,
        request_timeout=_PATIENCE,
    ) as pool:
        raise_faults(find_faults(pool, script))


def raise_faults(faults: Sequence[tuple[int, str]]) -> None:
    """
    Tell faults, if there are any.

    :raises PlanErrors: of them.
    """
    if faults:
        raise PlanErrors(faults)


def find_faults(pool: Monty, script: str) -> list[tuple[int, str]]:
    """
    Give the line of each fault, and a sentence that names the column.
    """
    if len(script) > MAX_SCRIPT:
        return [(1, f"it has more than {MAX_SCRIPT} characters")]
    limits: ResourceLimits = {"max_feed_duration_secs": _NO_TIME}
    try:
        with pool.checkout(
            limits=limits,
            type_check=True,
            type_check_stubs=STUB,
            type_check_format="concise",
        ) as session:
            # What it may do before the time is over is for nobody to see.
            session.feed_start(script, print_callback=lambda stream, text: None)
    except MontyTypingError as error:
        return _read(error.display())
    except MontySyntaxError as error:
        # The interpreter knows less of the language than the checker does.
        return _read(str(error))
    except MontyError:
        pass  # the time is over before anything has run
    return []


def _read(text: str) -> list[tuple[int, str]]:
    found = [
        (int(line), f"column {column}: {what}")
        for line, column, what in _FAULT.findall(text)
    ]
    return found[:_MAX_FAULTS] or [(1, " ".join(text.split())[:200])]
