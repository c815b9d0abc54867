"""
Runs of dialplans as bytes, between one process and the next. Pure.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from sipsorcery.appserver.errors import SnapshotError

T = TypeVar("T", bound=msgspec.Struct)


def dump(state: msgspec.Struct) -> bytes:
    """
    Write what a run is made of.
    """
    return msgspec.msgpack.encode(state)


def restore(dumped: bytes, type: type[T]) -> T:
    """
    Read it back.

    :raises SnapshotError: if it is of another form.
    """
    try:
        return msgspec.msgpack.decode(dumped, type=type)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"another version has left it: {error}") from error
