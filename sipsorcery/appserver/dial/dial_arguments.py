"""
What a dialplan says of a dial, and what it is told of the outcome. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sipsorcery.appserver.dial.dial_string import (
    DialString,
    parse_asterisk_form,
    parse_dial_string,
)
from sipsorcery.appserver.dial.forking import MAX_RINGING
from sipsorcery.appserver.dial.options import MAX_DURATION
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.errors import DialStringError
from sipsorcery.appserver.plans.engine import Value


def dial_string_of(arguments: Mapping[str, Value]) -> DialString:
    """
    Read whom to call: ``account`` in the Asterisk form, or ``to`` in any.

    :raises DialStringError: if neither is there or it is not understood.
    """
    match arguments:
        case {"account": str(text)}:
            return parse_asterisk_form(text)
        case {"to": str(text)}:
            return parse_dial_string(text)
    raise DialStringError("a dial needs a destination", 0)


def seconds_of(value: Value) -> float:
    """
    Read a time; 0 of what is none.
    """
    if isinstance(value, int | float) and 0 < value < MAX_DURATION:
        return float(value)
    return 0.0


def ringing_of(arguments: Mapping[str, Value]) -> float:
    """
    Read how long a dial rings; what is none, or too long, is the longest.
    """
    ring = seconds_of(arguments.get("ring"))
    return ring if 0 < ring <= MAX_RINGING else MAX_RINGING


def limited(target: Target, limit: float) -> Target:
    """
    Let a call last no longer than a dial says, unless the leg says otherwise.
    """
    if not limit or target.options.max_duration is not None:
        return target
    return replace(target, options=replace(target.options, max_duration=int(limit)))


def joined(outer: Target, inner: Target) -> Target:
    """
    Give a target that was called by the dialplan of another one.

    The shorter limit counts, and what the caller's dialplan says of transfers comes
    first.
    """
    limits = [
        each
        for each in (outer.options.max_duration, inner.options.max_duration)
        if each is not None
    ]
    options = replace(
        inner.options,
        max_duration=min(limits, default=None),
        transfer=outer.options.transfer or inner.options.transfer,
    )
    return replace(inner, options=options)


def outcome(
    kind: str, status: int, reason: str, redirect: str | None = None
) -> Mapping[str, Value]:
    """
    Say how a dial has failed.

    :param kind: ``failed``, ``timed out``, ``error`` or ``redirected``.
    :param redirect: where a leg has been redirected that was not followed.
    """
    return {
        "outcome": kind,
        "status": status,
        "reason": reason,
        "redirect_uri": redirect,
    }
