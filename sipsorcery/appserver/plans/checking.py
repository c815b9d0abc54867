"""
Looking for faults in dialplans of every language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.plans.line_plan import LinePlan
from sipsorcery.appserver.python.checking import check
from sipsorcery.appserver.wizard.rules import read_rules
from sipsorcery.store.directory import Language

_CHECKS: Mapping[Language, Callable[[str], object]] = {
    Language.LINES: LinePlan.parse,
    Language.PYTHON: check,
    Language.WIZARD: read_rules,
}


def find_faults(kind: Language, script: str) -> Sequence[tuple[int, str]]:
    """
    Give the line of each fault, and a sentence about it; this blocks.

    Of rules it is the number of the rule.
    """
    try:
        _CHECKS[kind](script)
    except PlanErrors as errors:
        return errors.faults
    return ()
