"""
Subscriptions, for who wants to be told (:rfc:`6665#section-4.1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.effects import Send
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.event_state import ENDING, LATER, Phase, again_after
from sipsorcery.dialog.machine import Machine
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    ACCEPT,
    CALL_ID,
    CSEQ,
    EVENT,
    EXPIRES,
    FROM,
    MIN_EXPIRES,
    RETRY_AFTER,
    SUBSCRIPTION_STATE,
    TO,
    Field,
)
from sipsorcery.sip.parameterised import Event, SubscriptionState
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers

#: How long before its end a subscription is refreshed: as long as a transaction may
#: take, so that there is an answer before it is over.
MARGIN = 32.0

#: The longest duration that a 423 can talk us into: a week.
MAX_EXPIRES = 604800

# How often a refresh is made longer after a 423: enough for every notifier that means
# it, and no endless loop with one that always wants more.
_LONGER = 5


@dataclass(frozen=True, slots=True)
class Notified:
    """
    Tell of a NOTIFY that counts.
    """

    request: Request
    state: SubscriptionState


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """
    Tell that the subscription is over.

    :ivar reason: what the notifier says, ``None`` if it says nothing.
    :ivar again_after: seconds to wait before subscribing again, ``None`` if that makes
        no sense.
    :ivar response: the failure that ended it, if it was one.
    """

    reason: str | None
    again_after: float | None
    response: Response | None = None


SubscriberEffect: TypeAlias = Send | Notified | SubscriptionEnded


class Subscriber(Machine[SubscriberEffect]):
    """
    One subscription of ours, from the first SUBSCRIBE, or REFER, to its end.

    A NOTIFY makes the dialog, whether it comes before the 2xx or after it. The
    subscription is refreshed before it expires; where no NOTIFY follows a SUBSCRIBE for
    64*T1 (Timer N), it is over.

    :ivar dialog: ``None`` before the first NOTIFY, unless there was one before.
    :ivar phase: where it stands.
    :ivar expires_at: when it ends unless it is refreshed, ``None`` if nobody said.
    """

    __slots__ = (
        "_event",
        "_first",
        "_forks_until",
        "_is_leaving",
        "_longer",
        "_over_tls",
        "_refresh_at",
        "_timer_n",
        "_timers",
        "_wanted",
        "dialog",
        "expires_at",
        "phase",
    )

    def __init__(
        self,
        first: Request,
        now: float,
        *,
        dialog: Dialog | None = None,
        over_tls: bool = False,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        """
        Begin when the first request is sent.

        :param first: the SUBSCRIBE with Event and Expires, or the REFER.
        :param dialog: the one that *first* is sent in, if it is sent in one.
        """
        super().__init__()
        self._first = first
        self._event = first.get(EVENT) or Event("refer")
        self._wanted = first.get(EXPIRES)
        self._over_tls = over_tls
        self._timers = timers
        self._is_leaving = False
        self._longer = _LONGER
        self._refresh_at = inf
        self._forks_until = now + 64 * timers.t1
        self._timer_n = self._forks_until
        self.dialog = dialog
        self.phase = Phase.NotifyWait
        self.expires_at: float | None = None

    def next_timer(self) -> float | None:
        """
        Give the time to call :meth:`handle_timer`; ``None`` means that none is needed.
        """
        due = min(self._timer_n, self._refresh_at, self._end)
        return None if due == inf else due

    def handle_timer(self, now: float) -> None:
        """
        Act on what is due; being early does no harm.
        """
        if min(self._timer_n, self._end) <= now:
            self._finish(None, LATER)
        elif self._refresh_at <= now:
            self.refresh(now)

    def is_for(self, notify: Request) -> bool:
        """
        Tell whether a NOTIFY belongs to this subscription.

        The first one may come from any of those that the SUBSCRIBE has reached.

        :raises ParseError: if it breaks the grammar.
        """
        return self._is_for_first(notify) and (
            self.dialog is None or self.dialog.remote_tag == (notify[FROM].tag or "")
        )

    def fork(self, notify: Request, now: float) -> Subscriber | None:
        """
        Make the subscription of another notifier that the SUBSCRIBE has reached.

        Whoever wants only one refuses the NOTIFY with 481 instead
        (:rfc:`6665#section-4.1.2.4`).

        :returns: ``None`` if the NOTIFY is for another subscription, or too late.
        :raises ParseError: if it breaks the grammar.
        """
        if now >= self._forks_until or not self._is_for_first(notify):
            return None
        other = Subscriber(
            self._first, now, over_tls=self._over_tls, timers=self._timers
        )
        other._forks_until = other._timer_n = self._forks_until
        return other

    def receive(self, notify: Request, now: float) -> Refusal | None:
        """
        Take a NOTIFY that the dialog, if there is one, has let pass.

        :returns: how to refuse it; ``None`` says that it gets a 200.
        """
        try:
            if self.phase is Phase.Terminated or not self.is_for(notify):
                return Refusal(481)
            state = notify[SUBSCRIPTION_STATE]
            expires, retry_after = state.expires, state.retry_after
            if self.dialog is None:
                self.dialog = Dialog.of_notify(
                    self._first, notify, over_tls=self._over_tls
                )
        except ParseError as error:
            return Refusal.of(error)
        self._timer_n = inf
        self._act(Notified(notify, state))
        if state.state == "terminated":
            self._finish(state.reason, again_after(state.reason, retry_after))
            return None
        is_first = self.phase is Phase.NotifyWait
        self.phase = Phase.Active if state.state == "active" else Phase.Pending
        if expires is not None:
            # "the subscriber SHOULD take it as the authoritative subscription duration"
            self._expire_in(expires, now)
        self._plan_refresh(now)
        if self._is_leaving and is_first:
            self._subscribe(0, now)
        return None

    def receive_response(self, response: Response, now: float) -> None:
        """
        Take a response to the latest SUBSCRIBE, or to the REFER.

        A first one that is too brief (423) ends here: the user makes another one, as
        long as its Min-Expires.
        """
        if response.is_provisional or self.phase is Phase.Terminated:
            return
        if response.is_success:
            self._accepted(response, now)
        elif self.phase is Phase.NotifyWait:
            self._finish(None, _retry_after(response), response)
        elif response.status in ENDING:
            again = 0.0 if response.status == 481 else _retry_after(response)
            self._finish(None, again, response)
        elif response.status == 423 and self._lengthen(response):
            self.refresh(now)
        else:
            # "the original subscription is still considered valid for the duration of
            # the most recently known Expires value" (4.1.2.2): time to try again.
            self._timer_n = inf
            delay = _retry_after(response) or max((self._end - now) / 2, 1.0)
            self._refresh_at = now + delay

    def give_up(self) -> None:
        """
        Take note that the latest SUBSCRIBE, or the REFER, gets no response.
        """
        if self.phase is not Phase.Terminated:
            self._finish(None, LATER)

    def refresh(self, now: float) -> None:
        """
        Send a SUBSCRIBE that prolongs the subscription.

        :raises LocalProtocolError: if it has no dialog yet, or is over.
        """
        self._subscribe(self._wanted, now)

    def unsubscribe(self, now: float) -> None:
        """
        Send the SUBSCRIBE that ends the subscription, as soon as there is a dialog.
        """
        if self.phase is Phase.Terminated:
            return
        self._is_leaving = True
        if self.phase is not Phase.NotifyWait:
            self._subscribe(0, now)

    @property
    def _end(self) -> float:
        return inf if self.expires_at is None else self.expires_at

    def _is_for_first(self, notify: Request) -> bool:
        first, event = self._first, notify[EVENT]
        if first.method == "REFER":
            # "MUST include" the number only from the second REFER on (RFC 3515, 2.4.6)
            has_id = event.id in (None, self._event.id, str(first[CSEQ].number))
        else:
            has_id = event.id == self._event.id
        return (
            has_id
            and event.package == self._event.package
            and notify[CALL_ID] == first[CALL_ID]
            and notify[TO].tag == first[FROM].tag
        )

    def _subscribe(self, expires: int | None, now: float) -> None:
        if self.dialog is None or self.phase is Phase.Terminated:
            raise LocalProtocolError("SUBSCRIBE in a subscription that does not stand")
        if self.dialog.state is State.Terminated:
            self._finish(None, LATER)
            return
        fields: list[FieldValue] = [(EVENT, self._event)]
        if expires is not None:
            fields.append((EXPIRES, expires))
        fields += ((ACCEPT, value) for value in self._first.all(ACCEPT))
        self._refresh_at = inf
        self._timer_n = now + 64 * self._timers.t1
        self._act(Send(self.dialog.request("SUBSCRIBE", fields)))

    def _accepted(self, response: Response, now: float) -> None:
        has_been_told = self._timer_n == inf and self.expires_at is not None
        if response.status == 204:  # no NOTIFY is to come (RFC 5839)
            self._timer_n = inf
        granted = _number(response, EXPIRES)
        if granted is None:
            granted = self._wanted
        elif self._wanted is not None:
            granted = min(granted, self._wanted)
        if granted and not self._is_leaving and not has_been_told:
            self._expire_in(granted, now)
            self._plan_refresh(now)

    def _expire_in(self, expires: int, now: float) -> None:
        self.expires_at = now + min(expires, MAX_EXPIRES)

    def _plan_refresh(self, now: float) -> None:
        """
        Refresh before the end, if there is one, and a dialog to do it in.

        The subscription of a REFER ends soon by itself, and few can refresh it.
        """
        if self._first.method == "REFER" or self._is_leaving or self._end == inf:
            return
        if self.phase is not Phase.NotifyWait:
            remaining = max(self._end - now, 0.0)
            self._refresh_at = self._end - min(MARGIN, remaining / 2)

    def _lengthen(self, response: Response) -> bool:
        minimum = _number(response, MIN_EXPIRES)
        if minimum is None or not (self._wanted or 0) < minimum <= MAX_EXPIRES:
            return False
        if not self._longer:
            return False
        self._longer -= 1
        self._wanted = minimum
        return True

    def _finish(
        self, reason: str | None, again: float | None, response: Response | None = None
    ) -> None:
        self.phase = Phase.Terminated
        self._timer_n = self._refresh_at = inf
        self.expires_at = None
        if self._is_leaving or self._first.method == "REFER":
            again = None
        self._act(SubscriptionEnded(reason, again, response))


def _retry_after(response: Response) -> float | None:
    try:
        delay = response.get(RETRY_AFTER)
    except ParseError:
        return None
    return None if delay is None else float(delay.seconds)


def _number(response: Response, field: Field[int]) -> int | None:
    try:
        return response.get(field)
    except ParseError:
        return None
