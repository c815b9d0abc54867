"""
The keywords of a filter, and what their values mean. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from ipaddress import ip_network
from types import MappingProxyType
from typing import Final, TypeAlias

from sipsorcery.monitor.catalogue import (
    MACHINE,
    NAMES,
    ORDINARY,
    ORIGINAL_SERVERS,
    machine_numbered,
    numbered,
)
from sipsorcery.monitor.event import Direction, EventKind
from sipsorcery.monitor.filter.terms import (
    Address,
    All,
    AtServer,
    CallID,
    Going,
    InNetwork,
    Kinds,
    Matches,
    Methods,
    Network,
    Owner,
    PartOfAddress,
    Servers,
    Since,
    Statuses,
    Term,
)
from sipsorcery.regex import Regex, RegexError
from sipsorcery.sip.errors import excerpt

#: Reads a value at a time; raises ValueError with a sentence.
Reader: TypeAlias = Callable[[str, float], Term]

_NOTHING = All(())
_DIALOGS = frozenset(
    {EventKind.CALL_ANSWERED, EventKind.CALL_UPDATED, EventKind.CALL_ENDED}
)
_BINDINGS = frozenset().union(*map(machine_numbered, (3, 4)))
_SERVERS = ("appserver", "monitor", "notifier", "proxy", "regagent", "registrar")
_REQUESTS = MappingProxyType(
    {
        "invite": frozenset({"ACK", "BYE", "CANCEL", "INVITE", "REFER"}),
        "register": frozenset({"REGISTER"}),
        "notify": frozenset({"NOTIFY", "SUBSCRIBE"}),
    }
)
_METHODS = (
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
)
_DIRECTIONS = MappingProxyType(
    {
        "received": Direction.RECEIVED,
        "in": Direction.RECEIVED,
        "sent": Direction.SENT,
        "out": Direction.SENT,
    }
)
_AGE = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STATUS = re.compile(r"([1-6])xx|([1-6][0-9]{2})(?:-([1-6][0-9]{2}))?", re.IGNORECASE)
_SIP_ADDRESS = re.compile(
    r"(?:sips?:)?([^@\s]{1,256})@([^@;?\s]{1,256})", re.IGNORECASE
)
_MAX_MINUTES = 4320  # three days, as in the original


def _base_type(value: str, now: float) -> Term:
    match value.lower():
        case "console":
            return _NOTHING
        case "machine":
            return Kinds(MACHINE)
    raise ValueError(_unknown("type", value, ("console", "machine")))


def _event(value: str, now: float) -> Term:
    kinds: frozenset[EventKind] = frozenset()
    for name in value.lower().split(","):
        if re.fullmatch("[0-9]{1,2}", name):
            kinds |= numbered(int(name))
        elif name in NAMES:
            kinds |= NAMES[name]
        else:
            raise ValueError(_unknown("event", name, NAMES))
    return Kinds(kinds)


def _machine_event(value: str, now: float) -> Term:
    kinds: frozenset[EventKind] = frozenset()
    for name in value.split(","):
        # What is no number counts for nothing, as in the original.
        if re.fullmatch("[0-9]{1,2}", name):
            kinds |= machine_numbered(int(name))
    return Kinds(kinds)


def _address(value: str, now: float) -> Term:
    if value == "*":
        return _NOTHING
    return InNetwork(_network(value)) if "/" in value else PartOfAddress(value.lower())


def _own_address(value: str, now: float) -> Term:
    if value == "*":
        return _NOTHING
    return AtServer(_network(value) if "/" in value else value.lower())


def _user(value: str, now: float) -> Term:
    return _NOTHING if value == "*" else Owner(value.lower())


def _server(value: str, now: float) -> Term:
    if value == "*":
        return _NOTHING
    if re.fullmatch("[0-9]{1,2}", value):
        return Servers(frozenset(ORIGINAL_SERVERS.get(int(value), ())))
    if value.lower() not in _SERVERS:
        raise ValueError(_unknown("server", value, _SERVERS))
    return Servers(frozenset({value.lower()}))


def _request(value: str, now: float) -> Term:
    if value == "*":
        return _NOTHING
    methods = _REQUESTS.get(value.lower())
    if methods is None:
        raise ValueError(_unknown("kind of request", value, _REQUESTS))
    return Methods(methods, others=True)


def _regex(value: str, now: float) -> Term:
    try:
        return Matches(Regex.compile(value))
    except RegexError as error:
        raise ValueError(str(error)) from None


def _dialog(value: str, now: float) -> Term:
    return All((Kinds(_DIALOGS), _sip_address(value)))


def _presence(value: str, now: float) -> Term:
    return All((Kinds(_BINDINGS), _sip_address(value)))


def _file(value: str, now: float) -> Term:
    if re.search(r"[/\\:]", value):
        raise ValueError("the name of a file has no '/', '\\' or ':'")
    return _NOTHING  # the console writes no files; what asked for one still works


def _duration(value: str, now: float) -> Term:
    if not re.fullmatch("[0-9]{1,5}", value) or int(value) > _MAX_MINUTES:
        raise ValueError(f"a duration is {_MAX_MINUTES} minutes at most")
    return _NOTHING


def _call_id(value: str, now: float) -> Term:
    return CallID(value)


def _method(value: str, now: float) -> Term:
    names = frozenset(value.upper().split(","))
    for name in sorted(names):
        # Others than ours may come by; they have to look like a method only.
        if not re.fullmatch(r"[A-Z0-9\-.!%*_+`'~]{1,32}", name):
            raise ValueError(f"{excerpt(name)} is no method")
    return Methods(names)


def _status(value: str, now: float) -> Term:
    match = _STATUS.fullmatch(value)
    if match is None:
        raise ValueError(f"{excerpt(value)} is no status: 486, 4xx or 400-499 is")
    if match[1]:
        return Statuses(int(match[1]) * 100, int(match[1]) * 100 + 99)
    return Statuses(int(match[2]), int(match[3] or match[2]))


def _direction(value: str, now: float) -> Term:
    direction = _DIRECTIONS.get(value.lower())
    if direction is None:
        raise ValueError(_unknown("direction", value, _DIRECTIONS))
    return Going(direction)


def _since(value: str, now: float) -> Term:
    match = _AGE.fullmatch(value)
    if match is not None:
        return Since(now - int(match[1]) * _SECONDS[match[2]])
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return Since(moment.timestamp())
    except (ValueError, OverflowError):
        raise ValueError(
            f"{excerpt(value)} is no time: 10m or 2026-03-01T12:00:00 is"
        ) from None


def _network(value: str) -> Network:
    try:
        return ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{excerpt(value)} is no network such as 10.0.0.0/8") from None


def _sip_address(value: str) -> Address:
    match = _SIP_ADDRESS.fullmatch(value)
    if match is None:
        raise ValueError(f"{excerpt(value)} is no SIP address")
    return Address(match[1], match[2].lower())


def _unknown(what: str, value: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(value.lower()[:64], list(known), 1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"there is no {what} {excerpt(value)}{hint}"


#: Every keyword, and what reads its value.
KEYWORDS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "basetype": _base_type,
        "callid": _call_id,
        "dialog": _dialog,
        "direction": _direction,
        "duration": _duration,
        "event": _event,
        "file": _file,
        "ipaddr": _address,
        "ipaddress": _address,
        "ipserver": _own_address,
        "machineevent": _machine_event,
        "method": _method,
        "presence": _presence,
        "regex": _regex,
        "request": _request,
        "server": _server,
        "since": _since,
        "status": _status,
        "user": _user,
    }
)

#: Keywords that say which kinds there are; without any, it is ``event *``.
CHOOSING: Final = frozenset(
    {
        "dialog",
        "direction",
        "event",
        "machineevent",
        "method",
        "presence",
        "status",
    }
)

#: The values that a keyword has, for completion; others are free.
VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "basetype": ("console", "machine"),
        "direction": ("in", "out", "received", "sent"),
        "event": tuple(
            sorted(
                {*(kind.value for kind in ORDINARY), "*", "full", "system", "trouble"}
            )
        ),
        "method": _METHODS,
        "request": tuple(sorted(_REQUESTS)),
        "server": _SERVERS,
        "since": ("10m", "1h", "1d"),
        "status": ("1xx", "2xx", "3xx", "4xx", "5xx", "6xx"),
    }
)


def unknown_keyword(key: str) -> str:
    """
    Say that there is no such keyword, and which may have been meant.
    """
    nearest = get_close_matches(key.lower()[:64], list(KEYWORDS), 1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"Filter {excerpt(key)} was not recognised.{hint}"
