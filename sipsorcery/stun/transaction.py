"""
A request over UDP, repeated until its response comes (:rfc:`8489#section-6.2.1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sipsorcery.stun.message import Message, MessageClass


@dataclass(frozen=True, slots=True)
class Timing:
    """
    When to repeat a request, and when to give up.

    :ivar rto: the retransmission timeout, in seconds; it doubles each time.
    :ivar rc: how many times the request is sent in all.
    :ivar rm: how many times the first timeout to wait after the last of them.
    """

    rto: float = 0.5
    rc: int = 7
    rm: int = 16


@dataclass(frozen=True, slots=True)
class Send:
    """
    Send the request.
    """

    message: Message


@dataclass(frozen=True, slots=True)
class Deliver:
    """
    Hand over the response; it is the last effect.
    """

    message: Message


@dataclass(frozen=True, slots=True)
class TimedOut:
    """
    Report that no response will come; it is the last effect.
    """


Effect: TypeAlias = Send | Deliver | TimedOut


class ClientTransaction:
    """
    Send one request until a response to it comes, or never will.

    :param now: the time, in seconds of any clock.
    """

    def __init__(
        self,
        request: Message,
        *,
        now: float,
        timing: Timing = Timing(),
    ) -> None:
        self.request = request
        self._timing = timing
        self._effects: list[Effect] = []
        self._sent = 0
        self._due: float | None = now
        self.handle_timer(now)

    def take_effects(self) -> list[Effect]:
        """
        Hand over what is to be done, in this order, since the last time.
        """
        effects, self._effects = self._effects, []
        return effects

    def next_timer(self) -> float | None:
        """
        Give the time to call `handle_timer`; None: it is over.
        """
        return self._due

    def handle_timer(self, now: float) -> None:
        """
        Repeat the request, or give up; being early does no harm.
        """
        if self._due is None or now < self._due:
            return
        timing = self._timing
        if self._sent == timing.rc:
            self._due = None
            self._effects.append(TimedOut())
            return
        self._effects.append(Send(self.request))
        self._sent += 1
        last = self._sent == timing.rc
        self._due += timing.rto * (timing.rm if last else 2 ** (self._sent - 1))

    def receive(self, message: Message) -> None:
        """
        Take a message; only the first response to the request counts.
        """
        if self._due is None or not self._is_answered_by(message):
            return
        self._due = None
        self._effects.append(Deliver(message))

    def _is_answered_by(self, message: Message) -> bool:
        request = self.request
        return (
            message.message_class in (MessageClass.SUCCESS, MessageClass.ERROR)
            and message.method == request.method
            and message.transaction_id == request.transaction_id
            and message.cookie == request.cookie
        )
