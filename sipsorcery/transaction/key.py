"""
What tells one transaction from another (:rfc:`3261#section-17.1.3`, 17.2.3, 8.2.2.2).

A key is one text: to hash and to keep one costs a fraction of a tuple.
"""

from __future__ import annotations

from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, TO, VIA
from sipsorcery.sip.glance import Glance
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.via import Via

# What comes between the parts: it cannot be in any of them.
_SEP = "\n"


def key_of(method: str, branch: str) -> str:
    """
    Give the key of a client transaction whose branch is known.
    """
    return f"{method}{_SEP}{branch.lower()}"


def client_key(via: Via, method: str) -> str:
    """
    Give the key of a client transaction.

    :param via: the top Via of the request, or of a response.
    :param method: that of the request: the one in the CSeq of a response.
    """
    return key_of(method, via.branch or "")


def client_key_of(message: Request | Response) -> str:
    """
    Give the key of the client transaction that a message belongs to.

    :param message: a request of ours, with its Via, or a response.
    :raises ParseError: if a field that matters is missing or broken.
    """
    method = message.method if isinstance(message, Request) else message.method()
    if (origin := message.origin()) is None:
        return client_key(message[VIA], method)
    return key_of(method, origin[0])


def server_key(request: Request, method: str | None = None) -> str:
    """
    Give the key of the server transaction that a request belongs to.

    Sent-by is part of it, for another client may choose the same branch. Branch and
    host are tokens, which are compared without case (:rfc:`3261#section-7.3.1`).

    :param method: the one to look for, if it is not that of the request: an ACK to a
        failure, and a CANCEL, go to the transaction of the INVITE.
    :raises ParseError: if a field that matters is missing or broken.
    """
    method = method or request.method
    if (origin := request.origin()) is not None:
        return f"{method}{_SEP}{origin[0].lower()}{_SEP}{origin[1].lower()}"
    vias = request.all(VIA)  # not the first alone, for `Request.check` reads all next
    via = vias[0] if vias else request[VIA]
    branch = via.branch
    if branch is None or not via.is_rfc3261:
        return _rfc2543_key(request, via, method)
    return f"{method}{_SEP}{branch.lower()}{_SEP}{via.sent_by.lower()}"


def _rfc2543_key(request: Request, via: Via, method: str) -> str:
    # "The Request-URI, To tag, From tag, Call-ID, CSeq, and top Via header field".
    parts = (request.request_uri, request[TO].tag or "", _sequence(request), str(via))
    return _SEP.join((method, *parts))


def merge_key(request: Request) -> str | None:
    """
    Give what a request shares with those that come of it through forking proxies.

    :return: None if it belongs to a dialog: only others are merged, "If the request has
        no tag in the To header field" (:rfc:`3261#section-8.2.2.2`).
    :raises ParseError: if a field that matters is missing or broken.
    """
    seen = request.glance()
    to_tag = request[TO].tag if seen is None else seen.to_tag
    if to_tag is not None:
        return None
    return f"{request.method}{_SEP}{_sequence(request)}"


def ack_key(message: Message) -> str:
    """
    Give what a failure of an INVITE and its ACK have in common, whatever the branch.

    :rfc:`3261#section-17.2.3` has an ACK of an :rfc:`2543` client matched by this; old
    Cisco phones send the ACK to a failure with a new branch.

    :param message: the response or the ACK.
    :raises ParseError: if a field that matters is missing or broken.
    """
    seen = _glance(message)
    to_tag = message[TO].tag if seen is None else seen.to_tag
    return f"{to_tag or ''}{_SEP}{_sequence(message)}"


def call_key(request: Request) -> str:
    """
    Give what an INVITE and its CANCEL have in common, whatever way each has come.

    :raises ParseError: if a field that matters is missing or broken.
    """
    return _sequence(request)


def _sequence(message: Message) -> str:
    """
    Give what all copies of one request share, and its responses and its ACK.
    """
    if (seen := _glance(message)) is not None:
        return f"{seen.call_id}{_SEP}{seen.sequence}{_SEP}{seen.from_tag or ''}"
    number, tag = message[CSEQ].number, message[FROM].tag or ""
    return f"{message[CALL_ID]}{_SEP}{number}{_SEP}{tag}"


def _glance(message: Message) -> Glance | None:
    return message.glance() if isinstance(message, Request) else None
