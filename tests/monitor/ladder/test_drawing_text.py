"""
Tests for `sipsorcery.monitor.ladder.drawing_text`.
"""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.ladder import ladder_of, text
from sipsorcery.monitor.ladder.canvas import Line, crop
from sipsorcery.monitor.ladder.ladder import TIMES
from sipsorcery.monitor.neutral import for_line
from sipsorcery.monitor.style import Style
from tests.monitor.ladder.captures import events, names
from tests.monitor.ladder.events import START, message, told

_SGR = re.compile(r"\x1b\[[0-9;]*m")


class WidthTests(SynchronousTestCase):
    """
    A terminal of any size.
    """

    def test_fits(self) -> None:
        """
        No line is wider than the terminal, and every message is there.
        """
        for name in names():
            ladder = ladder_of(events(name))
            for width in (20, 33, 50, 64, 79, 80, 100, 132, 300):
                lines = text(ladder, width).splitlines()
                self.assertLessEqual(max(map(cell_len, lines)), width, name)

    def test_narrow(self) -> None:
        """
        Where columns have no room it is a list, that leaves nothing out.
        """
        drawn = text(ladder_of(events("transfer")), 40)
        self.assertIn("→", drawn)
        self.assertEqual(drawn.count("REFER\n"), 2)
        # The narrowest there is: what is less gets the same.
        ladder = ladder_of(events("call"))
        self.assertEqual(text(ladder, 1), text(ladder, 20))

    @given(st.text(max_size=40), st.integers(20, 120))
    def test_any_text(self, said: str, width: int) -> None:
        """
        Nor does what strangers say make a line wider, in any script.
        """
        ladder = ladder_of(
            [
                message("SIP/2.0 486 " + said.replace("\r", "").replace("\n", "")),
                told(EventKind.DIALPLAN_STEP, said),
                told(EventKind.CALL_STARTED, said),
            ]
        )
        for line in text(ladder, width).split("\n"):
            self.assertLessEqual(cell_len(line), width)
            self.assertEqual(for_line(line), line)

    def test_wide_characters(self) -> None:
        """
        Characters that take two columns do not push anything aside.
        """
        drawn = text(ladder_of([message("SIP/2.0 486 話し中 busy")]), 100)
        (line,) = [line for line in drawn.splitlines() if "話" in line]
        above = drawn.splitlines()[drawn.splitlines().index(line) - 1]
        at = [index for index, cell in enumerate(above) if cell == "│"]
        self.assertEqual(cell_len(line), at[-1] + 1)


class ColourTests(SynchronousTestCase):
    """
    Colours, and terminals without.
    """

    def test_colours(self) -> None:
        """
        With colours it is the same drawing; without there is no escape in it.
        """
        for name in names():
            ladder = ladder_of(events(name))
            plain = text(ladder)
            self.assertNotIn("\x1b", plain)
            coloured = text(ladder, colours=True)
            self.assertEqual(_SGR.sub("", coloured), plain)
            self.assertTrue(all(_is_closed(line) for line in coloured.splitlines()))

    def test_ascii(self) -> None:
        """
        A terminal without box characters gets ASCII, of the same width.
        """
        for name in names():
            ladder = ladder_of(events(name))
            drawn = text(ladder, ascii=True)
            self.assertTrue(drawn.isascii())
            self.assertEqual(
                [len(line) for line in drawn.splitlines()],
                [len(line) for line in text(ladder).splitlines()],
            )


class DrawingTests(SynchronousTestCase):
    """
    What is drawn.
    """

    def test_empty(self) -> None:
        """
        Of a call that nobody knows that is said.
        """
        self.assertEqual(text(ladder_of([])).strip(), "Nothing is known of this call.")

    def test_left_out(self) -> None:
        """
        What is left out is said, in any layout.
        """
        many = [message(cseq=f"{n} INVITE", time=START + n) for n in range(1, 600)]
        for width in (100, 20):
            drawn = " ".join(text(ladder_of(many), width).split())
            self.assertRegex(drawn, "… 99 messages and steps are left.* out here …")

    def test_repeats(self) -> None:
        """
        What was sent again says how often, even where little room is.
        """
        sent = [message(time=START + delay) for delay in (0.0, 0.5, 1.5)]
        ladder = ladder_of(sent)
        self.assertIn(f"INVITE {TIMES}3 in 1.5 s", text(ladder))
        crowd = [
            message(remote=Endpoint.parse(f"udp:192.0.2.{n}:5060"), cseq=f"{n} INVITE")
            for n in range(2, 5)
        ]
        self.assertIn(f"INVITE {TIMES}3 ", text(ladder_of(sent + crowd), 90))


class CanvasTests(SynchronousTestCase):
    """
    Lines on which things are put.
    """

    def test_put(self) -> None:
        """
        What does not fit is cut off, and never half a character.
        """
        line = Line(5)
        line.put(1, "ab話", Style.RED)
        self.assertEqual(line.render(colours=False), " ab話")
        self.assertEqual(line.render(colours=True), " \x1b[0;31mab話\x1b[0m")
        line.put(4, "話")
        self.assertEqual(cell_len(line.render(colours=False)), 5)

    def test_overwritten(self) -> None:
        """
        Of a wide character that is overwritten in part nothing stays.
        """
        for at, left in ((1, " x  "), (2, "  x ")):
            line = Line(5)
            line.put(1, "話")
            line.put(4, "|")
            line.put(at, "x")
            self.assertEqual(line.render(colours=False), f"{left}|")

    def test_crop(self) -> None:
        """
        A text that is too long says so.
        """
        for said, room, shown in (
            ("ringing", 7, "ringing"),
            ("ringing", 5, "ring…"),
            ("話話話", 4, "話…"),
            ("ringing", 1, "r"),
            ("ringing", 0, ""),
        ):
            self.assertEqual(crop(said, room), shown)


def _is_closed(line: str) -> bool:
    """
    Tell whether no colour goes beyond the end of a line.
    """
    codes = _SGR.findall(line)
    return not codes or codes[-1] in ("\x1b[0m", "\x1b[m")
