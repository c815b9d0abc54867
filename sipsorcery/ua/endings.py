"""
How sessions end.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.sip.request import Request


@dataclass(frozen=True, slots=True)
class Ending:
    """
    The end of a session.

    :ivar by_peer: whether the peer has ended it, and not we.
    :ivar reason: a sentence for the log.
    :ivar request: the peer's BYE, whose Reason may say more; None: there was none.
    """

    by_peer: bool
    reason: str
    request: Request | None = None
