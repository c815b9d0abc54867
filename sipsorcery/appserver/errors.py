"""
The errors of the application server.
"""

from __future__ import annotations

from collections.abc import Sequence


class AppServerError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.appserver`.
    """


class DialStringError(AppServerError):
    """
    Says what is wrong in a dial string, and where.

    :ivar position: the index of the offending character, from 0.
    """

    def __init__(self, text: str, position: int) -> None:
        super().__init__(f"{text} (at character {position + 1})")
        self.position = position


class UnusableValue(AppServerError):
    """
    Says that what the caller has sent cannot stand where a variable puts it.
    """


class DressError(AppServerError):
    """
    Says what cannot be said in a request.
    """


class PatternError(AppServerError):
    """
    Says what is wrong in the pattern of an extension.
    """


class PlanErrors(AppServerError):
    """
    Says all that is wrong in a line plan, at once.

    :ivar faults: the number of each line, from 1, and a sentence about it.
    """

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"line {line}: {text}" for line, text in faults))


class SnapshotError(AppServerError):
    """
    Says that a dialplan which waited for another process cannot go on here.
    """


class EngineOverloaded(AppServerError):
    """
    Says that a dialplan cannot run now, because too many do.
    """
