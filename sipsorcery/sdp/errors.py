"""
The errors of the session description layer.
"""

from __future__ import annotations

#: How much of an offending value an error repeats: enough to find it in a
#: trace, too little to flood a log.
EXCERPT = 60


def excerpt(value: object) -> str:
    """
    Shorten an offending value for an error message, control characters escaped.
    """
    text = repr(value)
    return text if len(text) <= EXCERPT else text[: EXCERPT - 3] + "..."


class SDPError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.sdp`.
    """


class ParseError(SDPError):
    """
    Says that the peer's text breaks the grammar or a limit.

    :ivar text: a sentence with the offending value, shortened.
    :ivar line: the number of the line, from 1; ``None`` if no one line is to blame.
    :ivar status: the status code to answer a request with: 400 for what breaks the
        grammar, 488 for what may be sound but is more or newer than we take.
    """

    def __init__(self, text: str, line: int | None = None, status: int = 400) -> None:
        super().__init__(text if line is None else f"line {line}: {text}")
        self.text = text
        self.line = line
        self.status = status

    def at(self, line: int) -> ParseError:
        """
        Return the same error with the number of the line it was found in.
        """
        return ParseError(self.text, line, self.status)


class RemoteProtocolError(SDPError):
    """
    Says that the peer's description is readable, but not one that it may send now.

    :ivar text: a sentence that names the rule.
    :ivar status: the status code to answer a request with.
    """

    def __init__(self, text: str, status: int = 488) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class NotAcceptable(SDPError):
    """
    Says that an offer and our own abilities have nothing in common.

    :ivar text: a sentence that names what was offered.
    :ivar status: the status code to answer a request with.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.status = 488


class LocalProtocolError(SDPError):
    """
    Says that our own code asked for something that SDP does not allow.
    """
