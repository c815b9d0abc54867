"""
Events as lines.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.events import about_of, lines_of
from sipsorcery.console.painting import Palette
from sipsorcery.console.tables import table
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import Direction, Event, EventKind, Trace

PLAIN, COLOURS = Palette(is_on=False), Palette(is_on=True)
_TEXT = (
    b"%b sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"From: <sip:100@example.com>;tag=1\r\nTo: <sip:101@example.com>\r\n"
    b"Call-ID: 1\r\nCSeq: 1 %b\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def step(message: str = "dials 101", **fields: str) -> Event:
    """
    Make an event.
    """
    return Event(
        time=1.5,
        server="appserver",
        kind=EventKind.DIALPLAN_STEP,
        owner="joe",
        message=message,
        detail=fields,
    )


def trace(data: bytes) -> Event:
    """
    Make a trace.
    """
    ends = Endpoint.parse("udp:192.0.2.9:5060"), Endpoint.parse("udp:192.0.2.1:5060")
    return Event(
        time=1.5,
        server="proxy",
        kind=EventKind.SIP_TRACE,
        owner="joe",
        trace=Trace(data, Direction.RECEIVED, *ends),
    )


class LinesTests(SynchronousTestCase):
    """
    The lines of an event.
    """

    def lines(self, event: Event, palette: Palette = PLAIN) -> list[str]:
        """
        Give them.
        """
        return list(lines_of(event, palette, shows_owner=False))

    def test_line(self) -> None:
        """
        Time, kind, the address-of-record it concerns, and what has happened.
        """
        self.assertEqual(
            self.lines(step(account="sip:100@example.com")),
            ["00:00:01.500 dialplan_step      sip:100@example.com dials 101"],
        )

    def test_owner(self) -> None:
        """
        Administrators are told whose it is.
        """
        (line,) = lines_of(step(), PLAIN, shows_owner=True)
        self.assertIn(" joe dials 101", line)

    def test_hostile(self) -> None:
        """
        What strangers chose moves no cursor and begins no line.
        """
        (line,) = self.lines(step("\x1b[2Jdials\r\n101", account="sip:\x9b31m@x"))
        self.assertEqual(line.count("\x1b"), 0)
        self.assertIn("\\x1b[2Jdials\\x0d\\x0a101", line)
        self.assertIn("sip:\\x9b31m@x", line)
        for line in self.lines(trace(b"\x1b]0;title\x07\r\n\r\n")):
            self.assertNotIn("\x1b", line)

    def test_trace(self) -> None:
        """
        The message of a trace stands below, indented.
        """
        head, first, *_ = self.lines(trace(_TEXT % (b"INVITE", b"INVITE")))
        self.assertIn("proxy udp:192.0.2.9:5060 <- udp:192.0.2.1:5060", head)
        self.assertEqual(first, "    INVITE sip:example.com SIP/2.0")

    def test_whole_addresses(self) -> None:
        """
        With colours, an address is still in one piece.
        """
        (line,) = self.lines(step(aor="sip:100@example.com"), COLOURS)
        self.assertIn("sip:100@example.com", line)

    def test_about(self) -> None:
        """
        A message concerns who asks; a REGISTER concerns what it registers.
        """
        invite, register = (trace(_TEXT % (b, b)) for b in (b"INVITE", b"REGISTER"))
        self.assertEqual(about_of(invite), "sip:100@example.com")
        self.assertEqual(about_of(register), "sip:101@example.com")
        self.assertEqual(about_of(trace(b"rubbish")), "")


class TableTests(SynchronousTestCase):
    """
    Rows as a table.
    """

    def test_columns(self) -> None:
        """
        Columns are as wide as what is in them, in cells of a terminal.
        """
        rows: list[dict[str, Any]] = [{"a": "漢字", "b_c": 1}, {"a": None, "b_c": True}]
        lines = list(table(rows, ("a", "b_c"), width=None, palette=PLAIN))
        self.assertEqual(lines, ["A     B C", "漢字  1", "      yes"])

    def test_width(self) -> None:
        """
        A row is never longer than the terminal is wide.
        """
        rows = [{"a": "x" * 100}]
        for line in table(rows, ("a",), width=20, palette=PLAIN):
            self.assertLess(len(line), 20)

    def test_hostile(self) -> None:
        """
        What a phone calls itself does nothing to the terminal.
        """
        rows = [{"user_agent": "\x1b[31mred"}]
        *_, line = table(rows, ("user_agent",), width=None, palette=PLAIN)
        self.assertEqual(line, "\\x1b[31mred")
