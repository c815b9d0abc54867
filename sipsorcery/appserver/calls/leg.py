"""
A leg to somebody who is no dialplan here: one call of our user agent.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from sipsorcery.appserver.calls import transparency
from sipsorcery.appserver.calls.inquiry import Inquiry, LateAnswer
from sipsorcery.appserver.calls.legs import Listener
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sdp import NotAcceptable, SDPError, SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import (
    Account,
    CallCancelled,
    ClientCall,
    Onward,
    RequestFailed,
    Session,
    UserAgent,
)
from sipsorcery.ua.onward import SentHook


class Leg:
    """
    One leg.

    :param proxy: where its requests go first, unless the target has a way of its own.
    :param contact: where the callee reaches us; None: at our own address.
    :param ring_time: seconds until it is given up; None: as the agent's settings say.
    :param sent: is given each INVITE as it was sent, and where it went.
    """

    __slots__ = (
        "_agent",
        "_call",
        "_contact",
        "_inquiry",
        "_listener",
        "_proxy",
        "_ring_time",
        "_sent",
        "_target",
    )

    def __init__(
        self,
        agent: UserAgent,
        target: Target,
        listener: Listener,
        inquiry: Inquiry,
        *,
        proxy: SIPURI,
        contact: Address | None = None,
        ring_time: float | None = None,
        sent: SentHook = lambda invite, to: None,
    ) -> None:
        self._agent = agent
        self._target = target
        self._listener = listener
        self._inquiry = inquiry
        self._proxy = target.route[0] if target.route else proxy
        self._contact = contact
        self._ring_time = ring_time
        self._sent = sent
        self._call: ClientCall | None = None

    def start(self) -> None:
        """
        Call.
        """
        target, inquiry = self._target, self._inquiry
        headers = (*inquiry.headers, *target.headers)
        description = inquiry.description
        if description is not None and target.rewrites_sdp:
            description = inquiry.rewrite(description, target)
        body, fields = inquiry.body, inquiry.fields(target)
        if target.content is not None:
            description, body, fields = replaced(target.content, fields)
        onward = Onward(
            to=Address(target.to),
            contact=self._contact,
            hops=inquiry.hops,
            ring_time=self._ring_time,
            can_confirm=inquiry.can_confirm,
            body=body,
            enclose=inquiry.enclose,
            on_offer=None if inquiry.late_answer is None else self._answer_offer,
            on_sent=self._sent,
        )
        self._call = self._agent.invite(
            target.uri,
            description,
            account=identity_of(target, inquiry.name, self._proxy),
            fields=[*fields, *map(field_of, headers)],
            late_offer=inquiry.late_answer is not None and target.content is None,
            onward=onward,
        )
        self._agent.core.spawn(self._listen(self._call))

    def cancel(self) -> None:
        """
        Give up.
        """
        if self._call is not None:
            self._call.cancel()

    def abandon(self) -> None:
        """
        Give up; the CANCEL waits for a response by itself (:rfc:`3261#section-9.1`).
        """
        self.cancel()

    # Inside

    async def _listen(self, call: ClientCall) -> None:
        async for response, early in call.progress:
            if early is not None and not self._target.rewrites_sdp:
                self._inquiry.keep_addresses(early)
            try:
                self._listener.progressed(response, early)
            except (ParseError, SDPError):
                pass  # what cannot be passed on; the answer may still be
        try:
            session = await call.answered()
        except CallCancelled:
            self._listener.failed(487, Response.phrase(487))
        except RequestFailed as error:
            self._fail(error)
        else:
            if not self._target.rewrites_sdp:
                self._inquiry.keep_addresses(session)
            self._listener.answered(session, self._target)

    def _fail(self, error: RequestFailed) -> None:
        response = error.response
        if response is None:
            # What the error says is of our own addresses, and the caller is told this.
            self._listener.failed(error.status, Response.phrase(error.status))
        else:
            self._listener.failed(
                response.status,
                response.reason,
                contacts_of(response),
                transparency.of_failure(response),
            )

    async def _answer_offer(
        self, offer: SessionDescription | None
    ) -> SessionDescription:
        """
        Wait until the caller has answered the callee's offer.

        :raises NotAcceptable: if this callee is not the one, or nobody answers.
        """
        assert self._inquiry.late_answer is not None  # or nobody would have asked
        waiting = Deferred.fromCoroutine(_wait(self._inquiry.late_answer))
        assert self._call is not None  # it was answered

        def dropped(session: Session) -> None:
            session.ended().addCallback(lambda _: waiting.cancel())

        self._call.answered().addCallbacks(dropped, lambda _: waiting.cancel())
        try:
            return await waiting
        except CancelledError as error:
            raise NotAcceptable("somebody else has answered") from error


def identity_of(target: Target, name: str, proxy: SIPURI) -> Account:
    """
    Say who calls, with the credentials that are for one leg alone.

    :param name: the display name, where the target has no other.
    """
    known = target.credentials
    name = name if target.sender_name is None else target.sender_name
    return Account(
        Address(target.sender, name or None),
        None if known is None else known.password,
        username=None if known is None else known.username,
        realms=target.realms,
        proxy=proxy,
    )


def replaced(
    content: tuple[str, bytes], fields: list[FieldValue]
) -> tuple[SessionDescription | None, bytes, list[FieldValue]]:
    """
    Give the body that a dialplan has put in the place of the caller's.
    """
    type, body = content
    others = [each for each in fields if not _is_of_body(str(each[0]))]
    if type.partition(";")[0].strip().lower() == "application/sdp":
        try:
            return SessionDescription.parse(body), b"", others
        except SDPError:
            pass  # then the callee may say what is wrong with it
    return None, body, [*others, ("Content-Type", type)]


def _is_of_body(name: str) -> bool:
    return name.lower().startswith("content-") or name.lower() == "mime-version"


async def _wait(answer: LateAnswer) -> SessionDescription:
    return await answer()


def field_of(line: str) -> FieldValue:
    """
    Read a line of a header as its name and its value.
    """
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def contacts_of(response: Response) -> list[SIPURI]:
    """
    List the URIs of a redirection, the best first.
    """
    if not 300 <= response.status < 400:
        return []
    try:
        contacts = [one for one in response.all(CONTACT) if isinstance(one, Address)]
        contacts.sort(key=lambda one: 1.0 if one.q is None else one.q, reverse=True)
    except ParseError:
        return []
    return [one.uri for one in contacts if isinstance(one.uri, SIPURI)]
