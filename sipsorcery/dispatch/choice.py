"""
In which order servers are asked to take a new call. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

from sipsorcery.endpoint import Endpoint

_FULL = 2.0**64


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A server that may get a call.

    :ivar weight: 1 to 100, its share beside the others.
    :ivar calls: how many it has.
    """

    endpoint: Endpoint
    weight: int
    calls: int = 0


def by_hash(candidates: Iterable[Candidate], key: str) -> list[Endpoint]:
    """
    Order servers by a weighted rendezvous of a key.

    Each key has an order of its own, that stays when other servers come and go: those
    whose server is lost are spread over all that are left, and no other key moves.
    """
    return _ordered(candidates, lambda each: _score(each, key))


def by_calls(candidates: Iterable[Candidate], key: str) -> list[Endpoint]:
    """
    Order servers by how many calls they have for their weight; a key breaks ties.
    """
    return _ordered(
        candidates,
        lambda each: (each.calls / each.weight, _score(each, key)),
    )


def _ordered(
    candidates: Iterable[Candidate], rank: Callable[[Candidate], object]
) -> list[Endpoint]:
    ranked = sorted(candidates, key=rank)  # type: ignore[arg-type]  # all ranks alike
    return [each.endpoint for each in ranked]


def _score(candidate: Candidate, key: str) -> float:
    # The first of many clocks, each with a rate of its weight: it is the first with
    # just the probability that is its share.
    text = f"{candidate.endpoint}\0{key}".encode("utf-8", "surrogateescape")
    number = int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
    return -math.log((number + 1) / (_FULL + 1)) / candidate.weight
