"""
Answers that leave nothing behind (:rfc:`3261#section-8.2.7`).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s
from typing import Any

from sipsorcery.sip.fields import VIA, Field
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

# Bytes; RFC 3261, 19.3 asks for 32 bits of randomness at least. One more than other
# tags of ours have: so nearly every ACK is told apart without making a tag for it.
_TAG_SIZE = 9


def make_tag(request: Request, secret: bytes) -> str:
    """
    Make the To tag of an answer that leaves nothing behind.

    It is the same whenever the request is repeated, as a stateless server's has to be,
    and for the ACK to the answer; nobody else can foretell it. Fields that are missing
    or broken count as they stand, for a tag is also needed to say so.

    :param secret: the key of the tags: random, at most 32 bytes.
    :raises ParseError: if the top Via cannot be read.
    """
    via = request[VIA]
    # Only the number: the ACK has another method (RFC 3261, 17.1.1.3).
    number = (request.get("CSeq") or "").split(maxsplit=1)[:1]
    known = (via.branch, via.sent_by, request.get("Call-ID"), number)
    return blake2s(
        repr(known).encode("utf-8", "surrogateescape"),
        key=secret,
        digest_size=_TAG_SIZE,
    ).hexdigest()


class StatelessAnswers:
    """
    Answer without a transaction, and know the ACK to such an answer again.

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

        :raises ParseError: if the top Via of the request cannot be read.
        """
        tag = make_tag(request, self._secret)
        return request.respond(status, fields=fields, to_tag=tag)

    def is_acknowledged_by(self, ack: Request) -> bool:
        """
        Tell whether an ACK is for a failure that was answered so.

        Without such a request there is no such ACK: its tag cannot be guessed. One in a
        dialog kept its To tag when it was refused, and is not known again.

        :raises ParseError: if the top Via or the To of the ACK cannot be read.
        """
        tag = ack.to_tag()
        return (
            tag is not None
            and len(tag) == 2 * _TAG_SIZE
            and tag == make_tag(ack, self._secret)
        )
