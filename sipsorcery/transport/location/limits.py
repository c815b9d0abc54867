"""
Every bound of the location of servers, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocationLimits:
    """
    Bound what the names in messages, and those who answer for them, can make us do.

    Times are in seconds.
    """

    # When a question is repeated, and when it is given up: after 1 s, and 2 s later.
    # One lost datagram costs a caller a second; a dead DNS server, three.
    question: tuple[int, ...] = (1, 2)
    # For everything together; a caller has given up, or sent again, by Timer B's 32 s.
    patience: float = 5.0
    # Different questions under way: each holds a UDP socket, of the 1,024 files that a
    # process may open by default. At 50 ms each they are 10,000 questions a second.
    questions: int = 512
    # Answers kept: 1 kB each as a rule, up to 25 kB from a zone that is made to fill
    # our memory; that is 50 MB at the very worst.
    cached: int = 2048
    # An answer is believed for no longer than this: a mistake in a zone ends then.
    longest: float = 3600.0
    # A TTL of 0 forbids to keep it, but a busy proxy would ask for each request.
    shortest: float = 1.0
    # That there is no such record is believed for no longer than this (RFC 2308 lets
    # it be hours): who adds an SRV record wants calls to come.
    longest_absence: float = 300.0
    # What failed is not asked again for this time: RFC 9520 wants a second at least,
    # five minutes at most. So long, too, where a zone does not say how long it lacks.
    failure: float = 5.0
    # Aliases (CNAME) followed from one name; a chain of more is a loop.
    aliases: int = 8
    # Records used of one answer. One UDP datagram holds some 20; over TCP there can be
    # a thousand, and nobody runs as many servers.
    records: int = 32
    # SIP services of one NAPTR answer: twice as many as there are transports.
    services: int = 6
    # Server names whose addresses are asked for, two questions each.
    hosts: int = 16
    # Targets handed out. Who walks past as many has waited for long enough.
    targets: int = 32
    # How long a failed target stays at the end of its list: longer than a restart of
    # the server takes, no longer than people bear a detour.
    failed: float = 45.0
    # The longest that a server can ask for itself, by Retry-After.
    longest_failed: float = 300.0
    # Failed targets remembered; beyond, the one that failed first is forgotten.
    failed_targets: int = 1024
