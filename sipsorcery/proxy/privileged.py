"""
Fields that only those we trust may set, and that nobody outside gets to see. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sipsorcery.sip.address import Address
from sipsorcery.sip.auth import Challenge, Credentials
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    P_ASSERTED_IDENTITY,
    P_PREFERRED_IDENTITY,
    PRIVACY,
    PROXY_AUTHENTICATE,
    PROXY_RECEIVED_FROM,
    PROXY_RECEIVED_ON,
    PROXY_RECEIVED_TRUNK,
    PROXY_SEND_FROM,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI

_BETWEEN_US = (
    *(PROXY_RECEIVED_FROM, PROXY_RECEIVED_ON, PROXY_RECEIVED_TRUNK),
    PROXY_SEND_FROM,
)
_IDENTITIES = (P_ASSERTED_IDENTITY, P_PREFERRED_IDENTITY)
# Hardly a message has any of them: one search instead of six.
_SUSPECT = re.compile(
    r"\n(?:[Pp][Rr][Oo][Xx][Yy]-(?:[Rr][Ee][Cc]|[Ss])|[Pp]-[AaPp])"
).search


def strip_claims(message: Message, *, keep_identity: bool = False) -> None:
    """
    Remove what a peer claims that we do not trust (:rfc:`3325#section-5`).

    :param keep_identity: whether it may say who its users are.
    """
    if _SUSPECT(message.head):
        if not keep_identity:
            for field in _IDENTITIES:
                message.remove(field)
        strip_private(message)


def strip_private(message: Message) -> None:
    """
    Remove what is said between the proxy and the roles.
    """
    if _SUSPECT(message.head):
        for field in _BETWEEN_US:
            message.remove(field)


def assert_identity(request: Request, aor: str, realm: str) -> None:
    """
    Say whom a request is from, whose credentials were good; and drop these.

    Nobody behind us could do anything with them but guess the password.
    """
    request.set(P_ASSERTED_IDENTITY, Address(SIPURI.parse(aor)))
    texts = request.all("Proxy-Authorization")
    others = [each for each in texts if Credentials.parse(each).realm != realm]
    if len(others) < len(texts):
        request.set_all("Proxy-Authorization", others)


def strip_challenges(response: Response, is_ours: Callable[[str], bool]) -> None:
    """
    Remove the challenges that a stranger makes in our name.

    Whoever answers one gives away what the password can be guessed by.

    :param is_ours: tells of a realm whether it is.
    """
    for field in (WWW_AUTHENTICATE, PROXY_AUTHENTICATE):
        texts = response.all(field.name)
        others = [each for each in texts if not _challenges_for(each, is_ours)]
        if len(others) < len(texts):
            response.set_all(field.name, others)


def _challenges_for(text: str, is_ours: Callable[[str], bool]) -> bool:
    try:
        realm = Challenge.parse(text).realm
    except ParseError:
        return True  # what we cannot read somebody else may
    return realm is not None and is_ours(realm)


def hide_identity(message: Message) -> None:
    """
    Remove who sends a message, if that is to stay between those who trust each other.

    It is for a next hop that is none of these (:rfc:`3325#section-7`).
    """
    if P_ASSERTED_IDENTITY not in message:
        return
    try:
        wishes = message.get(PRIVACY) or ()
    except ParseError:
        wishes = ("id",)  # the careful reading of what nobody can read
    if "id" in wishes:
        message.remove(P_ASSERTED_IDENTITY)
