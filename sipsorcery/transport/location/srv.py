"""
SRV records: the names they have, and the order they are used in. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, groupby
from operator import attrgetter

from sipsorcery.endpoint import Transport
from sipsorcery.transport.location.records import SRV

#: Gives a random number from 0 to 1, without 1, as `random.random` does.
Chance = Callable[[], float]

# "_sips" with TLS, whichever scheme the URI has (RFC 3263, 4.2). A WebSocket has no SRV
# records (RFC 7118).
_SERVICES = {
    Transport.UDP: "_sip._udp",
    Transport.TCP: "_sip._tcp",
    Transport.TLS: "_sips._tcp",
}


def srv_name(transport: Transport, domain: str) -> str | None:
    """
    Give the name under which a domain has the servers for one transport.

    :return: None for a transport that has none.
    """
    service = _SERVICES.get(transport)
    return f"{service}.{domain}" if service else None


def arrange(records: Iterable[SRV], chance: Chance) -> list[SRV]:
    """
    Put SRV records into the order to try them in.

    Lower priorities come first; among equal ones chance decides, by weight
    (:rfc:`2782`, "Usage rules"). The same chance gives the same order, however the
    records came.

    :return: without those that name no server.
    """
    usable = sorted({one for one in records if one.target and one.port})
    arranged: list[SRV] = []
    for _, equals in groupby(usable, attrgetter("priority")):
        arranged += _by_weight(equals, chance)
    return arranged


def is_withheld(records: Sequence[SRV]) -> bool:
    """
    Tell whether a domain says that it does not offer the service.

    "A Target of '.' means that the service is decidedly not available at this domain."
    """
    return bool(records) and not any(one.target for one in records)


def _by_weight(equals: Iterable[SRV], chance: Chance) -> list[SRV]:
    """
    Draw one record after the other, the heavier the sooner.
    """
    # "in any order, except that all those with weight 0 are placed at the beginning":
    # any order means that two records with weight 0, or 1, get half of the calls each.
    left = sorted(equals, key=lambda one: (one.weight > 0, chance()))
    drawn = []
    total = sum(one.weight for one in left)
    while left:
        # "a uniform random number between 0 and the sum computed (inclusive)"
        number = int(chance() * (total + 1))
        sums = accumulate(one.weight for one in left)
        chosen = next(index for index, sum_ in enumerate(sums) if sum_ >= number)
        total -= left[chosen].weight
        drawn.append(left.pop(chosen))
    return drawn
