"""
The errors of the console.
"""

from __future__ import annotations


class ConsoleError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.console`; its text is for the user.
    """

    status = 1  # with which a command that was not typed at the prompt ends


class Refused(ConsoleError):
    """
    Says that what somebody wants cannot be done, or not by them.
    """


class WrongUsage(ConsoleError):
    """
    Says that a line is no command.

    :ivar position: where in the line the fault is, from 0; None: nowhere in particular.
    """

    status = 2

    def __init__(self, text: str, position: int | None = None) -> None:
        super().__init__(text)
        self.position = position
