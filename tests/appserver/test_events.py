"""
Tests for `sipsorcery.appserver.events`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.events import Events
from sipsorcery.monitor.event import EventKind
from sipsorcery.testing.bus import RecordingBus


class EventsTests(SynchronousTestCase):
    """
    What is told of a call.
    """

    def test_credentials(self) -> None:
        """
        What a dialplan says of a password does not leave the server.
        """
        bus = RecordingBus()
        Events(bus).emit(
            EventKind.DIALPLAN_STEP,
            "dials sip:joe:secret@example.com",
            call="1",
            call_id="a",
            owner="joe",
            to="sip:joe:secret@example.com",
        )
        (event,) = bus.events
        self.assertEqual(event.message, "dials sip:joe:***@example.com")
        self.assertEqual(event.detail, {"call": "1", "to": "sip:joe:***@example.com"})
