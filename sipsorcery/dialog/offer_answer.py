"""
Offers and answers in the messages of a dialog (:rfc:`3264`, :rfc:`6337`).

Which message may carry an offer, and which one then carries the answer, is said by
:rfc:`3261#section-13.2.1`, :rfc:`3262#section-5` and :rfc:`3311#section-5`:

======================================  ==========================================
offer                                   answer
======================================  ==========================================
INVITE                                  2xx, or a reliable provisional response
2xx to an INVITE without an offer       ACK
reliable provisional response to such   PRACK
PRACK                                   2xx to the PRACK
UPDATE                                  2xx to the UPDATE
======================================  ==========================================

The rules are the same for both sides, and so is the code: a message is observed
together with the side that sent it.
"""

from __future__ import annotations

from dataclasses import replace

from sipsorcery.dialog.agreement import Agreement, Fault
from sipsorcery.dialog.bodies import description_in
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.exchange import (
    Agreed,
    Broken,
    OfferAnswerEffect,
    OutOfStep,
    PendingInvite,
    PendingOffer,
    Side,
    is_binding,
)
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sdp import Origin, SessionDescription
from sipsorcery.sdp import ParseError as DescriptionError
from sipsorcery.sdp import RemoteProtocolError as DescriptionMisfit
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ, RSEQ
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response


