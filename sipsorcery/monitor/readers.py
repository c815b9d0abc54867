"""
Those who follow events live: each with a queue that is bounded. Pure.

An event is looked up by its owner first, so a filter runs only over what its viewer may
see, and a thousand users cost no more than the few whom an event concerns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sipsorcery.monitor.event import Event
from sipsorcery.monitor.filter.filter import Filter

# Events that wait for one reader: some seconds of a busy user, and at a few kilobytes
# each what two hundred slow readers may hold without harm.
_WAITING = 1000


class Reader:
    """
    One who follows.

    :param waits: is called when something waits, once until all is taken.
    :ivar wanted: says who looks, and for what.
    :ivar missed: events that did not fit since `take` was called last.
    """

    def __init__(
        self,
        wanted: Filter,
        waiting: int = _WAITING,
        waits: Callable[[], object] = lambda: None,
    ) -> None:
        self.wanted = wanted
        self._waits = waits
        self.missed = 0
        self._queue: deque[Event] = deque(maxlen=waiting)

    def offer(self, event: Event) -> None:
        """
        Keep an event that matches; the oldest goes if there is no room.
        """
        if not self.wanted.matches(event):
            return
        if len(self._queue) == self._queue.maxlen:
            self.missed += 1
        self._queue.append(event)
        if len(self._queue) == 1:
            self._waits()

    def take(self, limit: int = 100) -> tuple[int, list[Event]]:
        """
        Give how many events are missing, and those that come then.
        """
        missed, self.missed = self.missed, 0
        count = min(limit, len(self._queue))
        return missed, [self._queue.popleft() for _ in range(count)]


class Readers:
    """
    All who follow, by whose events they may see.
    """

    def __init__(self) -> None:
        self._of_user: dict[str, dict[Reader, None]] = {}
        self._admins: dict[Reader, None] = {}

    def __len__(self) -> int:
        return len(self._admins) + sum(map(len, self._of_user.values()))

    def add(self, reader: Reader) -> None:
        """
        Let somebody follow.
        """
        viewer = reader.wanted.viewer
        if viewer.is_admin:
            self._admins[reader] = None
        else:
            self._of_user.setdefault(viewer.user, {})[reader] = None

    def remove(self, reader: Reader) -> None:
        """
        Let somebody follow no longer.
        """
        viewer = reader.wanted.viewer
        self._admins.pop(reader, None)
        readers = self._of_user.get(viewer.user, {})
        readers.pop(reader, None)
        if not readers:
            self._of_user.pop(viewer.user, None)

    def offer(self, event: Event) -> None:
        """
        Give an event to all who want it.
        """
        self.offer_late(event)
        for reader in self._admins:
            reader.offer(event)

    def offer_late(self, event: Event) -> None:
        """
        Give an event to its owner, who is known only now: the others have had it.
        """
        for reader in self._of_user.get(event.owner, ()):
            reader.offer(event)
