"""
What a ladder consists of. All texts in it are fit for one line of a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sipsorcery.monitor.neutral import for_line

# Characters of what one message or step says: two lines of a wide terminal.
MAX_TEXT = 240
#: Stands before how often a message was sent.
TIMES = "\N{MULTIPLICATION SIGN}"


class Tone(StrEnum):
    """
    Tell what something means for the call, for who draws in colours.
    """

    REQUEST = "request"
    PROGRESS = "progress"
    SUCCESS = "success"
    FAILURE = "failure"
    STEP = "step"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Participant:
    """
    One column.

    :ivar name: the user of an address-of-record, or what we call our own.
    :ivar places: where it is; empty: nobody in particular.
    """

    name: str
    places: tuple[str, ...] = ()
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """
    A message from one column to another.

    :ivar times: when it went, in seconds since the epoch: once for each time.
    :ivar label: method or status, and what it carries.
    :ivar remarks: header fields that say why, as spelled.
    :ivar leg: the number of its leg, from 0.
    :ivar details: who and what exactly, for who wants to know.
    """

    times: tuple[float, ...]
    source: int
    target: int
    label: str
    tone: Tone
    remarks: tuple[str, ...] = ()
    leg: int = 0
    details: tuple[str, ...] = ()

    @property
    def time(self) -> float:
        """
        Give when it went first.
        """
        return self.times[0]

    @property
    def repeats(self) -> float:
        """
        Give over how many seconds it was sent again.
        """
        return self.times[-1] - self.times[0]


@dataclass(frozen=True, slots=True)
class Note:
    """
    What one of us did or found, between the messages.
    """

    time: float
    column: int
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Rows that were left out.
    """

    count: int


Row: TypeAlias = Arrow | Note | Gap


@dataclass(frozen=True, slots=True)
class Ladder:
    """
    A call, from the first message to the last.

    :ivar title: who calls whom.
    :ivar outcome: what the caller was told, and how it ended.
    :ivar legs: the Call-ID of each leg.
    :ivar folded: messages between servers of ours that are not among the rows.
    """

    title: str
    outcome: str
    participants: tuple[Participant, ...]
    rows: tuple[Row, ...]
    legs: tuple[str, ...] = ()
    folded: int = 0

    @property
    def start(self) -> float | None:
        """
        Give when it began, in seconds since the epoch; None: nothing has happened.
        """
        return next((row.time for row in self.rows if not isinstance(row, Gap)), None)


def safe(text: str, limit: int = MAX_TEXT) -> str:
    """
    Make a text of a stranger fit for one line, and not longer than *limit*.
    """
    # What an escape is made longer by does not count: first cut, then cut again.
    text = for_line(text[: limit + 1])
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
