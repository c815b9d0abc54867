"""
Subscriptions, for who tells what happens (:rfc:`6665#section-4.2`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, TypeAlias

from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.event_state import ENDING, Phase
from sipsorcery.dialog.machine import Machine
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    ALLOW_EVENTS,
    CONTENT_TYPE,
    EVENT,
    EXPIRES,
    MIN_EXPIRES,
    SUBSCRIPTION_STATE,
)
from sipsorcery.sip.parameterised import Event, MediaType, SubscriptionState
from sipsorcery.sip.parameters import Parameters
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

#: Durations shorter than that may be refused, longer ones not (4.2.1.1).
_HOUR = 3600

#: How long somebody who asked for one NOTIFY waits for it: Timer N.
_PATIENCE = 32.0


@dataclass(frozen=True, slots=True)
class Durations:
    """
    How long subscriptions to a package last, in seconds.

    :ivar usual: where the subscriber asks for no duration.
    """

    shortest: int = 60
    usual: int = 3600
    longest: int = 86400


class Body(NamedTuple):
    """
    What a NOTIFY tells.
    """

    type: MediaType
    content: bytes


@dataclass(frozen=True, slots=True)
class StateWanted:
    """
    Tell the whole state now, by :meth:`Notifier.notify`: the subscriber asks for it.
    """


NotifierEffect: TypeAlias = Send | StateWanted | Terminated


def check_subscribe(
    subscribe: Request, packages: Collection[str], durations: Durations
) -> int | Refusal:
    """
    Judge a SUBSCRIBE (:rfc:`6665#section-4.2.1.1`).

    :param packages: the event packages that we know.
    :returns: how long the subscription lasts, in seconds, for the Expires of the 2xx; 0
        ends it, or asks for one NOTIFY. Or how to refuse the request.
    """
    try:
        event, asked = subscribe.get(EVENT), subscribe.get(EXPIRES)
    except ParseError as error:
        return Refusal.of(error)
    if event is None or event.package not in packages:
        return Refusal(489, fields=tuple((ALLOW_EVENTS, each) for each in packages))
    if asked is None:
        return durations.usual
    if 0 < asked < min(durations.shortest, _HOUR):
        return Refusal(423, fields=((MIN_EXPIRES, durations.shortest),))
    return min(asked, durations.longest)


class Notifier(Machine[NotifierEffect]):
    """
    One subscription of a peer, from the 2xx to its SUBSCRIBE, or REFER, to its end.

    The next NOTIFY goes out when the one before is answered, so that they arrive in
    order. Meanwhile the latest state waits, and what it replaces is never sent.

    :ivar phase: where it stands; ``Terminated`` once the last NOTIFY is on its way.
    :ivar expires_at: when it ends unless it is refreshed.
    """

    __slots__ = (
        "_dialog",
        "_event",
        "_has_news",
        "_news",
        "_reason",
        "_retry_after",
        "_sent",
        "expires_at",
        "phase",
    )

    def __init__(
        self,
        dialog: Dialog,
        event: Event,
        expires: int,
        now: float,
        *,
        phase: Phase = Phase.Active,
    ) -> None:
        """
        Begin, and want the state: a NOTIFY follows the 2xx at once.

        :param event: as the SUBSCRIBE has it.
        :param expires: what :func:`check_subscribe` gives.
        :param phase: Pending, if somebody must allow it first.
        """
        super().__init__()
        self._dialog = dialog
        self._event = event
        self._news: Body | None = None
        self._has_news = False
        self._reason: str | None = None  # why it ends, once it does
        self._retry_after: int | None = None
        self._sent: Request | None = None  # and not answered
        self.phase = phase
        self.expires_at = now
        self._last(expires, now)

    def refresh(self, expires: int, now: float) -> Refusal | None:
        """
        Take a SUBSCRIBE that the dialog has let pass.

        :param expires: what :func:`check_subscribe` gives; 0 ends the subscription.
        :returns: how to refuse it; ``None`` says that it gets a 200 with Expires.
        """
        if self.phase is Phase.Terminated or self._reason is not None:
            return Refusal(481)
        self._last(expires, now)
        return None

    def notify(self, body: Body | None, now: float) -> None:
        """
        Tell the subscriber the state; nothing happens once the subscription is over.
        """
        if self.phase is not Phase.Terminated:
            self._tell(body, now)

    def activate(self, now: float) -> None:
        """
        Allow a subscription that was pending, which wants the state now.
        """
        if self.phase is Phase.Pending:
            self.phase = Phase.Active
            self._want_state(now)

    def terminate(
        self,
        reason: str,
        now: float,
        *,
        body: Body | None = None,
        retry_after: int | None = None,
    ) -> None:
        """
        End the subscription with a last NOTIFY.

        :param reason: one of :rfc:`6665#section-4.1.3`.
        :param retry_after: when it may be begun again, for the reasons that allow that.
        """
        if self.phase is not Phase.Terminated:
            self._reason, self._retry_after = reason, retry_after
            self._tell(body, now)

    def receive_response(self, response: Response, now: float) -> None:
        """
        Take the response to the latest NOTIFY.

        After a failure that does not end the subscription the state is lost, and the
        next one is told as if nothing had happened.
        """
        if response.is_provisional or self._sent is None:
            return
        self._sent = None
        if response.status in ENDING:
            self.give_up()
        elif self._has_news:
            self._send(now)
        elif self.phase is Phase.Terminated:
            self._act(Terminated())

    def give_up(self) -> None:
        """
        End without a word: nobody answers, or there is no way to the subscriber.
        """
        self.phase = Phase.Terminated
        self._sent = None
        self._has_news = False
        self._due = None
        self._act(Terminated())

    def _last(self, expires: int, now: float) -> None:
        self.expires_at = now + expires
        self._due = self.expires_at
        if expires == 0:
            self._reason = "timeout"
            self._due = now + _PATIENCE
        self._want_state(now)

    def _want_state(self, now: float) -> None:
        self._act(StateWanted())

    def _tell(self, body: Body | None, now: float) -> None:
        self._news, self._has_news = body, True
        if self._reason is not None:
            self.phase = Phase.Terminated
            self._due = None
        if self._sent is None:
            self._send(now)

    def _send(self, now: float) -> None:
        if self._dialog.state is State.Terminated:
            self.give_up()
            return
        fields: list[FieldValue] = [
            (EVENT, self._event),
            (SUBSCRIPTION_STATE, self._state(now)),
        ]
        content = b""
        if self._news is not None:
            content = self._news.content
            fields.append((CONTENT_TYPE, self._news.type))
        self._has_news = False
        self._sent = self._dialog.request("NOTIFY", fields, content)
        self._act(Send(self._sent))

    def _state(self, now: float) -> SubscriptionState:
        if self._reason is None:
            seconds = ceil(max(self.expires_at - now, 0.0))
            word = "active" if self.phase is Phase.Active else "pending"
            return SubscriptionState(word, Parameters([("expires", f"{seconds}")]))
        why: list[tuple[str, str | None]] = [("reason", self._reason)]
        if self._retry_after is not None:
            why.append(("retry-after", f"{self._retry_after}"))
        return SubscriptionState("terminated", Parameters(why))

    def _fire(self, now: float) -> None:
        self.terminate("timeout", now)
