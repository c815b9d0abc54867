"""
Events as JSON, for other programs. Pure.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace


def to_json(event: Event) -> dict[str, Any]:
    """
    Give an event as an object of JSON, without what it does not have.

    The message of a trace is ``text``, or ``base64`` if it is no UTF-8.
    """
    fields: dict[str, Any] = {
        "time": event.time,
        "server": event.server,
        "kind": event.kind.value,
        "owner": event.owner,
        "call_id": event.call_id,
        "dialogue": event.dialogue,
        "remote": "" if event.remote is None else str(event.remote),
        "message": event.message,
        "detail": dict(event.detail),
    }
    fields = {name: value for name, value in fields.items() if value or name == "time"}
    if event.trace is not None:
        fields["trace"] = _trace_to_json(event.trace)
    return fields


def from_json(fields: Mapping[str, Any]) -> Event:
    """
    Read what `to_json` has written.

    :raises ValueError: if it is something else.
    """
    try:
        remote, trace = fields.get("remote"), fields.get("trace")
        return Event(
            time=float(fields["time"]),
            server=str(fields["server"]),
            kind=EventKind(fields["kind"]),
            owner=str(fields.get("owner", "")),
            call_id=str(fields.get("call_id", "")),
            dialogue=str(fields.get("dialogue", "")),
            remote=Endpoint.parse(remote) if remote else None,
            message=str(fields.get("message", "")),
            detail=dict(fields.get("detail", {})),
            trace=None if trace is None else _trace_from_json(trace),
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("this is no event") from error


def _trace_to_json(trace: Trace) -> dict[str, Any]:
    fields = {
        "direction": trace.direction.value,
        "local": str(trace.local),
        "remote": str(trace.remote),
        "branch": trace.branch,
    }
    try:
        return fields | {"text": trace.data.decode()}
    except UnicodeDecodeError:
        return fields | {"base64": b64encode(trace.data).decode("ascii")}


def _trace_from_json(fields: Mapping[str, Any]) -> Trace:
    if "text" in fields:
        data = str(fields["text"]).encode()
    else:
        data = b64decode(fields["base64"], validate=True)
    return Trace(
        data,
        Direction(fields["direction"]),
        Endpoint.parse(fields["local"]),
        Endpoint.parse(fields["remote"]),
        str(fields["branch"]),
    )
