"""
What servers tell of themselves in numbers, for whoever collects them.

A server counts in plain integers as it goes, and makes figures of them when it is
asked, which is once in some seconds. Labels are few and from fixed sets: never a user,
a call or an address, of which there may be any number.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sipsorcery.transport.counters import Counters
from sipsorcery.transport.transactions.layer import TransactionLayer

#: Seconds, for what should be done at once.
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
#: Seconds, for what waits for people.
SLOW = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Histogram:
    """
    Counts how often values were up to which bound.

    :param bounds: upper ones, in order; above the last there is no bound.

    :ivar sum: of all values.
    """

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: Sequence[float] = FAST) -> None:
        self.sum = 0.0
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)

    def observe(self, value: float) -> None:
        """
        Count a value.
        """
        self.sum += value
        self._counts[bisect_left(self._bounds, value)] += 1

    def buckets(self) -> list[tuple[float, int]]:
        """
        Give how many were up to each bound, the last of which is infinite.
        """
        total, found = 0, []
        for bound, count in zip(
            (*self._bounds, float("inf")), self._counts, strict=True
        ):
            total += count
            found.append((bound, total))
        return found


class Kind(Enum):
    """
    Name what a number is.
    """

    COUNTER = "counter"  # only grows
    GAUGE = "gauge"  # is what it is now


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One number, or some that belong together.

    :ivar name: without what all have in common in front, and without a unit behind.
    :ivar help: a sentence.
    """

    name: str
    help: str
    value: float | Histogram
    kind: Kind = Kind.COUNTER
    labels: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """
    Tells its figures when it is asked.
    """

    def figures(self) -> Iterable[Figure]:
        """
        Give the figures as they are now.
        """


def gauge(name: str, help: str, value: float, **labels: str) -> Figure:
    """
    Make the figure of something that comes and goes.
    """
    return Figure(name, help, value, Kind.GAUGE, labels)


def counter(name: str, help: str, value: float, **labels: str) -> Figure:
    """
    Make the figure of something that is counted.
    """
    return Figure(name, help, value, Kind.COUNTER, labels)


def of_tables(tables: Mapping[str, int]) -> Iterator[Figure]:
    """
    Give the figures of tables: of what there is now, which all goes in the end.

    :param tables: the numbers of their entries, by name.
    """
    for name, size in tables.items():
        yield gauge("table_entries", "What tables hold.", size, table=name)


def of_transport(counters: Counters) -> Iterator[Figure]:
    """
    Give the figures of a transport layer.
    """
    for method, count in counters.methods.items():
        yield counter("requests_received", "Requests that came.", count, method=method)
    for number, count in enumerate(counters.classes[1:], 1):
        yield counter(
            "responses_received", "Responses that came.", count, status=f"{number}xx"
        )
    yield counter("messages_sent", "Messages that left.", counters.sent)
    for reason, count in (
        ("unparsable", counters.unparsable),
        ("buffer_full", counters.dropped),
        ("send_failure", counters.send_failures),
        ("fault", counters.consumer_failures),
    ):
        yield counter(
            "messages_lost", "Messages that nothing came of.", count, reason=reason
        )
    for what, count in (
        ("accepted", counters.connections_accepted),
        ("opened", counters.connections_opened),
        ("refused", counters.connections_refused),
        ("failed", counters.connections_failed + counters.handshakes_failed),
    ):
        yield counter("connections", "Connections of peers.", count, outcome=what)


def of_transactions(layer: TransactionLayer) -> Iterator[Figure]:
    """
    Give the figures of a transaction layer.
    """
    counters = layer.counters
    for side, begun in (("server", counters.server), ("client", counters.client)):
        yield counter("transactions", "Transactions begun.", begun, side=side)
    for reason, count in (
        ("timeout", counters.timeouts),
        ("transport", counters.transport_failures),
        ("table_full", counters.refused),
        ("fault", counters.user_failures),
    ):
        yield counter(
            "transactions_failed", "Transactions that failed.", count, reason=reason
        )
    yield counter("requests_repeated", "Requests that came again.", counters.repeated)
