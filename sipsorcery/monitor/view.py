"""
What those see of events who look: consoles, commands, pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from sipsorcery.monitor.errors import NoSuchCall
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.keeping import Keeping
from sipsorcery.monitor.readers import Reader, Readers
from sipsorcery.monitor.window import CallStory, Page, Query

# Events of one reading: a page of a patient reader.
_MAX_PAGE = 1000


class Following:
    """
    Somebody's place in the stream of events.
    """

    _log = Logger()

    def __init__(self, view: View, wanted: Filter, wake: Callable[[], object]) -> None:
        self._view = view
        self._wake: Callable[[], object] | None = wake
        self.reader = Reader(wanted, waits=lambda: view.wake_soon(self))

    def take(self, limit: int = 100) -> tuple[int, list[Event]]:
        """
        Give how many events are missing, and those that come then.

        Whoever was woken takes until there is nothing more.
        """
        return self.reader.take(limit)

    def stop(self) -> None:
        """
        Follow no longer.
        """
        self._wake = None
        self._view.forget(self)

    def wake(self) -> None:
        """
        Tell that something waits.
        """
        if self._wake is None:
            return
        try:
            self._wake()
        except Exception:
            self._log.failure("Whoever follows cannot be woken")


class View:
    """
    Shows each viewer what is theirs: of what has been, and of what comes.

    :param reactor: has time.
    """

    def __init__(self, reactor: Any, keeping: Keeping, readers: Readers) -> None:
        self._reactor = reactor
        self._keeping = keeping
        self._readers = readers
        self._woken: dict[Following, None] = {}

    async def read(
        self,
        wanted: Filter,
        cursor: int = 0,
        query: Query | None = None,
        limit: int = 100,
    ) -> Page:
        """
        Give events after a cursor.

        :param limit: 1000 at most.
        :raises WindowUnavailable: if the window cannot be read now.
        """
        limit = min(limit, _MAX_PAGE)
        return await self._keeping.use(
            lambda window: window.read(wanted, cursor, query, limit)
        )

    async def end(self, wanted: Filter) -> int:
        """
        Give the cursor of somebody who wants what is new from now on.

        :raises WindowUnavailable: if the window cannot be read now.
        """
        return await self._keeping.use(lambda window: window.end(wanted))

    async def call(self, viewer: Viewer, call: str) -> CallStory:
        """
        Give all that there is of a call: the messages and steps of all legs.

        :param call: our identifier, or the Call-ID of a leg.
        :raises NoSuchCall: if there is nothing that the viewer may see.
        :raises WindowUnavailable: if the window cannot be read now.
        """
        story = await self._keeping.use(lambda window: window.call(viewer, call))
        if not story.events:
            raise NoSuchCall(f"there is no call {call[:100]!r}")
        return story

    def follow(self, wanted: Filter, wake: Callable[[], object]) -> Following:
        """
        Follow what comes from now on.

        :param wake: is called in a later turn when something waits, and again when
            something waits after all was taken.
        """
        following = Following(self, wanted, wake)
        self._readers.add(following.reader)
        return following

    # For those who follow

    def forget(self, following: Following) -> None:
        """
        Let somebody follow no longer.
        """
        self._readers.remove(following.reader)

    def wake_soon(self, following: Following) -> None:
        """
        Tell somebody, in a later turn, that something waits.
        """
        # One turn for all of them: a thousand timers would cost more than the events.
        if not self._woken:
            self._reactor.callLater(0, self._wake)
        self._woken[following] = None

    def _wake(self) -> None:
        woken, self._woken = self._woken, {}
        for following in woken:
            following.wake()
