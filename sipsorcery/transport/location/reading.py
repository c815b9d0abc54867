"""
The records of Twisted, read into answers.

What a DNS server says is as little to be trusted as any message: what does not fit is
left out, what is too much is cut off, and only what belongs to the question counts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from twisted.internet.defer import TimeoutError as TimedOut
from twisted.names import dns, error

from sipsorcery.sip.errors import excerpt
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.names import read_address, read_name
from sipsorcery.transport.location.records import (
    NAPTR,
    SRV,
    Answer,
    Kind,
    Outcome,
    Question,
)

#: Answers, authority and additional records: what a resolver of Twisted gives.
Sections: TypeAlias = Sequence[Sequence[dns.RRHeader]]

TYPES: dict[Kind, int] = {
    Kind.A: dns.A,
    Kind.AAAA: dns.AAAA,
    Kind.SRV: dns.SRV,
    Kind.NAPTR: dns.NAPTR,
}
# The longest word of a NAPTR record that means anything to us is "SIPS+D2T".
_MAX_WORD = 16
_NO_NAME, _NO_RECORDS = "no such name", "no such records"
# The answers that are about the server, not about the name.
_REFUSALS: dict[type[BaseException], str] = {
    error.DNSFormatError: "the DNS server does not understand it",
    error.DNSNotImplementedError: "the DNS server does not know such records",
    error.DNSQueryRefusedError: "the DNS server refuses",
}


def read_sections(
    question: Question, sections: Sections, limits: LocationLimits
) -> Answer:
    """
    Read what a resolver found.
    """
    answers, authority, additional = sections
    records, name = _owned(question, answers, limits)
    if not records:
        if name != question.name:
            return Answer(Outcome.ABSENT, _NO_RECORDS, _ttl(answers), alias=name)
        return Answer(Outcome.ABSENT, _NO_RECORDS, _absence(authority))
    payloads = [one.payload for one in records]
    match question.kind:
        case Kind.A | Kind.AAAA:
            found = tuple(filter(None, map(_read_address, payloads)))
            return Answer(Outcome.FOUND, ttl=_ttl(records), addresses=found)
        case Kind.NAPTR:
            rules = tuple(map(_read_naptr, payloads))
            return Answer(Outcome.FOUND, ttl=_ttl(records), naptr=rules)
        case Kind.SRV:
            servers = tuple(filter(None, map(_read_srv, payloads)))
            hosts = {one.target for one in servers}
            along = [one for one in additional if _name(one.name) in hosts]
            del along[limits.records :]
            return Answer(
                Outcome.FOUND,
                ttl=_ttl([*records, *along]),
                srv=servers,
                additional=_read_additional(along),
            )


def read_failure(failure: BaseException) -> Answer:
    """
    Read what a resolver failed with.
    """
    match failure:
        case TimedOut():
            return Answer(Outcome.FAILED, "no answer")
        case error.DNSNameError() if failure.args:
            # It has the message, whose SOA record says how long the name lacks.
            authority = getattr(failure.args[0], "authority", ())
            return Answer(Outcome.ABSENT, _NO_NAME, _absence(authority))
        case error.DNSServerError():
            return Answer(Outcome.FAILED, "the DNS server failed")
        case error.DNSUnknownError():
            return Answer(Outcome.FAILED, "the DNS server gave an unknown error")
        case _ if type(failure) in _REFUSALS:
            return Answer(Outcome.REFUSED, _REFUSALS[type(failure)])
        case error.DomainError() | error.AuthoritativeDomainError():
            return Answer(Outcome.ABSENT, _NO_NAME)
    said = f"{type(failure).__name__} {excerpt(str(failure))}"
    return Answer(Outcome.FAILED, said)


def _owned(
    question: Question, answers: Iterable[dns.RRHeader], limits: LocationLimits
) -> tuple[list[dns.RRHeader], str]:
    """
    Find the records that a name has, or that its aliases lead to.

    :return: the records, and the name that has them.
    """
    kind, name = TYPES[question.kind], question.name
    aliases: dict[str, str] = {}
    owned: dict[str, list[dns.RRHeader]] = {}
    for one in answers:
        owner = _name(one.name)
        if owner is None or one.cls != dns.IN:
            continue
        if isinstance(one.payload, dns.Record_CNAME):
            aliases[owner] = _name(one.payload.name) or owner
        elif one.type == kind:
            owned.setdefault(owner, []).append(one)
    for _ in range(limits.aliases):
        if name in owned or name not in aliases:
            break
        name = aliases[name]
    return owned.get(name, [])[: limits.records], name


def _read_address(payload: object) -> str | None:
    match payload:
        case dns.Record_A(address=bytes(packed)):
            return str(ipaddress.ip_address(packed))
        case dns.Record_AAAA(address=bytes(packed)):
            return str(ipaddress.ip_address(packed))
    return None


def _read_naptr(payload: object) -> NAPTR:
    if not isinstance(payload, dns.Record_NAPTR):
        return NAPTR(0, 0, "", "", "", "")
    return NAPTR(
        payload.order,
        payload.preference,
        _word(payload.flags),
        _word(payload.service),
        _word(payload.regexp),
        _name(payload.replacement) or "",
    )


def _read_srv(payload: object) -> SRV | None:
    if not isinstance(payload, dns.Record_SRV):
        return None
    # The root stands for "none"; a name that cannot be one is no server either.
    target = "" if payload.target.name in (b"", b".") else _name(payload.target)
    if target is None:
        return None
    return SRV(payload.priority, payload.weight, payload.port, target)


def _read_additional(records: Iterable[dns.RRHeader]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in records:
        name, address = _name(one.name), _read_address(one.payload)
        if name and address:
            found[name] = (*found.get(name, ()), address)
    return found


def _absence(authority: Iterable[dns.RRHeader]) -> float | None:
    """
    Tell for how long something lacks (:rfc:`2308#section-3`).

    It is "the minimum of the MINIMUM field of the SOA record and the TTL of the SOA
    itself".
    """
    for one in authority:
        if isinstance(one.payload, dns.Record_SOA):
            return float(min(one.ttl, one.payload.minimum))
    return None


def _ttl(records: Iterable[dns.RRHeader]) -> float:
    return float(min((one.ttl for one in records), default=0))


def _name(name: dns.Name) -> str | None:
    text = _text(name.name)
    return read_address(text) or read_name(text)


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace")


def _word(data: dns.Charstr) -> str:
    return _text(data.string[:_MAX_WORD])
