"""
The rules of a wizard: what a call has to be like, and what is done with it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from sipsorcery.appserver.dial.dial_string import parse_dial_string
from sipsorcery.appserver.errors import DialStringError, PatternError, PlanErrors
from sipsorcery.appserver.plans.engine import HostCall, PlanRequest
from sipsorcery.appserver.plans.pattern import read_places
from sipsorcery.appserver.plans.regex import Regex
from sipsorcery.appserver.wizard.hours import Hours
from sipsorcery.sip.errors import excerpt
from sipsorcery.sip.status import reason_phrase

#: Rules of a plan, more than anybody wants to look through.
MAX_RULES = 500
# Faults that are told at once.
_MAX_FAULTS = 20

#: Tells whether a rule is for a call.
Condition: TypeAlias = Callable[[PlanRequest], bool]


class _Dial(msgspec.Struct, forbid_unknown_fields=True, tag="dial", tag_field="do"):
    to: str
    through: str = ""
    ring: int = 0
    limit: int = 0


class _Reject(msgspec.Struct, forbid_unknown_fields=True, tag="reject", tag_field="do"):
    status: int
    reason: str = ""


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    """
    A rule as it is stored.
    """

    direction: Literal["in", "out"]
    action: _Dial | _Reject
    number: str = ""
    match: Literal["any", "exact", "prefix", "regex", "account", "provider"] = "any"
    caller: str = ""
    hours: str = ""
    priority: float = 0
    is_enabled: bool = True
    description: str = ""


_DECODER = msgspec.json.Decoder(list[_Row])


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule.

    :ivar conditions: all have to be met.
    :ivar hours: when it holds; None: always.
    :ivar call: what is done; ``respond`` ends the call.
    """

    direction: str
    conditions: tuple[Condition, ...]
    hours: Hours | None
    call: HostCall

    def is_for(self, request: PlanRequest, moment: datetime) -> bool:
        """
        Tell whether it is for a call.

        :param moment: as the clock of the owner shows it.
        """
        return (
            self.direction == request.direction
            and (self.hours is None or self.hours.include(moment))
            and all(condition(request) for condition in self.conditions)
        )


def read_rules(text: str) -> tuple[Rule, ...]:
    """
    Read the rules of a plan in JSON, in the order in which they are tried.

    :raises PlanErrors: telling all that is wrong, with the number of each rule.
    """
    try:
        rows = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise PlanErrors([(1, str(error))]) from None
    if len(rows) > MAX_RULES:
        raise PlanErrors([(MAX_RULES + 1, f"there are more than {MAX_RULES} rules")])
    rules: list[tuple[float, Rule]] = []
    faults: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        try:
            rule = _read(row)
        except (PatternError, DialStringError) as error:
            faults.append((number, str(error)))
        else:
            if row.is_enabled:
                rules.append((row.priority, rule))
    if faults:
        raise PlanErrors(faults[:_MAX_FAULTS])
    rules.sort(key=lambda each: each[0])
    return tuple(rule for _, rule in rules)


def _read(row: _Row) -> Rule:
    conditions = [_number(row), _caller(row.caller)]
    return Rule(
        row.direction,
        tuple(each for each in conditions if each is not None),
        Hours.parse(row.hours) if row.hours.strip() else None,
        _dial(row.action) if isinstance(row.action, _Dial) else _reject(row.action),
    )


def _number(row: _Row) -> Condition | None:
    text = row.number.strip()
    if row.match == "any":
        return None
    if not text:
        raise PatternError(f"{row.match!r} needs a number")
    match row.match:
        case "exact":
            return lambda request: request.caller.dialled == text
        case "regex":
            regex = Regex.compile(text)
            return lambda request: regex.search(request.caller.dialled)
        case "prefix":
            places = read_places(_prefix(text))
            return lambda request: places.search(request.caller.dialled)
        case "account":
            account = text.casefold()
            return lambda request: account in _names(request.account)
        case _:
            return _through(text.casefold())


def _prefix(text: str) -> str:
    """
    Make a pattern that takes any rest of a prefix; X, Z and N stand for digits.
    """
    return f"{text.removeprefix('_').rstrip('.!')}!"


def _names(account: str) -> tuple[str, str]:
    folded = account.casefold()
    return folded, folded.partition("@")[0]


def _through(provider: str) -> Condition:
    """
    Tell whether a call has come through a provider: its name stands before the dot.
    """

    def came(request: PlanRequest) -> bool:
        name, dot, _ = request.caller.dialled.rpartition(".")
        return bool(dot) and name.casefold().rpartition(".")[2] == provider

    return came


def _caller(text: str) -> Condition | None:
    """
    Look for an expression in the caller's name and in their address.
    """
    if not text.strip():
        return None
    regex = Regex.compile(text.strip())
    return lambda request: (
        regex.search(request.caller.name) or regex.search(request.caller.aor)
    )


def _dial(action: _Dial) -> HostCall:
    to = f"{action.to}@{action.through}" if action.through else action.to
    if action.through and not _is_plain(action.to):
        raise PatternError(f"{excerpt(action.to)} is no number")
    parse_dial_string(to)
    if not (0 <= action.ring <= 180 and 0 <= action.limit <= 86400):
        raise PatternError("ring is 180 seconds at most, and limit a day")
    arguments: dict[str, str | int] = {"to": to}
    if action.ring:
        arguments["ring"] = action.ring
    if action.limit:
        arguments["limit"] = action.limit
    return HostCall("dial", arguments)


def _is_plain(number: str) -> bool:
    """
    Tell whether a text is one number, with variables perhaps, and no whole dial string.
    """
    return re.fullmatch(r"(?:[^\s@&|\[\];]|\$\{[^}]*\})+", number) is not None


def _reject(action: _Reject) -> HostCall:
    if not 400 <= action.status <= 699:
        raise PatternError(f"{action.status} is no status of a refusal, 400 to 699")
    reason = action.reason.strip() or reason_phrase(action.status)
    return HostCall("respond", {"status": action.status, "reason": reason})


def matching(
    rules: Sequence[Rule], request: PlanRequest, moment: datetime
) -> list[HostCall]:
    """
    Give what the rules for a call say, in their order.

    :param moment: as the clock of the owner shows it.
    """
    return [rule.call for rule in rules if rule.is_for(request, moment)]
