"""
Transfers that the peer asks for: REFER in a session, and what we tell of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, assert_never

from twisted.python.failure import Failure

from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.notifier import (
    Durations,
    NotifierEffect,
    StateWanted,
    check_subscribe,
)
from sipsorcery.dialog.refer import EXPIRES as LASTS
from sipsorcery.dialog.refer import PACKAGE, Refer, ReferNotifier
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sip.fields import EXPIRES, REFERRED_BY, REPLACES
from sipsorcery.sip.request import Request
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.draft import Draft
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.errors import LocalProtocolError, RequestFailed, UserAgentError
from sipsorcery.ua.negotiation import Negotiation

if TYPE_CHECKING:
    from sipsorcery.ua.client_call import ClientCall
    from sipsorcery.ua.session import Session
    from sipsorcery.ua.shared import SharedDialog

# Transfers of one session that wait for somebody, each for minutes: a peer can ask for
# any number, and a person who does so asks for one.
_AT_ONCE = 10
_RETRY_AFTER = 10  # seconds, the most (RFC 3261, 14.2)
# A refresh prolongs it no further than the REFER itself does.
_DURATIONS = Durations(usual=LASTS, longest=LASTS)


class Referral:
    """
    One REFER of the peer, which waits for our answer.

    :param is_first: whether it is the first one in the dialog.
    :param shared: the dialog that it has made; None: it came in that of the session.

    :ivar session: the session that it is about.
    :ivar refer: what it asks for: whom to call, and which call that replaces.
    """

    def __init__(
        self,
        session: Session,
        transaction: ServerTransaction,
        refer: Refer,
        *,
        is_first: bool,
        shared: SharedDialog | None = None,
    ) -> None:
        self.session = session
        self.refer = refer
        self._transaction = transaction
        self._request = transaction.request
        self._is_first = is_first
        self._shared = shared or session.shared
        self._driven: Driven[ReferNotifier, NotifierEffect] | None = None

    @property
    def is_pending(self) -> bool:
        """
        Whether it waits for our answer.
        """
        return self._transaction.is_pending

    @property
    def request(self) -> Request:
        """
        The REFER.
        """
        return self._request

    @property
    def flow(self) -> Flow:
        """
        The way it came.
        """
        return self._transaction.flow

    def reject(
        self,
        status: int = 603,
        reason: str | None = None,
        *,
        fields: Iterable[FieldValue] = (),
    ) -> None:
        """
        Refuse it.

        :raises LocalProtocolError: if it has been answered.
        """
        self._check_pending()
        self._transaction.respond(status, reason, fields)

    def accept(self) -> None:
        """
        Accept it; what comes of it is to be told by `progress`.

        :raises LocalProtocolError: if it has been answered.
        """
        self._check_pending()
        core, dialog = self.session.core, self._shared.dialog
        agreed = self.refer.agreed
        response = dialog.respond(self._request, 202, None, agreed)
        self._transaction.send(response)
        if self.refer.subscribes:
            machine = ReferNotifier(
                dialog, self._request, core.clock.seconds(), is_first=self._is_first
            )
            self._driven = Driven(core, machine, self._act)
            self._shared.join(self)
            self._driven.run()

    def progress(self, status: int, reason: str | None = None) -> None:
        """
        Tell the peer how far the call is; a final status ends the matter.
        """
        if self._driven is not None:
            now = self.session.core.clock.seconds()
            self._driven.machine.progress(status, reason, now)
            self._driven.run()

    async def follow(self) -> Session:
        """
        Accept it, make the call that it asks for, and tell the peer how that goes.

        :return: the session with the one who was called. The one with the peer stays,
            for the peer to hang up.
        :raises RequestFailed: if the call is refused.
        """
        if self.refer.method != "INVITE":
            self.reject(501)
            raise LocalProtocolError(f"asked for {self.refer.method}, not for a call")
        self.accept()
        call = self._call()
        try:
            async for response, _ in call.progress:
                if response.status > 100:
                    self.progress(response.status, response.reason)
            session = await call.answered()
        except RequestFailed as error:
            self.progress(error.status)
            raise
        except UserAgentError:
            self.progress(487)
            raise
        self.progress(200)
        return session

    def _call(self) -> ClientCall:
        session, core = self.session, self.session.core
        fields: list[FieldValue] = []
        if self.refer.replaces is not None:
            fields.append((REPLACES, self.refer.replaces))
        if self.refer.referred_by is not None:
            fields.append((REFERRED_BY, self.refer.referred_by))
        draft = Draft(
            "INVITE",
            self.refer.target,
            session.shared.account or core.account,
            fields=fields,
            product=core.settings.product,
        )
        negotiation = session.negotiation
        if negotiation is not None:
            negotiation = Negotiation(negotiation.abilities)
        return core.begin_call(draft, negotiation)

    def give(self, hook: Callable[[Referral], object]) -> None:
        """
        Let the application act on it, unless too many of the session are under way.
        """
        session = self.session
        if session.referrals >= _AT_ONCE:
            text = f"{session.referrals} transfers are under way"
            late = Refusal.later(text, random.randint(0, _RETRY_AFTER))
            self._transaction.send(late.response(self._request))
            return
        session.referrals += 1
        session.core.run(hook, self, then=self.hook_done)

    def hook_done(self, failure: Failure | None = None) -> None:
        """
        Hear that the hook that was given it is through.

        :param failure: what has escaped from it. That a call came to nothing is none.
        """
        self.session.referrals -= 1
        if failure is None:
            return
        is_expected = isinstance(failure.value, UserAgentError)
        if not is_expected:
            self.session.core.log_failure(failure)
        if self.is_pending:
            self.reject(500)
        elif not is_expected:
            self.progress(500)

    # What the dialog brings

    def receive(self, transaction: ServerTransaction) -> bool:
        """
        Take a SUBSCRIBE that prolongs or ends what we tell (:rfc:`3515#section-2.4.4`).
        """
        request, driven = transaction.request, self._driven
        if request.method != "SUBSCRIBE" or driven is None:
            return False
        if not driven.machine.is_for(request):
            return False
        now = self.session.core.clock.seconds()
        lasts = check_subscribe(request, (PACKAGE,), _DURATIONS)
        if isinstance(lasts, Refusal):
            transaction.send(lasts.response(request))
        elif (refusal := driven.machine.refresh(lasts, now)) is not None:
            transaction.send(refusal.response(request))
        else:
            agreed = [(EXPIRES, lasts)]
            transaction.send(self._shared.dialog.respond(request, 200, None, agreed))
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
        self._end()

    async def stop(self) -> None:
        """
        End it because the user agent stops.
        """
        self._end()

    def _act(self, effect: NotifierEffect) -> None:
        match effect:
            case Send(request):
                assert isinstance(request, Request)
                self.session.core.spawn(self._notify(request))
            case StateWanted():
                pass  # the machine tells it by itself
            case Terminated():
                self._end()
            case _:
                assert_never(effect)

    async def _notify(self, request: Request) -> None:
        driven = self._driven
        assert driven is not None  # which has made the request
        try:
            response = await self._shared.send(request)
        except RequestFailed:
            driven.machine.give_up()
        else:
            driven.machine.receive_response(response, self.session.core.clock.seconds())
        driven.run()

    def _end(self) -> None:
        if self._driven is not None:
            self._driven.stop()
        self._shared.leave(self)

    def _check_pending(self) -> None:
        if not self.is_pending:
            raise LocalProtocolError("the REFER has been answered")
