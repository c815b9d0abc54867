"""
The steps of :rfc:`3263` for one URI: from what it says to the targets to try.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from twisted.internet.defer import Deferred

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.transport.location import naptr
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.names import is_local, is_loopback, read_address
from sipsorcery.transport.location.naptr import Service
from sipsorcery.transport.location.policy import TLSPolicy
from sipsorcery.transport.location.questions import Questions
from sipsorcery.transport.location.reach import Reach
from sipsorcery.transport.location.records import Answer, Kind, Outcome, Question
from sipsorcery.transport.location.sought import Sought
from sipsorcery.transport.location.srv import Chance, arrange, is_withheld, srv_name
from sipsorcery.transport.target import Target

_LOOPBACK = {Kind.AAAA: "::1", Kind.A: "127.0.0.1"}
#: Unhappy answers that an error sentence repeats.
_SAID_SHOWN = 6

_T = TypeVar("_T")


class Place(NamedTuple):
    """
    A host to go to, whose addresses may not be known yet.

    :ivar known: those that came along with its SRV record.
    """

    transport: Transport
    host: str
    port: int
    known: tuple[str, ...] = ()


class Search:
    """
    Look for one host.

    :param dns: is asked for everything.
    :param hosts: is asked for addresses first: the hosts file.
    :param chance_at: gives the chance that decides among equals, by the name that has
        them: answers come in any order, and that must not count.
    """

    def __init__(
        self,
        sought: Sought,
        dns: Questions,
        hosts: Questions,
        reach: Reach,
        policy: TLSPolicy,
        limits: LocationLimits,
        chance_at: Callable[[str], Chance],
    ) -> None:
        self._sought = sought
        self._dns = dns
        self._hosts = hosts
        self._reach = reach
        self._policy = policy
        self._limits = limits
        self._chance_at = chance_at
        self._ruled_out: set[Transport] = set()
        self._said: dict[str, None] = {}  # in order, each once

    async def run(self) -> list[Target]:
        """
        Find the targets, in the order to try them in.

        :raises LocationError: if there are none.
        """
        places = (await self._places())[: self._limits.hosts]
        found = await _all(self._addresses(place) for place in places)
        targets = dict.fromkeys(
            self._target(place, address)
            for place, addresses in zip(places, found, strict=True)
            for address in addresses
        )
        if not targets:
            raise self.error()
        return list(targets)[: self._limits.targets]

    def error(self, also: str = "") -> LocationError:
        """
        Say that nothing was found, what was asked for, and what came of it.
        """
        said = [*list(self._said)[:_SAID_SHOWN], *([also] if also else [])]
        shown = "; ".join(said) or "its records are of no use"
        return LocationError(f"nothing leads to {self._sought.host}: {shown}")

    # Which hosts, by which transports (RFC 3263, 4.1 and 4.2)

    async def _places(self) -> list[Place]:
        sought = self._sought
        if sought.is_numeric or sought.port is not None or await self._is_local():
            return self._at_host(sought.presumed)
        named = ((one, srv_name(one, sought.host)) for one in sought.transports)
        own = [Service(transport, name) for transport, name in named if name]
        # "If no NAPTR records are found", the client asks for SRV records. Here both
        # are asked for at once: their names are mostly those in the NAPTR records, and
        # somebody waits for the call.
        services = Deferred.fromCoroutine(self._services())
        servers = Deferred.fromCoroutine(self._servers(own))
        offered = await services
        for group in offered:
            places = await self._servers(group)
            if places:
                return places
        # "If no SRV records were found, the client performs an A or AAAA record lookup
        # of the domain name", for the transport that is determined by now.
        presumed = [one.transport for one in offered[0]] if offered else sought.presumed
        return await servers or self._at_host(
            [one for one in presumed if one not in self._ruled_out]
        )

    async def _is_local(self) -> bool:
        """
        Tell whether the host is one of our own network, of which DNS has no services.
        """
        host = self._sought.host
        return is_local(host) or bool(await self._from_hosts(host, tuple(_LOOPBACK)))

    def _at_host(self, transports: Iterable[Transport]) -> list[Place]:
        host, port = self._sought.host, self._sought.port
        return [Place(one, host, port or one.default_port) for one in transports]

    async def _services(self) -> list[list[Service]]:
        """
        Find the services that the domain offers, if the transport is not settled yet.
        """
        if self._sought.is_settled:
            return []
        # A failure counts as none: a domain has to have SRV records beside its NAPTR
        # records (4.1), and there are DNS servers that do not know the latter.
        (answer,) = await self._ask_all([Question(Kind.NAPTR, self._sought.host)])
        return naptr.services(
            answer.naptr,
            self._reach.transports(),
            secure=self._sought.is_secure,
            reliable=self._sought.is_reliable,
            limit=self._limits.services,
        )

    async def _servers(self, offered: Sequence[Service]) -> list[Place]:
        """
        Find the servers for some services, in the order to try them in.
        """
        questions = [Question(Kind.SRV, service.name) for service in offered]
        answers = await self._ask_all(questions)
        places: list[Place] = []
        for question, (transport, _), answer in zip(
            questions, offered, answers, strict=True
        ):
            # The domain's own address is no substitute for SRV records that may be
            # there; most often a web server has it.
            if answer.outcome is Outcome.FAILED:
                self._ruled_out.add(transport)
            if is_withheld(answer.srv):
                self._ruled_out.add(transport)
                self._note(question, "the service is not offered")
            for one in arrange(answer.srv, self._chance_at(question.name)):
                known = answer.additional.get(one.target, ())
                places.append(Place(transport, one.target, one.port, known))
        return places

    # Their addresses

    async def _addresses(self, place: Place) -> list[str]:
        """
        Find the addresses of one host, of every kind that can be reached.

        A and AAAA records are asked for alike (:rfc:`7984`).
        """
        host = place.host
        if read_address(host):  # of a URI; and of SRV records, by mistake
            return [host]
        kinds = self._reach.kinds(place.transport)
        found = await self._from_hosts(host, kinds)
        if not found:
            found = [one for one in place.known if _kind(one) in kinds]
            # What came along may be of one kind only, for lack of room.
            missing = [kind for kind in kinds if kind not in map(_kind, found)]
            for answer in await self._ask_all(
                [Question(kind, host) for kind in missing]
            ):
                found += answer.addresses
        return self._reach.arrange(found, self._chance_at(host))

    async def _from_hosts(self, host: str, kinds: Sequence[Kind]) -> list[str]:
        """
        Find addresses in the hosts file; the loopback is known without one.
        """
        asked = [self._hosts.ask(Question(kind, host)) for kind in kinds]
        found = [address for each in asked for address in (await each).addresses]
        if not found and is_loopback(host):
            found = [_LOOPBACK[kind] for kind in kinds]
        return found

    def _target(self, place: Place, address: str) -> Target:
        end = Endpoint(place.transport, address, place.port)
        if not place.transport.is_secure:
            return Target(end)
        return Target(end, self._policy.expectation(self._sought.domain, place.host))

    # Asking

    async def _ask_all(self, questions: Sequence[Question]) -> list[Answer]:
        asked = [self._dns.ask(question) for question in questions]
        answers = [await each for each in asked]
        for question, answer in zip(questions, answers, strict=True):
            if answer.outcome is not Outcome.FOUND:
                self._note(question, answer.said)
        return answers

    def _note(self, question: Question, said: str) -> None:
        self._said[f"{question}: {said}"] = None


async def _all(coroutines: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """
    Run coroutines at the same time.
    """
    started = [Deferred.fromCoroutine(one) for one in coroutines]
    return [await each for each in started]


def _kind(address: str) -> Kind:
    return Kind.AAAA if ":" in address else Kind.A
