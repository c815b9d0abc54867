"""
The outcomes of user agents that are no success.
"""

from __future__ import annotations

from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.errors import TransactionTimeout


class UserAgentError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.ua`.
    """


class LocalProtocolError(UserAgentError):
    """
    Says that our own code asked for something that is not possible now.
    """


class RequestFailed(UserAgentError):
    """
    Says that a request got a final response other than 2xx, or none at all.

    :ivar response: the final response; ``None`` if there was none, and then the cause
        (``__cause__``) is the time-out or the transport error.
    """

    def __init__(self, text: str, response: Response | None = None) -> None:
        super().__init__(text)
        self.response = response

    @classmethod
    def by(cls, request: Request, response: Response) -> RequestFailed:
        """
        Say that *response* refused *request*.
        """
        answer = f"{response.status} {response.reason}"
        return cls(f"{request.method} {request.request_uri}: {answer}", response)

    @property
    def status(self) -> int:
        """
        The status; of no response 408 or 503 (:rfc:`3261#section-8.1.3.1`).
        """
        if self.response is not None:
            return self.response.status
        return 408 if isinstance(self.__cause__, TransactionTimeout) else 503


class OfferRefused(UserAgentError):
    """
    Says how to refuse an offer of the peer; hooks that choose the answer raise it.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text or str(refusal.status))
        self.refusal = refusal


class CallCancelled(UserAgentError):
    """
    Says that a call ended before it was answered, because the caller gave up.
    """


class SessionEnded(UserAgentError):
    """
    Says that what was asked of a session came after its end.
    """


class NotAcknowledged(SessionEnded):
    """
    Says that our 2xx was never acknowledged, so that the call was hung up.
    """
