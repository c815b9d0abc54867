"""
What the transport layer counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# What RFC 3261 and its extensions define; all others count as one, for peers may make
# up any number of them.
_METHODS = (
    *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
    *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
)
#: The name of all other methods.
OTHER = "other"


def _no_methods() -> dict[str, int]:
    return dict.fromkeys((*_METHODS, OTHER), 0)


def _no_classes() -> list[int]:
    return [0] * 7


@dataclass(slots=True)
class Counters:
    """
    Count what came, what left and what was refused, since the layer began.

    :ivar methods: requests that came, by the methods that there are; `OTHER` ones too.
    :ivar classes: responses that came, by the first digit of their status.
    """

    methods: dict[str, int] = field(default_factory=_no_methods)
    classes: list[int] = field(default_factory=_no_classes)

    requests_received: int = 0
    responses_received: int = 0
    sent: int = 0
    pings: int = 0
    stun: int = 0
    unparsable: int = 0  # messages that broke the grammar or a limit
    answered: int = 0  # of those, the ones that got a response of the layer
    dropped: int = 0  # datagrams that a full socket buffer would not take
    send_failures: int = 0
    consumer_failures: int = 0  # exceptions that the consumer let escape
    connections_accepted: int = 0
    connections_opened: int = 0
    connections_refused: int = 0  # over a cap
    connections_failed: int = 0  # could not be opened, or not be trusted
    handshakes_failed: int = 0  # of peers that connected to us
