"""
What a transaction wants to be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

M = TypeVar("M", Request, Response)


@dataclass(frozen=True, slots=True)
class Send(Generic[M]):
    """
    Pass a message to the transport.
    """

    message: M


@dataclass(frozen=True, slots=True)
class Deliver(Generic[M]):
    """
    Give a message to the transaction user: a response, or the ACK to a 2xx.
    """

    message: M


@dataclass(frozen=True, slots=True)
class Cancel:
    """
    Begin a client transaction with this CANCEL.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class TimedOut:
    """
    Tell the transaction user that what it waits for will not come.
    """


@dataclass(frozen=True, slots=True)
class Failed:
    """
    Tell the transaction user of the failure that the transport has reported.
    """


@dataclass(frozen=True, slots=True)
class Terminated:
    """
    Forget the transaction.
    """


ClientEffect: TypeAlias = (
    Send[Request] | Deliver[Response] | Cancel | TimedOut | Failed | Terminated
)
ServerEffect: TypeAlias = (
    Send[Response] | Deliver[Request] | TimedOut | Failed | Terminated
)
