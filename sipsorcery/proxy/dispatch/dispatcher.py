"""
The application servers of a dispatch file, and which of them gets a call.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.config import Config, DispatchBy, DispatchProbe
from sipsorcery.dispatch.choice import Candidate, by_calls, by_hash
from sipsorcery.dispatch.file import DRAIN, Entry, Listing, read
from sipsorcery.dispatch.health import Health, State
from sipsorcery.dispatch.probing import Probe
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.response import Response
from sipsorcery.store.files import version_of

# Seconds between two looks at the file.
_LOOK = 0.5
# A part of the interval by which each probe comes sooner or later, so that those of
# several proxies do not fall together.
_JITTER = 0.1
# Servers that a call is offered to, one after the other: who has waited for so many
# waits for no further one.
_OFFERS = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """
    How calls are dispatched.

    :ivar interval: seconds between two probes of a server.
    :ivar patience: seconds without any answer after which a new call goes on to the
        next server.
    """

    by: DispatchBy = DispatchBy.CALL_ID
    probe: DispatchProbe = DispatchProbe.OPTIONS
    interval: float = 0.5
    patience: float = 1.0

    @classmethod
    def of_config(cls, config: Config) -> Policy:
        """
        Take what the configuration says.
        """
        proxy = config.proxy
        return cls(
            proxy.dispatch_by,
            proxy.dispatch_probe,
            proxy.dispatch_interval,
            proxy.dispatch_patience,
        )


@dataclass(slots=True)
class _Server:
    entry: Entry
    health: Health
    probe: Probe
    calls: int = 0  # that are being set up
    timer: IDelayedCall | None = None
    sent: float | None = None  # the probe that has no answer yet, by the reactor


class Dispatcher:
    """
    Reads the file, and again when it changes; asks who is well; and chooses.

    :param reactor: has UDP and time.
    :param file: need not be there yet; one that cannot be used, or that names nobody,
        never replaces what was known before.
    :param clock: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        file: Path,
        policy: Policy = Policy(),  # frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.policy = policy
        self._reactor = reactor
        self._file = file
        self._clock = clock
        self._seen: object = None
        self._servers: dict[Endpoint, _Server] = {}
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor

    def start(self) -> None:
        """
        Read the file, and begin to ask.
        """
        self._looking.start(_LOOK)

    def stop(self) -> None:
        """
        Ask nobody any more.
        """
        if self._looking.running:
            self._looking.stop()
        for endpoint in list(self._servers):
            self._remove(endpoint)

    def change(self, policy: Policy) -> None:
        """
        Dispatch otherwise from now on; how the servers are stays known.
        """
        before, self.policy = self.policy, policy
        if policy.probe is before.probe:
            return
        for endpoint, server in self._servers.items():
            server.probe.stop()
            server.probe = Probe(self._reactor, endpoint, policy.probe, self)
            server.sent = None  # nobody waits for the answer to the last one

    # Choosing

    def choose(self, call_id: str, user: str) -> list[Endpoint]:
        """
        Give the servers to offer a new call to, one after the other.

        :param user: whose call it is.
        :return: none if nobody is well.
        """
        able = self._able(State.UP) or self._able(State.NEW)
        candidates = [
            Candidate(each.entry.endpoint, each.entry.priority, each.calls)
            for each in able
        ]
        match self.policy.by:
            case DispatchBy.CALLS:
                order = by_calls(candidates, call_id)
            case DispatchBy.USER:
                order = by_hash(candidates, user)
            case DispatchBy.CALL_ID:
                order = by_hash(candidates, call_id)
        return order[:_OFFERS]

    def stands_for(self, server: Endpoint, dialogue: str) -> Endpoint | None:
        """
        Give the server for a dialogue: its own, or when that is gone any other.

        One that is not to get new calls keeps those that it has.

        :return: None if nobody is well.
        """
        own = self._servers.get(server)
        if own is not None and own.health.state is not State.DOWN:
            return server
        others = self.choose(dialogue, dialogue)
        return others[0] if others else None

    def instead_of(self, server: Endpoint, call_id: str) -> Endpoint | None:
        """
        Give who hears the answers that a server waited for which is gone.

        :return: None if it is none of these servers, or is not gone, or nobody is well.
        """
        known = self._servers.get(server)
        if known is None or known.health.state is not State.DOWN:
            return None
        return next(iter(self.choose(call_id, call_id)), None)

    def __contains__(self, endpoint: object) -> bool:
        """
        Tell whether a server is in the file, whatever its priority.
        """
        return endpoint in self._servers

    # What calls tell of servers

    def offered(self, endpoint: Endpoint) -> None:
        """
        Hear that a call is offered to a server.
        """
        if endpoint in self._servers:
            self._servers[endpoint].calls += 1

    def settled(self, endpoint: Endpoint) -> None:
        """
        Hear that a call that was offered has come to something.
        """
        if endpoint in self._servers:
            server = self._servers[endpoint]
            server.calls = max(0, server.calls - 1)

    def silent(self, endpoint: Endpoint) -> None:
        """
        Hear that a call had no answer in time.
        """
        server = self._servers.get(endpoint)
        if server is not None:
            self._note(server, server.health.missed(self._clock(), "a call: no answer"))

    # What probes tell of them

    def answered(self, endpoint: Endpoint, response: Response) -> None:
        """
        Take the answer to a probe.
        """
        server = self._servers.get(endpoint)
        if server is None or server.sent is None:
            return
        took, server.sent = self._reactor.seconds() - server.sent, None
        told, now = f"{response.status} {response.reason}", self._clock()
        if server.probe.is_healthy(response):
            self._note(server, server.health.answered(now, told, took))
        else:
            self._note(server, server.health.unwell(now, told))

    def refused(self, endpoint: Endpoint) -> None:
        """
        Hear that nobody listens there.
        """
        server = self._servers.get(endpoint)
        if server is not None:
            server.sent = None
            why = "nobody listens there"
            self._note(server, server.health.refused(self._clock(), why))

    # For people

    def table(self) -> list[dict[str, Any]]:
        """
        Give each server, how it is, and why.
        """
        return [self._row(each) for each in self._servers.values()]

    def _row(self, server: _Server) -> dict[str, Any]:
        health, due = server.health, None
        if server.timer is not None and server.timer.active():
            due = server.timer.getTime() - self._reactor.seconds()
        return {
            "server": str(server.entry.endpoint),
            "priority": server.entry.priority,
            "state": health.state.value,
            "since": health.since,
            "why": health.why,
            "calls": server.calls,
            "asked_at": health.asked_at,
            "answered_at": health.answered_at,
            "answer": health.answer,
            "round_trip": health.round_trip,
            "next_probe": due,
        }

    # Inside

    def _able(self, state: State) -> list[_Server]:
        return [
            each
            for each in self._servers.values()
            if each.entry.priority > DRAIN and each.health.state is state
        ]

    def _note(self, server: _Server, changed: bool) -> None:
        if changed:
            self._log.info(
                "The application server at {server} is {state}: {why}",
                server=str(server.entry.endpoint),
                state=server.health.state.value,
                why=server.health.why,
            )

    def _look(self) -> None:
        state = version_of(self._file)
        if state == self._seen:
            return
        self._seen = state
        try:
            listing = read(self._file)
        except (OSError, ValueError) as error:
            self._log.error(
                "The dispatch file '{file}' cannot be used, and what was known stays: "
                "{error}",
                file=str(self._file),
                error=error,
            )
            return
        for fault in self._faults(listing):
            self._log.error("'{file}', {fault}", file=str(self._file), fault=fault)
        entries = [e for e in listing.entries if e.endpoint.transport is Transport.UDP]
        if not entries:
            self._log.error(
                "The dispatch file '{file}' names no server; those before stay",
                file=str(self._file),
            )
            return
        self._take(entries)

    def _faults(self, listing: Listing) -> Iterator[str]:
        yield from map(str, listing.faults)
        for entry in listing.entries:
            if entry.endpoint.transport is not Transport.UDP:
                yield f"{entry.endpoint}: the way inside is UDP"

    def _take(self, entries: list[Entry]) -> None:
        named = {entry.endpoint for entry in entries}
        for endpoint in [each for each in self._servers if each not in named]:
            self._remove(endpoint)
        for entry in entries:
            known = self._servers.get(entry.endpoint)
            if known is not None:
                known.entry = entry
            else:
                self._add(entry)
        self._log.info(
            "{count} application servers in '{file}'",
            count=len(entries),
            file=str(self._file),
        )

    def _add(self, entry: Entry) -> None:
        probe = Probe(self._reactor, entry.endpoint, self.policy.probe, self)
        server = _Server(entry, Health(self._clock()), probe)
        self._servers[entry.endpoint] = server
        self._ask(server)

    def _remove(self, endpoint: Endpoint) -> None:
        server = self._servers.pop(endpoint)
        if server.timer is not None and server.timer.active():
            server.timer.cancel()
        server.probe.stop()

    def _ask(self, server: _Server) -> None:
        if server.sent is not None:
            health = server.health
            self._note(server, health.missed(self._clock(), "a probe: no answer"))
        delay = self.policy.interval * random.uniform(1 - _JITTER, 1 + _JITTER)
        server.timer = self._reactor.callLater(delay, self._ask, server)
        server.sent = self._reactor.seconds()
        server.health.asked(self._clock())
        server.probe.ask()
