"""
Zones for the tests: DNS records as text, and a resolver that answers from them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import common, dns, error

TTL = 300


def record(line: str) -> dns.RRHeader:
    """
    Read one record: ``NAME [TTL] TYPE FIELDS...``; an empty field is ``-``.

    Of a SOA record only the last field is given: the time for which names lack.
    """
    name, *fields = line.split()
    ttl = int(fields.pop(0)) if fields[0].isdecimal() else TTL
    kind, *data = ("" if field in ("-", ".") else field for field in fields)
    payload: Any
    match kind:
        case "A":
            payload = dns.Record_A(data[0], ttl)
        case "AAAA":
            payload = dns.Record_AAAA(data[0], ttl)
        case "CNAME":
            payload = dns.Record_CNAME(data[0], ttl)
        case "SOA":
            payload = dns.Record_SOA(minimum=int(data[0]), ttl=ttl)
        case "SRV":
            priority, weight, port = map(int, data[:3])
            payload = dns.Record_SRV(priority, weight, port, data[3], ttl)
        case "NAPTR":
            texts = (field.encode() for field in data[2:])
            payload = dns.Record_NAPTR(int(data[0]), int(data[1]), *texts)
        case _:
            raise ValueError(f"no record of type {kind}")
    return dns.RRHeader(name, payload.TYPE, dns.IN, ttl, payload)


def records(text: str) -> list[dns.RRHeader]:
    """
    Read one record a line.
    """
    return [record(line) for line in text.splitlines() if line.strip()]


class Zones(common.ResolverBase):
    """
    Answer as a DNS server that does recursion would.

    :ivar asked: every question, such as ``"A example.com"``, in order.
    :ivar answers: the whole answer section for some questions.
    :ivar additional: records that come along with each answer.
    :ivar authority: records in the authority section of each answer.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.asked: list[str] = []
        self.answers: dict[str, list[dns.RRHeader]] = {}
        self.additional: list[dns.RRHeader] = []
        self.authority: list[dns.RRHeader] = []
        self._records: defaultdict[str, list[dns.RRHeader]] = defaultdict(list)
        self._failures: dict[str, Exception] = {}
        self._held: list[tuple[Deferred[Any], tuple[str, str, int]]] | None = None
        self.add(text)

    def add(self, text: str) -> None:
        """
        Add records, one a line.
        """
        for one in records(text):
            self._records[str(one.name)].append(one)

    def remove(self, name: str) -> None:
        """
        Remove the records of a name.
        """
        del self._records[name]

    def fail(self, failure: Exception, *questions: str) -> None:
        """
        Let questions such as ``"A example.com"``, or all, fail from now on.
        """
        for question in questions or ("",):
            self._failures[question] = failure

    def hold(self) -> None:
        """
        Answer nothing until `release`.
        """
        self._held = []

    def release(self, *, hold: bool = False) -> None:
        """
        Give the answers that were held back, the last one first.

        :param hold: go on to hold back what is asked then.
        """
        held, self._held = self._held or [], [] if hold else None
        for answer, question in reversed(held):
            self._answer(*question).chainDeferred(answer)

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> Deferred[Any]:
        text = name.decode("ascii").lower()
        question = f"{dns.QUERY_TYPES[type]} {text}"
        self.asked.append(question)
        if self._held is None:
            return self._answer(question, text, type)
        answer: Deferred[Any] = Deferred()
        self._held.append((answer, (question, text, type)))
        return answer

    def _answer(self, question: str, name: str, type: int) -> Deferred[Any]:
        failure = self._failures.get(question) or self._failures.get("")
        if failure is not None:
            return fail(failure)
        if name not in self._records:
            message = dns.Message(rCode=dns.ENAME)
            message.authority = self.authority
            return fail(error.DNSNameError(message))
        if question in self.answers:
            return succeed((self.answers[question], [], []))
        found: list[dns.RRHeader] = []
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            here = self._records.get(name, [])
            aliases = [one for one in here if one.type == dns.CNAME]
            found += [one for one in here if one.type == type] + aliases
            if not aliases:
                break
            alias: Any = aliases[0].payload
            name = str(alias.name)
        return succeed((found, self.authority, self.additional))
