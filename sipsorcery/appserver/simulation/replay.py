"""
Calls of the past, made once more: from their records to what there was. Pure.

The world of such a call does what it did then: whoever was called answers, or refuses,
after as many seconds, and the caller gives up as they did. Whoever was not called does
what anybody does in a simulation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sipsorcery.appserver.simulation.trace import Trace
from sipsorcery.appserver.simulation.world import World
from sipsorcery.store.directory import CDR
from sipsorcery.store.directory.cdrs import Direction

#: Records of a call at most: the caller's leg, and those that a call may have.
MAX_RECORDS = 21
# Characters of a reason that somebody gave: a world takes no more of them.
_MAX_REASON = 128
# Seconds of a world: nothing takes longer in one.
_LONGEST = 3600.0
_CANCELLED = 487


@dataclass(frozen=True, slots=True)
class PastCall:
    """
    A call as it was.

    :ivar account: ``user@domain`` of the account that has called, or was called.
    :ivar to: the Request-URI.
    :ivar sender: the From.
    :ivar began: when it was made.
    """

    account: str
    direction: Direction
    to: str
    sender: str
    began: datetime
    world: World


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What two versions of a dialplan do otherwise.

    :ivar what: ``dials``, ``answer`` or ``e-mails``.
    """

    what: str
    before: str
    after: str


def past_calls(cdrs: Iterable[CDR], count: int) -> list[PastCall]:
    """
    Give the last calls that are whole in these records, the latest first.

    :param cdrs: of one dialplan, the latest first.
    """
    runs: dict[str, list[CDR]] = defaultdict(list)
    for cdr in cdrs:
        if cdr.run:
            runs[cdr.run].append(cdr)
    found = []
    for legs in runs.values():
        first = next((each for each in legs if each.direction is Direction.IN), None)
        # Without that one we have begun the call ourselves, or the list ends within it.
        if first is not None and _is_settled(first):
            found.append(_read(first, [each for each in legs if each is not first]))
    found.sort(key=lambda each: each.began, reverse=True)
    return found[:count]


def compare(before: Trace, after: Trace) -> list[Difference]:
    """
    Tell what is otherwise.
    """
    sides = [
        {
            "dials": ", ".join(each.dialled) or "nobody",
            "answer": str(each.answer),
            "e-mails": ", ".join(email.to for email in each.emails) or "none",
        }
        for each in (before, after)
    ]
    return [
        Difference(what, sides[0][what], sides[1][what])
        for what in sides[0]
        if sides[0][what] != sides[1][what]
    ]


def _is_settled(first: CDR) -> bool:
    return first.ended_at is not None or first.answered_at is not None


def _read(first: CDR, others: Sequence[CDR]) -> PastCall:
    account = first.account.removeprefix("sip:")
    said = first.detail.get("direction")
    if said is None:  # it is of an older version
        username = account.rpartition("@")[0].lower()
        said = "out" if first.from_user.lower() == username else "in"
    gives_up = 0.0
    if first.answered_at is None and first.ended_status == _CANCELLED:
        gives_up = max(0.1, _seconds(first.created, first.ended_at))
    return PastCall(
        account=account,
        direction=Direction.OUT if said == "out" else Direction.IN,
        to=first.destination_uri,
        sender=first.from_header,
        began=first.created,
        world=World(
            at=first.created.isoformat(), legs=_behaviours(others), gives_up=gives_up
        ),
    )


def _behaviours(others: Sequence[CDR]) -> dict[str, str]:
    """
    Tell what those did who were called: each phone, and then whom it is of.
    """
    others = sorted(others, key=lambda each: each.created)
    phones: dict[str, str] = {}
    owners: dict[str, str] = {}
    for leg in others:
        behaviour = _behaviour(leg, others)
        phones.setdefault(f"{leg.destination_user}@{leg.destination_host}", behaviour)
        owner = str(leg.detail.get("to", "")).removeprefix("sip:")
        # Of several phones of somebody the one counts that has answered.
        if owner and (owner not in owners or leg.answered_at is not None):
            owners[owner] = behaviour
    # The first that fits counts, and a phone is the nearer one.
    return {**phones, **{who: owners[who] for who in owners if who not in phones}}


def _behaviour(leg: CDR, others: Sequence[CDR]) -> str:
    if leg.answered_at is not None:
        return f"answer after {_seconds(leg.created, leg.answered_at):g} s"
    status = leg.ended_status
    if status is None or status < 300 or leg.ended_reason == "cancelled":
        return "ring for ever"
    after = f"after {_seconds(leg.created, leg.ended_at):g} s"
    if status < 400:
        led = (
            each.destination_uri
            for each in others
            if each.direction is Direction.REDIRECT and each.created >= leg.created
        )
        to = next(led, None)
        return f"unavailable {after}" if to is None else f"redirect to {to} {after}"
    reason = " ".join(leg.ended_reason.split())[:_MAX_REASON]
    return " ".join(filter(None, (str(status), reason, after)))


def _seconds(start: datetime, end: datetime | None) -> float:
    passed = 0.0 if end is None else (end - start).total_seconds()
    return round(min(max(passed, 0.0), _LONGEST), 1)
