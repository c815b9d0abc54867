"""
What somebody with a terminal sees.
"""

from __future__ import annotations

import re

from twisted.internet.defer import succeed

from sipsorcery.console.painting import Palette
from sipsorcery.console.screen import Screen, Size
from sipsorcery.console.seats import Seat
from sipsorcery.console.shell import Shell
from tests.console.test_commands import ConsoleCase


class ShellTests(ConsoleCase):
    """
    A terminal of 40 columns and 10 rows.
    """

    def sit(self, seat: Seat, *, is_dumb: bool = True) -> Shell:
        """
        Let somebody sit down.
        """

        def write(text: str) -> None:
            self.written += text

        self.size = Size(40, 10)
        palette = Palette(is_on=not is_dumb)
        screen = Screen(
            write, lambda: succeed(None), palette, self.size, is_dumb=is_dumb
        )
        shell = Shell(
            seat, self.commands, screen, write, size=self.size, is_dumb=is_dumb
        )
        shell.start()
        self.addCleanup(shell.stop)
        return shell

    def type(self, shell: Shell, text: str) -> str:
        """
        Type something; give what comes of it.
        """
        self.written = ""
        shell.received(text.encode())
        self.reactor.pump([0] * 5)
        return self.written

    def test_prompt(self) -> None:
        """
        The prompt names the user; an administrator sees as whom they look.
        """
        shell = self.sit(self.root)
        self.assertIn("root> ", self.written)
        self.assertIn("root as joe> ", self.type(shell, "as joe\r"))

    def test_caret(self) -> None:
        """
        A caret stands below the fault.
        """
        shown = self.type(self.sit(self.joe_seat), "event nonsense\r")
        lines = shown.replace("\r\n", "\n").split("\n")
        (caret,) = (line for line in lines if line.strip() == "^")
        self.assertEqual(caret.index("^"), len("joe> event "))
        self.assertIn("there is no event 'nonsense'", shown)

    def test_fault_while_typing(self) -> None:
        """
        What is wrong becomes red as soon as it cannot become right.
        """
        shell = self.sit(self.joe_seat, is_dumb=False)
        self.assertNotIn("\x1b[31m", self.type(shell, "event nonsense"))
        self.assertIn("\x1b[31mnonsense ", self.type(shell, " "))

    def test_dumb_terminal(self) -> None:
        """
        A dumb terminal gets no escape at all.
        """
        shell = self.sit(self.joe_seat)
        self.written += self.type(shell, "help\r \r calls\rq\x0cca\t")
        self.assertNotIn("\x1b", self.written)

    def test_paging(self) -> None:
        """
        Long output waits at each page; then the prompt is there again.
        """
        shell = self.sit(self.joe_seat)
        shown = self.type(shell, "help\r")
        self.assertIn("space for more", shown)
        self.assertNotIn("quit", shown)
        self.assertIn("quit", self.type(shell, " "))
        self.assertIn("joe> x", self.type(shell, "x"))

    def test_stopping(self) -> None:
        """
        With q or Ctrl-C a tail ends, and other keys do nothing to it.
        """
        shell = self.sit(self.joe_seat)
        for key in ("q", "\x03"):
            self.type(shell, "\r")
            self.assertNotIn("joe> ", self.type(shell, "x\r"))
            self.assertIn("joe> ", self.type(shell, key))

    def test_paste(self) -> None:
        """
        What is pasted does not run, though there are line ends in it.
        """
        shell = self.sit(self.joe_seat)
        shown = self.type(shell, "\x1b[200~quit\rquit\r\x1b[201~")
        self.assertEqual(self.ended, [])
        self.assertIn("joe> quit quit", shown)

    def test_resize(self) -> None:
        """
        When the window changes, the line is painted for its new width.
        """
        shell = self.sit(self.joe_seat)
        self.type(shell, "event dialplan or event full")
        self.size.columns = 24
        self.written = ""
        shell.resized()
        (row,) = re.findall(r"\r([^\r\b]*)", self.written)
        self.assertLess(len(row), 24)

    def test_gone(self) -> None:
        """
        When the terminal is gone, so is what ran in it.
        """
        shell = self.sit(self.joe_seat)
        self.type(shell, "\r")
        self.assertEqual(self.joe_seat.doing, "tail")
        shell.stop()
        self.assertEqual(self.joe_seat.doing, "")
