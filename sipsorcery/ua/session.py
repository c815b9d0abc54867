"""
Sessions: calls that are under way, or about to be.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred

from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.exchange import Agreed, Broken, OutOfStep
from sipsorcery.dialog.glare import Overlap
from sipsorcery.dialog.record import DialogRecord
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.session_timer import SessionTimer, SessionTimerSettings
from sipsorcery.sdp import SessionDescription, hold, resume
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import CONTENT_TYPE
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import URI
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import modifying, serving, transfer
from sipsorcery.ua.answering import Answering
from sipsorcery.ua.core import Core, Hook
from sipsorcery.ua.endings import Ending
from sipsorcery.ua.errors import LocalProtocolError, RequestFailed, SessionEnded
from sipsorcery.ua.goodbye import Goodbye
from sipsorcery.ua.negotiation import AnswerHook, Negotiation, OfferHook
from sipsorcery.ua.outcome import Outcome
from sipsorcery.ua.refreshing import Refreshing
from sipsorcery.ua.reinvite import Reinvite
from sipsorcery.ua.shared import SharedDialog
from sipsorcery.ua.transfer import Transfer
from sipsorcery.ua.turns import Turns

_RETRY_AFTER = 10  # seconds, the most (RFC 3261, 14.2)


class Session:
    """
    A session with one peer: early while it rings, established once it is answered.

    :ivar shared: its dialog, which subscriptions may use, too.
    :ivar negotiation: what it consists of; None: nothing that SDP describes.
    :ivar has_referral: whether the peer has sent a REFER before.
    :ivar referrals: how many of those the application is acting on.
    :ivar is_over: whether it has ended.
    :ivar overlap: which INVITE and UPDATE are under way.
    :ivar answering: the last INVITE of the peer.
    :ivar accepted: the 2xx to the INVITE of a call of ours that continues another one,
        until somebody takes it away; None: there is none.
    :ivar reinvite_sent: our last one, if the session had begun.
    :ivar on_finish: is told of the end by the call that the session comes of.
    """

    __slots__ = (
        "_ended",
        "_hooks",
        "_on_agreed",
        "_refreshing",
        "_turns",
        "accepted",
        "answering",
        "has_referral",
        "is_over",
        "negotiation",
        "on_finish",
        "overlap",
        "referrals",
        "reinvite_sent",
        "shared",
    )

    def __init__(
        self,
        shared: SharedDialog,
        negotiation: Negotiation | None,
        timer_settings: SessionTimerSettings | None,
    ) -> None:
        self.shared = shared
        self.negotiation = negotiation
        self.overlap = Overlap()
        self.is_over = False
        self.has_referral = False
        self.referrals = 0
        self.answering: Answering | None = None
        self.accepted: Response | None = None
        self.on_finish: Callable[[Ending], object] | None = None
        self.reinvite_sent: Reinvite | None = None
        self._ended: Outcome[Ending] = Outcome()
        self._hooks: dict[str, Hook] = _NO_HOOKS
        self._turns: Turns | None = None
        self._on_agreed: Callable[[Session], object] | None = None
        self._refreshing: Refreshing | None = None
        if timer_settings is not None:
            self._refreshing = Refreshing(self, timer_settings)
        shared.join(self)

    # What is known

    @property
    def core(self) -> Core:
        """
        What it shares with all others.
        """
        return self.shared.core

    @property
    def dialog(self) -> Dialog:
        """
        The state of its dialog.
        """
        return self.shared.dialog

    @property
    def peer(self) -> Address:
        """
        Who is at the other end, as its From or To says.
        """
        return self.dialog.remote

    @property
    def is_established(self) -> bool:
        """
        Whether it has been answered and is not over.
        """
        return self.dialog.state is State.Confirmed and not self.is_over

    @property
    def local(self) -> SessionDescription | None:
        """
        What we have said the session is.
        """
        return None if self.negotiation is None else self.negotiation.local

    @property
    def remote(self) -> SessionDescription | None:
        """
        What the peer has said the session is.
        """
        return None if self.negotiation is None else self.negotiation.remote

    @property
    def said(self) -> SessionDescription | None:
        """
        What the peer has said last, be it agreed upon or not: where early media is.
        """
        return None if self.negotiation is None else self.negotiation.said

    @property
    def is_held(self) -> bool:
        """
        Whether the peer wants no media from us.
        """
        remote = self.remote
        if remote is None:
            return False
        streams = [media for media in remote.media if not media.is_rejected]
        return bool(streams) and all(media.is_held for media in streams)

    def ended(self) -> Deferred[Ending]:
        """
        Wait for the end, and learn how it came.
        """
        return self._ended.wait()

    # What the application says beforehand

    def on(self, method: str, hook: Hook) -> None:
        """
        Let *hook* take the peer's requests with this method.

        It is for INFO, MESSAGE, OPTIONS and the like; what a session consists of is
        done by itself.
        """
        if self._hooks is _NO_HOOKS:
            self._hooks = {}
        self._hooks[method] = hook

    def on_offer(self, hook: OfferHook) -> None:
        """
        Let *hook* choose what we can do whenever the peer makes an offer.

        It is given the offer, or None where the peer asks for ours, and returns a
        description like the one that the call began with. It raises `OfferRefused` to
        refuse it.
        """
        if self.negotiation is None:
            raise LocalProtocolError("the session is not described by SDP")
        self.negotiation.on_offer = hook

    def on_agreed(self, hook: Callable[[Session], object]) -> None:
        """
        Call *hook* with the session whenever both sides have agreed on what it is.
        """
        self._on_agreed = hook

    def forget_hooks(self) -> None:
        """
        Let nobody take what comes, as in the beginning.
        """
        self._hooks = _NO_HOOKS
        self._on_agreed = None
        if self.negotiation is not None:
            self.negotiation.on_offer = None

    # What we do

    async def bye(self, fields: Iterable[FieldValue] = ()) -> None:
        """
        Hang up, and wait until the peer has answered or will not.

        The session is over at once (:rfc:`3261#section-15.1.1`). If it is over already,
        nothing happens.
        """
        if not self.is_over:
            await self._hang_up("hung up", fields)

    async def reinvite(
        self, description: SessionDescription | None = None, *, retries: bool = True
    ) -> None:
        """
        Change the session by a re-INVITE, and wait until it is agreed upon.

        :param description: what to offer; None: what we offered last.
        :param retries: whether to try again where the peer changes it at the same time.
        :raises RequestFailed: if the peer refuses; the session stays as it was.
        :raises SessionEnded: if it is over before.
        """
        await modifying.modify(self, "INVITE", description, retries=retries)

    async def solicit(self, answer: AnswerHook, *, retries: bool = True) -> None:
        """
        Ask the peer by a re-INVITE for an offer, and let *answer* answer it.

        So a third party connects two others (:rfc:`3725`). The answer may take a while,
        but the peer repeats its offer for half a minute at most.

        :param answer: given the offer, gives somebody else's answer to it. If it fails,
            the session stays as it was, and the failure is raised.
        :param retries: whether to try again where the peer changes it at the same time.
        :raises RequestFailed: if the peer refuses.
        :raises SessionEnded: if it is over before.
        """
        await modifying.modify(self, "INVITE", None, answer, retries=retries)

    async def update(
        self, description: SessionDescription | None = None, *, retries: bool = True
    ) -> None:
        """
        Change the session by an UPDATE, which may be done before it is answered.

        :param description: what to offer; None: nothing, it is only refreshed.
        :param retries: whether to try again where the peer changes it at the same time.
        :raises RequestFailed: if the peer refuses; the session stays as it was.
        :raises SessionEnded: if it is over before.
        """
        await modifying.modify(self, "UPDATE", description, retries=retries)

    async def hold(self) -> None:
        """
        Put the peer on hold.
        """
        await self.reinvite(hold(self._described()))

    async def resume(self) -> None:
        """
        Take the peer off hold.
        """
        await self.reinvite(resume(self._described()))

    async def info(self, type: MediaType, body: bytes) -> Response:
        """
        Send an INFO, such as one with a DTMF digit.

        :raises RequestFailed: if the peer refuses it.
        """
        return await self.request("INFO", [(CONTENT_TYPE, type)], body)

    async def request(
        self, method: str, fields: Iterable[FieldValue] = (), body: bytes = b""
    ) -> Response:
        """
        Send any request that changes nothing in the session: INFO, MESSAGE, OPTIONS.

        :return: the 2xx.
        :raises RequestFailed: for any other response, or if there is none.
        :raises SessionEnded: if the session is over.
        """
        response = await self.shared.request(self, method, fields, body)
        if not response.is_success:
            answer = f"{response.status} {response.reason}"
            raise RequestFailed(f"{method} to {self.peer.uri}: {answer}", response)
        return response

    async def refer(
        self,
        target: str | URI,
        *,
        replaced: Session | None = None,
        referred_by: Address | None = None,
        subscribes: bool = True,
    ) -> Transfer:
        """
        Ask the peer to call somebody else.

        :param target: whom.
        :param replaced: our own session with the target, which the new call is to
            replace: an attended transfer. None: a blind one.
        :param referred_by: who asks; None: we do.
        :param subscribes: whether to be told what comes of it.
        :return: what comes of it, when the peer has accepted.
        :raises RequestFailed: if the peer refuses.
        :raises SessionEnded: if the session is over.
        """
        dialog = None if replaced is None else replaced.dialog
        return await transfer.refer(self, target, dialog, referred_by, subscribes)

    def _described(self) -> SessionDescription:
        if self.local is None:
            raise LocalProtocolError("the session is not described by SDP")
        return self.local

    # What the dialog brings

    def receive(self, transaction: ServerTransaction) -> bool:
        """
        Take a request of the peer.
        """
        return serving.receive(self, transaction)

    def hook_for(self, method: str) -> Hook | None:
        """
        Give what the application has for the peer's requests with this method.
        """
        return self._hooks.get(method)

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK of the peer.
        """
        self.overlap.receive(ack, 0)
        if self.answering is not None:
            self.answering.acknowledge(ack)
        turns = self._turns
        if turns is not None and turns.awaits_ack and self.overlap.may_send("INVITE"):
            turns.wake()

    def dialog_ended(self, reason: str) -> None:
        """
        Hear that the dialog is over.
        """
        self.finish(Ending(by_peer=True, reason=reason))

    def finish(self, ending: Ending) -> None:
        """
        Be over; a second time does nothing.
        """
        if self.is_over:
            return
        self.is_over = True
        on_finish, self.on_finish = self.on_finish, None
        if self._refreshing is not None:
            self._refreshing.stop()
            self._refreshing = None  # for it holds us
        if self.answering is not None:
            self.answering.stop()
            self.answering = None  # likewise
        if self.reinvite_sent is not None:
            self.reinvite_sent.stop()
        if self._turns is not None:
            self._turns.end()
        self.shared.leave(self)
        self.forget_hooks()  # for they hold us
        self._ended.succeed(ending)
        if on_finish is not None:
            on_finish(ending)

    async def stop(self) -> None:
        """
        End it because the user agent stops.
        """
        if self.is_established:
            await self.bye()
        else:
            self.finish(Ending(by_peer=False, reason="the user agent stops"))

    def hang_up(self, reason: str) -> None:
        """
        End it by ourselves, because something is wrong.
        """
        # Not in the midst of something: an ACK has to be sent before the BYE.
        self.core.clock.callLater(0, self._hang_up_now, reason)

    def _hang_up_now(self, reason: str) -> None:
        if self.is_established:
            self.core.spawn(self._hang_up(reason))
        else:
            self.finish(Ending(by_peer=False, reason=reason))

    async def _hang_up(self, reason: str, fields: Iterable[FieldValue] = ()) -> None:
        ending = Ending(by_peer=False, reason=reason)
        if self.answering is not None and self.answering.keeps_caller_waiting:
            # "the callee's UA MUST NOT send a BYE on early dialogs" (15): the 487 that
            # the INVITE gets now says all.
            self.finish(ending)
            return
        goodbye = Goodbye(self.shared)
        self.finish(ending)
        await goodbye.send(fields)

    # What is sent and received

    def note_sent(self, message: Request | Response) -> None:
        """
        Take note of a message of ours that may change the session.
        """
        self.overlap.sent(message)
        if self.negotiation is not None:
            self.negotiation.sent(message)
            self.settle()

    def judge(self, request: Request) -> Refusal | None:
        """
        Judge an INVITE or UPDATE of the peer, and take note of it.

        :returns: how to refuse it, ``None`` if it may be acted upon.
        """
        refusal = self.overlap.receive(request, random.randint(0, _RETRY_AFTER))
        if refusal is None and self.timer is not None:
            refusal = self.timer.receive(request)
        if refusal is None:
            refusal = self.hear(request)
        return refusal

    def hear(self, message: Request | Response) -> Refusal | None:
        """
        Take note of what a message of the peer offers or answers.

        :returns: how to refuse it, if it is a request that may not be acted upon.
        """
        if self.negotiation is None:
            return (
                Refusal(488) if isinstance(message, Request) and message.body else None
            )
        refusal = self.negotiation.receive(message)
        self.settle()
        return refusal

    def settle(self) -> None:
        """
        Act on what has come of offers and answers.
        """
        assert self.negotiation is not None
        for effect in self.negotiation.take_effects():
            match effect:
                case Agreed():
                    if self._on_agreed is not None:
                        self.core.run(self._on_agreed, self)
                case Broken(text) if self.local is None:
                    self.hang_up(text)
                case OutOfStep():
                    self.core.spawn(self._agree_again())
                case _:
                    pass

    async def _agree_again(self) -> None:
        try:
            await self.reinvite()
        except (RequestFailed, SessionEnded):
            pass  # it is as it is

    @property
    def turns(self) -> Turns:
        """
        Let one of our INVITE and UPDATE wait for the other.
        """
        if self._turns is None:
            self._turns = Turns()
        return self._turns

    # Session timer

    @property
    def timer(self) -> SessionTimer | None:
        """
        The session timer, if there is to be one.
        """
        return None if self._refreshing is None else self._refreshing.machine

    def resume_timer(self, record: DialogRecord, refreshed_at: float) -> None:
        """
        Go on with the session timer of a stored session.

        :param refreshed_at: when it was last refreshed, on the reactor's clock.
        """
        if self._refreshing is not None:
            record.resume(self._refreshing.machine, refreshed_at)
            self._refreshing.run()

    def ask_timer(self) -> list[FieldValue]:
        """
        Give what an INVITE or UPDATE of ours says of the session timer.
        """
        return [] if self.timer is None else self.timer.ask()

    def accept_timer(self, request: Request) -> list[FieldValue]:
        """
        Give what our 2xx to an INVITE or UPDATE says of the session timer.
        """
        return [] if self._refreshing is None else self._refreshing.accept(request)

    def follow_timer(self, response: Response) -> None:
        """
        Take what a 2xx of the peer says of the session timer.
        """
        if self._refreshing is not None:
            self._refreshing.follow(response)


_NO_HOOKS: dict[str, Hook] = {}
