"""
What both sides have offered and agreed upon (:rfc:`3264`).

Which message carries what is said by `sipsorcery.dialog.offer_answer`.
"""

from __future__ import annotations

from dataclasses import replace

from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.exchange import (
    Agreed,
    OfferAnswerEffect,
    Offered,
    PendingOffer,
    Previewed,
    Side,
    Withdrawn,
)
from sipsorcery.sdp import (
    Line,
    Media,
    Origin,
    SessionDescription,
    check_answer,
    check_offer,
    create_answer,
    reissue,
)


class Fault(Exception):
    """
    Says that a message breaks the rules, and how to refuse it.
    """

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class Agreement:
    """
    What the session is, and the offer that may change it.

    :param origin: of our first description. Where the session goes on, of the last one,
        of which nothing may be known but this.

    :ivar local: what we have said the session is, ``None`` before it is agreed upon.
    :ivar remote: what the peer has said.
    :ivar offer: the one that has no answer.
    :ivar preview: the answer to it that came ahead of the one that counts.
    :ivar drafted: the description of ours that was made last, be it sent or not.
    :ivar effects: what has come of it.
    """

    __slots__ = (
        "_issued",
        "_origin",
        "drafted",
        "effects",
        "local",
        "offer",
        "preview",
        "remote",
    )

    def __init__(
        self,
        origin: Origin,
        local: SessionDescription | None,
        remote: SessionDescription | None,
    ) -> None:
        self._origin = origin
        self.local = local
        self.remote = remote
        # What we sent last. It has only an origin where the rest is not known.
        self._issued = None if local is None else _unknown_but(origin)
        self.drafted: SessionDescription | None = None
        self.offer: PendingOffer | None = None
        self.preview: SessionDescription | None = None
        self.effects: tuple[OfferAnswerEffect, ...] = ()

    def fork(self) -> Agreement:
        """
        Return a copy, for another dialog of the same INVITE.
        """
        other = Agreement(self._origin, self.local, self.remote)
        other._issued = self._issued
        other.offer = self.offer
        return other

    @property
    def origin(self) -> Origin:
        """
        Give the origin of what we sent last.
        """
        return self._origin if self._issued is None else self._issued.origin

    @property
    def must_answer(self) -> bool:
        """
        Whether an offer of the peer waits for our answer.
        """
        return self.offer is not None and self.offer.side is Side.Remote

    # Descriptions of ours

    def draft_offer(self, description: SessionDescription) -> SessionDescription:
        """
        Make an offer of a description, with as many streams as there are at least.
        """
        if self.local is not None:
            over = self.local.media[len(description.media) :]
            gone = (Media(m.type, 0, m.proto, m.formats or ("0",)) for m in over)
            description = replace(description, media=(*description.media, *gone))
        self.drafted = reissue(description, self._origin, self._issued)
        return self.drafted

    def draft_answer(
        self, abilities: SessionDescription, local_order: bool
    ) -> SessionDescription:
        """
        Make the answer to the peer's offer; the same one, once it has been sent.

        :raises LocalProtocolError: if there is no offer.
        :raises NotAcceptable: of :mod:`sipsorcery.sdp`, if nothing fits.
        """
        offer = self._offer_to_answer()
        self.drafted = self.preview or create_answer(
            offer,
            abilities,
            self._issued,
            origin=self._origin,
            local_order=local_order,
        )
        return self.drafted

    def adopt_answer(self, answer: SessionDescription) -> SessionDescription:
        """
        Make the answer of somebody else's to the same offer.

        :raises LocalProtocolError: if there is no offer.
        :raises RemoteProtocolError: of :mod:`sipsorcery.sdp`, if it does not fit.
        """
        check_answer(answer, self._offer_to_answer())
        own = self.preview or reissue(answer, self._origin, self._issued)
        self.drafted = own
        return own

    def _offer_to_answer(self) -> SessionDescription:
        if self.offer is None or self.offer.side is Side.Local:
            raise LocalProtocolError("an answer without an offer")
        return self.offer.description

    # What is sent and received

    def propose(self, offer: PendingOffer) -> None:
        """
        Take an offer.

        :raises RemoteProtocolError: of :mod:`sipsorcery.sdp`, if it does not fit what
            the same side has said before.
        """
        previous = self.local if offer.side is Side.Local else self.remote
        if previous is not None:
            check_offer(offer.description, previous)
        self.offer = offer
        self.preview = None
        if offer.side is Side.Local:
            self._issued = offer.description
        else:
            self.effects += (Offered(offer.description),)

    def look_ahead(self, side: Side, description: SessionDescription) -> None:
        """
        Take an answer in a response that may get lost.

        :raises Fault: if it is not the one of ours that was sent before.
        :raises RemoteProtocolError: of :mod:`sipsorcery.sdp`, if it does not fit.
        """
        assert self.offer is not None
        check_answer(description, self.offer.description)
        if self.preview is None:
            self.preview = description
            if side is Side.Local:
                self._issued = description
            else:
                self.effects += (Previewed(description),)
        elif side is Side.Local and description != self.preview:
            # "That same exact answer MAY also be placed in any provisional responses"
            raise Fault("an answer that is not the one sent before")

    def settle(
        self, side: Side, answer: SessionDescription | None, *, may_be_ahead: bool
    ) -> None:
        """
        Take what a message says in which the answer must be.

        "The UAC MUST treat the first session description it receives as the answer":
        so the 2xx may leave it out where another response had it. Where both have one
        and they differ, as from gateways that first let a machine speak, the one counts
        that "MUST" be there.

        :param may_be_ahead: whether the peer may have sent it before.
        :raises Fault: if it is missing, or not the one of ours that was sent before.
        :raises RemoteProtocolError: of :mod:`sipsorcery.sdp`, if it does not fit.
        """
        offer, preview = self.offer, self.preview
        assert offer is not None
        if side is Side.Remote:
            self.forget_offer()  # nothing better is going to come
            if answer is None and may_be_ahead:
                answer = preview
        if answer is None:
            raise Fault("a message without the answer that belongs there")
        if side is Side.Local and preview not in (None, answer):
            raise Fault("an answer that is not the one sent before")
        if answer is not self.drafted:  # which fits
            check_answer(answer, offer.description)
        self.forget_offer()
        if side is Side.Local:
            self._issued = answer
            self.agree(answer, offer.description)
        else:
            self.agree(offer.description, answer)

    def agree(
        self, local: SessionDescription | None, remote: SessionDescription | None
    ) -> None:
        """
        Let this be the session from now on.
        """
        self.local, self.remote = local, remote
        self.drafted = None  # it is one of these, or came to nothing
        self.effects += (Agreed(local, remote),)

    def withdraw(self) -> None:
        """
        Take the offer back, and say so.
        """
        self.forget_offer()
        self.effects += (Withdrawn(),)

    def forget_offer(self) -> None:
        """
        Wait for no answer any more.
        """
        self.offer = self.preview = None


def _unknown_but(origin: Origin) -> SessionDescription:
    return SessionDescription(lines=(Line("o", str(origin)),))
