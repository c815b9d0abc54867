"""
How a request that is not taken is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER, Field
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

FieldValue = tuple[Field[Any] | str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    The final response that a request gets instead of being acted upon.

    :ivar status: 300 to 699.
    :ivar text: what is wrong, for the log and the people who look into a trace; goes
        into the reason phrase.
    :ivar fields: what the response says beyond the mandatory fields.
    """

    status: int
    text: str | None = None
    fields: tuple[FieldValue, ...] = ()

    @classmethod
    def of(cls, error: ParseError) -> Refusal:
        """
        Refuse a request because of what is wrong in its text.
        """
        return cls(error.status, error.text)

    @classmethod
    def later(cls, text: str, retry_after: int) -> Refusal:
        """
        Refuse a request with 500 that may be good in some seconds.

        :param retry_after: chosen at random from 0 to 10 seconds
            (:rfc:`3261#section-14.2`).
        """
        return cls(500, text, ((RETRY_AFTER, Seconds(retry_after)),))

    def response(self, request: Request, to_tag: str | None = None) -> Response:
        """
        Make the response to *request*.
        """
        reason = Response.phrase(self.status)
        if self.text is not None:
            printable = filter(str.isprintable, self.text)
            reason = f"{reason}: {''.join(printable)}"
        return request.respond(self.status, reason, self.fields, to_tag=to_tag)
