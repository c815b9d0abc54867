"""
The errors of :mod:`sipsorcery.stun`.
"""

from __future__ import annotations


class STUNError(Exception):
    """
    The base of all errors of this package.
    """


class ParseError(STUNError):
    """
    Says that the peer's bytes are no STUN message, or break the rules for one.
    """


class LocalProtocolError(STUNError):
    """
    Says that our own code asked for something that STUN does not allow.
    """


class TransactionTimeout(STUNError):
    """
    Says that a server has not answered.
    """


class ErrorResponse(STUNError):
    """
    Says that a server has refused a request.

    :ivar code: from 300 to 699, as in the attribute ERROR-CODE.
    :ivar reason: what the server says of it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server answered {code} {reason!r}")
        self.code = code
        self.reason = reason
