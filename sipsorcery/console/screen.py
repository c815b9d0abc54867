"""
Where a command shows what it has to say: a terminal, or the far end of a pipe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from sipsorcery.console.keys import Key, Pressed
from sipsorcery.console.pager import Pager
from sipsorcery.console.painting import Palette
from sipsorcery.monitor.style import Style

# What a file gets that shows a ladder.
_WIDTH = 100
# Lines of one output: of more, what is at the end is left out, with a word.
_MAX_LINES = 20_000
_STOPPING = frozenset({"q", "Q", "s", "S", Key.CONTROL_C})


@dataclass(slots=True)
class Size:
    """
    The size of a terminal; it changes while somebody pulls at the window.
    """

    columns: int = 80
    rows: int = 24


class Screen:
    """
    Writes lines, and takes the keys that are pressed meanwhile.

    :param write: takes text.
    :param room: gives what fires once the reader keeps up.
    :param size: None: it is no terminal.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        room: Callable[[], Deferred[None]],
        palette: Palette,
        size: Size | None,
        *,
        is_dumb: bool = False,
    ) -> None:
        self._write = write
        self._room = room
        self._is_dumb = is_dumb
        self.palette = palette
        self.size = size
        self._pager: Pager | None = None
        self._paged: Deferred[None] | None = None
        self._stop: Callable[[], object] | None = None

    @property
    def is_terminal(self) -> bool:
        """
        Whether somebody looks who can press keys.
        """
        return self.size is not None

    @property
    def width(self) -> int | None:
        """
        The columns of the terminal; None: it is none.
        """
        return None if self.size is None else self.size.columns

    @property
    def drawing_width(self) -> int:
        """
        The columns that a drawing may take.
        """
        return _WIDTH if self.size is None else max(self.size.columns - 1, 1)

    def lines(self, lines: Iterable[str]) -> None:
        """
        Write lines.
        """
        end = "\r\n" if self.is_terminal else "\n"
        text = "".join(line + end for line in lines)
        if text:
            self._write(text)

    def room(self) -> Deferred[None]:
        """
        Wait until the reader keeps up.
        """
        return self._room()

    def clear(self) -> None:
        """
        Begin anew at the top, where a terminal can do that.
        """
        if self.is_terminal and not self._is_dumb:
            self._write("\x1b[H\x1b[J")

    async def show(self, lines: Iterable[str]) -> None:
        """
        Show lines, page after page where they are more than fit.
        """
        whole = _bounded(lines)
        if self.size is None or len(whole) < self.size.rows:
            self.lines(whole)
            await self.room()
            return
        self._pager = Pager(whole, self.size.rows)
        self._paged = Deferred()
        try:
            self._turn(self._pager.page())
            await self._paged
        finally:
            self._pager = self._paged = None

    def begin(self, stop: Callable[[], object]) -> None:
        """
        Let a command have the screen.

        :param stop: ends it.
        """
        self._stop = stop

    def end(self) -> None:
        """
        Take the screen back.
        """
        self._stop = None

    def press(self, key: Pressed) -> None:
        """
        Take a key that is pressed while a command has the screen.
        """
        if self._pager is not None and self.size is not None:
            self._pager.rows = self.size.rows
            if not self._pager.is_done:
                self._turn(self._pager.press(key))
        elif key in _STOPPING and self._stop is not None:
            self._stop()

    def _turn(self, lines: Iterable[str]) -> None:
        assert self._pager is not None
        width = self.drawing_width
        self._write("\r" + " " * width + "\r")
        self.lines(lines)
        if not self._pager.is_done:
            prompt = self._pager.prompt[:width]
            self._write(self.palette.put(Style.REVERSED, prompt))
        elif self._paged is not None and not self._paged.called:
            self._paged.callback(None)


def _bounded(lines: Iterable[str]) -> list[str]:
    whole: list[str] = []
    for line in lines:
        if len(whole) == _MAX_LINES:
            whole.append(f"-- there is more than {_MAX_LINES} lines --")
            break
        whole.append(line)
    return whole
