"""
Calls that come in, until they are answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sipsorcery.dialog.bodies import described, description_in
from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.dialog.routing import needs_sips
from sipsorcery.sdp import NotAcceptable, SDPError, SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT, EXPIRES, FROM
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.account import Account
from sipsorcery.ua.answering import Answering, Storing
from sipsorcery.ua.core import Core
from sipsorcery.ua.endings import Ending
from sipsorcery.ua.errors import (
    CallCancelled,
    LocalProtocolError,
    NotAcknowledged,
    SessionEnded,
    UserAgentError,
)
from sipsorcery.ua.negotiation import Carried, Enclose, Negotiation
from sipsorcery.ua.outcome import Outcome
from sipsorcery.ua.session import Session
from sipsorcery.ua.shared import SharedDialog

# "it MUST be retransmitted [...] every minute", so that no proxy on the way gives the
# call up (RFC 3261, 13.3.1.1).
_REPEAT = 60.0


class ServerCall:
    """
    A call that waits for our answer.

    :ivar request: the INVITE.
    :ivar flow: the way it came.
    :ivar session: what comes of it; early until the call is answered.
    :ivar relays: whether what we describe is said by somebody else in our place: then
        only the ``o=`` line of it is ours.
    :ivar replaced: our session that the caller wants this one to replace, if any; it is
        hung up when the call is answered (:rfc:`3891`).
    """

    __slots__ = (
        "_answered",
        "_answering",
        "_core",
        "_expired",
        "_expires_at",
        "_is_given_up",
        "_ringing",
        "flow",
        "relays",
        "replaced",
        "request",
        "session",
        "slot",
    )

    def __init__(
        self,
        core: Core,
        transaction: ServerTransaction,
        account: Account | None = None,
        replaced: Session | None = None,
    ) -> None:
        self.request = request = transaction.request
        self.flow = flow = transaction.flow
        self.relays = False
        self.replaced = replaced
        user = request.uri.user if isinstance(request.uri, SIPURI) else None
        contact = core.contact(flow, user, secure=needs_sips(request))
        dialog = Dialog.of_request(
            request,
            transaction.to_tag,
            contact,
            over_tls=flow.local.transport.is_secure,
        )
        shared = SharedDialog(core, dialog, account, flow)
        self.session = Session(shared, None, core.timer_settings)
        self.slot: int | None = None
        self._core = core
        self._ringing = 0  # the status that is repeated
        self._expires_at, self._expired = self._limit()
        self._is_given_up = False
        self._answered: Outcome[Session] = Outcome()
        self._answering = Answering(
            self.session, transaction, self._acknowledged, self._given_up
        )
        self.session.answering = self._answering
        self.session.overlap.receive(request, 0)
        self.session.on_finish = self._session_ended
        core.wheel.set(self, self._expires_at)

    # What is known

    @property
    def uri(self) -> URI:
        """
        Who is called: the Request-URI.
        """
        return self.request.uri

    @property
    def caller(self) -> Address:
        """
        Who calls: the From, which proves nothing.
        """
        return self.request[FROM]

    @property
    def offer(self) -> SessionDescription | None:
        """
        What the caller offers; None: he waits for our offer.

        :raises ParseError: of `sipsorcery.sdp`, if it breaks the grammar.
        """
        return description_in(self.request)

    @property
    def contact(self) -> Address | None:
        """
        Where the caller reaches us from now on; to be set before anything is said.
        """
        return self.session.dialog.contact

    @contact.setter
    def contact(self, contact: Address) -> None:
        self.session.dialog.contact = contact

    @property
    def is_pending(self) -> bool:
        """
        Whether it waits for our answer.
        """
        return self._answering.is_pending

    def answered(self) -> Deferred[Session]:
        """
        Wait until the call is answered and the caller knows.

        :return: fails with `CallCancelled` if the caller has given up, with
            `NotAcknowledged` if he cannot be reached, and with `SessionEnded` if the
            call was refused.
        """
        return self._answered.wait()

    # What we do

    def ring(
        self,
        status: int = 180,
        description: SessionDescription | None = None,
        *,
        fields: Iterable[FieldValue] = (),
        reliable: bool | None = None,
        reason: str | None = None,
        enclose: Enclose = described,
    ) -> None:
        """
        Tell the caller how far the call is; once a minute it is said again.

        :param description: for early media (183).
        :param enclose: makes the fields and the body that carry our description.
        :param reliable: whether it has to be confirmed (:rfc:`3262`). None: if the
            caller insists, or if there is a description and the caller can.
        :raises CallCancelled: if the caller has given up.
        :raises LocalProtocolError: if the call has been answered, or the caller cannot
            confirm what has to be.
        """
        self._check_pending()
        carried: list[FieldValue] = []
        body = b""
        if description is not None:
            carried, body = self._describe(description, enclose)
        self._answering.progress(
            status, [*carried, *fields], body, reliable=reliable, reason=reason
        )
        self._ringing = status
        self._repeat_after(self._core.clock.seconds())

    def answer(
        self,
        description: SessionDescription | None = None,
        *,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        status: int = 200,
        enclose: Enclose = described,
        storing: Storing | None = None,
    ) -> Deferred[Session]:
        """
        Answer the call, and wait until the caller knows.

        :param description: what we can do; from it the answer to the caller's offer is
            made, or our offer. None: the session is not described by SDP.
        :param body: of a 2xx without a description.
        :param enclose: makes the fields and the body that carry our description.
        :param storing: is given the 2xx, which leaves when that is through, and after
            two seconds anyway.
        :return: as `answered`.
        :raises CallCancelled: if the caller has given up.
        :raises LocalProtocolError: if the call has been answered.
        :raises NotAcceptable: of `sipsorcery.sdp`, if nothing that is offered fits: the
            call has been refused with 488.
        """
        self._check_pending()
        carried: list[FieldValue] = []
        if description is not None:
            carried, body = self._describe(description, enclose)
        self._answering.accept([*carried, *fields], body, status, storing)
        self._stop_ringing()
        if self.replaced is not None:
            self._core.spawn(self.replaced.bye())
        return self.answered()

    def reject(
        self,
        status: int = 486,
        reason: str | None = None,
        *,
        fields: Iterable[FieldValue] = (),
    ) -> None:
        """
        Refuse the call.

        :raises CallCancelled: if the caller has given up.
        :raises LocalProtocolError: if the call has been answered, or *status* refuses
            nothing: then it goes on waiting.
        """
        self._check_pending()
        self._refuse(status, reason, fields)

    def redirect(self, *targets: URI | Address, status: int = 302) -> None:
        """
        Ask the caller to call somebody else.

        :param targets: whom; one at least, for a 3xx says nothing else.
        :raises CallCancelled: if the caller has given up.
        :raises LocalProtocolError: if the call has been answered, or *status* is no
            redirection, or there is no target: then it goes on waiting.
        """
        self._check_pending()
        if not (targets and 300 <= status < 400):
            raise LocalProtocolError(f"{status} to {len(targets)} targets")
        contacts = [t if isinstance(t, Address) else Address(t) for t in targets]
        self.reject(status, fields=[(CONTACT, contact) for contact in contacts])

    def leave(self) -> None:
        """
        Say nothing more: another server, which has got the call as well, answers it.

        :raises CallCancelled: if the caller has given up.
        :raises LocalProtocolError: if the call has been answered.
        """
        self._check_pending()
        self._answering.drop()
        self._end("left to another server")

    # What comes of it

    @property
    def tag(self) -> str:
        """
        Ours, in every response.
        """
        return self.session.dialog.local_tag

    @property
    def is_committed(self) -> bool:
        """
        Whether no other process could go on with the early dialog.

        It holds a description of ours, or a response that had to be confirmed.
        """
        return self.session.negotiation is not None or self._answering.is_reliable

    def show_way(self, routes: Sequence[FieldValue]) -> None:
        """
        Say also in a failure which proxies the INVITE has passed.
        """
        self._answering.routes = tuple(routes)

    def timer_due(self, now: float) -> None:
        """
        Hear from the wheel: ring again, or give up.
        """
        if not self.is_pending:
            return
        if now >= self._expires_at:
            self._refuse(self._expired, None, ())
            return
        self._repeat_after(now)
        self._answering.progress(self._ringing)

    def judge(self, transaction: ServerTransaction) -> bool:
        """
        Look at what the INVITE asks of the session timer; if that cannot be, refuse it.

        :return: whether it may be acted upon.
        """
        timer = self.session.timer
        refusal = None if timer is None else timer.receive(self.request)
        if refusal is not None:
            refusal = self.session.core.explained(transaction, refusal)
            self._refuse(refusal.status, None, refusal.fields)
        return refusal is None

    def hook_done(self, failure: Failure | None = None) -> None:
        """
        Hear that the hook that was given the call is through.

        :param failure: what has escaped from it. Without it the call goes on waiting.
        """
        if failure is None:
            return
        error = failure.value
        if not self.is_pending:
            if not isinstance(error, UserAgentError | NotAcceptable):
                self._core.log_failure(failure)
        elif isinstance(error, ParseError | SDPError):
            status: int = getattr(error, "status", 400)
            self._refuse(status, None, ())
        else:
            self._core.log_failure(failure)
            self._refuse(500, None, ())

    # Inside

    def _check_pending(self) -> None:
        if self.is_pending:
            return
        if self._is_given_up:
            raise CallCancelled("the caller has given up")
        raise LocalProtocolError("the call has been answered")

    def _describe(self, description: SessionDescription, enclose: Enclose) -> Carried:
        """
        Make our answer or offer; once made it stays what it is (RFC 3261, 13.2.1).
        """
        session = self.session
        if session.negotiation is None:
            session.negotiation = Negotiation(description, relays=self.relays)
            refusal = session.hear(self.request)
            if refusal is not None:
                self._refuse(refusal.status, refusal.text, refusal.fields)
                raise NotAcceptable(refusal.text or "the offer cannot be read")
        session.negotiation.abilities = description
        if session.local is not None or not session.negotiation.may_describe:
            return [], b""
        try:
            return session.negotiation.describe(enclose)
        except NotAcceptable:
            self._refuse(488, None, ())
            raise

    def _refuse(
        self, status: int, reason: str | None, fields: Iterable[FieldValue]
    ) -> None:
        self._answering.refuse(status, reason, fields)
        self._end(f"refused: {status}")

    def _end(self, reason: str) -> None:
        self._stop_ringing()
        self.session.finish(Ending(by_peer=False, reason=reason))

    def _limit(self) -> tuple[float, int]:
        """
        Give when the call has waited too long, and how to refuse it then.

        "If the invitation expires before the UAS has generated a final response, a 487
        (Request Terminated) response SHOULD be generated" (RFC 3261, 13.3.1).
        """
        ours, now = self._core.settings.answer_time, self._core.clock.seconds()
        try:
            theirs = self.request.get(EXPIRES)
        except ParseError:
            theirs = None
        if theirs is not None and theirs <= ours:
            return now + theirs, 487
        return now + ours, 480

    def _repeat_after(self, now: float) -> None:
        self._core.wheel.set(self, min(now + _REPEAT, self._expires_at))

    def _stop_ringing(self) -> None:
        self._core.wheel.set(self, None)

    def _acknowledged(self, ack: Request | None) -> None:
        session = self.session
        session.on_finish = None
        if session.answering is self._answering:
            session.answering = None
        if ack is None:
            self._answered.fail(NotAcknowledged("the 2xx was never acknowledged"))
            session.hang_up("the 2xx was never acknowledged")
            return
        session.hear(ack)
        self._answered.succeed(session)

    def _given_up(self, reason: str) -> None:
        self._is_given_up = True
        self._stop_ringing()
        self.session.finish(Ending(by_peer=True, reason=reason))

    def _session_ended(self, ending: Ending) -> None:
        """
        Hear that the session is over before the call was answered and acknowledged.
        """
        self._stop_ringing()
        if self._answering.is_accepted:
            # The ACK was lost, and then came a BYE; or it was our own.
            self._answered.succeed(self.session)
        elif ending.by_peer:
            self._is_given_up = True
            self._answered.fail(CallCancelled(ending.reason))
        else:
            self._answered.fail(SessionEnded(ending.reason))
