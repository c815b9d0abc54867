"""
A bus for tests: it delivers nothing and remembers everything.
"""

from __future__ import annotations

from collections.abc import Collection

from sipsorcery.monitor.bus import Callback, Subscription
from sipsorcery.monitor.event import Event, EventKind


class RecordingBus:
    """
    Takes every event.

    :ivar events: those emitted, first to last.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def kinds(self) -> list[EventKind]:
        """
        Give the kinds of the events, first to last.
        """
        return [event.kind for event in self.events]

    @property
    def dropped(self) -> int:
        """
        Nothing ever is.
        """
        return 0

    @property
    def here(self) -> RecordingBus:
        """
        Itself.
        """
        return self

    def wants(self, kind: EventKind) -> bool:
        """
        Tell that every kind is wanted.
        """
        return True

    def emit(self, event: Event) -> None:
        """
        Remember an event, and hand it to nobody.
        """
        self.events.append(event)

    def subscribe(
        self, callback: Callback, kinds: Collection[EventKind] | None = None
    ) -> Subscription:
        """
        Refuse: who needs events delivered takes a `LocalBus` and a `Clock`.
        """
        raise NotImplementedError("a RecordingBus delivers nothing")
