"""
Whose the traces of transactions are, as far as servers have told. Pure.

The proxy traces messages without knowing whose they are. A server that has found out
claims a transaction for its owner: by the branch of the proxy's Via, or by the origin
that the traces on both sides of the proxy share.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from sipsorcery.monitor.event import Event, EventKind

# Claims that are remembered, for traces still to come: those of ten busy seconds.
_CLAIMS = 20_000
# Traces that wait for their owner, and their bytes: a server claims what it answers
# within a second or so, and what nobody ever claims, as that of scanners, goes.
_WAITING = 5000
_WAITING_SIZE = 8_000_000

_Key = TypeVar("_Key")

#: What a transaction is known by. The two are apart: a branch may be a stranger's text,
#: and must not be taken for an origin.
Name: TypeAlias = tuple[Literal["branch", "origin"], str]


def names_of(event: Event) -> list[Name]:
    """
    Give what a trace or a claim names its transaction by.
    """
    origin: Name = ("origin", event.detail.get("origin", ""))
    branch = event.trace.branch if event.trace else event.detail.get("branch", "")
    names: list[Name] = [("branch", branch), origin]
    return [name for name in names if name[1]]


class Claims:
    """
    Remembers who has claimed what. The first one counts.
    """

    def __init__(self, limit: int = _CLAIMS) -> None:
        self._limit = limit
        self._owners: dict[Name, str] = {}  # the oldest first
        self._origins: dict[str, Name] = {}  # by branch, from traces that had both

    def learn(self, event: Event) -> list[Name]:
        """
        Take up what a claim says, or what a trace shows to belong together.

        :return: what has an owner by it.
        """
        names = names_of(event)
        if event.kind is EventKind.OWNER_KNOWN:
            return self._claim(names, event.owner)
        if event.trace is not None and len(names) == 2:
            (_, branch), origin = names
            self._origins[branch] = origin
            _trim(self._origins, self._limit)
            owner = self.owner_of(names)
            return self._claim(names, owner)
        return []

    def join(self, known: Name, other: Name) -> list[Name]:
        """
        Take two to be of one transaction.

        :return: the other one, if it has the owner of the known one by that.
        """
        owner = self.owner_of([known])
        if not owner or self._owners.setdefault(other, owner) != owner:
            return []
        return [other]

    def owner_of(self, names: Iterable[Name]) -> str:
        """
        Tell whose a transaction is; "": nobody has said.
        """
        for name in names:
            if owner := self._owners.get(name):
                return owner
        return ""

    def _claim(self, names: list[Name], owner: str) -> list[Name]:
        if not owner:
            return []
        for kind, text in names[:1]:
            if kind == "branch" and text in self._origins:
                names.append(self._origins[text])
        owned = [
            name for name in names if self._owners.setdefault(name, owner) == owner
        ]
        _trim(self._owners, self._limit)
        return owned


class Unclaimed:
    """
    The last traces of which nobody has said whose they are.
    """

    def __init__(
        self, limit: int = _WAITING, size: int = _WAITING_SIZE, claims: int = _CLAIMS
    ) -> None:
        self._claims = Claims(claims)
        self._limit = limit
        self._room = size
        self._next = 0
        self._traces: dict[int, Event] = {}  # the oldest first
        self._named: dict[Name, dict[int, None]] = {}

    def settle(self, event: Event) -> tuple[Event, list[Event]]:
        """
        Find out whose a trace is, and what else is whose by a claim.

        :return: the event, with its owner if that is known by now; and the earlier
            traces that have their owner by it, as they came.
        """
        if event.kind is EventKind.OWNER_KNOWN:
            return event, self._release(self._claims.learn(event), event.owner)
        if event.trace is None or event.owner:
            return event, []
        names = names_of(event)
        self._claims.learn(event)
        if owner := self._claims.owner_of(names):
            return owned(event, owner), self._release(names, owner)
        self._keep(event, names)
        return event, []

    def _keep(self, event: Event, names: list[Name]) -> None:
        if not names:
            return  # nobody can claim it
        assert event.trace is not None  # the caller has looked
        self._next += 1
        self._traces[self._next] = event
        self._room -= len(event.trace.data)
        for name in names:
            self._named.setdefault(name, {})[self._next] = None
        while len(self._traces) > self._limit or self._room < 0:
            self._take(next(iter(self._traces)))

    def _release(self, names: Iterable[Name], owner: str) -> list[Event]:
        found: dict[int, Event] = {}
        names = list(names)
        while names:
            for number in list(self._named.get(names.pop(), ())):
                found[number] = self._take(number)
                # What shares a branch with it, or an origin, is of its transaction.
                names += names_of(found[number])
        return [owned(found[number], owner) for number in sorted(found)]

    def _take(self, number: int) -> Event:
        event = self._traces.pop(number)
        assert event.trace is not None  # nothing else is kept
        self._room += len(event.trace.data)
        for name in names_of(event):
            numbers = self._named[name]
            del numbers[number]
            if not numbers:
                del self._named[name]
        return event


def owned(event: Event, owner: str) -> Event:
    """
    Give an event as that of its owner.
    """
    return msgspec.structs.replace(event, owner=owner)


def _trim(table: dict[_Key, Any], limit: int) -> None:
    while len(table) > limit:
        del table[next(iter(table))]
