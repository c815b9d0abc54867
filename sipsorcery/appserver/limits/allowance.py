"""
What a user may do outside of this service, where calls may cost money. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sipsorcery.appserver.core import user_of
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.appserver.limits.tolls import Judgement, TollPolicy
from sipsorcery.config.tree import Limits
from sipsorcery.config.values import Rate, read_country

_OUTSIDE = frozenset({Kind.PROVIDER, Kind.ANYBODY})


def is_outside(target: Target) -> bool:
    """
    Tell whether a call there leaves this service.
    """
    return target.kind in _OUTSIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """
    What a user may do.

    :ivar rate: of calls; None: any number.
    :ivar at_once: calls at a time; 0: any number.
    :ivar ringing: calls at a time that nobody has answered, of any kind; 0: likewise.
    :ivar seconds: that a call lasts; 0: any time.
    """

    rate: Rate | None = None
    at_once: int = 0
    ringing: int = 0
    seconds: int = 0
    tolls: TollPolicy = TollPolicy()  # noqa: RUF009  # it is frozen

    @classmethod
    def of(cls, limits: Limits, own: object = None) -> Allowance:
        """
        Give what a user may do for whom something else may hold than for others.

        :param own: a mapping with some of the keys of ``[limits]`` that are about it.
        :raises ValueError: if a value in it is none.
        """
        values = {**{name: getattr(limits, name) for name in READERS}, **read_own(own)}
        home = values["home_country"] or ""
        return cls(
            rate=values["outside_calls"],
            at_once=values["outside_calls_at_once"],
            ringing=values["ringing_at_once"],
            seconds=values["outside_call_seconds"],
            tolls=TollPolicy(
                home, frozenset(values["open_countries"]), values["premium_numbers"]
            ),
        )

    def judge(self, target: Target) -> Judgement | None:
        """
        Say why a target may not be called; None: it may be.
        """
        return self.tolls.judge(user_of(target.uri)) if is_outside(target) else None

    def limit(self, target: Target) -> Target:
        """
        Let a call to the outside last no longer than it may.
        """
        if not self.seconds or not is_outside(target):
            return target
        longest = target.options.max_duration
        if longest is not None and longest <= self.seconds:
            return target
        options = replace(target.options, max_duration=self.seconds)
        return replace(target, options=options)


def _rate(value: object) -> Rate | None:
    if value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("outside_calls is a rate such as '10/m', or ''")
    return Rate.parse(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no number from 0 on")
    return value


def _country(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # as people write it
    return None if value == "" else read_country(value)


def _countries(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("open_countries is a list")
    return tuple(map(read_country, value))


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


#: What reads each key.
READERS: Mapping[str, Callable[[object], Any]] = {
    "ringing_at_once": _count,
    "outside_calls": _rate,
    "outside_calls_at_once": _count,
    "outside_call_seconds": _count,
    "home_country": _country,
    "open_countries": _countries,
    "premium_numbers": _flag,
}


def read_own(own: object) -> dict[str, Any]:
    """
    Read the limits of one user.

    :raises ValueError: if there is a key that is none, or a value that is none.
    """
    if own is None:
        return {}
    if not isinstance(own, Mapping):
        raise ValueError("limits are a mapping")
    unknown = [str(name) for name in own if name not in READERS]
    if unknown:
        raise ValueError(f"there is no limit {', '.join(unknown)}")
    return {name: READERS[name](value) for name, value in own.items()}
