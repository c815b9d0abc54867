"""
The name that the messages of one transaction share, on both sides of a proxy.

A proxy puts it into its traces. Whoever sends a request by that proxy makes the same of
its own Via, and says by it whose those traces are. Pure.
"""

from __future__ import annotations

from hashlib import blake2s

from sipsorcery.sip.via import Via

# Octets, two digits each: two of the same are never seen, and none is found that is the
# same as a given one.
_SIZE = 16


def origin_of(via: Via) -> str:
    """
    Name the transaction that a client's Via is of.

    Some phones count their branches, so that others know the next one. Where the
    request really came from is therefore a part of the name.

    :param via: as whoever received it has completed it (`Via.seen_from`).
    """
    parts = (via.branch, via.sent_by, via.received, via.parameters.get("rport"))
    text = "\n".join(each or "" for each in parts).encode("utf-8", "surrogateescape")
    return blake2s(text, digest_size=_SIZE, person=b"origin").hexdigest()
