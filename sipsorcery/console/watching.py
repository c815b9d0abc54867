"""
Watching events as they come.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable

from twisted.internet.defer import Deferred

from sipsorcery.console.errors import Refused, WrongUsage
from sipsorcery.console.events import about_of, lines_of
from sipsorcery.console.screen import Screen
from sipsorcery.console.seats import Seat
from sipsorcery.console.words import Typed
from sipsorcery.monitor.errors import FilterError, WindowUnavailable
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.filter.filter import Filter
from sipsorcery.monitor.json_form import to_json
from sipsorcery.monitor.style import Style
from sipsorcery.monitor.view import View

# Events that are written in one go: some 50 kB of text, or 500 kB of traces.
_AT_ONCE = 250
# Of events that were read from the window, those that may come again as new.
_OVERLAP = 1000


class Watch:
    """
    One who watches.

    :param now: seconds since the epoch.
    :raises WrongUsage: if what was typed is no filter.
    """

    def __init__(
        self, view: View, seat: Seat, typed: Typed, screen: Screen, now: float
    ) -> None:
        self._view = view
        self._screen = screen
        self._as_json = typed.as_json
        self._shows_owner = seat.viewer.is_admin
        self._traced = seat.traced
        try:
            self._wanted = Filter.parse(typed.rest, seat.viewer, now=now)
        except FilterError as error:
            place = typed.position + error.position
            raise WrongUsage(error.text, place) from None
        self._followed = self._wanted
        if seat.traced is not None:
            either = f"({typed.rest or 'event *'}) or event full"
            self._followed = Filter.parse(either, seat.viewer, now=now)
        self._looks_back = "since" in typed.rest.lower().split()
        self._missed = 0
        # Something may come while the reader is waited for.
        self._is_woken = False
        self._waiting: Deferred[None] | None = None

    async def run(self) -> None:
        """
        Show events until somebody ends it.
        """
        following = self._view.follow(self._followed, self._wake)
        try:
            seen = await self._past() if self._looks_back else deque()
            while True:
                self._is_woken = False
                missed, events = following.take(_AT_ONCE)
                fresh = [event for event in events if event not in seen]
                self._show(missed, fresh)
                # Whoever does not read is waited for here; what they miss is counted.
                await self._screen.room()
                if not events and not self._is_woken:
                    seen.clear()
                    self._waiting = Deferred()
                    await self._waiting
        finally:
            following.stop()

    async def _past(self) -> deque[Event]:
        """
        Show what has been; give the last of it.
        """
        seen: deque[Event] = deque(maxlen=_OVERLAP)
        cursor, is_last = 0, False
        while not is_last:
            try:
                page = await self._view.read(self._followed, cursor)
            except WindowUnavailable as error:
                raise Refused(str(error)) from error
            self._show(0, page.events)
            seen.extend(page.events)
            cursor, is_last = page.cursor, page.is_last
            await self._screen.room()
        return seen

    def _wake(self) -> None:
        self._is_woken = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(None)

    def _show(self, missed: int, events: Iterable[Event]) -> None:
        shown = filter(self._is_wanted, events)
        if self._as_json:
            lines = [json.dumps(to_json(event)) for event in shown]
            if missed:
                lines.insert(0, json.dumps({"missed": missed}))
        else:
            lines = [line for event in shown for line in self._lines(event)]
            if missed:
                self._missed += missed
                text = f"-- {missed} events missed, {self._missed} in all --"
                lines.insert(0, self._screen.palette.put(Style.YELLOW, text))
        self._screen.lines(lines)

    def _lines(self, event: Event) -> Iterable[str]:
        palette = self._screen.palette
        return lines_of(event, palette, shows_owner=self._shows_owner)

    def _is_wanted(self, event: Event) -> bool:
        if not self._traced or event.trace is None or self._wanted.matches(event):
            return True
        return about_of(event).removeprefix("sip:") == self._traced
