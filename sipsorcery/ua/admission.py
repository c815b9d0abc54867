"""
What every request has to pass before anybody acts on it (:rfc:`3261#section-8.2`).
"""

from __future__ import annotations

from collections.abc import Collection

from sipsorcery.dialog.extensions import check_required
from sipsorcery.dialog.multipart import SDP, is_optional, read_multipart
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    ACCEPT,
    ACCEPT_ENCODING,
    ALLOW,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_TYPE,
)
from sipsorcery.sip.parameterised import Parameterised
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI

#: Methods of the registry, which we know even where we do not do them.
KNOWN_METHODS = frozenset(
    (
        *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
        *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
    )
)
# Their bodies are session descriptions, and so our business; of all other methods it
# is for the application to say what it understands.
_DESCRIBED = frozenset({"INVITE", "PRACK", "UPDATE"})


def check(
    request: Request,
    allowed: Collection[str],
    extensions: Collection[str],
    *,
    any_body: bool = False,
) -> Refusal | None:
    """
    Judge a request, in the order of the RFC.

    :param allowed: the methods that we do.
    :param extensions: the option tags that we understand, in lower case.
    :param any_body: whether bodies of any type will do.
    :returns: how to refuse it, ``None`` if it may be acted upon.
    """
    if request.method not in allowed:
        status = 405 if request.method in KNOWN_METHODS else 501
        return Refusal(status, fields=((ALLOW.name, ", ".join(allowed)),))
    try:
        if not isinstance(request.uri, SIPURI):
            return Refusal(416)
        refusal = check_required(request, extensions)
        is_described = request.body and request.method in _DESCRIBED
        if refusal is None and is_described and not any_body:
            refusal = _check_body(request)
    except ParseError as error:
        return Refusal.of(error)
    return refusal


def _check_body(request: Request) -> Refusal | None:
    if is_optional(request.get(CONTENT_DISPOSITION)):
        return None
    codings = [coding.lower() for coding in request.all(CONTENT_ENCODING)]
    if any(coding != "identity" for coding in codings):
        return Refusal(415, fields=((ACCEPT_ENCODING, Parameterised("identity")),))
    type = request.get(CONTENT_TYPE)
    if type is None or SDP.includes(type):
        return None
    if type.type == "multipart" and read_multipart(type, request.body).is_understood:
        return None
    return Refusal(415, fields=((ACCEPT, SDP),))
