"""
What all legs of a dial ask in the name of who calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.dialog.bodies import described
from sipsorcery.dialog.dialog import HOPS
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sdp import SessionDescription
from sipsorcery.ua import Session
from sipsorcery.ua.negotiation import Enclose

#: Waits for the caller's answer to an offer that a callee makes.
LateAnswer = Callable[[], Awaitable[SessionDescription]]


def _leave(description: SessionDescription, target: Target) -> SessionDescription:
    return description


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """
    What all legs of a dial ask, whoever is called.

    :ivar name: the display name of who calls.
    :ivar description: what is offered; None: nothing, or the callee is to offer.
    :ivar rewrite: puts addresses into it that the target can reach, where a leg wants
        that.
    :ivar keep_addresses: is given each session of a leg that wants no address replaced.
    :ivar late_answer: where the callee is to offer: waits for the answer.
    :ivar fields: what the INVITE says beyond the usual, given the target.
    :ivar headers: lines to add to it.
    :ivar body: where it describes no session.
    :ivar enclose: makes the fields and the body that carry the description.
    :ivar hops: how many the INVITE may still take.
    :ivar can_confirm: whether whoever asks can confirm reliable responses.
    """

    name: str = ""
    description: SessionDescription | None = None
    rewrite: Callable[[SessionDescription, Target], SessionDescription] = _leave
    keep_addresses: Callable[[Session], object] = lambda session: None
    late_answer: LateAnswer | None = None
    fields: Callable[[Target], list[FieldValue]] = lambda target: []
    headers: tuple[str, ...] = ()
    body: bytes = b""
    enclose: Enclose = described
    hops: int = HOPS
    can_confirm: bool = True
