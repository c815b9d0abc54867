"""
Who takes part in a ladder, and what they are called.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Event, Trace
from sipsorcery.monitor.ladder.ladder import Participant, safe
from sipsorcery.monitor.ladder.reading import Reading
from sipsorcery.sip.uri import SIPURI, URI

# Columns of their own, ours among them; a wide page has no room for more. All others
# share one.
MAX_COLUMNS = 12
#: What all our servers are together.
OURS = "sipsorcery"
_REST = "others"
_NAMES = {"appserver": "app server", "regagent": "registration agent"}
_MAX_NAME = 40
# Addresses of one column that are listed, such as all that we listen on.
_MAX_PLACES = 4
_NUMERIC = re.compile(r"[0-9.]+|\[[0-9A-Fa-f:.]+\]")
# Who does not want to be known has no name (RFC 3323, section 4.1.1.3).
_NOBODY, _NOBODYS_HOST = "anonymous", "anonymous.invalid"


@dataclass(slots=True)
class _Column:
    name: str = ""
    is_ours: bool = False
    places: dict[str, None] = field(default_factory=dict)
    aor: SIPURI | None = None


class Columns:
    """
    Gives everybody a column, in the order in which they appear.

    :param inside: whether our own servers have columns of their own.
    """

    def __init__(self, *, inside: bool) -> None:
        self._inside = inside
        self._columns: list[_Column] = []
        self._numbers: dict[str, int] = {}

    def ends(self, event: Event, trace: Trace, reading: Reading) -> tuple[int, int]:
        """
        Give the columns that a message came from and went to.
        """
        received = trace.direction == "received"
        # Who sends appears first.
        if received:
            remote = self._remote(event, trace, reading)
            return remote, self._local(event, trace)
        local = self._local(event, trace)
        return local, self._remote(event, trace, reading)

    def server(self, role: str) -> int:
        """
        Give the column of one of our servers.
        """
        if not self._inside:
            return self._find(OURS, OURS, is_ours=True)
        for key, number in self._numbers.items():
            if key == role or key.startswith(f"{role} "):
                return number
        return self._find(role, _NAMES.get(role, role), is_ours=True)

    def participants(self) -> tuple[Participant, ...]:
        """
        Describe all columns.
        """
        names = [_name(each) for each in self._columns]
        hosts = {each.aor.host.lower() for each in self._columns if each.aor}
        if len(hosts) < 2:  # a domain that all have says nothing
            names = [name.partition("@")[0] or name for name in names]
        twice = Counter(names)
        seen: Counter[str] = Counter()
        participants = []
        for column, name in zip(self._columns, names, strict=True):
            seen[name] += 1
            if twice[name] > 1:
                name = f"{name} ({seen[name]})"
            places = tuple(column.places)
            participants.append(Participant(name, places, column.is_ours))
        return tuple(participants)

    # Inside

    def _local(self, event: Event, trace: Trace) -> int:
        number = self.server(event.server)
        if "role" not in event.detail:  # it is an address that others know
            self._place(number, trace.local)
        return number

    def _remote(self, event: Event, trace: Trace, reading: Reading) -> int:
        end = trace.remote
        role = event.detail.get("role")
        if role is not None:
            key, name = f"{role} {end}", _NAMES.get(role, role)
            number = self._find(key, name, is_ours=True)
        else:
            number = self._find(str(end), "", is_ours=False)
            self._call_by_name(number, trace, reading)
        self._place(number, end)
        return number

    def _find(self, key: str, name: str, *, is_ours: bool) -> int:
        number = self._numbers.get(key)
        if number is not None:
            return number
        number = len(self._columns)
        if number < MAX_COLUMNS:
            self._columns.append(_Column(name, is_ours))
        else:
            number = MAX_COLUMNS
            if len(self._columns) == MAX_COLUMNS:
                self._columns.append(_Column(_REST))
        if len(self._numbers) < 100 * MAX_COLUMNS:  # what is not remembered is the rest
            self._numbers[key] = number
        return number

    def _place(self, number: int, end: Endpoint) -> None:
        places = self._columns[number].places
        if len(places) < _MAX_PLACES:
            places[str(end)] = None

    def _call_by_name(self, number: int, trace: Trace, reading: Reading) -> None:
        column = self._columns[number]
        if column.aor is not None or column.name == _REST or reading.status:
            return
        if trace.direction == "received":
            column.aor = _aor(reading.sender)
        elif reading.begins:
            column.aor = _aor(reading.called)


def _aor(uri: URI | None) -> SIPURI | None:
    if not isinstance(uri, SIPURI) or not uri.user:
        return None
    user, host = uri.user.lower(), uri.host.lower()
    return None if user == _NOBODY or host == _NOBODYS_HOST else uri


def _name(column: _Column) -> str:
    if column.name or column.aor is None:
        return column.name or next(iter(column.places), "nobody")
    host = column.aor.host
    name = column.aor.user if _NUMERIC.fullmatch(host) else f"{column.aor.user}@{host}"
    return safe(name or "", _MAX_NAME)
