"""
Changes on their way to the disk: all that wait share one commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.store.errors import StoreOverloaded, StoreUnavailable
from sipsorcery.store.live.record import Record
from sipsorcery.store.live.table import Removal, write_batch
from sipsorcery.store.threads import Threads

_T = TypeVar("_T")

# Seconds after which a disk that refused a batch is tried again: soon enough that who
# waits 2 seconds sees it come back, seldom enough to cost nothing.
_RETRY = 0.5

_Changes: TypeAlias = dict[tuple[str, str], Record | Removal]


class GroupCommit:
    """
    Writes changes in batches, one batch at a time, in a thread.

    While one batch is written, the next gathers. Of several changes to one record only
    the last is written. A batch that the disk refuses is not given up: it is merged
    into the next one, and who waits for it is told when its time is over.

    :param write: writes a batch, all or nothing, in a thread.
    :param timeout: seconds that somebody waits at most.
    :param limit: how many may wait, and how many records may be unsaved.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        threads: Threads,
        write: Callable[[str], None],
        *,
        timeout: float,
        limit: int,
    ) -> None:
        self._reactor = reactor
        self._threads = threads
        self._write = write
        self._timeout = timeout
        self._limit = limit
        self._changes: _Changes = {}
        self._groups: list[_Group] = []
        self._gathering: _Group | None = None  # the last of _groups, if it still grows
        self._waiting = 0  # callers in all groups
        self._is_writing = False
        self._is_away = False
        self._is_stopped = False
        self._start: IDelayedCall | None = None
        self._idle: list[Deferred[None]] = []

    def add(self, change: Record | Removal, result: _T) -> Deferred[_T]:
        """
        Write a change.

        :return: gives *result* when the change is stored.
        :raises StoreOverloaded: if too much waits already.
        """
        name = (change.kind, change.key)
        if self._waiting >= self._limit or (
            len(self._changes) >= self._limit and name not in self._changes
        ):
            raise StoreOverloaded(f"{self._waiting} changes wait for the disk already")
        self._changes[name] = change
        group = self._gathering
        if group is None:
            group = self._gathering = _Group()
            group.timer = self._reactor.callLater(self._timeout, self._give_up, group)
            self._groups.append(group)
        answer: Deferred[_T] = Deferred()
        group.answers.append((answer, result))
        self._waiting += 1
        if not self._is_writing and self._start is None:
            # Not at once: what else this turn of the reactor brings comes along.
            self._start = self._reactor.callLater(0, self._begin)
        return answer

    def finish(self) -> Deferred[None]:
        """
        Wait until everything is written.

        :raises TimeoutError: through the Deferred, if the disk does not let it.
        """
        if not self._changes and not self._is_writing:
            return succeed(None)
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        return idle.addTimeout(self._timeout, self._reactor)

    def stop(self) -> None:
        """
        Begin no further batch, and tell who still waits.
        """
        self._is_stopped = True
        if self._start is not None:
            self._start.cancel()
            self._start = None
        for group in list(self._groups):
            self._give_up(group)

    def _begin(self) -> None:
        self._start = None
        self._is_writing = True
        changes, self._changes = self._changes, {}
        groups, self._groups = self._groups, []
        self._gathering = None
        written = self._threads.run(self._write, write_batch(changes.values()))
        written.addCallbacks(
            self._written,
            self._refused,
            callbackArgs=(groups,),
            errbackArgs=(changes, groups),
        )
        written.addErrback(self._failed)

    def _written(self, _: object, groups: list[_Group]) -> None:
        self._is_writing = False
        if self._is_away:
            self._is_away = False
            self._log.info("The live state is written again")
        if self._changes and not self._is_stopped:
            self._begin()  # before the answers, so that the disk works beside them
        for group in groups:
            for answer, result in self._take(group):
                answer.callback(result)
        if not self._changes and not self._is_writing:
            idle, self._idle = self._idle, []
            for each in idle:
                each.callback(None)

    def _refused(
        self, failure: Failure, changes: _Changes, groups: list[_Group]
    ) -> None:
        self._is_writing = False
        if not self._is_away:
            self._is_away = True
            self._log.failure(
                "The live state cannot be written, and is kept in memory until it can",
                failure,
            )
        self._changes = {**changes, **self._changes}
        self._groups = groups + self._groups
        if self._is_stopped:
            self.stop()
            return
        self._start = self._reactor.callLater(_RETRY, self._begin)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("Whoever waited for the live state has failed", failure)

    def _give_up(self, group: _Group) -> None:
        if group is self._gathering:
            self._gathering = None
        for answer, _ in self._take(group):
            answer.errback(
                StoreUnavailable(f"the disk has not written it in {self._timeout} s")
            )

    def _take(self, group: _Group) -> list[tuple[Deferred[Any], Any]]:
        answers, group.answers = group.answers, []
        self._waiting -= len(answers)
        if group.timer is not None and group.timer.active():
            group.timer.cancel()
        return answers


class _Group:
    """
    Callers that wait since about the same time.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[Deferred[Any], Any]] = []
        self.timer: IDelayedCall | None = None
