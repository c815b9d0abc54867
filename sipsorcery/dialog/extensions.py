"""
Option tags: what one side asks for, and the other can do (:rfc:`3261#section-19.2`).
"""

from __future__ import annotations

from collections.abc import Collection

from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import REQUIRE, SUPPORTED, UNSUPPORTED
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request

RELIABLE = "100rel"  #: :rfc:`3262`
TIMER = "timer"  #: :rfc:`4028`
REPLACES = "replaces"  #: :rfc:`3891`
JOIN = "join"  #: :rfc:`3911`
TARGET_DIALOG = "tdialog"  #: :rfc:`4538`
NO_SUBSCRIPTION = "norefersub"  #: :rfc:`4488`

#: What the machines of this package do. Whoever uses them all may say so.
EXTENSIONS = (RELIABLE, TIMER, REPLACES, NO_SUBSCRIPTION)


def requires(message: Message, tag: str) -> bool:
    """
    Tell whether the sender insists on an extension.

    :raises ParseError: if Require breaks the grammar.
    """
    return tag in _lower(message.all(REQUIRE))


def supports(message: Message, tag: str) -> bool:
    """
    Tell whether the sender can do an extension.

    :raises ParseError: if Require or Supported breaks the grammar.
    """
    return requires(message, tag) or tag in _lower(message.all(SUPPORTED))


def check_required(request: Request, known: Collection[str]) -> Refusal | None:
    """
    Refuse a request that requires what we cannot do (:rfc:`3261#section-8.2.2.3`).

    :param known: option tags, in lower case.
    """
    if request.method in ("ACK", "CANCEL"):
        return None
    try:
        required = request.all(REQUIRE)
    except ParseError as error:
        return Refusal.of(error)
    unknown = [tag for tag in required if tag.lower() not in known]
    if not unknown:
        return None
    return Refusal(420, fields=tuple((UNSUPPORTED, tag) for tag in unknown))


def _lower(tags: tuple[str, ...]) -> list[str]:
    return [tag.lower() for tag in tags]
