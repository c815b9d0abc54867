"""
Fields that only those we trust may set, and that nobody outside gets to see. Pure.
"""

from __future__ import annotations

import re

from sipsorcery.sip.fields import (
    P_ASSERTED_IDENTITY,
    PROXY_RECEIVED_FROM,
    PROXY_RECEIVED_ON,
    PROXY_SEND_FROM,
)
from sipsorcery.sip.message import Message

_BETWEEN_US = (PROXY_RECEIVED_FROM, PROXY_RECEIVED_ON, PROXY_SEND_FROM)
# Hardly a message has any of them: one search instead of four.
_SUSPECT = re.compile(
    r"\n(?:[Pp][Rr][Oo][Xx][Yy]-(?:[Rr][Ee][Cc]|[Ss])|[Pp]-[Aa])"
).search


def strip_claims(message: Message) -> None:
    """
    Remove what a peer claims that we do not trust (:rfc:`3325#section-5`).
    """
    if _SUSPECT(message.head):
        message.remove(P_ASSERTED_IDENTITY)
        strip_private(message)


def strip_private(message: Message) -> None:
    """
    Remove what is said between the proxy and the roles.
    """
    if _SUSPECT(message.head):
        for field in _BETWEEN_US:
            message.remove(field)
