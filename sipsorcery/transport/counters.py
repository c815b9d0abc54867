"""
What the transport layer counts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """
    Count what came, what left and what was refused, since the layer began.
    """

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
