"""
What is asked of Redis, and what its answers mean; ``batch.lua`` is the other side.

Pure. In Lua's tables nil would be a hole, so what is not given is false.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import Any, Generic, TypeVar

import msgspec

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.errors import Conflict, StoreDamaged
from sipsorcery.store.live.record import Record

_T = TypeVar("_T")

#: What Redis runs to answer a batch.
SCRIPT = files(__package__).joinpath("batch.lua").read_text("ascii")

_encode = msgspec.msgpack.Encoder().encode

# Version, expiry and the length of the owner; then comes the owner, and the body: when
# it is due, or not a number, and the data.
_HEAD = struct.Struct(">16sdH")
_DUE = struct.Struct(">d")
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Question(Generic[_T]):
    """
    One question of a batch.

    :ivar words: its name in ``batch.lua``, and the arguments.
    :ivar read: makes the result from the answer.
    :ivar value: what is to be stored.
    :ivar is_change: whether it is worth asking although nobody waits any more.

    :raises Conflict: by *read*.
    """

    words: Sequence[object]
    read: Callable[[bytes], _T]
    value: bytes = b""
    is_change: bool = False


def get(kind: str, key: str) -> Question[Record | None]:
    """
    Ask for one record.
    """
    return Question(("get", kind, key), lambda part: _record(kind, key, part[1:]))


def put(record: Record, version: int) -> Question[Record]:
    """
    Ask to store a record, which gets a version.
    """
    stored = record.replace(version=version)
    return Question(
        ("put", record.kind, record.key, _or_false(record.due)),
        lambda part: stored,
        _value(stored),
        is_change=True,
    )


def swap(record: Record, version: int) -> Question[Record]:
    """
    Ask to store a record in place of the version that it has.
    """
    stored = record.replace(version=version)

    def read(part: bytes) -> Record:
        _check(record, part)
        return stored

    return Question(
        ("swap", record.kind, record.key, _or_false(record.due), _expected(record)),
        read,
        _value(stored),
        is_change=True,
    )


def remove(record: Record) -> Question[None]:
    """
    Ask to remove the version that a record has.
    """
    return Question(
        ("remove", record.kind, record.key, _expected(record)),
        lambda part: _check(record, part),
        is_change=True,
    )


def discard(kind: str, key: str) -> Question[None]:
    """
    Ask to remove what is there.
    """
    return Question(("discard", kind, key), lambda part: None, is_change=True)


def count(kind: str, owner: str | None) -> Question[int]:
    """
    Ask how much there is, or how much an owner has.
    """
    return Question(("count", kind, _or_false(owner)), lambda part: int(part[1:]))


def page(
    kind: str, owner: str | None, cursor: str, size: int
) -> Question[tuple[str, list[Record]]]:
    """
    Ask for some of all records, and where to go on; "0" is the begin and the end.

    A record may come twice.
    """

    def read(part: bytes) -> tuple[str, list[Record]]:
        cursor, *pairs = _frames(part[1:])
        return cursor.decode(), _records(kind, pairs)

    return Question(("page", kind, _or_false(owner), cursor, size), read)


def due(kind: str, until: float, limit: int) -> Question[list[Record]]:
    """
    Ask for records that are due.
    """
    return Question(("due", kind, until, limit), _reader(kind))


def expired(kind: str, limit: int) -> Question[list[Record]]:
    """
    Ask for records that have expired.
    """
    return Question(("expired", kind, limit), _reader(kind))


def purge(kind: str, limit: int) -> Question[int]:
    """
    Ask to remove what has expired a minute ago; gives how many have gone.
    """
    return Question(("purge", kind, limit), lambda part: int(part[1:]))


def write_batch(questions: Sequence[Question[Any]]) -> tuple[bytes, bytes]:
    """
    Write questions as the script reads them, and the values that are in them.
    """
    # The MessagePack of Redis knows text alone, so the values go beside it.
    lengths = accumulate((len(question.value) for question in questions), initial=0)
    words = [
        (*question.words, first, last)
        for question, (first, last) in zip(questions, pairwise(lengths), strict=True)
    ]
    return _encode(words), b"".join(question.value for question in questions)


def read_batch(answer: bytes) -> list[bytes]:
    """
    Take the answers apart.
    """
    return _frames(answer)


def _reader(kind: str) -> Callable[[bytes], list[Record]]:
    return lambda part: _records(kind, _frames(part[1:]))


def _records(kind: str, pairs: Sequence[bytes]) -> list[Record]:
    keys = (key.decode() for key in pairs[::2])
    found = (
        _record(kind, key, value) for key, value in zip(keys, pairs[1::2], strict=True)
    )
    return [record for record in found if record is not None]


def _value(record: Record) -> bytes:
    owner = record.owner.encode()
    head = _HEAD.pack(b"%016x" % record.version, record.expiry, len(owner))
    due = math.nan if record.due is None else record.due
    return b"".join((head, owner, _DUE.pack(due), record.data))


def _record(kind: str, key: str, value: bytes) -> Record | None:
    if not value:
        return None
    try:
        version, expiry, length = _HEAD.unpack_from(value)
        owner_end = _HEAD.size + length
        (due,) = _DUE.unpack_from(value, owner_end)
        return Record(
            kind,
            key,
            value[owner_end + _DUE.size :],
            expiry,
            value[_HEAD.size : owner_end].decode(),
            None if math.isnan(due) else due,
            int(version, 16),
        )
    except (struct.error, ValueError) as error:
        raise StoreDamaged(
            f"Redis holds as {kind} {excerpt(key)} what is no record of ours"
        ) from error


def _or_false(value: _T | None) -> _T | bool:
    return False if value is None else value


def _expected(record: Record) -> str:
    return f"{record.version:016x}" if record.version else ""


def _check(record: Record, part: bytes) -> None:
    if part[:1] == b"C":
        current = _record(record.kind, record.key, part[1:])
        raise Conflict(f"{record.kind} {excerpt(record.key)} has changed", current)


def _frames(data: bytes) -> list[bytes]:
    frames = []
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        frames.append(data[at : at + length])
        at += length
    return frames
