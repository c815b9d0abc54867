"""
The worker processes of dialplans in Python, shared fairly by their owners.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic_monty import Monty, ResourceLimits
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.appserver.errors import EngineOverloaded
from sipsorcery.appserver.python.launcher import REPORT
from sipsorcery.store.threads import PooledThreads, Threads

T = TypeVar("T")

#: What becomes a worker, once it has given its rights away.
LAUNCHER = Path(sysconfig.get_path("scripts")) / "sipsorcery-sandbox"

# Turns that wait for a worker, and those of one owner. A turn takes half a millisecond,
# and a second at the very worst.
_WAITING = 2000
_WAITING_OF_OWNER = 200
# The part of its time after which a turn is a long one, a hundred times what most take;
# and how many times as long its owner rests then. Whoever has nothing but endless loops
# has a fifth of their share.
_LONG = 0.2
_REST = 4
# Seconds that a worker has beyond the limit of a turn before it is killed.
_GRACE = 1.0
# Turns after which a worker is replaced: what it may have leaked goes with it.
_TURNS_OF_WORKER = 100_000
# Seconds that the launcher has to say what it can do.
_REPORT_TIME = 10


class Workers:
    """
    Runs turns in worker processes.

    The turns of one owner are taken in their order, those of several in turn; and one
    owner has at most half of the workers, so that endless loops of one keep nobody else
    from being served. After a turn that was long the owner rests, and leaves the cores
    to others.

    :param reactor: has the time; None: nobody rests.
    :param size: how many processes; 0: as many as there are cores, at least two.
    :param turn_seconds: of processor time and of the clock for one turn.
    :param memory: bytes that a dialplan may use.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        size: int = 0,
        turn_seconds: float = 1.0,
        memory: int = 64 * 1024 * 1024,
        threads: Threads | None = None,
    ) -> None:
        self.size = size or max(2, os.cpu_count() or 1)
        self.limits: ResourceLimits = {
            "max_memory": memory,
            "max_turn_duration_secs": turn_seconds,
        }
        self._share = max(1, self.size // 2)
        self._reactor = reactor
        self._long = turn_seconds * _LONG
        # No more than end a long turn within the time of a rest.
        self._resting: dict[str, IDelayedCall] = {}
        self._threads = threads or PooledThreads(
            reactor, "dialplans", size=self.size, waiting=0
        )
        self._patience = turn_seconds + _GRACE
        self._pool: Monty | None = None
        self._queues: dict[str, deque[Callable[[], None]]] = {}
        self._waiting = 0
        self._running: Counter[str] = Counter()

    def start(self) -> None:
        """
        Start the worker processes.
        """
        self._threads.start()
        self._pool = Monty(
            binary_path=LAUNCHER,
            min_processes=self.size,
            max_processes=self.size,
            request_timeout=self._patience,
            max_checkouts_per_worker=_TURNS_OF_WORKER,
        ).__enter__()

    def confinement(self) -> Deferred[tuple[str, ...]]:
        """
        Tell what keeps a worker from the system, beside the interpreter.
        """
        return self._threads.run(_ask_launcher)

    def stop(self) -> None:
        """
        End them, and forget what waits.
        """
        self._queues.clear()
        self._waiting = 0
        for resting in self._resting.values():
            resting.cancel()
        self._resting.clear()
        pool, self._pool = self._pool, None
        self._threads.stop()
        if pool is not None:
            pool.__exit__(None, None, None)

    def run(self, owner: str, work: Callable[[Monty], T]) -> Deferred[T]:
        """
        Give *work* a worker as soon as it is the owner's turn.

        A Deferred that is cancelled before that takes no worker.

        :raises EngineOverloaded: through the Deferred, if too much waits already.
        """
        done: Deferred[T] = Deferred()
        queue = self._queues.get(owner) or deque()
        if self._waiting >= _WAITING or len(queue) >= _WAITING_OF_OWNER:
            done.errback(EngineOverloaded("too many dialplans wait for their turn"))
            return done
        self._queues[owner] = queue
        queue.append(lambda: self._begin(owner, work, done))
        self._waiting += 1
        self._serve()
        return done

    def _serve(self) -> None:
        """
        Begin what can be begun, one turn of each owner after the other.
        """
        while self._running.total() < self.size:
            owner = self._next()
            if owner is None:
                return
            queue = self._queues.pop(owner)
            self._waiting -= 1
            begin = queue.popleft()
            if queue:
                self._queues[owner] = queue  # behind all others
            begin()

    def _next(self) -> str | None:
        """
        Give the owner who has waited longest and may have one more worker.
        """
        share, resting = self._share, self._resting
        return next(
            (
                owner
                for owner in self._queues
                if self._running[owner] < share and owner not in resting
            ),
            None,
        )

    def _begin(self, owner: str, work: Callable[[Monty], T], done: Deferred[T]) -> None:
        if done.called:
            return  # nobody waits for it any more
        self._running[owner] += 1
        took: list[float] = []  # there, and not how long the reactor has had no time

        def take(pool: Monty) -> T:
            begun = self._now()
            try:
                return work(pool)
            finally:
                took.append(self._now() - begun)

        running: Deferred[T] = maybeDeferred(self._threads.run, take, self._pool)
        running.addBoth(self._end, owner, took)
        running.addCallbacks(
            lambda result: None if done.called else done.callback(result),
            lambda failure: None if done.called else done.errback(failure),
        )

    def _now(self) -> float:
        return 0.0 if self._reactor is None else float(self._reactor.seconds())

    def _end(self, result: T, owner: str, took: list[float]) -> T:
        longest = max(took, default=0.0)
        if longest > self._long and self._pool is not None:
            self._rest(owner, longest * _REST)
        self._running[owner] -= 1
        if not self._running[owner]:
            del self._running[owner]
        self._serve()
        return result

    def _rest(self, owner: str, seconds: float) -> None:
        """
        Let an owner begin nothing for a while.
        """
        before = self._resting.pop(owner, None)
        if before is not None:
            before.cancel()
        self._resting[owner] = self._reactor.callLater(seconds, self._rested, owner)

    def _rested(self, owner: str) -> None:
        del self._resting[owner]
        self._serve()


def _ask_launcher() -> tuple[str, ...]:
    asked = subprocess.run(  # the program is ours
        [LAUNCHER, REPORT], capture_output=True, check=True, timeout=_REPORT_TIME
    )
    return tuple(asked.stdout.decode().splitlines())
