"""
What somebody with a terminal talks to: the prompt, and the command that runs.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.console import words
from sipsorcery.console.commands import Commands
from sipsorcery.console.errors import ConsoleError, WrongUsage
from sipsorcery.console.keys import Key, Keyboard, Pressed
from sipsorcery.console.line import Choice, Line, Outcome
from sipsorcery.console.painting import paint
from sipsorcery.console.screen import Screen, Size
from sipsorcery.console.seats import Seat
from sipsorcery.monitor.style import Style
from sipsorcery.store.errors import StoreError

_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
_BELL = "\a"


class Shell:
    """
    Reads keys and shows what comes of them.

    :param write: takes text for the terminal.
    """

    _log = Logger()

    def __init__(
        self,
        seat: Seat,
        commands: Commands,
        screen: Screen,
        write: Callable[[str], object],
        *,
        size: Size,
        is_dumb: bool = False,
    ) -> None:
        self._seat = seat
        self._commands = commands
        self._screen = screen
        self._write = write
        self._size = size
        self._is_dumb = is_dumb
        self._keyboard = Keyboard()
        self._line = Line(seat.history, self._complete)
        self._running: Deferred[None] | None = None
        self._is_gone = False

    def start(self) -> None:
        """
        Welcome somebody.
        """
        self._screen.lines(
            [
                f"Welcome {self._seat.user}. Enter shows events as they come, a filter "
                "chooses some;",
                "help lists what else there is.",
            ]
        )
        self._prompt()

    def received(self, data: bytes) -> None:
        """
        Take what the terminal sends.
        """
        for key in self._keyboard.feed(data):
            if self._is_gone:
                return
            if self._running is not None:
                self._screen.press(key)
            else:
                self._press(key)

    def resized(self) -> None:
        """
        Paint the line anew for a terminal of another size.
        """
        if self._running is None and not self._is_gone:
            self._paint()

    def stop(self) -> None:
        """
        End what runs: the terminal is gone.
        """
        self._is_gone = True
        if self._running is not None:
            self._running.cancel()

    # The line

    def _press(self, key: Pressed) -> None:
        outcome = self._line.press(key)
        match outcome:
            case Choice():
                self._screen.lines(["", "  ".join(outcome.words)])
                self._paint()
            case Outcome.EDITED:
                self._paint()
            case Outcome.ENTERED:
                self._enter()
            case Outcome.CANCELLED:
                self._screen.lines(["^C"])
                self._paint()
            case Outcome.LEFT:
                self._screen.lines([""])
                self._seat.end("")
            case Outcome.CLEARED:
                self._screen.clear()
                self._paint()
            case Outcome.REFUSED:
                self._write(_BELL)

    def _prompt(self) -> None:
        if not self._is_gone:
            self._write("" if self._is_dumb else _PASTE_ON)
            self._paint()

    def _paint(self) -> None:
        line = self._line
        fault = None
        prompt = self._prompt_text()
        if line.searched is not None:
            prompt = f"(search '{line.searched}') "
        elif self._screen.palette.is_on:
            fault = words.fault_of(
                line.text,
                self._seat.viewer,
                is_admin=self._seat.is_admin,
                now=self._commands.now(),
            )
        self._write(
            paint(
                prompt,
                line.text,
                line.cursor,
                self._size.columns,
                palette=self._screen.palette,
                fault=fault,
            )
        )

    def _prompt_text(self) -> str:
        seat = self._seat
        return f"{seat.user} as {seat.seen_as}> " if seat.seen_as else f"{seat.user}> "

    def _complete(self, text: str) -> list[str]:
        return list(words.complete(text, is_admin=self._seat.is_admin))

    # The command

    def _enter(self) -> None:
        self._line.press(Key.END)
        self._paint()
        self._screen.lines(["" if self._is_dumb else _PASTE_OFF])
        line = self._line.take()
        running = self._running = Deferred.fromCoroutine(self._run(line))
        self._screen.begin(running.cancel)
        running.addErrback(self._failed).addBoth(self._ended)

    async def _run(self, line: str) -> None:
        try:
            typed = words.read(line, is_admin=self._seat.is_admin)
            await self._commands.run(self._seat, typed, self._screen)
        except WrongUsage as error:
            self._point(str(error), error.position)
        except (ConsoleError, StoreError) as error:
            self._complain(str(error))

    def _point(self, text: str, position: int | None) -> None:
        """
        Show where in the line above the fault is.
        """
        if position is None:
            self._complain(text)
            return
        place = cell_len(self._prompt_text()) + position
        if place < self._size.columns - 1:
            self._complain(" " * place + "^")
            self._complain(text)
        else:
            self._complain(f"at {position + 1}: {text}")

    def _complain(self, text: str) -> None:
        self._screen.lines([self._screen.palette.put(Style.RED, text)])

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("A command of the console fails", failure)
            self._complain("That has failed; the log of the server says why.")

    def _ended(self, result: object) -> None:
        self._running = None
        self._screen.end()
        self._prompt()
