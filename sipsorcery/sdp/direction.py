"""
Which way a stream flows: ``a=sendrecv`` and its kin.
"""

from __future__ import annotations

from enum import Flag


class Direction(Flag):
    """
    The direction of a stream, as seen by whoever wrote the description.

    It is a set of two flags, so that two wishes meet in ``ours & theirs.reversed``
    (:rfc:`3264#section-6.1`).
    """

    INACTIVE = 0
    SENDONLY = 1
    RECVONLY = 2
    SENDRECV = 3

    @property
    def reversed(self) -> Direction:
        """
        Give the same direction as the other side sees it.
        """
        return _REVERSED[self]

    @property
    def sends(self) -> bool:
        """
        Tell whether the writer means to send.
        """
        return Direction.SENDONLY in self

    @property
    def receives(self) -> bool:
        """
        Tell whether the writer means to receive.
        """
        return Direction.RECVONLY in self

    def __str__(self) -> str:
        return _NAMES[self]


_REVERSED = {
    Direction.INACTIVE: Direction.INACTIVE,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.SENDRECV: Direction.SENDRECV,
}
#: The attributes that state a direction (:rfc:`8866#section-6.7`).
DIRECTIONS = {
    "sendrecv": Direction.SENDRECV,
    "sendonly": Direction.SENDONLY,
    "recvonly": Direction.RECVONLY,
    "inactive": Direction.INACTIVE,
}
_NAMES = {direction: name for name, direction in DIRECTIONS.items()}
