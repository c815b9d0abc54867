"""
Calls of ours that continue another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sipsorcery.dialog.bodies import described
from sipsorcery.dialog.dialog import HOPS
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.address import Address
from sipsorcery.sip.request import Request
from sipsorcery.ua.negotiation import Enclose, OfferHook

#: Hears of an INVITE of ours that is on its way.
SentHook: TypeAlias = Callable[[Request, Endpoint], object]


def _ignore(request: Request, to: Endpoint) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """
    Say how a call goes out that is one leg of a longer one.

    What it offers and answers is said by somebody else in our place, but for the ``o=``
    line; redirections are left to whoever calls.

    :ivar to: whom it is for, wherever it goes; None: who is called.
    :ivar contact: where the peer reaches us; None: at our own address.
    :ivar hops: how many the INVITE may still take.
    :ivar ring_time: how long it may ring, in seconds; None: as the settings say.
    :ivar can_confirm: whether the other side can confirm reliable responses: only then
        the peer may send them with an offer.
    :ivar body: of an INVITE that has no description.
    :ivar enclose: makes the fields and the body that carry the description.
    :ivar on_offer: answers the first offer of the peer, where that is late.
    :ivar on_sent: is given each INVITE as it was sent, and where it went.
    """

    to: Address | None = None
    contact: Address | None = None
    hops: int = HOPS
    ring_time: float | None = None
    can_confirm: bool = True
    body: bytes = b""
    enclose: Enclose = described
    on_offer: OfferHook | None = None
    on_sent: SentHook = _ignore