class OfferAnswer:
    """
    The state of the session of one dialog.

    Tell it of every INVITE, ACK, PRACK and UPDATE and of the responses to them, once
    each: :meth:`sent`, when a message goes out for the first time, :meth:`receive`,
    after the dialog has let it pass.
    """

    __slots__ = ("_agreement", "_invite")

    def __init__(
        self,
        origin: Origin,
        *,
        local: SessionDescription | None = None,
        remote: SessionDescription | None = None,
    ) -> None:
        """
        Begin without a session, or go on with one.

        :param origin: of our first description. Where the session goes on, of the last
            one, of which nothing may be known but this.
        """
        self._agreement = Agreement(origin, local, remote)
        self._invite: PendingInvite | None = None

    def fork(self) -> OfferAnswer:
        """
        Return a copy, for another dialog of the same INVITE.
        """
        other = OfferAnswer.__new__(OfferAnswer)
        other._agreement = self._agreement.fork()
        other._invite = self._invite and replace(self._invite)
        return other

    @property
    def local(self) -> SessionDescription | None:
        """
        What we have said the session is, ``None`` before it is agreed upon.
        """
        return self._agreement.local

    @property
    def remote(self) -> SessionDescription | None:
        """
        What the peer has said the session is.
        """
        return self._agreement.remote

    @property
    def said(self) -> SessionDescription | None:
        """
        What the peer has said last, be it agreed upon or not.

        That is its offer, an answer ahead of the one that counts, or else `remote`.
        """
        agreement = self._agreement
        if agreement.must_answer:
            assert agreement.offer is not None  # which waits for the answer
            return agreement.offer.description
        return agreement.preview or agreement.remote

    @property
    def origin(self) -> Origin:
        """
        Give the origin of what we sent last.
        """
        return self._agreement.origin

    @property
    def may_offer(self) -> bool:
        """
        Whether our next message, or response to an INVITE, may have an offer in it.
        """
        invite = self._invite
        if self._agreement.offer is not None:
            return False
        if invite is None:
            return True
        if invite.undo is not None:
            return False
        return invite.is_described or invite.side is Side.Remote

    @property
    def must_answer(self) -> bool:
        """
        Whether an offer of the peer waits for our answer.
        """
        return self._agreement.must_answer

    def take_effects(self) -> list[OfferAnswerEffect]:
        """
        Hand over what has come of the messages, in this order, since the last time.
        """
        effects, self._agreement.effects = self._agreement.effects, ()
        return list(effects)

    # Descriptions of ours

    def offer(self, description: SessionDescription) -> SessionDescription:
        """
        Make an offer of a description: with our own origin and a version that rises.

        The number of streams must not fall (:rfc:`3264#section-8`), so those that the
        description leaves out are refused at its end.

        :raises LocalProtocolError: if no offer is allowed now.
        """
        if not self.may_offer:
            raise LocalProtocolError("an offer while another one has no answer")
        return self._agreement.draft_offer(description)

    def answer(
        self, abilities: SessionDescription, *, local_order: bool = False
    ) -> SessionDescription:
        """
        Make the answer to the peer's offer; the same one, once it has been sent.

        :param abilities: what we can do, see
            :func:`~sipsorcery.sdp.offer_answer.create_answer`.
        :raises LocalProtocolError: if there is no offer.
        :raises NotAcceptable: of :mod:`sipsorcery.sdp`, if nothing fits: then the
            request is refused with 488.
        """
        return self._agreement.draft_answer(abilities, local_order)

    def relay_answer(self, answer: SessionDescription) -> SessionDescription:
        """
        Make the answer to the peer's offer of somebody else's answer to the same offer.

        :raises LocalProtocolError: if there is no offer.
        :raises RemoteProtocolError: of :mod:`sipsorcery.sdp`, if it does not fit.
        """
        return self._agreement.adopt_answer(answer)

    # Messages

    def sent(self, message: Request | Response) -> None:
        """
        Take note of a message that we send.

        :raises LocalProtocolError: if an offer or answer in it does not belong there,
            or one is missing.
        """
        try:
            self._observe(Side.Local, message)
        except (Fault, DescriptionError, DescriptionMisfit) as fault:
            raise LocalProtocolError(fault.text) from None

    def receive(
        self, message: Request | Response, retry_after: int = 0
    ) -> Refusal | None:
        """
        Take note of a message of the peer.

        :param retry_after: chosen at random from 0 to 10 seconds, should the request
            come too early (:rfc:`3311#section-5.2`).
        :returns: how to refuse a request. It has changed nothing then, but for a PRACK
            without the answer that belongs there, which is Broken as well.
        """
        try:
            self._observe(Side.Remote, message)
        except (Fault, ParseError, DescriptionError, DescriptionMisfit) as fault:
            if isinstance(message, Response) or message.method == "ACK":
                self._agreement.effects += (Broken(fault.text),)
            elif fault.status == 500:
                return Refusal.later(fault.text, retry_after)
            else:
                return Refusal(fault.status, fault.text)
        return None

    def give_up(self, request: Request) -> None:
        """
        Take note that a request of ours gets no response any more.
        """
        self._fail(Side.Local, request[CSEQ])

    def _observe(self, side: Side, message: Request | Response) -> None:
        if isinstance(message, Response):
            self._observe_response(side, message)
        elif message.method == "ACK":
            if self._expects(message, side):
                self._take_answer(side, message)
        elif message.method == "PRACK":
            self._observe_prack(side, message)
        elif message.method in ("INVITE", "UPDATE"):
            self._observe_offer(side, message)

    def _observe_prack(self, side: Side, prack: Request) -> None:
        invite = self._invite
        if invite is not None and invite.side is side:
            invite.undo = None  # both know the answer now
        if not self._expects(prack, side):
            self._observe_offer(side, prack)
            return
        try:
            self._take_answer(side, prack)
        except (Fault, DescriptionError, DescriptionMisfit) as fault:
            if side is Side.Remote:
                self._agreement.effects += (Broken(fault.text),)
            raise

    def _observe_offer(self, side: Side, request: Request) -> None:
        """
        Take a request in which there may be an offer.
        """
        description = self._description_in(side, request)
        cseq = request[CSEQ]
        if description is not None or request.method == "INVITE":
            self._check_turn(side, request.method)
        if description is not None:
            self._propose(PendingOffer(side, description, cseq))
        if request.method == "INVITE":
            self._invite = PendingInvite(
                side,
                cseq,
                is_described=description is not None,
                is_first=self.local is None,
            )

    def _check_turn(self, side: Side, method: str) -> None:
        """
        Make sure that *side* may offer.
        """
        if self._agreement.offer is not None:
            # "MUST reject the UPDATE with a 491" if our offer has no answer yet, "with
            # a 500" if theirs has none (RFC 3311, 5.2)
            status = 500 if self._agreement.offer.side is side else 491
            raise Fault(f"{method} while an offer has no answer", status)
        invite = self._invite
        if invite is None or method == "INVITE":
            return
        if not invite.is_described:
            raise Fault(f"offer in {method} before that of an INVITE", 500)
        if invite.undo is not None and side is not invite.side:
            raise Fault(f"offer in {method} before the PRACK for an answer", 500)

    def _observe_response(self, side: Side, response: Response) -> None:
        cseq = response[CSEQ]
        if response.status >= 300:
            self._fail(side.other, cseq)
        elif cseq.method == "INVITE" and self._is_under_way(side, cseq):
            self._observe_invite_response(side, response)
        elif self._expects(response, side):
            self._take_answer(side, response)

    def _is_under_way(self, side: Side, cseq: CSeq) -> bool:
        invite = self._invite
        return invite is not None and invite.side is not side and invite.cseq == cseq

    def _observe_invite_response(self, side: Side, response: Response) -> None:
        invite, offer = self._invite, self._agreement.offer
        assert invite is not None
        if response.is_success:
            self._invite = None
        if offer is not None and offer.cseq == invite.cseq and offer.in_request:
            self._observe_answer(side, response, invite)
        elif not invite.is_described and is_binding(response):
            self._observe_late_offer(side, response, invite)
        elif side is Side.Local:
            description = self._description_in(side, response)
            if description not in (None, self.local):
                raise Fault("a description that is neither offer nor answer")

    def _observe_answer(
        self, side: Side, response: Response, invite: PendingInvite
    ) -> None:
        """
        Take a response to an INVITE whose offer has no answer.
        """
        if response.is_success:
            self._take_answer(side, response)
            return
        description = self._description_in(side, response)
        if description is not None and is_binding(response):
            before = Agreed(self.local, self.remote)
            self._take_answer(side, response)
            invite.undo = before if side is Side.Local else None
        elif description is not None:
            self._agreement.look_ahead(side, description)

    def _observe_late_offer(
        self, side: Side, response: Response, invite: PendingInvite
    ) -> None:
        """
        Take a response that must have an offer, because the INVITE has none.
        """
        description = self._description_in(side, response)
        if description is not None:
            rack = None if response.is_success else RAck(response[RSEQ], invite.cseq)
            offer = PendingOffer(
                side, description, invite.cseq, in_request=False, rack=rack
            )
            self._propose(offer)
            invite.is_described = True
        elif response.is_success:
            raise Fault("2xx without an offer to an INVITE without one")

    def _propose(self, offer: PendingOffer) -> None:
        self._agreement.propose(offer)
        if self._invite is not None and self._invite.side is offer.side:
            self._invite.undo = None  # who offers again has seen the answer

    def _take_answer(self, side: Side, message: Message) -> None:
        """
        Take a message in which the answer must be.
        """
        offer = self._agreement.offer
        assert offer is not None
        try:
            answer = self._description_in(side, message)
        except DescriptionError:
            if side is Side.Remote:
                self._agreement.forget_offer()  # nothing better is going to come
            raise
        may_be_ahead = isinstance(message, Response)
        self._agreement.settle(side, answer, may_be_ahead=may_be_ahead)
        if self._invite is not None and offer.cseq.method != "UPDATE":
            self._invite.has_changed = True

    def _fail(self, side: Side, cseq: CSeq) -> None:
        """
        Take note that a request of *side* has failed, and what it offered with it.
        """
        offer = self._agreement.offer
        if offer is not None and offer.goes_with(side, cseq):
            self._agreement.withdraw()
        invite = self._invite
        if invite is None or invite.side is not side or invite.cseq != cseq:
            return
        self._invite = None
        if invite.undo is not None:
            self._agreement.agree(invite.undo.local, invite.undo.remote)
        elif invite.has_changed and side is Side.Local and not invite.is_first:
            self._agreement.effects += (OutOfStep(),)

    def _expects(self, message: Message, side: Side) -> bool:
        """
        Tell whether *message* is where the answer of *side* belongs.
        """
        offer = self._agreement.offer
        return offer is not None and offer.is_answered_by(side, message)

    def _description_in(
        self, side: Side, message: Message
    ) -> SessionDescription | None:
        drafted = self._agreement.drafted if side is Side.Local else None
        return description_in(message, drafted)
