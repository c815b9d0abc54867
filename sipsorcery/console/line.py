"""
The line that somebody types: an editor with history, search and completion. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from sipsorcery.console.history import History
from sipsorcery.console.keys import Key, Pasted, Pressed

#: Gives the words that the last one left of the cursor may become.
Completer: TypeAlias = Callable[[str], Sequence[str]]

# The original's limit: "Command too long."
_MAX_LENGTH = 2000


class Outcome(Enum):
    """
    Tell what a key has led to.
    """

    EDITED = auto()
    ENTERED = auto()
    CANCELLED = auto()
    LEFT = auto()  # Ctrl-D in an empty line
    CLEARED = auto()  # the screen, not the line
    REFUSED = auto()  # there is no room, nothing to complete: a bell


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Words of which any may come next: they are shown, for people to go on.
    """

    words: tuple[str, ...]


class Line:
    """
    Edits one line.

    :param complete: is asked at Tab.

    :ivar text: the line.
    :ivar cursor: characters left of the cursor.
    :ivar searched: what is looked for in the history; None: nothing is.
    """

    def __init__(self, history: History, complete: Completer = lambda text: ()) -> None:
        self._history = history
        self._complete = complete
        self.text = ""
        self.cursor = 0
        self.searched: str | None = None
        self._place: int | None = None  # in the history
        self._typed = ""  # what stood here before looking at the history

    def press(self, key: Pressed) -> Outcome | Choice:
        """
        Let a key do what it does.

        After `Outcome.ENTERED` the line is for the caller to `take`.
        """
        if self.searched is not None and (outcome := self._search(key)) is not None:
            return outcome
        if isinstance(key, Pasted):
            return self._insert(key.text)
        if isinstance(key, str):
            return self._insert(key)
        if key is Key.TAB:
            return self._tab()
        act = _ACTS.get(key)
        return Outcome.REFUSED if act is None else act(self)

    def take(self) -> str:
        """
        Give the line, remember it, and begin a new one.
        """
        text = self.text
        self._history.add(text)
        self._begin("")
        self._place = None
        return text

    # Editing

    def _insert(self, text: str) -> Outcome:
        if len(self.text) + len(text) > _MAX_LENGTH:
            return Outcome.REFUSED
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)
        return Outcome.EDITED

    def _begin(self, text: str) -> Outcome:
        self.text, self.cursor, self.searched = text, len(text), None
        return Outcome.EDITED

    def _cut(self, start: int, end: int) -> Outcome:
        if start == end:
            return Outcome.REFUSED
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start
        return Outcome.EDITED

    def _move(self, cursor: int) -> Outcome:
        if not 0 <= cursor <= len(self.text):
            return Outcome.REFUSED
        self.cursor = cursor
        return Outcome.EDITED

    def _word_left(self) -> int:
        head = self.text[: self.cursor].rstrip()
        return len(head.rpartition(" ")[0]) + 1 if " " in head else 0

    def _word_right(self) -> int:
        tail = self.text[self.cursor :]
        skipped = len(tail) - len(tail.lstrip())
        word = tail.lstrip().partition(" ")[0]
        return self.cursor + skipped + len(word)

    def _delete_or_leave(self) -> Outcome:
        return self._delete() if self.text else Outcome.LEFT

    def _delete(self) -> Outcome:
        return self._cut(self.cursor, min(self.cursor + 1, len(self.text)))

    def _cancel(self) -> Outcome:
        self._begin("")
        self._place = None
        return Outcome.CANCELLED

    # History

    def _go(self, step: int) -> Outcome:
        place = len(self._history) if self._place is None else self._place
        if not 0 <= place + step <= len(self._history):
            return Outcome.REFUSED
        if self._place is None:
            self._typed = self.text
        if place + step == len(self._history):
            self._place = None
            return self._begin(self._typed)
        self._place = place + step
        return self._begin(self._history[self._place])

    def _begin_search(self) -> Outcome:
        self._typed, self._place, self.searched = self.text, None, ""
        return Outcome.EDITED

    def _search(self, key: Pressed) -> Outcome | None:
        """
        Take a key while the history is searched; None: the search is over with it.
        """
        searched = self.searched or ""
        if key is Key.CONTROL_R:
            return self._look_for(searched, self._place)
        if key is Key.BACKSPACE:
            return self._look_for(searched[:-1], None)
        if isinstance(key, str):
            before = None if self._place is None else self._place + 1
            return self._look_for(searched + key, before)
        if key in (Key.CONTROL_G, Key.ESCAPE):
            self._place = None
            return self._begin(self._typed)
        self.searched = None
        return None

    def _look_for(self, part: str, before: int | None) -> Outcome:
        found = self._history.find(part, before) if part else None
        if part and found is None:
            return Outcome.REFUSED
        self.searched, self._place = part, found
        if found is not None:
            self.text = self._history[found]
            self.cursor = self.text.index(part)
        return Outcome.EDITED

    # Completion

    def _tab(self) -> Outcome | Choice:
        head = self.text[: self.cursor]
        words = tuple(self._complete(head))
        if not words:
            return Outcome.REFUSED
        part = _last_word(head)
        common = _beginning_of([word.lower() for word in words])
        if len(words) == 1:
            common = words[0] + " "
        if len(common) > len(part):
            self._cut(self.cursor - len(part), self.cursor)
            return self._insert(common)
        return Choice(words)


def _beginning_of(words: Sequence[str]) -> str:
    """
    Give what all words begin with.
    """
    first, last = min(words), max(words)
    for place, letter in enumerate(first):
        if not last.startswith(letter, place):
            return first[:place]
    return first


def _last_word(head: str) -> str:
    return head.replace("(", " ").rpartition(" ")[2]


_ACTS: dict[Key, Callable[[Line], Outcome]] = {
    Key.ENTER: lambda line: Outcome.ENTERED,
    Key.BACKSPACE: lambda line: line._cut(max(line.cursor - 1, 0), line.cursor),
    Key.DELETE: Line._delete,
    Key.LEFT: lambda line: line._move(line.cursor - 1),
    Key.RIGHT: lambda line: line._move(line.cursor + 1),
    Key.WORD_LEFT: lambda line: line._move(line._word_left()),
    Key.WORD_RIGHT: lambda line: line._move(line._word_right()),
    Key.HOME: lambda line: line._move(0),
    Key.END: lambda line: line._move(len(line.text)),
    Key.UP: lambda line: line._go(-1),
    Key.DOWN: lambda line: line._go(1),
    Key.CONTROL_C: Line._cancel,
    Key.CONTROL_D: Line._delete_or_leave,
    Key.CONTROL_K: lambda line: line._cut(line.cursor, len(line.text)),
    Key.CONTROL_L: lambda line: Outcome.CLEARED,
    Key.CONTROL_R: Line._begin_search,
    Key.CONTROL_U: lambda line: line._cut(0, line.cursor),
    Key.CONTROL_W: lambda line: line._cut(line._word_left(), line.cursor),
}
