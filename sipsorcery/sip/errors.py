"""
The errors of the SIP text layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipsorcery.sip.message import Message

#: How much of an offending value an error repeats: enough to find it in a
#: trace, too little to flood a log.
EXCERPT = 60


def excerpt(value: object) -> str:
    """
    Shorten an offending value for an error message, control characters escaped.
    """
    text = repr(value)
    return text if len(text) <= EXCERPT else text[: EXCERPT - 3] + "..."


class SIPError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.sip`.
    """


class ParseError(SIPError):
    """
    Says that the peer's text breaks the grammar or a limit.

    :ivar text: a sentence with the offending value, shortened.
    :ivar status: the status code to answer a request with.
    :ivar partial: what could be read of the message, so that the answer can copy
        its Via, From, To, Call-ID and CSeq; ``None`` if nothing can be answered.
    """

    def __init__(
        self, text: str, status: int = 400, partial: Message | None = None
    ) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.partial = partial


class LocalProtocolError(SIPError):
    """
    Says that our own code asked for something that SIP does not allow.
    """
