"""
Tests for `sipsorcery.monitor.event`.
"""

from __future__ import annotations

import re

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace

HERE = Endpoint.parse("udp:192.0.2.1:5060")
THERE = Endpoint.parse("tls:[2001:db8::1]:5061")


class EventTests(SynchronousTestCase):
    """
    Events as values.
    """

    def test_round_trip(self) -> None:
        """
        An event comes out of JSON as it went in, the bytes of a trace included: events
        travel between processes.
        """
        event = Event(
            time=1.5,
            server="proxy",
            kind=EventKind.SIP_TRACE,
            owner="joe",
            call_id="a84b4c",
            dialogue="17",
            remote=THERE,
            message="received from a phone",
            detail={"branch": "z9hG4bK1"},
            trace=Trace(b"OPTIONS \xff", Direction.RECEIVED, HERE, THERE, "z9hG4bK1"),
        )
        text = msgspec.json.encode(event)
        self.assertEqual(msgspec.json.decode(text, type=Event), event)

    def test_defaults(self) -> None:
        """
        What is not known is empty, and the detail of one event is not that of another.
        """
        first, second = (
            Event(time=0, server="proxy", kind=EventKind.OVERLOAD) for _ in range(2)
        )
        self.assertEqual((first.owner, first.detail, first.trace), ("", {}, None))
        self.assertIsNot(first.detail, second.detail)

    def test_frozen(self) -> None:
        """
        An event that several share is changed by none.
        """
        event = Event(time=0, server="proxy", kind=EventKind.OVERLOAD)
        with self.assertRaises(AttributeError):
            event.owner = "eve"  # type: ignore[misc]  # that is the point

    def test_names(self) -> None:
        """
        A kind is one word of small letters and "_", as people will type it.
        """
        for kind in EventKind:
            self.assertTrue(re.fullmatch("[a-z]+(_[a-z]+)*", kind.value), kind)
            self.assertEqual(kind.value, kind.name.lower())
