"""
What a filter consists of, once it is read. Pure.

Each term tells of an event whether it matches; none of them knows who looks.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol, TypeAlias

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.regex import Regex
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

Network: TypeAlias = IPv4Network | IPv6Network

# Fields of `Event.detail` in which an address-of-record stands.
_ADDRESSES = ("aor", "account", "from", "to")


class Term(Protocol):
    """
    One condition, or several.
    """

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """


@dataclass(frozen=True, slots=True)
class All:
    """
    Each of the terms matches.
    """

    terms: tuple[Term, ...]

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return all(term.matches(event) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Any:
    """
    At least one of the terms matches.
    """

    terms: tuple[Term, ...]

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return any(term.matches(event) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Not:
    """
    The term does not match.
    """

    term: Term

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return not self.term.matches(event)


@dataclass(frozen=True, slots=True)
class Kinds:
    """
    It is of one of these kinds.
    """

    kinds: Set[EventKind]

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.kind in self.kinds


@dataclass(frozen=True, slots=True)
class Servers:
    """
    One of these roles has emitted it.
    """

    servers: Set[str]

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.server in self.servers


@dataclass(frozen=True, slots=True)
class Owner:
    """
    It is this user's; the case of letters does not count, as in the original.

    :ivar user: in lower case.
    """

    user: str

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.owner.lower() == self.user


@dataclass(frozen=True, slots=True)
class CallID:
    """
    It is of the call with this Call-ID or identifier.
    """

    value: str

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return self.value in (event.call_id, event.dialogue)


@dataclass(frozen=True, slots=True)
class Address:
    """
    It concerns a SIP address. :ivar user: ``*`` for all of a host.
    """

    user: str
    host: str  # in lower case

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return any(self._is(event.detail.get(name, "")) for name in _ADDRESSES)

    def _is(self, text: str) -> bool:
        address = text.rpartition(":")[2] if "@" not in text else text
        user, at, host = (
            address.removeprefix("sips:").removeprefix("sip:").partition("@")
        )
        return bool(at) and host.lower() == self.host and self.user in ("*", user)


@dataclass(frozen=True, slots=True)
class PartOfAddress:
    """
    The IP address of the other side has this in it.
    """

    text: str

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.remote is not None and self.text in event.remote.host


@dataclass(frozen=True, slots=True)
class InNetwork:
    """
    The IP address of the other side is in a network.
    """

    network: Network

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.remote is not None and _is_in(event.remote, self.network)


@dataclass(frozen=True, slots=True)
class AtServer:
    """
    Our own IP address begins with this, or is in that network, or is not known.
    """

    start: str | Network

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        if event.trace is None:
            return True
        local = event.trace.local
        if isinstance(self.start, str):
            return local.host.startswith(self.start)
        return _is_in(local, self.start)


@dataclass(frozen=True, slots=True)
class Matches:
    """
    A regular expression matches its text, which of a trace is the SIP message.
    """

    regex: Regex

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        text = event.message
        if event.trace is not None:
            text = f"{text}\r\n{event.trace.data.decode('utf-8', 'replace')}"
        # RE2 takes what UTF-8 can say.
        return self.regex.search(text.encode("utf-8", "replace").decode())


@dataclass(frozen=True, slots=True)
class Methods:
    """
    It is a trace of a request, or of an answer to one, of these methods.

    :ivar others: whether an event that is no trace matches.
    """

    methods: Set[str]
    others: bool = False

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        if event.trace is None:
            return self.others
        return _method(event.trace) in self.methods


@dataclass(frozen=True, slots=True)
class Statuses:
    """
    It is a trace of an answer in this range, or tells of one.
    """

    first: int
    last: int

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        if event.trace is not None:
            status = _status(event.trace)
        else:
            text = event.detail.get("status", "")
            status = int(text) if text.isascii() and text.isdigit() else 0
        return self.first <= status <= self.last


@dataclass(frozen=True, slots=True)
class Going:
    """
    It is a trace of a message in this direction.
    """

    direction: Direction

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.trace is not None and event.trace.direction is self.direction


@dataclass(frozen=True, slots=True)
class Since:
    """
    It is not older than this. :ivar time: seconds since the epoch.
    """

    time: float

    def matches(self, event: Event) -> bool:
        """
        Tell whether an event fulfils it.
        """
        return event.time >= self.time


def _is_in(endpoint: Endpoint, network: Network) -> bool:
    return ip_address(endpoint.host) in network


def _method(trace: Trace) -> str:
    try:
        message = parse(trace.data)
    except ParseError:
        return ""
    if isinstance(message, Request):
        return message.method
    return (message.get("CSeq") or "").rpartition(" ")[2].upper()


def _status(trace: Trace) -> int:
    try:
        message = parse(trace.data)
    except ParseError:
        return 0
    return message.status if isinstance(message, Response) else 0
