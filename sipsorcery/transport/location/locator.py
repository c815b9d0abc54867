"""
The location of servers: from a URI to the targets to try, one after the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime, IResolver
from twisted.names import hosts
from twisted.python.failure import Failure

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from sipsorcery.transport import local
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.location.failed import FailedTargets
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.names import read_address
from sipsorcery.transport.location.policy import TLSPolicy
from sipsorcery.transport.location.questions import Questions
from sipsorcery.transport.location.reach import Reach
from sipsorcery.transport.location.records import Kind
from sipsorcery.transport.location.search import Search
from sipsorcery.transport.location.sought import Sought, seek_uri, seek_via
from sipsorcery.transport.location.srv import Chance
from sipsorcery.transport.target import Target

# A changed hosts file counts after so many seconds.
_HOSTS_TTL = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a search has come to.

    :ivar host: the name that was looked for.
    :ivar problem: why it leads nowhere; "": it does lead somewhere.
    """

    host: str
    targets: tuple[Target, ...] = ()
    problem: str = ""


class Locator:
    """
    Find out where a request goes, or a response that lost its way (:rfc:`3263`).

    :param resolver: asks DNS, such as :class:`twisted.names.client.Resolver`. It should
        keep no answers itself: here they are kept, bounded in number and time.
    :param clock: the reactor, or whatever has its time.
    :param listeners: gives the open listeners of the layer that will send: UDP goes
        from one of these.
    :param policy: what servers have to prove over TLS.
    :param local_names: has the names of our own network; None: the hosts file of the
        system.
    :param source_address: tells which of our addresses leads to another.
    :param chance: gives random numbers from 0 to 1, without 1.
    :param told: is told what each search has come to that needed names; may not raise.
    """

    def __init__(
        self,
        resolver: IResolver,
        clock: IReactorTime,
        *,
        listeners: Callable[[], Iterable[Listener]],
        policy: TLSPolicy | None = None,
        limits: LocationLimits | None = None,
        local_names: IResolver | None = None,
        source_address: Callable[[str], str | None] = local.source_address,
        chance: Chance = random.random,
        told: Callable[[Finding], object] | None = None,
    ) -> None:
        self._clock = clock
        #: What servers have to prove: of the next request.
        self.policy = policy or TLSPolicy()
        self._limits = limits or LocationLimits()
        self._chance = chance
        self._told = told
        self._reach = Reach(listeners, source_address)
        self._dns = Questions(resolver, clock, self._limits)
        if local_names is None:
            local_names = hosts.Resolver(ttl=_HOSTS_TTL)
        self._hosts = Questions(local_names, clock, self._limits)
        self._failed = FailedTargets(self._limits)

    def locate(self, uri: SIPURI, *, reliable: bool = False) -> Deferred[list[Target]]:
        """
        Find the targets for a request, in the order to try them in.

        Go on to the next one on a transport error, a time-out without any response, or
        a 503; each time with a new branch, and after a word to `failed` (4.3).

        :param uri: the topmost Route, or else the Request-URI.
        :param reliable: for a request that is too long for UDP: where the choice is
            ours, TCP comes first (:rfc:`3261#section-18.1.1`).
        :return: at least one target; fails with `LocationError`.
        """
        if not reliable and (known := self._known(uri)) is not None:
            return succeed([known])
        available = self._reach.transports()
        return self._start(lambda: seek_uri(uri, available, reliable=reliable))

    def locate_response(self, via: Via) -> Deferred[list[Target]]:
        """
        Find the targets for a response by the sent-by of its Via (section 5).

        This is the ``resolve`` of a `TransportLayer`.

        :return: at least one target; fails with `LocationError`.
        """
        available = self._reach.transports()
        return self._start(lambda: seek_via(via, available))

    def pick(self, uri: SIPURI, call_id: str) -> Deferred[Target]:
        """
        Find the one target for a request that is forwarded without state (4.4).

        It follows from the records and the Call-ID alone, so that retransmissions, ACK
        and CANCEL go the same way, through any process. It has to be stayed with:
        whoever wants another after a failure has to keep state.

        :return: fails with `LocationError`.
        """
        if (known := self._known(uri)) is not None:
            return succeed(known)
        available = self._reach.transports()

        def chance_at(name: str) -> Chance:
            return random.Random(f"{name} {call_id}").random

        found = self._find(lambda: seek_uri(uri, available), chance_at)
        return found.addCallback(lambda targets: targets[0])

    def failed(self, target: Target, retry_after: float | None = None) -> None:
        """
        Note that a target did not answer, or not for now.

        For a while it comes last wherever it is found.

        :param retry_after: seconds, if it said 503 with them.
        """
        self._failed.add(target, self._clock.seconds(), retry_after)

    # Inside

    def _known(self, uri: SIPURI) -> Target | None:
        """
        Give the target of an address that UDP leads to: that of nearly every contact.

        It is what a search would find, at a twentieth of the time.
        """
        address = read_address(uri.address)
        if (
            address is None
            or uri.scheme != "sip"
            or uri.port == 0
            or uri.transport not in (None, "udp")
            or "maddr" in uri.parameters
        ):
            return None
        kind = Kind.AAAA if ":" in address else Kind.A
        if kind not in self._reach.kinds(Transport.UDP):
            return None
        port = uri.port or Transport.UDP.default_port
        return Target(Endpoint(Transport.UDP, address, port))

    def _start(self, seek: Callable[[], Sought]) -> Deferred[list[Target]]:
        return self._find(seek, lambda _: self._chance).addCallback(
            lambda targets: self._failed.sort(targets, self._clock.seconds())
        )

    def _find(
        self, seek: Callable[[], Sought], chance_at: Callable[[str], Chance]
    ) -> Deferred[list[Target]]:
        try:
            sought = seek()
            search = Search(
                sought,
                self._dns,
                self._hosts,
                self._reach,
                self.policy,
                self._limits,
                chance_at,
            )
        except LocationError as error:
            return fail(error)
        found = Deferred.fromCoroutine(search.run())

        def give_up(_: object, seconds: float) -> Failure:
            return Failure(search.error(f"no end after {seconds:g} s"))

        if not found.called:
            found.addTimeout(self._limits.patience, self._clock, give_up)
        if self._told is not None and not sought.is_numeric:
            host = sought.host
            found.addCallbacks(
                *(self._tell, self._tell_problem),
                callbackArgs=(host,),
                errbackArgs=(host,),
            )
        return found

    def _tell(self, targets: list[Target], host: str) -> list[Target]:
        assert self._told is not None  # or nobody would call this
        self._told(Finding(host, tuple(targets)))
        return targets

    def _tell_problem(self, failure: Failure, host: str) -> Failure:
        assert self._told is not None  # likewise
        self._told(Finding(host, problem=failure.getErrorMessage()))
        return failure
