"""
Requests that were let in and come again, because UDP may have lost them. Pure.

Where no transaction stands in front, the credentials of a repetition look like a
replay. They are one, too, but of the very same request from the very same flow: it
asks for nothing that was not granted.
"""

from __future__ import annotations

from hashlib import blake2b

from sipsorcery.access.recent import Recent
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request

# Timer F: a client repeats a request for so long (RFC 3261, 17.1.2.2).
_LASTING = 32.0
# Five seconds of 6,000 requests each, in some 5 MB; most of what is lost is repeated
# after half a second.
_KEPT = 32_768


class Repeats:
    """
    Remembers requests by all that is in them, and where they came from.

    Times are seconds of one clock that does not go back.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._ends: Recent[bytes, float] = Recent(size)

    def note(self, request: Request, source: Endpoint, now: float) -> None:
        """
        Remember a request that was let in.
        """
        if source.transport.is_reliable:
            return
        self._ends.note(_digest(request, source), now + _LASTING)

    def include(self, request: Request, source: Endpoint, now: float) -> bool:
        """
        Tell whether a request is one of those again.
        """
        return now < self._ends.get(_digest(request, source), now)


def _digest(request: Request, source: Endpoint) -> bytes:
    # The head ends with a line end, and a body does not begin a head.
    text = f"{source}\n{request.head}\n".encode("utf-8", "surrogateescape")
    return blake2b(text + request.body, digest_size=16).digest()
