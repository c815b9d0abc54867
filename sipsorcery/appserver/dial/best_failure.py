"""
Which of the failures of several legs the caller is told. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sipsorcery.dialog.refusal import FieldValue

# "the proxy SHOULD give preference to responses that provide information affecting
# resubmission of this request" (RFC 3261, 16.7, 6).
_INFORMING = (401, 407, 415, 420, 484)
_CHALLENGES = (401, 407)


@dataclass(frozen=True, slots=True)
class Failure:
    """
    How a leg has failed.

    :ivar fields: what the caller may be told beside the status.
    """

    status: int
    reason: str = ""
    fields: tuple[FieldValue, ...] = ()


#: What there is to say where no leg could even be tried.
NOBODY = Failure(480, "All forwards failed")


def best_failure(failures: Sequence[Failure]) -> Failure:
    """
    Choose as :rfc:`3261#section-16.7`, 6 says: a 6xx, else the lowest class.

    A challenge that is left is not for the caller, who has no account at the provider:
    it is told as 480. A 503 would send the caller away from us, and is told as 500.

    :param failures: in the order that they came.
    """
    chosen = min(failures, key=_rank, default=NOBODY)
    if chosen.status in _CHALLENGES:
        return Failure(480, "A provider has refused the credentials")
    if chosen.status == 503:
        return replace(chosen, status=500)
    return chosen


def _rank(failure: Failure) -> tuple[int, bool, bool]:
    kind = failure.status // 100
    is_last_of_class = failure.status in (503, *_CHALLENGES)
    return (
        0 if kind == 6 else kind,
        is_last_of_class,
        failure.status not in _INFORMING,
    )
