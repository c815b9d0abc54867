"""
What sources are banned for. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Offence(StrEnum):
    """
    Name what a stranger has done, as the log and the control socket show it.
    """

    FLOOD = "too many packets"
    GARBAGE = "garbage"
    CREDENTIALS = "failed credentials"
    UNKNOWN = "unknown users"
    SCANNER = "a scanner"
    ORDER = "an administrator"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    How often is too often.

    :ivar count: so many in *period* seconds are.
    :ivar is_proven: whether nobody can do it in another's name, even over UDP.
    """

    count: int
    period: float
    is_proven: bool = False


# A flood is not counted here: the rate of packets is a setting.
OFFENCES = {
    Offence.FLOOD: Rule(1, 1.0),
    # A phone that sends something odd to keep its NAT open does so every 15 s.
    Offence.GARBAGE: Rule(20, 60.0),
    # Only failures with a nonce are counted that was sent to that address. As many as
    # lock one account; a phone with a wrong password tries twice a minute.
    Offence.CREDENTIALS: Rule(30, 300.0, is_proven=True),
    # Whoever dials wrong does so a few times.
    Offence.UNKNOWN: Rule(20, 300.0),
    # One is enough: nobody calls themselves so by mistake.
    Offence.SCANNER: Rule(1, 60.0),
    Offence.ORDER: Rule(1, 60.0, is_proven=True),
}


@dataclass(frozen=True, slots=True)
class Ban:
    """
    A source that is not listened to.

    :ivar source: an address, or a network of IPv6.
    :ivar since: when it began, on the clock of the guard.
    """

    source: str
    offence: Offence
    since: float
    until: float
