"""
Tests for `sipsorcery.monitor.json_form`.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.json_form import from_json, to_json

HERE = Endpoint.parse("udp:192.0.2.1:5060")
THERE = Endpoint.parse("tls:[2001:db8::1]:33000")


class JSONFormTests(SynchronousTestCase):
    """
    Events as objects.
    """

    @given(st.binary(max_size=40), st.text(max_size=20), st.sampled_from(EventKind))
    def test_round_trip(self, data: bytes, text: str, kind: EventKind) -> None:
        """
        Nothing of an event is lost, octets that are no text included.
        """
        event = Event(
            time=1.5,
            server="proxy",
            kind=kind,
            owner="joe",
            call_id=text,
            dialogue="d",
            remote=THERE,
            message=text,
            detail={"aor": text},
            trace=Trace(data, Direction.SENT, HERE, THERE, "b"),
        )
        for each in (event, Event(time=0, server="proxy", kind=kind)):
            self.assertEqual(from_json(json.loads(json.dumps(to_json(each)))), each)

    def test_shape(self) -> None:
        """
        What an event does not have is left out, and a message can be read.
        """
        trace = Trace(b"OPTIONS \xc3\xa9", Direction.RECEIVED, HERE, THERE)
        event = Event(time=1, server="proxy", kind=EventKind.SIP_TRACE, trace=trace)
        self.assertEqual(
            to_json(event),
            {
                "time": 1,
                "server": "proxy",
                "kind": "sip_trace",
                "trace": {
                    "direction": "received",
                    "local": "udp:192.0.2.1:5060",
                    "remote": "tls:[2001:db8::1]:33000",
                    "branch": "",
                    "text": "OPTIONS é",
                },
            },
        )

    def test_wrong(self) -> None:
        """
        What is no event is refused, whatever is wrong with it.
        """
        good = {"time": 1, "server": "proxy", "kind": "sip_trace"}
        wrong: tuple[dict[str, Any], ...] = (
            {},
            good | {"kind": "other"},
            good | {"time": "soon"},
            good | {"time": None},
            good | {"remote": "nowhere"},
            good | {"detail": 5},
            good | {"trace": []},
            good | {"trace": {"direction": "sent", "base64": "%"}},
        )
        for fields in wrong:
            with self.assertRaises(ValueError, msg=str(fields)):
                from_json(fields)
