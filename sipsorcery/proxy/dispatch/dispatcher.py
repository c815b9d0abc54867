"""
The application servers of a dispatch file, and which of them gets a call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from sipsorcery.config import DispatchBy
from sipsorcery.dispatch.choice import Candidate, by_calls, by_hash
from sipsorcery.dispatch.file import DRAIN, NEVER, Entry
from sipsorcery.dispatch.health import State
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.monitor.figures import Figure, counter, gauge
from sipsorcery.proxy.dispatch.listing import DispatchFile
from sipsorcery.proxy.dispatch.pins import Pins
from sipsorcery.proxy.dispatch.policy import Policy
from sipsorcery.proxy.dispatch.server import Server

# Servers that a call is offered to, one after the other: who has waited for so many
# waits for no further one.
_OFFERS = 3

#: Hears of a server, its state, and why.
Changed = Callable[[Endpoint, State, str], object]


class Dispatcher:
    """
    Knows who is there and who is well, and chooses.

    :param reactor: has UDP, TCP and time.
    :param file: need not be there yet; one that cannot be used, or that names nobody,
        never replaces what was known before.
    :param clock: gives the seconds since the epoch.
    :param changed: hears of each server whose state is another one.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        file: Path,
        policy: Policy = Policy(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.time,
        changed: Changed = lambda server, state, why: None,
    ) -> None:
        self.policy = policy
        self._reactor = reactor
        self._clock = clock
        self._changed = changed
        self._servers: dict[Endpoint, Server] = {}
        # The priorities of their servers; the lowest number comes first.
        self._sets: dict[int, dict[Endpoint, int]] = {}
        self._pins = Pins(reactor.seconds)
        self._file = DispatchFile(reactor, file, self._take)

    def start(self) -> None:
        """
        Read the file, and begin to ask.
        """
        self._file.start()

    def stop(self) -> None:
        """
        Ask nobody any more.
        """
        self._file.stop()
        while self._servers:
            self._servers.popitem()[1].stop()
        self._sets.clear()

    def change(self, policy: Policy) -> None:
        """
        Dispatch otherwise from now on; how the servers are stays known.
        """
        self.policy = policy
        for server in self._servers.values():
            server.change(policy)

    # Choosing

    def choose(
        self,
        call_id: str,
        user: str,
        *,
        set: int | None = None,
        by: DispatchBy | None = None,
    ) -> list[Endpoint]:
        """
        Give the servers to offer a new call to, one after the other.

        A call that was offered to one before goes there again, as long as it is not
        down, nor taken out by the operator.

        :param user: whose call it is.
        :param set: of the file; None: the lowest.
        :param by: None: as the policy says.
        :return: none if nobody is well.
        """
        members = self._members(set)
        candidates = self._candidates(members)
        match by or self.policy.by:
            case DispatchBy.CALLS:
                order = by_calls(candidates, call_id)
            case DispatchBy.USER:
                order = by_hash(candidates, user)
            case DispatchBy.CALL_ID:
                order = by_hash(candidates, call_id)
        pinned = self._pins.find(call_id)
        if pinned is not None and self._keeps(pinned, members):
            order = [pinned, *(each for each in order if each != pinned)]
        return order[:_OFFERS]

    def stands_for(self, server: Endpoint, dialogue: str) -> Endpoint | None:
        """
        Give the server for a dialogue: its own, or when that is gone any other.

        One that is not to get new calls keeps those that it has. Of the others it is
        always the same, one of its set first.

        :return: None if nobody is well.
        """
        own = self._servers.get(server)
        if own is not None and own.health.state is not State.DOWN:
            return server
        for members in self._sets.values():
            if server in members and (other := self._any(members, dialogue)):
                return other
        return self.any_for(dialogue)

    def instead_of(self, server: Endpoint, call_id: str) -> Endpoint | None:
        """
        Give who hears the answers that a server waited for which is gone.

        One that has been silent for a moment still waits for them: nobody else knows
        the call that rings there.

        :return: None if it is none of these servers, or is not gone, or nobody is well.
        """
        known = self._servers.get(server)
        if known is None or known.health.rank(self._clock()) is not None:
            return None
        return self.stands_for(server, call_id)

    def any_for(self, key: str) -> Endpoint | None:
        """
        Give some server for what is no new call, always the same for a key.

        :return: None if nobody is well.
        """
        found = (self._any(members, key) for members in self._sets.values())
        return next((each for each in found if each is not None), None)

    def __contains__(self, endpoint: object) -> bool:
        """
        Tell whether a server is in the file, whatever its priority.

        What one that is reached over TCP sends by itself may come over UDP.
        """
        if endpoint in self._servers:
            return True
        if not isinstance(endpoint, Endpoint) or endpoint.transport is Transport.TCP:
            return False
        twin = Endpoint(Transport.TCP, endpoint.host, endpoint.port)
        return endpoint.transport is Transport.UDP and twin in self._servers

    def lists(self, endpoint: Endpoint) -> bool:
        """
        Tell whether a line of the file has just this address.
        """
        return endpoint in self._servers

    # What calls tell of servers

    def offered(self, endpoint: Endpoint, call_id: str) -> None:
        """
        Hear that a call is offered to a server.
        """
        self._pins.put(call_id, endpoint)
        if (server := self._servers.get(endpoint)) is not None:
            server.load.offered()

    def heard(self, endpoint: Endpoint) -> None:
        """
        Hear that a server has answered a call, whatever it says.
        """
        if (server := self._servers.get(endpoint)) is not None:
            server.health.heard()

    def settled(self, endpoint: Endpoint) -> None:
        """
        Hear that a call that was offered has come to something.
        """
        if (server := self._servers.get(endpoint)) is not None:
            server.load.settled()

    def silent(self, endpoint: Endpoint) -> None:
        """
        Hear that a call had no answer in time.
        """
        if (server := self._servers.get(endpoint)) is not None:
            server.unheard()

    def unreachable(self, endpoint: Endpoint, why: str) -> None:
        """
        Hear that there was no way to bring a server a call.
        """
        if (server := self._servers.get(endpoint)) is not None:
            server.unreachable(why)

    # For people, and for whoever collects figures

    def table(self) -> list[dict[str, Any]]:
        """
        Give each server of each set, how it is, and why.
        """
        return [
            {
                "server": str(endpoint),
                "set": number,
                "priority": priority,
                **self._servers[endpoint].row(),
            }
            for number, members in self._sets.items()
            for endpoint, priority in members.items()
        ]

    def figures(self) -> Iterator[Figure]:
        """
        Give the figures of each server; there are no more than lines in the file.
        """
        for server in self._servers.values():
            name, health, load = str(server.endpoint), server.health, server.load
            is_up = health.state is State.UP
            yield gauge("dispatch_up", "Whether it is well.", is_up, server=name)
            yield gauge("dispatch_calls", "Calls it has.", load.calls, server=name)
            yield counter("dispatched", "Calls given to it.", load.given, server=name)
            yield counter(
                "dispatch_unanswered",
                "Calls that it has not answered in time.",
                server.unanswered,
                server=name,
            )
            if health.round_trip is not None:
                yield gauge(
                    "dispatch_round_trip",
                    "How long the last probe took.",
                    health.round_trip,
                    server=name,
                )

    def tables(self) -> dict[str, int]:
        """
        Count the calls that are remembered.
        """
        return {"dispatched": len(self._pins)}

    # Inside

    def _members(self, number: int | None) -> dict[Endpoint, int]:
        if number is None:
            return next(iter(self._sets.values()), {})
        return self._sets.get(number, {})

    def _candidates(
        self, members: dict[Endpoint, int], least: int = DRAIN + 1
    ) -> list[Candidate]:
        now = self._clock()
        ranks = {
            end: rank
            for end, priority in members.items()
            if priority >= least
            and (rank := self._servers[end].health.rank(now)) is not None
        }
        first = min(ranks.values(), default=0)
        return [
            Candidate(end, max(1, members[end]), self._servers[end].load.calls)
            for end, rank in ranks.items()
            if rank == first
        ]

    def _any(self, members: dict[Endpoint, int], key: str) -> Endpoint | None:
        # A dialogue is no new call: rather one that drains than nobody.
        able = self._candidates(members) or self._candidates(members, DRAIN)
        return next(iter(by_hash(able, key)), None)

    def _keeps(self, server: Endpoint, members: dict[Endpoint, int]) -> bool:
        if members.get(server, NEVER) == NEVER:
            return False
        return self._servers[server].health.state is not State.DOWN

    def _take(self, entries: Sequence[Entry]) -> None:
        sets: dict[int, dict[Endpoint, int]] = {}
        for entry in sorted(entries, key=lambda each: each.set):
            sets.setdefault(entry.set, {})[entry.endpoint] = entry.priority
        named = {entry.endpoint: None for entry in entries}  # in the order of the file
        for endpoint in [each for each in self._servers if each not in named]:
            self._servers.pop(endpoint).stop()
        new = [each for each in named if each not in self._servers]
        for endpoint in new:
            self._servers[endpoint] = self._make(endpoint)
        self._sets = sets
        for endpoint in new:
            self._servers[endpoint].start()

    def _make(self, endpoint: Endpoint) -> Server:
        return Server(self._reactor, endpoint, self.policy, self._clock, self._note)

    def _note(self, server: Server) -> None:
        endpoint, health = server.endpoint, server.health
        self._log.info(
            "The application server at {server} is {state}: {why}",
            server=str(endpoint),
            state=health.state.value,
            why=health.why,
        )
        self._changed(endpoint, health.state, health.why)
