"""
Subscriptions: being told what happens to something (:rfc:`6665`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, assert_never

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.dialog.effects import Send
from sipsorcery.dialog.subscriber import (
    MAX_EXPIRES,
    Notified,
    Subscriber,
    SubscriberEffect,
    SubscriptionEnded,
)
from sipsorcery.sip.digest import Authorization
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import EXPIRES, MIN_EXPIRES
from sipsorcery.sip.parameterised import SubscriptionState
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.account import Account
from sipsorcery.ua.core import Core
from sipsorcery.ua.draft import Draft
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.errand import Errand
from sipsorcery.ua.errors import RequestFailed
from sipsorcery.ua.outcome import News, Outcome
from sipsorcery.ua.sending import send
from sipsorcery.ua.shared import SharedDialog


class Notification(NamedTuple):
    """
    What a notifier tells.

    :ivar request: the NOTIFY, with what it tells in its body.
    :ivar state: of the subscription.
    """

    request: Request
    state: SubscriptionState


# How often a longer time is asked for at once: enough for every server that may answer,
# and no endless loop with one that always wants more.
_LONGER = 5


class Subscription:
    """
    Subscribe, and again whenever that ends, until it is stopped.

    `UserAgent.subscribe` makes it. A notifier that says that there is nothing to be
    told, or refuses for good, ends it.

    :param draft: makes the SUBSCRIBE, all but its Expires; each subscription has its
        own.

    :ivar news: the notifications, for ``async for``; it ends with the subscription.
    """

    def __init__(self, core: Core, draft: Callable[[], Draft], expires: int) -> None:
        self.news: News[Notification] = News(core.settings.responses)
        self._core = core
        self._new_draft = draft
        self._account: Account | None = None
        self._wanted = expires
        self._longer = _LONGER
        self._is_stopping = False
        self._ended: Outcome[str | None] = Outcome()
        self._next: IDelayedCall | None = None
        self._driven: Driven[Subscriber, SubscriberEffect] | None = None
        self._shared: SharedDialog | None = None
        self._errand: Errand | None = None
        self._expected: tuple[str, str] | None = None
        core.subscriptions.add(self)
        self._begin()

    def ended(self) -> Deferred[str | None]:
        """
        Wait until it is over for good, and learn the reason that the notifier gives.

        :return: fails with `RequestFailed` if it is refused for good.
        """
        return self._ended.wait()

    async def stop(self) -> None:
        """
        End it, and wait until the notifier has confirmed that.
        """
        if self._ended.is_known:
            return
        self._is_stopping = True
        ended = self.ended()
        if self._next is not None or self._driven is None:
            self._finish(None)
        else:
            self._driven.machine.unsubscribe(self._core.clock.seconds())
            self._driven.run()
        try:
            await ended
        except RequestFailed:
            pass  # it is over

    # The first SUBSCRIBE

    def _begin(self) -> None:
        self._next = None
        draft = self._new_draft()
        self._account = draft.account
        # Its NOTIFY may come before the 2xx, and then makes the dialog (4.1.2.4).
        self._expected = (draft.call_id, draft.local_tag)
        self._core.expected[self._expected] = self

        def make(credentials: Sequence[Authorization]) -> Request:
            return draft.make([(EXPIRES, self._wanted), *credentials])

        self._errand = Errand(
            draft.method,
            draft.uri,
            draft.hop,
            make,
            account=draft.account,
            needs_contact=True,
            going=self._going,
        )
        self._core.spawn(self._subscribe(draft, self._errand))

    def _going(self, request: Request, over_tls: bool) -> None:
        """
        Take the SUBSCRIBE as it is sent.
        """
        core = self._core
        if self._driven is not None:
            self._driven.stop()
        machine = Subscriber(
            request,
            core.clock.seconds(),
            over_tls=over_tls,
            timers=core.settings.timers,
        )
        self._driven = Driven(core, machine, self._act)
        self._driven.run()

    async def _subscribe(self, draft: Draft, errand: Errand) -> None:
        try:
            response: Response | None = await send(self._core, errand)
        except RequestFailed:
            response = None
        driven = self._driven
        if self._ended.is_known:
            return
        if response is not None and response.status == 423 and self._lengthen(response):
            self._leave()
            self._begin()
        elif driven is None:
            self._again(None)  # nothing could be sent at all
        elif response is None:
            driven.machine.give_up()
            driven.run()
        else:
            driven.machine.receive_response(response, self._core.clock.seconds())
            driven.run()

    def _lengthen(self, response: Response) -> bool:
        try:
            shortest = response.get(MIN_EXPIRES)
        except ParseError:
            return False
        if shortest is None or not self._wanted < shortest <= MAX_EXPIRES:
            return False
        if not self._longer:
            return False
        self._longer -= 1
        self._wanted = shortest
        return True

    # What the notifier sends

    def receive(self, transaction: ServerTransaction) -> bool:
        """
        Take a NOTIFY, and make the dialog if it is the first one.
        """
        request, driven = transaction.request, self._driven
        if request.method != "NOTIFY" or driven is None:
            return False
        if not driven.machine.is_for(request):
            return False
        refusal = driven.machine.receive(request, self._core.clock.seconds())
        if refusal is not None:
            transaction.send(refusal.response(request))
            return True
        dialog = driven.machine.dialog
        if self._shared is None and dialog is not None:
            flow = transaction.flow
            self._shared = SharedDialog(self._core, dialog, self._account, flow)
            self._shared.join(self)
        transaction.respond(200)
        driven.run()
        return True

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK, which means nothing here.
        """

    def dialog_ended(self, reason: str) -> None:
        """
        Hear that the dialog is over.
        """
        if self._driven is not None:
            self._driven.machine.give_up()
            self._driven.run()

    def _act(self, effect: SubscriberEffect) -> None:
        match effect:
            case Send(request):
                assert isinstance(request, Request)
                self._core.spawn(self._refresh(request))
            case Notified(request, state):
                self.news.put(Notification(request, state))
            case SubscriptionEnded():
                self._over(effect)
            case _:
                assert_never(effect)

    async def _refresh(self, request: Request) -> None:
        shared, driven = self._shared, self._driven
        assert shared is not None and driven is not None  # or there is no refresh
        try:
            response = await shared.send(request)
        except RequestFailed:
            driven.machine.give_up()
        else:
            shared.dialog.receive_response(request, response)
            driven.machine.receive_response(response, self._core.clock.seconds())
        driven.run()

    # The end

    def _over(self, effect: SubscriptionEnded) -> None:
        response = effect.response
        self._leave()
        if effect.again_after is not None and not self._is_stopping:
            self._again(effect.again_after)
        elif response is not None and not self._is_stopping:
            text = f"SUBSCRIBE: {response.status} {response.reason}"
            self._finish(None, RequestFailed(text, response))
        else:
            self._finish(effect.reason)

    def _again(self, delay: float | None) -> None:
        if self._is_stopping:
            self._finish(None)
            return
        # A notifier that ends every subscription at once must not keep us busy.
        seconds = max(_SHORTEST, min(_LATER if delay is None else delay, _LONGEST))
        self._next = self._core.clock.callLater(seconds, self._begin)

    def _leave(self) -> None:
        if self._expected is not None:
            self._core.expected.pop(self._expected, None)
        if self._driven is not None:
            self._driven.stop()
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.leave(self)

    def _finish(self, reason: str | None, error: RequestFailed | None = None) -> None:
        self._leave()
        waiting, self._next = self._next, None
        if waiting is not None:
            waiting.cancel()
        self._core.subscriptions.discard(self)
        self.news.close()
        if error is None:
            self._ended.succeed(reason)
        else:
            self._ended.fail(error)


# Seconds until it is begun again: at least, where nobody says, and at most, as
# for a registration.
_SHORTEST, _LATER, _LONGEST = 1.0, 60.0, 3600.0
