"""
Calls of ours, until they are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.extensions import RELIABLE
from sipsorcery.dialog.routing import behind
from sipsorcery.dialog.session_timer import SessionTimer
from sipsorcery.sip.address import Address
from sipsorcery.sip.digest import Authorization
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT, MIN_SE
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.client import Way
from sipsorcery.ua.account import Account
from sipsorcery.ua.attempt import Attempt
from sipsorcery.ua.core import Core
from sipsorcery.ua.draft import Draft
from sipsorcery.ua.errand import Errand
from sipsorcery.ua.errors import CallCancelled, RequestFailed, UserAgentError
from sipsorcery.ua.negotiation import Carried, Negotiation
from sipsorcery.ua.onward import Onward
from sipsorcery.ua.outcome import News, Outcome
from sipsorcery.ua.sending import send
from sipsorcery.ua.session import Session
from sipsorcery.ua.shared import SharedDialog

# How often a call is made again with a longer session interval: once for each proxy on
# the way that wants one, and no endless loop with a peer that always wants more.
_INTERVALS = 5


class Progress(NamedTuple):
    """
    How far a call is.

    :ivar response: a provisional response: 100, 180, 183, ...
    :ivar session: the early session that it belongs to, whose ``remote`` says where
        early media comes from; None: a 100 has none.
    """

    response: Response
    session: Session | None


class ClientCall:
    """
    A call that somebody is to answer. `UserAgent.invite` makes it.

    :param draft: the INVITE in the making.
    :param negotiation: what is offered; None: the session is not described by SDP.
    :param late_offer: whether the peer is to make the offer, and we answer it.
    :param on_fork: is given the session of each further phone that answers; None: the
        first one counts, and the others are hung up.
    :param onward: how it goes out where it is one leg of a longer call.

    :ivar session: what came of it; None: nobody has answered.
    :ivar progress: every provisional response, for ``async for``; it ends with the
        final response.
    """

    def __init__(
        self,
        core: Core,
        draft: Draft,
        negotiation: Negotiation | None,
        *,
        late_offer: bool = False,
        on_fork: Callable[[Session], object] | None = None,
        onward: Onward | None = None,
    ) -> None:
        self.core = core
        self.session: Session | None = None
        self.progress: News[Progress] = News(core.settings.responses)
        self._draft = draft
        self._negotiation = negotiation
        self._late_offer = late_offer
        self._on_fork = on_fork
        self._onward = onward
        self._attempts: list[Attempt] = []
        self._request: Request | None = None  # the last one that was made
        self._answered: Outcome[Session] = Outcome()
        self._timer_settings = core.timer_settings
        self._intervals = _INTERVALS
        self._ring_time = core.settings.ring_time
        if onward is not None and onward.ring_time is not None:
            self._ring_time = onward.ring_time
        self._limit: IDelayedCall | None = core.clock.callLater(
            self._ring_time, self._ring_no_more
        )
        core.calls.add(self)
        self._running = Deferred.fromCoroutine(self._pursue())
        self._running.addErrback(self._fail)

    # For the application

    @property
    def account(self) -> Account:
        """
        Who calls.
        """
        return self._draft.account

    def answered(self) -> Deferred[Session]:
        """
        Wait until somebody answers.

        :return: fails with `RequestFailed` if everybody refuses or nobody answers, and
            with `CallCancelled` if we have given up.
        """
        return self._answered.wait()

    def cancel(self) -> None:
        """
        Give the call up: cancel it, or hang up if it was answered in this moment.

        A 2xx that crosses the CANCEL is acknowledged and hung up
        (:rfc:`3261#section-9.1`).
        """
        if self.session is not None:
            self.core.spawn(self.session.bye())
            return
        self._give_up(CallCancelled("the call was cancelled"))

    # What the attempts tell

    @property
    def keeps_forks(self) -> bool:
        """
        Whether every answer counts.
        """
        return self._on_fork is not None

    @property
    def is_onward(self) -> bool:
        """
        Whether it continues another call.
        """
        return self._onward is not None

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response.
        """
        if not self._answered.is_known:
            self.progress.put(Progress(response, session))

    def accepted(self, session: Session) -> None:
        """
        Hear that somebody has answered.
        """
        if self.session is None:
            self.session = session
            self._end()
            self._answered.succeed(session)
        elif self._on_fork is not None:
            self.core.run(self._on_fork, session)

    def make_session(self, dialog: Dialog, flow: Flow | None) -> Session:
        """
        Make the session of a new dialog.
        """
        proxy = self.account.proxy
        if self._onward is not None and isinstance(proxy, SIPURI):
            dialog.route_set = behind(proxy, dialog.route_set)
        shared = SharedDialog(self.core, dialog, self.account, flow)
        negotiation = self._negotiation and self._negotiation.fork()
        return Session(shared, negotiation, self._timer_settings)

    # What we do

    async def _pursue(self) -> None:
        """
        Call one URI after the other until somebody answers.

        :raises RequestFailed: if nobody does.
        """
        waiting, tried = [self._draft.uri], {str(self._draft.uri)}
        redirections = 0 if self._onward else self.core.settings.redirections
        while waiting:
            self._draft.redirect(waiting.pop(0))
            try:
                response = await self._invite()
            except RequestFailed:
                if not waiting:
                    raise
                continue  # "the client SHOULD try the next contact" (8.1.3.4)
            if response.is_success:
                return
            if 300 <= response.status < 400 and redirections:
                redirections -= 1
                found = [
                    uri for uri in self._contacts(response) if str(uri) not in tried
                ]
                waiting[:0] = found
                tried.update(map(str, found))
            if response.status >= 600:
                break
        answer = f"{response.status} {response.reason}"
        raise RequestFailed(f"INVITE {self._draft.uri}: {answer}", response)

    async def _invite(self) -> Response:
        """
        Call one URI, with another session interval if the peer wants that.
        """
        while True:
            offer = self._offer()
            errand = Errand(
                "INVITE",
                self._draft.uri,
                self._draft.hop,
                partial(self._make, offer),
                body=offer[1],
                account=self.account,
                needs_contact=True,
                contact=None if self._onward is None else self._onward.contact,
                hear=self._hear,
            )
            try:
                response = await send(self.core, errand, self._ask)
            except RequestFailed:
                self._withdraw_offer()
                raise
            if response.status != 422 or not self._lengthen_timer(response):
                return response

    def _make(self, offer: Carried, credentials: Sequence[Authorization]) -> Request:
        fields, body = offer
        settings = self._timer_settings
        timer = [] if settings is None else SessionTimer(settings).ask()
        abilities = self.core.abilities
        if self._onward is not None and not self._onward.can_confirm:
            abilities = self.core.abilities_without(RELIABLE)
        every = [*abilities, *timer, *fields, *credentials]
        request = self._draft.make(every, body)
        if self._negotiation is not None:
            self._negotiation.sent(request)
        self._request = request
        return request

    def _withdraw_offer(self) -> None:
        """
        Free the next INVITE to make an offer: nobody is going to answer this one.
        """
        if self._negotiation is not None and self._request is not None:
            self._negotiation.give_up(self._request)

    def _offer(self) -> Carried:
        onward = self._onward
        if self._negotiation is None or self._late_offer:
            return [], b"" if onward is None else onward.body
        if onward is None:
            return self._negotiation.offer()
        return self._negotiation.offer(enclose=onward.enclose)

    def _ask(self, request: Request, way: Way, is_last: bool) -> Deferred[Response]:
        attempt = Attempt(self, request, way, is_last=is_last)
        self._attempts.append(attempt)
        if self._onward is not None:
            self._onward.on_sent(attempt.request, attempt.peer)
        return attempt.answer

    def _hear(self, response: Response) -> None:
        if self._negotiation is not None and not response.is_success:
            self._negotiation.receive(response)

    def _lengthen_timer(self, response: Response) -> bool:
        settings = self._timer_settings
        if settings is None or not self._intervals:
            return False
        if not SessionTimer(settings).too_small(response):
            return False
        self._intervals -= 1
        seconds = response[MIN_SE].seconds  # which the machine has read
        self._timer_settings = replace(settings, interval=seconds, min_se=seconds)
        return True

    def _contacts(self, response: Response) -> list[URI]:
        """
        List the URIs of a redirection, the best ones first.
        """
        secure = (
            isinstance(self._draft.uri, SIPURI) and self._draft.uri.scheme == "sips"
        )
        try:
            contacts = [c for c in response.all(CONTACT) if isinstance(c, Address)]
            contacts.sort(key=lambda contact: 1.0 if contact.q is None else contact.q)
        except ParseError:
            return []
        uris = [contact.uri for contact in reversed(contacts)]
        # "If the original request had a SIPS URI [...] inform the user" (8.1.3.4): of
        # a way that is not secure nobody can be asked here, so it is not taken.
        allowed = [uri for uri in uris if uri.scheme == "sips" or not secure]
        return allowed[: self.core.settings.contacts]

    # The end

    def _ring_no_more(self) -> None:
        self._limit = None
        text = f"nobody answered for {self._ring_time:g} s"
        error = RequestFailed(text)
        error.__cause__ = TransactionTimeout(text)
        self._give_up(error)

    def _give_up(self, error: UserAgentError) -> None:
        if self._answered.is_known:
            return
        self._finish(error)
        for attempt in self._attempts:
            attempt.abandon()
        self._running.cancel()

    def _fail(self, failure: Failure) -> None:
        if isinstance(failure.value, UserAgentError):
            self._finish(failure.value)
        elif not failure.check(CancelledError):  # which was our own
            self.core.log_failure(failure)
            self._finish(RequestFailed(str(failure.value)))

    def _finish(self, error: Exception) -> None:
        self._end()
        self._answered.fail(error)

    def _end(self) -> None:
        limit, self._limit = self._limit, None
        if limit is not None:
            limit.cancel()
        self.core.calls.discard(self)
        self.progress.close()
        if self._onward is not None:
            # The transaction keeps this call for half a minute; its hooks would keep
            # all of the longer one.
            self._onward = Onward()

    async def stop(self) -> None:
        """
        Give it up because the user agent stops, and wait until the peer has heard.
        """
        self._give_up(CallCancelled("the user agent stops"))
        for attempt in self._attempts:
            await attempt.over.wait()
