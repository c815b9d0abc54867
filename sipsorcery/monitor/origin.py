"""
The name that the messages of one transaction share, on both sides of a proxy.

A proxy puts it into its traces. Whoever sends a request by that proxy makes the same of
its own Via, and says by it whose those traces are. Pure.
"""

from __future__ import annotations

from hashlib import blake2s

# Octets, two digits each: two of the same are never seen, and none is found that is the
# same as a given one.
_SIZE = 16


def origin_of(branch: str | None, sent_by: str) -> str:
    """
    Name the transaction that a client's Via is of.
    """
    via = f"{branch or ''}\n{sent_by}".encode("utf-8", "surrogateescape")
    return blake2s(via, digest_size=_SIZE, person=b"origin").hexdigest()
