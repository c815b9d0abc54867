"""
Our side of the offers and answers of one session.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from sipsorcery.dialog.bodies import described
from sipsorcery.dialog.exchange import OfferAnswerEffect, Offered
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sdp import (
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Codec,
    Connection,
    Media,
    NotAcceptable,
    Origin,
    RemoteProtocolError,
    SessionDescription,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

#: Chooses what we can do for the answer to an offer, or for an offer where the peer
#: asks for ours and gives ``None``.
OfferHook: TypeAlias = Callable[
    [SessionDescription | None], SessionDescription | Awaitable[SessionDescription]
]

#: Gives somebody else's answer to an offer that the peer has been asked for.
AnswerHook: TypeAlias = Callable[[SessionDescription], Awaitable[SessionDescription]]

#: The fields and the body that carry a description.
Carried: TypeAlias = tuple[list[FieldValue], bytes]

#: Makes them: `described`, or something that adds what else goes into the body.
Enclose: TypeAlias = Callable[[SessionDescription], Carried]

# "a numeric string such that the tuple [...] forms a globally unique identifier"
# (RFC 8866, 5.2), within the 63 bits of RFC 3264, 5.
_SESSION_ID_BITS = 62
_RETRY_AFTER = 10  # seconds, the most (RFC 3261, 14.2)


def audio(
    host: str,
    port: int,
    codecs: Iterable[Codec] = (PCMU, PCMA, TELEPHONE_EVENT),
) -> SessionDescription:
    """
    Describe one stream of audio over RTP, to offer it or to answer with it.

    :param host: the IP address that we receive at.
    """
    media = Media("audio", port).with_codecs(codecs)
    return SessionDescription.create(new_origin(host), Connection(host), [media])


def new_origin(host: str) -> Origin:
    """
    Make the origin of the descriptions that we send in one dialog.
    """
    return Origin("-", str(secrets.randbits(_SESSION_ID_BITS)), 1, host)


def nothing_yet(host: str) -> SessionDescription:
    """
    Make the description that stands for one that somebody else is going to make.

    :param host: for the ``o=`` line.
    """
    return SessionDescription.create(new_origin(host), Connection(host))


class Negotiation:
    """
    What we can do, and what has been offered and answered so far.

    :param abilities: the description that we would offer; answers are made of it, too.
    :param relays: whether our descriptions are those of somebody else, who has offered
        or answered in our place: only the ``o=`` line is our own then.

    :ivar on_offer: says instead what we can do, each time; None: *abilities* do.
    :ivar offered: the last offer of the peer.
    :ivar offered_in: the method of the request that it was in; "": of a response.
    """

    __slots__ = (
        "_effects",
        "_state",
        "abilities",
        "offered",
        "offered_in",
        "on_offer",
        "relays",
    )

    def __init__(
        self,
        abilities: SessionDescription,
        state: OfferAnswer | None = None,
        *,
        relays: bool = False,
    ) -> None:
        self.abilities = abilities
        self.relays = relays
        self.on_offer: OfferHook | None = None
        self.offered: SessionDescription | None = None
        self.offered_in = ""
        self._effects: tuple[OfferAnswerEffect, ...] = ()
        self._state = state or OfferAnswer(new_origin(abilities.origin.address))

    def fork(self) -> Negotiation:
        """
        Go on in another dialog of the same INVITE.
        """
        other = Negotiation(self.abilities, self._state.fork(), relays=self.relays)
        other.on_offer, other.offered = self.on_offer, self.offered
        return other

    @property
    def state(self) -> OfferAnswer:
        """
        What has been offered and answered, to be written down.
        """
        return self._state

    @property
    def local(self) -> SessionDescription | None:
        """
        What we have said the session is.
        """
        return self._state.local

    @property
    def remote(self) -> SessionDescription | None:
        """
        What the peer has said the session is.
        """
        return self._state.remote

    @property
    def said(self) -> SessionDescription | None:
        """
        What the peer has said last, be it agreed upon or not.
        """
        return self._state.said

    @property
    def may_offer(self) -> bool:
        """
        Whether an offer of ours may be sent now.
        """
        return self._state.may_offer

    @property
    def must_answer(self) -> bool:
        """
        Whether an offer of the peer waits for our answer.
        """
        return self._state.must_answer

    @property
    def may_describe(self) -> bool:
        """
        Whether a message of ours can answer the peer's offer, or make one.
        """
        return self.must_answer or self.may_offer

    def offer(
        self,
        description: SessionDescription | None = None,
        *,
        enclose: Enclose = described,
    ) -> Carried:
        """
        Make our offer.

        :param description: what to offer from now on; None: what we can do.
        :param enclose: makes the fields and the body that carry it.
        """
        if description is not None:
            self.abilities = description
        return enclose(self._state.offer(self.abilities))

    async def reply(self) -> Carried:
        """
        Make our answer to the peer's offer, or our own offer, as the application wants.

        :raises NotAcceptable: of `sipsorcery.sdp`, if nothing fits.
        """
        if self.on_offer is not None:
            chosen = self.on_offer(self.offered if self.must_answer else None)
            if isinstance(chosen, Awaitable):
                chosen = await chosen
            self.abilities = chosen
        return self.describe()

    def describe(self, enclose: Enclose = described) -> Carried:
        """
        Make our answer to the peer's offer; where there is none, our own offer.

        :param enclose: makes the fields and the body that carry it.
        :raises NotAcceptable: of `sipsorcery.sdp`, if nothing fits.
        """
        if not self.must_answer:
            return self.offer(enclose=enclose)
        if not self.relays:
            return enclose(self._state.answer(self.abilities))
        try:
            return enclose(self._state.relay_answer(self.abilities))
        except RemoteProtocolError as error:
            raise NotAcceptable(error.text) from error

    def relay(self, answer: SessionDescription) -> Carried:
        """
        Make the answer to the peer's offer of somebody else's answer to it.

        :raises RemoteProtocolError: of `sipsorcery.sdp`, if it does not fit.
        """
        return described(self._state.relay_answer(answer))

    def refuse(self) -> Carried:
        """
        Make the answer that refuses every stream.
        """
        assert self.offered is not None  # or there is nothing to refuse
        streams = self.offered.media
        refused = [Media(m.type, 0, m.proto, m.formats or ("0",)) for m in streams]
        answer = replace(self.abilities, media=tuple(refused))
        return described(self._state.relay_answer(answer))

    def sent(self, message: Request | Response) -> None:
        """
        Take note of a message that we send.
        """
        self._state.sent(message)
        self._keep_effects()

    def receive(self, message: Request | Response) -> Refusal | None:
        """
        Take note of a message of the peer.

        :returns: how to refuse it, if it is a request that may not be acted upon.
        """
        refusal = self._state.receive(message, random.randint(0, _RETRY_AFTER))
        if self._keep_effects():
            self.offered_in = message.method if isinstance(message, Request) else ""
        return refusal

    def give_up(self, request: Request) -> None:
        """
        Take note that a request of ours gets no response any more.
        """
        self._state.give_up(request)
        self._keep_effects()

    def take_effects(self) -> tuple[OfferAnswerEffect, ...]:
        """
        Hand over what has come of the messages since the last time.
        """
        effects, self._effects = self._effects, ()
        return effects

    def _keep_effects(self) -> bool:
        """
        Keep what has come of a message, and tell whether that is an offer.
        """
        is_offered = False
        for effect in self._state.take_effects():
            if isinstance(effect, Offered):
                self.offered, is_offered = effect.description, True
            self._effects += (effect,)
        return is_offered
