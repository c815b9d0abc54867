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
    from being served.

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
        self._threads.stop()
        pool, self._pool = self._pool, None
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
        share = self._share
        return next(
            (owner for owner in self._queues if self._running[owner] < share), None
        )

    def _begin(self, owner: str, work: Callable[[Monty], T], done: Deferred[T]) -> None:
        if done.called:
            return  # nobody waits for it any more
        self._running[owner] += 1
        running: Deferred[T] = maybeDeferred(self._threads.run, work, self._pool)
        running.addBoth(self._end, owner)
        running.addCallbacks(
            lambda result: None if done.called else done.callback(result),
            lambda failure: None if done.called else done.errback(failure),
        )

    def _end(self, result: T, owner: str) -> T:
        self._running[owner] -= 1
        if not self._running[owner]:
            del self._running[owner]
        self._serve()
        return result


def _ask_launcher() -> tuple[str, ...]:
    asked = subprocess.run(  # the program is ours
        [LAUNCHER, REPORT], capture_output=True, check=True, timeout=_REPORT_TIME
    )
    return tuple(asked.stdout.decode().splitlines())
