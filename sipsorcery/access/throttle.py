"""
Guessing passwords, and what it costs: delay, then a lock that grows. Pure.

Failures are counted for a source together with the name that it tries, whether there is
such an account or not, and for a name alone. Whoever has got in keeps getting in: from
the same flow under every lock, from the same source under one of the name alone. So
nobody can lock another's phone out by failing in its name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

from sipsorcery.access.networks import source_of
from sipsorcery.access.recent import Recent
from sipsorcery.endpoint import Endpoint

_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleLimits:
    """
    How many failures there may be, and what follows.

    :ivar window: seconds for which failures count together.
    :ivar patience: failures of a source with one name; then each answer waits.
    :ivar delay: seconds that an answer waits.
    :ivar lock_after: failures of a source with one name that lock it.
    :ivar lock: seconds of the first lock; each further one is twice as long.
    :ivar longest_lock: seconds of the longest.
    :ivar strangers: failures with one name, of all sources that never got in, that lock
        the name for all of these.
    :ivar known: seconds for which it is remembered who got in.
    """

    window: float = 300.0
    patience: int = 10
    delay: float = 1.0
    lock_after: int = 30
    lock: float = 300.0
    longest_lock: float = 86_400.0
    strangers: int = 300
    known: float = 86_400.0


# Failing pairs that are remembered, and names, in some 35 MB. A source needs an address
# of its own for each few names, or the guard bans it.
_PAIRS = 50_000
# Who got in: every phone of a large site, in some 20 MB.
_KNOWN = 100_000


@dataclass(slots=True)
class _Count:
    since: float
    failures: int = 0
    locks: int = 0
    locked_until: float = 0.0


class Throttle:
    """
    Counts failures and says what follows.

    Times are seconds of one clock that does not go back.

    :param pairs: how many failing pairs of source and name are remembered, and names.
    :param known: how many who got in are remembered.
    """

    def __init__(
        self,
        limits: ThrottleLimits | None = None,
        *,
        pairs: int = _PAIRS,
        known: int = _KNOWN,
    ) -> None:
        self._limits = limits or ThrottleLimits()
        self._size = pairs
        # By source and name, and by name; what failed last stands last.
        self._pairs: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._names: OrderedDict[str, _Count] = OrderedDict()
        # When somebody got in last, by flow and by source, each with the name.
        # Of what they are found by the hash is enough: 64 bits, which nobody outside
        # this process can compute, and a third of the memory.
        self._flows: Recent[int, float] = Recent(known)
        self._sources: Recent[int, float] = Recent(known)

    def locked_for(self, remote: Endpoint, name: str, now: float) -> float:
        """
        Tell for how many seconds nobody looks at credentials from there; 0: now.

        :param remote: where the request came from.
        :param name: the address of the account that is claimed, as spelled by whoever
            calls: always the same for the same account.
        """
        if not self._pairs and not self._names:
            return 0.0
        if self._is_known(self._flows, (remote, name), now):
            return 0.0
        source = source_of(remote.host)
        pair = self._pairs.get((source, name))
        locked = 0.0 if pair is None else pair.locked_until - now
        count = self._names.get(name)
        if count is not None and not self._is_known(self._sources, (source, name), now):
            locked = max(locked, count.locked_until - now)
        return max(locked, 0.0)

    def failed(self, remote: Endpoint, name: str, now: float) -> float:
        """
        Count a failure.

        :return: seconds for which the answer shall wait.
        """
        limits, source = self._limits, source_of(remote.host)
        pair = self._count(self._pairs, (source, name), now)
        if pair.failures >= limits.lock_after:
            length = min(limits.lock * 2.0**pair.locks, limits.longest_lock)
            pair.locked_until = now + length
            pair.locks = min(pair.locks + 1, 64)  # beyond that no float grows
            pair.failures = 0
        if not self._is_known(self._sources, (source, name), now):
            count = self._count(self._names, name, now)
            if count.failures >= limits.strangers:
                # Not longer each time: who has a new phone is a stranger, too.
                count.locked_until = now + limits.lock
                count.failures = 0
        is_late = pair.failures >= limits.patience or pair.locked_until > now
        return limits.delay if is_late else 0.0

    def is_locked(self, remote: Endpoint, name: str, now: float) -> bool:
        """
        Tell whether a source has been locked for failing with a name itself.
        """
        pair = self._pairs.get((source_of(remote.host), name))
        return pair is not None and pair.locked_until > now

    def succeeded(self, remote: Endpoint, name: str, now: float) -> None:
        """
        Remember who got in, and forget their failures.
        """
        source = source_of(remote.host)
        self._flows.note(hash((remote, name)), now)
        self._sources.note(hash((source, name)), now)
        pair = self._pairs.get((source, name))
        # A lock stays: the flow is free of it, others of the same source are not.
        if pair is not None and pair.locked_until <= now:
            del self._pairs[source, name]

    def _is_known(self, table: Recent[int, float], key: Hashable, now: float) -> bool:
        then = table.get(hash(key))
        return then is not None and now - then < self._limits.known

    def _count(self, table: OrderedDict[_K, _Count], key: _K, now: float) -> _Count:
        count = table.get(key)
        if count is None:
            count = table[key] = _Count(now)
            if len(table) > self._size:
                table.popitem(last=False)
        else:
            table.move_to_end(key)
        if now - count.since >= self._limits.window:
            count.since, count.failures = now, 0
            # A day of peace after the last lock, and the next one is short again.
            if now - count.locked_until >= self._limits.longest_lock:
                count.locks = 0
        count.failures += 1
        return count
