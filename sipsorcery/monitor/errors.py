"""
The errors of the monitor.
"""

from __future__ import annotations


class MonitorError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.monitor`.
    """


class FilterError(MonitorError):
    """
    Says that a text is no filter.

    :ivar text: a sentence with the offending value, shortened.
    :ivar position: where in the filter the fault is, from 0.
    """

    def __init__(self, text: str, position: int) -> None:
        super().__init__(text)
        self.text = text
        self.position = position


class WindowDamaged(MonitorError):
    """
    Says that the file of the window cannot be read, and never will be.
    """


class WindowUnavailable(MonitorError):
    """
    Says that the window cannot be read now.
    """


class NoSuchCall(MonitorError):
    """
    Says that there is nothing of a call that the viewer may see.
    """
