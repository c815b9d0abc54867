"""
What the live state consists of: records.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from sipsorcery.sip.errors import excerpt
from sipsorcery.store.errors import InvalidRecord

#: Characters of a kind, key or owner. The longest key there is, the AOR of a request of
#: 64 KiB, is refused before it gets here: a domain name ends at 255 characters.
MAX_NAME = 1024
#: Bytes of data. A dialplan that waits takes some 8 KiB; a whole call fits in a tenth.
MAX_DATA = 1024 * 1024

# A key may say by itself what it belongs to.
_TAG = re.compile(r"\{([^{}]+)\}")


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    One record: opaque data under a kind and a key, for an owner, until it expires.

    There are 100,000 of these in a large service. A struct of msgspec that the garbage
    collector does not track costs half the memory of a data class, and no pauses.

    :ivar kind: such as ``binding``; who writes it says what data it has.
    :ivar key: unique within its kind.
    :ivar data: see :class:`~sipsorcery.store.live.kind.Kind`.
    :ivar expiry: seconds since the epoch; from then on there is no such record.
    :ivar owner: the user it belongs to; empty: the service.
    :ivar due: when something is to be done about it, in seconds since the epoch.
    :ivar version: given by the store, another for each change, never twice; 0: the
        record is not stored.
    """

    kind: str
    key: str
    data: bytes
    expiry: float
    owner: str = ""
    due: float | None = None
    version: int = 0

    @property
    def tag(self) -> str:
        """
        What decides on which of several servers the record lies: see `tag_of`.
        """
        return tag_of(self.key)

    def replace(self, **fields: Any) -> Record:
        """
        Give this record with other values in some fields.
        """
        return msgspec.structs.replace(self, **fields)

    def check(self) -> None:
        """
        Find what no store could keep.

        :raises InvalidRecord: naming it.
        """
        for name in (self.kind, self.key, self.owner):
            # Most names are ASCII, and the check is on the path of every REGISTER.
            if len(name) > MAX_NAME or not name.isascii() or "\0" in name:
                _check_name(name)
        if not self.kind or not self.key:
            raise InvalidRecord(f"{excerpt(self.kind)} has a record without key")
        if len(self.data) > MAX_DATA:
            raise InvalidRecord(f"{len(self.data)} bytes are too much for a record")
        # SQLite keeps what is not a number as NULL.
        if not math.isfinite(self.expiry):
            raise InvalidRecord(f"a record cannot expire at {self.expiry}")
        if self.due is not None and not math.isfinite(self.due):
            raise InvalidRecord(f"a record cannot be due at {self.due}")


def tag_of(key: str) -> str:
    """
    Give what stands in the first braces of a key, else the whole key.

    So it is in Redis Cluster: records that are used together should lie together.
    """
    match = _TAG.search(key)
    return match[1] if match else key


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME:
        raise InvalidRecord(f"{len(name)} characters are too much for a name")
    if "\0" in name:
        raise InvalidRecord(f"a name cannot hold NUL: {excerpt(name)}")
    try:
        name.encode()
    except UnicodeEncodeError:
        # Bytes of a message that are no UTF-8 come as surrogates.
        raise InvalidRecord(f"a name has to be text: {excerpt(name)}") from None
