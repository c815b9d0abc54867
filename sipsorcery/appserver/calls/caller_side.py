"""
The caller's side of a call while the legs ring: what of them the caller is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred

from sipsorcery.appserver.calls import transparency
from sipsorcery.appserver.calls.bridge import Bridge, Rewrite
from sipsorcery.appserver.calls.inquiry import Inquiry
from sipsorcery.appserver.calls.rewriting import NO_REWRITING, between, host_of
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.dialog.dialog import HOPS
from sipsorcery.dialog.extensions import RELIABLE, supports
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.fields import MAX_FORWARDS, PROXY_RECEIVED_FROM
from sipsorcery.sip.response import Response
from sipsorcery.ua import RequestFailed, ServerCall, Session, SessionEnded
from sipsorcery.ua.answering import Storing
from sipsorcery.ua.outcome import Outcome


class CallerSide:
    """
    Speaks to a caller for those who are called.

    :param seen: the address that the caller's messages come from; "": unknown.
    :param public: our own address as others see it; "": they see none.
    :param is_trusted: whether the caller may say who calls.

    :ivar bridge: relays between the caller and who is called; None: there is nobody yet
        to relay to.
    :ivar on_agreed: is given a session whenever it has agreed with its peer.
    """

    __slots__ = (
        "_answer",
        "_incoming",
        "_is_trusted",
        "_kept",
        "_media",
        "_public",
        "_seen",
        "_told",
        "bridge",
        "on_agreed",
    )

    def __init__(
        self,
        incoming: ServerCall,
        *,
        seen: str = "",
        public: str = "",
        is_trusted: bool = False,
    ) -> None:
        incoming.relays = True
        self._incoming = incoming
        self._is_trusted = is_trusted
        self._public = public
        self._seen = seen
        self._told: set[int] = set()
        self._media: Session | None = None  # whose media the caller hears
        self._kept: set[Session] = set()  # whose addresses stay as they are
        self._answer: Outcome[SessionDescription] = Outcome()
        self.bridge: Bridge | None = None
        self.on_agreed: Callable[[Session], object] | None = None

    def inquiry(self) -> Inquiry:
        """
        Say what the legs ask in the caller's name.

        :raises ParseError: of `sipsorcery.sip` or `sipsorcery.sdp`, if the INVITE
            breaks the grammar.
        """
        incoming = self._incoming
        request, offer = incoming.request, incoming.offer
        hops = request.get(MAX_FORWARDS)
        fields: list[FieldValue] = []
        body = b""
        if offer is None:
            fields, body = transparency.verbatim(request)
        is_late = offer is None and not body

        def of_call(target: Target) -> list[FieldValue]:
            to_trusted = target.kind is Kind.PROVIDER
            told = transparency.of_call(
                request, from_trusted=self._is_trusted, to_trusted=to_trusted
            )
            return [*told, *fields]

        return Inquiry(
            name=incoming.caller.display_name or "",
            description=offer,
            rewrite=self._rewrite,
            keep_addresses=self._kept.add,
            late_answer=self._late_answer if is_late else None,
            fields=of_call,
            body=body,
            enclose=transparency.enclosed_as(request),
            hops=HOPS if hops is None else hops - 1,
            # A reliable response with an offer has to have its answer in the PRACK.
            can_confirm=not is_late or supports(request, RELIABLE),
        )

    # What the legs tell

    def progress(self, response: Response, session: Session | None) -> None:
        """
        Tell the caller how far a leg is.

        Every status is told once, and so is the media of the first leg that has any.

        :param session: the early session that the response is of.
        :raises NotAcceptable: if its description is no answer to the caller's offer.
        """
        status = response.status
        if not self._incoming.is_pending or status in (100, 199):
            return  # between neighbours, or about a leg
        said = None if session is None else session.said
        if said is not None and self._media is None:
            assert session is not None  # whose description it is
            self._media = session
            self._join(session, response)
        elif status in self._told:
            return
        description = None
        if session is not None and session is self._media:
            assert self.bridge is not None  # made above
            description = self.bridge.said
        self._told.add(status)
        is_late = self._incoming.offer is None
        self._incoming.ring(
            status,
            description,
            reason=response.reason,
            fields=transparency.of_answer(response),
            enclose=transparency.enclosed_as(response),
            reliable=True if is_late and description is not None else None,
        )
        if self.bridge is not None:
            self.bridge.take_offers()

    def join(self, session: Session) -> Bridge:
        """
        Let what a callee wants reach the caller, and the other way round.

        One who was joined before is so no more.
        """
        return self._join(session, session.accepted)

    def answer(
        self,
        session: Session,
        *,
        storing: Storing | None = None,
        fields: Iterable[FieldValue] = (),
    ) -> Deferred[Session]:
        """
        Tell the caller that somebody has answered, and wait until he knows.

        :param storing: is given the 2xx before it leaves.
        :return: as `ServerCall.answered`.
        :raises NotAcceptable: if the answer does not fit: the call is refused.
        """
        bridge = self.join(session)
        response, session.accepted = session.accepted, None
        body, status, enclose = (
            b"",
            200,
            transparency.enclosed_as(self._incoming.request),
        )
        told: list[FieldValue] = [*fields]
        if response is not None:
            status, enclose = response.status, transparency.enclosed_as(response)
            told += transparency.of_answer(response)
        description = bridge.said
        if description is None and response is not None:
            carried, body = transparency.verbatim(response)
            told += carried
        answered = self._incoming.answer(
            description,
            fields=told,
            body=body,
            status=status,
            enclose=enclose,
            storing=storing,
        )
        bridge.take_offers()
        return answered.addCallback(self._answered)

    # Inside

    @property
    def _is_bridged(self) -> bool:
        """
        Whether there is a callee, who may have hung up before the caller's ACK came.
        """
        return self.bridge is not None and not self.bridge.is_dissolved

    def _answered(self, session: Session) -> Session:
        """
        Hear that the caller has acknowledged.
        """
        self._succeed(session)
        if self._is_bridged:
            assert self.bridge is not None  # then it is
            # From now on nobody needs the INVITE, which we have.
            self.bridge.on_agreed = self.on_agreed or _nothing
            if self._media is not None:
                session.core.spawn(_align(self.bridge))
        return session

    def _agreed(self, session: Session) -> None:
        """
        Hear that one of the two has agreed with us on something.
        """
        if session is self._incoming.session:
            self._succeed(session)
        if self.on_agreed is not None:
            self.on_agreed(session)

    async def _late_answer(self) -> SessionDescription:
        return await self._answer.wait()

    def _succeed(self, session: Session) -> None:
        """
        Give the caller's answer to the callee who has made the offer.
        """
        if session.remote is not None and self._is_bridged:
            assert self.bridge is not None  # then it is
            rewrite, _ = self.bridge.rewrites
            self._answer.succeed(rewrite(session.remote))

    def _join(self, session: Session, response: Response | None) -> Bridge:
        """
        Relay to and from a callee; *response* says where that one is.
        """
        if self.bridge is not None:
            if self.bridge.callee is session:
                return self.bridge
            self.bridge.end()
        rewrites: tuple[Rewrite, Rewrite] = (NO_REWRITING, NO_REWRITING)
        if session not in self._kept:
            source = None if response is None else response.get(PROXY_RECEIVED_FROM)
            rewrites = between(self._seen, host_of(source), self._public)
        caller = self._incoming.session
        self.bridge = Bridge(caller, session, on_agreed=self._agreed, rewrites=rewrites)
        return self.bridge

    def _rewrite(
        self, description: SessionDescription, target: Target
    ) -> SessionDescription:
        """
        Make of the caller's offer what a target is told.
        """
        rewrite, _ = between(self._seen, target.uri.address, self._public)
        return rewrite(description)


async def _align(bridge: Bridge) -> None:
    try:
        await bridge.align()
    except (RequestFailed, SessionEnded):
        pass  # then it is heard as far as it goes


def _nothing(session: Session) -> None:
    pass
