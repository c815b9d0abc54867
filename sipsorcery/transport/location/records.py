"""
What is asked of DNS, and what it answers, as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """
    Name a type of DNS records.
    """

    A = "A"
    AAAA = "AAAA"
    SRV = "SRV"
    NAPTR = "NAPTR"


class Question(NamedTuple):
    """
    One question.

    :ivar name: in lower case, without the dot at the end.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class NAPTR(NamedTuple):
    """
    One rule of a domain: what to ask next (:rfc:`3403#section-4.1`).
    """

    order: int
    preference: int
    flags: str
    service: str
    regexp: str
    replacement: str


class SRV(NamedTuple):
    """
    One server of a service (:rfc:`2782`).

    :ivar target: the name of its host; "" where the service is not offered.
    """

    priority: int
    weight: int
    port: int
    target: str


class Outcome(Enum):
    """
    Tell in which way a question was answered.
    """

    FOUND = "found"
    ABSENT = "absent"  # surely: there is no such record
    REFUSED = "refused"  # the DNS server does not do such questions
    FAILED = "failed"  # there may be such records, but nobody told us


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came of one question.

    :ivar said: the end of a sentence that begins with the question; for FOUND it is
        empty.
    :ivar ttl: seconds to keep the answer; None where nobody says.
    :ivar alias: the name to ask for instead, if that is all that was found.
    :ivar additional: the addresses of hosts that came along with SRV records.
    """

    outcome: Outcome
    said: str = ""
    ttl: float | None = None
    alias: str | None = None
    addresses: tuple[str, ...] = ()
    srv: tuple[SRV, ...] = ()
    naptr: tuple[NAPTR, ...] = ()
    additional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
