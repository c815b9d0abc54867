"""
What an entry of the log looks like: a line for people, or a JSON object on a line.

What a stranger has sent may be in it. So no control character passes, an entry cannot
look like two, and what proves a password is masked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure

from sipsorcery.monitor.masking import mask
from sipsorcery.monitor.neutral import for_line, for_terminal

#: Makes one or more whole lines of an entry, the line end included; "": nothing.
Format: TypeAlias = Callable[[LogEvent], str]

# Characters of one text, as long as any SIP message; a log is no place for more.
_MAX_TEXT = 65_536
# Of one field beside the text.
_MAX_FIELD = 1024
# Fields whose values nobody writes down, whatever an entry has been given.
_SECRET = ("password", "secret", "token", "nonce", "authorization")
_NUMBERS = (int, float)
# What entries made the old way say once more.
_LEGACY = {"format", "isError", "message", "printed", "system"}


def as_text(event: LogEvent) -> str:
    """
    Make a line for people: when, where, how grave, and what.

    A traceback follows with its lines indented.
    """
    text = _text(event)
    trouble = _traceback(event)
    if not text and not trouble:
        return ""
    where = for_line(str(event.get("log_namespace", "-")))
    when = _when(event).astimezone().strftime("%Y-%m-%dT%H:%M:%S%z")
    head = f"{when} [{where}#{_level(event)}] {for_line(text)}\n"
    return head + "".join(
        f"    {line}\n" for line in for_terminal(trouble).splitlines()
    )


def as_json(event: LogEvent) -> str:
    """
    Make a line for programs: an object with the fields that the entry was given.
    """
    text = _text(event)
    trouble = _traceback(event)
    if not text and not trouble:
        return ""
    entry: dict[str, Any] = {
        "time": _when(event).isoformat(timespec="microseconds"),
        "level": _level(event),
        "logger": str(event.get("log_namespace", "")),
        "text": text,
    }
    if trouble:
        entry["traceback"] = trouble
    for name, value in event.items():
        if name.startswith("log_") or name in _LEGACY or name in entry:
            continue
        if value is None:
            continue
        entry[name] = _field(name, value)
    # In ASCII, so that no character of another alphabet ends the line.
    return f"{json.dumps(entry, separators=(',', ':'))}\n"


FORMATS: dict[str, Format] = {"text": as_text, "json": as_json}


def _text(event: LogEvent) -> str:
    return _clean(formatEvent(event)[:_MAX_TEXT])


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    if not isinstance(failure, Failure):
        return ""
    # A detailed one would have the values of variables, passwords among them.
    return _clean(failure.getTraceback()[:_MAX_TEXT])


def _when(event: LogEvent) -> datetime:
    return datetime.fromtimestamp(event.get("log_time", 0.0), UTC)


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return "-" if level is None else str(level.name)


def _field(name: str, value: object) -> object:
    if any(word in name.lower() for word in _SECRET):
        return "***"
    if isinstance(value, _NUMBERS):
        return value
    return _clean(str(value)[:_MAX_FIELD])


def _clean(text: str) -> str:
    """
    Mask proofs of passwords, and say in ASCII what is no character.
    """
    return mask(text.encode("utf-8", "backslashreplace")).decode()
