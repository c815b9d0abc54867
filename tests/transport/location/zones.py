"""
Zones for the tests: DNS records as text, and a resolver that answers from them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import common, dns, error

TTL = 300
_MAKERS: dict[str, Any] = {
    "A": dns.Record_A,
    "AAAA": dns.Record_AAAA,
    "CNAME": dns.Record_CNAME,
    "NAPTR": dns.Record_NAPTR,
    "SOA": dns.Record_SOA,
    "SRV": dns.Record_SRV,
}
_NUMBERS = {"NAPTR": 2, "SRV": 3}  # how many fields in front are numbers


def record(line: str) -> dns.RRHeader:
    """
    Read one record: ``NAME [TTL] TYPE FIELDS...``; an empty field is ``-``.
    """
    name, *fields = line.split()
    ttl = int(fields.pop(0)) if fields[0].isdecimal() else TTL
    kind, *data = fields
    numbers = _NUMBERS.get(kind, 0)
    arguments: list[Any] = [int(field) for field in data[:numbers]]
    arguments += ["" if field in ("-", ".") else field for field in data[numbers:]]
    if kind == "SOA":
        payload = dns.Record_SOA(minimum=int(data[0]), ttl=ttl)
    elif kind == "NAPTR":
        texts = [field.encode() for field in arguments[2:]]
        payload = dns.Record_NAPTR(*arguments[:2], *texts, ttl=ttl)
    else:
        payload = _MAKERS[kind](*arguments, ttl=ttl)
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
    :ivar additional: records that come along with each answer.
    :ivar authority: records in the authority section of each answer.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.asked: list[str] = []
        self.additional: list[dns.RRHeader] = []
        self.authority: list[dns.RRHeader] = []
        self._records: defaultdict[str, list[dns.RRHeader]] = defaultdict(list)
        self._failures: dict[str, Exception] = {}
        self._held: list[tuple[Deferred[Any], Deferred[Any]]] | None = None
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

    def release(self) -> None:
        """
        Give the answers that were held back, the last one first.
        """
        held, self._held = self._held or [], None
        for mine, answer in reversed(held):
            answer.addErrback(lambda failure: failure)
            answer.chainDeferred(mine)

    def _lookup(self, name: bytes, cls: int, type: int, timeout: Any) -> Deferred[Any]:
        text = name.decode("ascii").lower()
        question = f"{dns.QUERY_TYPES[type]} {text}"
        self.asked.append(question)
        answer = self._answer(question, text, type)
        if self._held is None:
            return answer
        mine: Deferred[Any] = Deferred()
        self._held.append((mine, answer))
        return mine

    def _answer(self, question: str, name: str, type: int) -> Deferred[Any]:
        failure = self._failures.get(question) or self._failures.get("")
        if failure is not None:
            return fail(failure)
        if name not in self._records:
            message = dns.Message(rCode=dns.ENAME)
            message.authority = self.authority
            return fail(error.DNSNameError(message))
        found: list[dns.RRHeader] = []
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            here = self._records.get(name, [])
            aliases = [one for one in here if one.type == dns.CNAME]
            found += [one for one in here if one.type == type] + aliases
            if not aliases:
                break
            name = str(aliases[0].payload.name)
        return succeed((found, self.authority, self.additional))
