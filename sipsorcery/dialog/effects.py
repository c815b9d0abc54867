"""
What the machines of this package want to be done.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response


@dataclass(frozen=True, slots=True)
class Send:
    """
    Send a message: a request in a new transaction, a response in that of its request.

    An ACK has no transaction, and goes straight to the transport.
    """

    message: Request | Response


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """
    Go on: what we sent has arrived, as this ACK or PRACK says.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """
    Give up: what we sent was repeated for 64*T1, and nobody said that it arrived.
    """


@dataclass(frozen=True, slots=True)
class Released:
    """
    Send a final response, which had to wait until now.
    """

    response: Response


@dataclass(frozen=True, slots=True)
class Terminated:
    """
    Forget the machine: nothing comes of it any more.
    """
