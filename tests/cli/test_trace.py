"""
Tests for `sipsorcery.cli.trace`, while no monitor runs.
"""

from __future__ import annotations

import json
from pathlib import Path

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace
from sipsorcery.monitor.window import Window
from tests.cli import CommandCase

INVITE = (
    b"INVITE sip:101@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/TLS 192.0.2.7:33000;branch=z9hG4bKa\r\n"
    b"From: <sip:100@example.com>;tag=a\r\n"
    b"To: <sip:101@example.com>\r\n"
    b"Call-ID: leg1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Content-Length: 0\r\n\r\n"
)
EVENTS = (
    Event(
        time=1763841240.0,
        server="proxy",
        kind=EventKind.SIP_TRACE,
        owner="joe",
        call_id="leg1",
        trace=Trace(
            INVITE,
            Direction.RECEIVED,
            Endpoint.parse("tls:192.0.2.1:5061"),
            Endpoint.parse("tls:192.0.2.7:33000"),
        ),
    ),
    Event(
        time=1763841240.5,
        server="appserver",
        kind=EventKind.CALL_STARTED,
        owner="joe",
        call_id="leg1",
        dialogue="call1",
        message="100 calls 101",
    ),
)


class TraceTests(CommandCase):
    """
    What a monitor has left.
    """

    def keep(self) -> None:
        """
        Have a call kept.
        """
        self.folder.mkdir()
        window = Window(self.folder / "events.db")
        window.append(EVENTS, EVENTS[-1].time)
        window.close()

    def test_ladder(self) -> None:
        """
        The ladder has the messages and the steps, whatever the call is named by.
        """
        self.keep()
        for name in ("call1", "leg1"):
            drawn = self.do("trace", name)
            self.assertIn("INVITE", drawn)
            self.assertIn("100 calls 101", drawn)
            self.assertNotIn("\x1b", drawn)

    def test_json(self) -> None:
        """
        With ``--json`` there is an event on each line.
        """
        self.keep()
        lines = [
            json.loads(line)
            for line in self.do("trace", "call1", "--json").splitlines()
        ]
        self.assertEqual(
            [each["kind"] for each in lines], ["sip_trace", "call_started"]
        )
        self.assertEqual(lines[0]["trace"]["text"], INVITE.decode())

    def test_files(self) -> None:
        """
        A capture and a picture are written, and then nothing is printed.
        """
        self.keep()
        capture, picture = Path(self.mktemp()), Path(self.mktemp())
        out = self.do("trace", "leg1", "--pcap", str(capture), "--svg", str(picture))
        self.assertEqual(out, "")
        self.assertIn(INVITE, capture.read_bytes())
        self.assertTrue(picture.read_text("utf-8").startswith("<svg"))

    def test_refused(self) -> None:
        """
        Without a monitor, without the call and with a damaged file one is told so.
        """
        self.assertIn("no monitor runs on", self.refuse("trace", "call1"))
        self.keep()
        self.assertIn("there is no call 'other'", self.refuse("trace", "other"))
        (self.folder / "events.db").write_bytes(b"rubbish " * 1000)
        self.assertIn("cannot be read", self.refuse("trace", "call1"))
