"""
Answers that leave nothing behind (:rfc:`3261#section-8.2.7`).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s
from typing import Any

from sipsorcery.sip.fields import CALL_ID, CSEQ, TO, VIA, Field
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

_TAG_SIZE = 8  # bytes; RFC 3261, 19.3 asks for 32 bits of randomness at least


class StatelessAnswers:
    """
    Answer without a transaction, and know the ACK to such an answer again.

    The To tag is the same whenever the request is repeated, as a stateless server's has
    to be, and nobody can foretell it.

    :param secret: the key of the tags: random, at most 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def answer(
        self,
        request: Request,
        status: int,
        fields: Iterable[tuple[Field[Any] | str, Any]] = (),
    ) -> Response:
        """
        Make a final response.

        :raises ParseError: if the request lacks what a tag is made of.
        """
        return request.respond(status, fields=fields, to_tag=self._tag(request))

    def is_acknowledged_by(self, ack: Request) -> bool:
        """
        Tell whether an ACK is for a failure that was answered so.

        Without such a request there is no such ACK: its tag cannot be guessed. One in a
        dialog kept its To tag when it was refused, and is not known again.

        :raises ParseError: if the ACK lacks what a tag is made of.
        """
        return ack[TO].tag == self._tag(ack)

    def _tag(self, request: Request) -> str:
        via = request[VIA]
        known = (via.branch, via.sent_by, request[CALL_ID], request[CSEQ].number)
        return blake2s(
            repr(known).encode("utf-8", "surrogateescape"),
            key=self._secret,
            digest_size=_TAG_SIZE,
        ).hexdigest()
