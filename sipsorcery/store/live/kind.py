"""
What the data of a record means: values to bytes and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from sipsorcery.store.errors import UnreadableRecord
from sipsorcery.store.live.record import Record

_T = TypeVar("_T")


class Kind(Generic[_T]):
    """
    A kind of record: its name, and the form of its data.

    The data is one byte, the number of the form, and the value in MessagePack. A field
    that is added with a default, or left out, needs no new number: older data still
    reads, and newer data in an older process too. Every other change does.

    :param type: a data class or a `msgspec.Struct`, whose fields are made of numbers,
        text, bytes, lists, tuples, dictionaries and such classes.
    :param form: the number of the form that is written, 1 to 255.
    :param older: reads each form before it: from plain lists and dictionaries to what
        *type* is made from.
    """

    def __init__(
        self,
        name: str,
        type: type[_T],
        *,
        form: int = 1,
        older: Mapping[int, Callable[[Any], Any]] | None = None,
    ) -> None:
        self.name = name
        self._type = type
        self._form = bytes([form])
        self._older = dict(older or {})
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(type).decode

    def record(
        self,
        key: str,
        value: _T,
        *,
        expiry: float,
        owner: str = "",
        due: float | None = None,
    ) -> Record:
        """
        Make a record that is not stored yet.
        """
        return Record(self.name, key, self.write(value), expiry, owner, due)

    def write(self, value: _T) -> bytes:
        """
        Make the data of a value.
        """
        return self._form + self._encode(value)

    def read(self, record: Record) -> _T:
        """
        Get the value of a record.

        :raises UnreadableRecord: if a newer version has written it, or it is damaged.
        """
        data = memoryview(record.data)
        try:
            if record.data[:1] == self._form:
                return self._decode(data[1:])
            return self._read_older(data)
        except (msgspec.MsgspecError, LookupError) as error:
            raise UnreadableRecord(
                f"this version cannot read the {record.kind} {record.key!r}: {error!r}"
            ) from error

    def _read_older(self, data: memoryview) -> _T:
        upgrade = self._older[data[0]]
        return msgspec.convert(upgrade(msgspec.msgpack.decode(data[1:])), self._type)
