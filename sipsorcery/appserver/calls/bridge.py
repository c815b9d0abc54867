"""
What passes between the two legs of a call once both are there.

Each leg is a session with an ``o=`` line, a session timer, credentials and numbers of
its own. What one peer wants to change is asked of the other, and the answer of that one
is ours; what changes nothing is answered without asking.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from sipsorcery.appserver.calls import transparency
from sipsorcery.appserver.calls.rewriting import NO_REWRITING
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.response import Response
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import OfferRefused, RequestFailed, Session, SessionEnded
from sipsorcery.ua.outcome import Outcome

#: Makes of what a peer says what the other one is told.
Rewrite = Callable[[SessionDescription], SessionDescription]

#: The requests that go to the other leg as they are.
RELAYED = ("INFO", "MESSAGE", "NOTIFY", "OPTIONS")

# As long as a peer repeats a 2xx whose ACK is to carry the answer (RFC 3261, 13.3.1.4).
_PATIENCE = 32.0
# What peers are told in place of what was meant for us: a challenge that we have no
# answer to, and a 408, which only says that somebody was silent (RFC 4320).
_REPLACED = {401: 403, 407: 403, 408: 504, 422: 500}
_UNKNOWN_METHOD = (405, 501)


def _nothing(session: Session) -> None:
    pass


class Bridge:
    """
    Relay between two sessions, from the first description that passes.

    :param on_agreed: is given a session whenever it has agreed with its peer.
    """

    __slots__ = ("_changing", "_sides", "on_agreed")

    def __init__(
        self,
        caller: Session,
        callee: Session,
        *,
        on_agreed: Callable[[Session], object] = _nothing,
        rewrites: tuple[Rewrite, Rewrite] = (NO_REWRITING, NO_REWRITING),
    ) -> None:
        self.on_agreed = on_agreed
        self._changing: object | None = None
        self._sides: tuple[_Side, ...] = (
            _Side(self, caller, rewrites[0]),
            _Side(self, callee, rewrites[1]),
        )

    @property
    def caller(self) -> Session:
        """
        The session with who has called.
        """
        return self._sides[0].session

    @property
    def callee(self) -> Session:
        """
        The session with who is called.
        """
        return self._sides[1].session

    @property
    def rewrites(self) -> tuple[Rewrite, Rewrite]:
        """
        What is made of what the caller says, and of what the callee says.
        """
        caller, callee = self._sides
        return caller.rewrite, callee.rewrite

    @property
    def is_dissolved(self) -> bool:
        """
        Whether it has no sides any more.
        """
        return not self._sides

    @property
    def said(self) -> SessionDescription | None:
        """
        What the callee has said last, as the caller is told.
        """
        return self._sides[1].said

    def replace(
        self, old: Session, new: Session, rewrite: Rewrite = NO_REWRITING
    ) -> None:
        """
        Relay to and from another session in the place of one.

        What they have agreed upon is not touched: whoever replaces sees to that.

        :param rewrite: for what its peer says.
        """
        caller, callee = self._sides
        side = _Side(self, new, rewrite)
        self._sides = (side, callee) if caller.session is old else (caller, side)
        if old is not new:
            old.forget_hooks()

    def take_offers(self) -> None:
        """
        Take offers of sessions that had not been described before.
        """
        for side in self._sides:
            side.take_offers()

    def end(self) -> None:
        """
        Relay nothing any more, and let go of both sides.
        """
        for side in self._sides:
            side.session.forget_hooks()
        self.dissolve()

    def dissolve(self) -> None:
        """
        Let go of both sides, whose sessions are over or belong to another bridge now.

        So that the call goes with its last reference, and nobody has to find the cycle.
        """
        self._sides = ()

    async def align(self) -> None:
        """
        Let the caller know what the callee has said, if he was told something else.

        He was if somebody else has rung with media before: the first answer to an offer
        is the one that counts in its dialog (:rfc:`3261#section-13.2.1`).

        :raises RequestFailed: if the caller refuses.
        :raises SessionEnded: if he has hung up.
        """
        caller, callee = self._sides
        told, said = caller.session.local, callee.said
        if told is None or said is None or said.with_origin(told.origin) == told:
            return
        await caller.session.reinvite(said)
        if caller.said is not None:
            await callee.session.reinvite(caller.said)

    async def renew(self, delay: float) -> None:
        """
        Send both ends again what they know, after a while.

        It helps phones that hear nothing at first: their NAT has found its way by then.

        :param delay: in seconds.
        """
        clock = self.caller.core.clock
        await deferLater(clock, delay)
        for side in self._sides:
            try:
                await side.session.reinvite()
            except (RequestFailed, SessionEnded):
                pass  # it was a kindness

    def other(self, side: _Side) -> _Side:
        """
        Give the other side.
        """
        return self._sides[side is self._sides[0]]

    def begin(self) -> object:
        """
        Let one side change the session, and no other meanwhile.

        :return: names the change; for `done`.
        :raises OfferRefused: with 491 if there is another.
        """
        if self._changing is not None:
            raise OfferRefused(Refusal(491))
        self._changing = object()
        return self._changing

    def done(self, change: object) -> None:
        """
        Let another change begin, unless one has.
        """
        if self._changing is change:
            self._changing = None


class _Side:
    """
    One of the two: takes what its peer wants, and asks the other one.
    """

    __slots__ = ("_answered", "_bridge", "rewrite", "session")

    def __init__(self, bridge: Bridge, session: Session, rewrite: Rewrite) -> None:
        self.session = session
        self._bridge = bridge
        self.rewrite = rewrite
        # The peer's answer to the offer of the other one, as soon as that is here.
        self._answered: Outcome[SessionDescription] | None = None
        self.take_offers()
        session.on_agreed(self._agreed)
        take = self._asked
        for method in RELAYED:
            session.on(method, take)

    @property
    def said(self) -> SessionDescription | None:
        """
        What its peer has said last, as the other one is told.
        """
        said = self.session.said
        return None if said is None else self.rewrite(said)

    # Offers

    def take_offers(self) -> None:
        """
        Take what the peer offers, if the session is one that SDP describes.
        """
        negotiation = self.session.negotiation
        if negotiation is not None:
            negotiation.relays = True
            negotiation.on_offer = self._offered

    async def _offered(self, offer: SessionDescription | None) -> SessionDescription:
        """
        Let the other peer answer an offer, or make the one that is asked for.

        :raises OfferRefused: as the other one has refused it.
        """
        session = self.session
        local = session.local
        if offer is not None and local is not None and offer == session.remote:
            return local  # it is only refreshed, or the peer has moved
        other = self._bridge.other(self)
        if offer is None:
            return await self._solicit(other)
        change = self._bridge.begin()
        try:
            await self._propose(other.session, self.rewrite(offer))
        except RequestFailed as error:
            raise OfferRefused(refusal(error)) from error
        except SessionEnded as error:
            raise OfferRefused(Refusal(480)) from error
        except CancelledError:
            other.give_up()
            raise
        finally:
            self._bridge.done(change)
        said = other.said
        if said is None:
            raise OfferRefused(Refusal(488))
        return said

    def give_up(self) -> None:
        """
        Cancel what its peer is asked for: the other one has given it up.
        """
        if self.session.reinvite_sent is not None:
            self.session.reinvite_sent.stop()

    async def _propose(self, session: Session, offer: SessionDescription) -> None:
        """
        Make an offer to the other peer the same way as it came, if that is possible.
        """
        negotiation = self.session.negotiation
        assert negotiation is not None  # it was offered
        is_update = negotiation.offered_in != "INVITE"
        if is_update or not session.is_established:
            try:
                await session.update(offer, retries=False)
                return
            except RequestFailed as error:
                unknown = error.status in _UNKNOWN_METHOD
                if not unknown or not session.is_established:
                    raise
        await session.reinvite(offer, retries=False)

    async def _solicit(self, other: _Side) -> SessionDescription:
        """
        Ask the other peer for an offer; the answer to it comes with our peer's ACK.

        :raises OfferRefused: if it makes none.
        """
        change = self._bridge.begin()
        clock = self.session.core.clock
        offered: Outcome[SessionDescription] = Outcome()
        answered: Outcome[SessionDescription] = Outcome()

        async def answer(offer: SessionDescription) -> SessionDescription:
            self._answered = answered
            offered.succeed(other.rewrite(offer))
            return self.rewrite(await answered.wait().addTimeout(_PATIENCE, clock))

        def failed(failure: Failure) -> None:
            assert isinstance(failure.value, Exception)  # nobody cancels it
            offered.fail(failure.value)

        def finished(_: object) -> None:
            self._answered = None
            self._bridge.done(change)

        asking = Deferred.fromCoroutine(other.session.solicit(answer, retries=False))
        asking.addErrback(failed).addBoth(finished)
        try:
            return await offered.wait()
        except RequestFailed as error:
            raise OfferRefused(refusal(error)) from error
        except SessionEnded as error:
            raise OfferRefused(Refusal(480)) from error
        except CancelledError:
            # An offer that is on its way all the same changes nothing.
            answered.fail(SessionEnded("nobody wants the offer any more"))
            other.give_up()
            raise

    def _agreed(self, session: Session) -> None:
        if self._answered is not None and session.remote is not None:
            self._answered.succeed(session.remote)
        self._bridge.on_agreed(session)

    # Other requests

    async def _asked(self, transaction: ServerTransaction) -> None:
        """
        Let the other peer answer a request.
        """
        request = transaction.request
        fields, method = transparency.within(request), request.method
        other = self._bridge.other(self).session
        try:
            response = await other.shared.request(other, method, fields, request.body)
        except RequestFailed as error:
            refused = refusal(error)
            transaction.respond(refused.status, None, refused.fields)
        except SessionEnded:
            transaction.respond(480)
        else:
            _pass_on(transaction, response)


def _pass_on(transaction: ServerTransaction, response: Response) -> None:
    status = _REPLACED.get(response.status, response.status)
    reason = response.reason if status == response.status else None
    fields = transparency.within(response)
    transaction.respond(status, reason, fields, response.body)


def refusal(error: RequestFailed) -> Refusal:
    """
    Tell a peer how the other one has refused something, or that it is silent.
    """
    fields: list[FieldValue] = []
    if error.response is not None:
        fields = [(RETRY_AFTER.name, one) for one in error.response.all("Retry-After")]
    return Refusal(_REPLACED.get(error.status, error.status), fields=tuple(fields))
