"""
Dialogs: what two user agents know of each other between requests.

A dialog makes the requests and responses that are sent within it, and judges those that
come. It belongs to nobody: a session, subscriptions or both may use it
(:rfc:`5057`), and whoever ends the last use calls :meth:`Dialog.terminate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.fate import Fate, fate_of
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.routing import (
    contact_uri,
    is_strict,
    needed_contact_uri,
    own_contact,
    record_route,
    request_uri,
)
from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import MAX_CSEQ, CSeq
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    PROXY_AUTHORIZATION,
    RECORD_ROUTE,
    ROUTE,
    RSEQ,
    TO,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import URI

#: Requests whose Contact says where the next ones go (:rfc:`3261#section-12.2`,
#: :rfc:`3311`, :rfc:`6665`, :rfc:`3515`).
TARGET_REFRESH = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})

#: Hops that a request may take, as :rfc:`3261#section-8.1.1.6` recommends.
HOPS = 70

#: How far a process that takes a dialog over counts ahead: more requests than the one
#: before it can have sent since the dialog was stored.
TAKE_OVER_STEP = 1000


class State(Enum):
    """
    Name how far a dialog is.
    """

    Early = "Early"  #: made by a provisional response
    Confirmed = "Confirmed"  #: made or confirmed by a 2xx, or by a NOTIFY
    Terminated = "Terminated"  #: over


class DialogID(NamedTuple):
    """
    What tells a dialog from all others (:rfc:`3261#section-12`).

    :ivar remote_tag: empty if the peer has none, as those of :rfc:`2543`.
    """

    call_id: str
    local_tag: str
    remote_tag: str


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Dialog:
    """
    The state of one dialog.

    :ivar method: of the request that made it.
    :ivar initiator: whether that request was ours, and so is the Call-ID.
    :ivar local: our From, with our tag.
    :ivar remote: our To, with the peer's tag.
    :ivar contact: where the peer reaches us; goes into every request and response that
        may refresh it. Set it to move.
    :ivar remote_target: where our requests go.
    :ivar route_set: the proxies on the way, in our order.
    :ivar local_cseq: the number of our last request.
    :ivar remote_cseq: the number of the peer's last one, ``None`` before the first.
    :ivar secure: whether it began with a sips URI over TLS.
    :ivar id: the id, as our side has it.
    """

    state: State
    method: str
    initiator: bool
    call_id: str
    local: Address
    remote: Address
    contact: Address | None
    remote_target: URI
    route_set: tuple[Address, ...]
    local_cseq: int
    remote_cseq: int | None
    secure: bool
    id: DialogID = field(init=False)

    def __post_init__(self) -> None:
        # The tags of a dialog never change (12), and are asked for all the time.
        self.id = DialogID(self.call_id, self.local.tag or "", self.remote.tag or "")

    @classmethod
    def of_response(
        cls, request: Request, response: Response, *, over_tls: bool = False
    ) -> Dialog:
        """
        Make the dialog of our *request* and a provisional or 2xx response to it.

        A response without Contact leaves the target where the request went: many a
        gateway sends its 183 so.

        :raises ParseError: if the response breaks the grammar.
        """
        tag = response[TO].tag
        remote = request[TO]
        return cls(
            state=State.Confirmed if response.is_success else State.Early,
            method=request.method,
            initiator=True,
            call_id=request[CALL_ID],
            local=request[FROM],
            remote=remote if tag is None else remote.with_tag(tag),
            contact=own_contact(request),
            remote_target=contact_uri(response) or request.uri,
            route_set=record_route(response)[::-1],
            local_cseq=request[CSEQ].number,
            remote_cseq=None,
            secure=over_tls and request.uri.scheme == "sips",
        )

    @classmethod
    def of_request(
        cls,
        request: Request,
        local_tag: str,
        contact: Address,
        *,
        local_cseq: int = 0,
        over_tls: bool = False,
    ) -> Dialog:
        """
        Make the dialog of the peer's *request*, early until a 2xx is made.

        :param local_tag: of enough randomness (:rfc:`3261#section-19.3`); goes into the
            To of all responses.
        :param local_cseq: our first request has the next number.
        :raises ParseError: if the request breaks the grammar, or has no Contact.
        """
        return cls(
            state=State.Early,
            method=request.method,
            initiator=False,
            call_id=request[CALL_ID],
            local=request[TO].with_tag(local_tag),
            remote=request[FROM],
            contact=contact,
            remote_target=needed_contact_uri(request),
            route_set=record_route(request),
            local_cseq=local_cseq,
            remote_cseq=request[CSEQ].number,
            secure=over_tls and request.uri.scheme == "sips",
        )

    @classmethod
    def of_notify(
        cls, subscribe: Request, notify: Request, *, over_tls: bool = False
    ) -> Dialog:
        """
        Make the dialog of our *subscribe* and a NOTIFY (:rfc:`6665#section-4.4.1`).

        :param subscribe: the SUBSCRIBE, or the REFER.
        :raises ParseError: if the NOTIFY breaks the grammar, or has no Contact.
        """
        return cls(
            state=State.Confirmed,
            method=subscribe.method,
            initiator=True,
            call_id=subscribe[CALL_ID],
            local=subscribe[FROM],
            remote=notify[FROM],
            contact=own_contact(subscribe),
            remote_target=needed_contact_uri(notify),
            route_set=record_route(notify),
            local_cseq=subscribe[CSEQ].number,
            remote_cseq=notify[CSEQ].number,
            secure=over_tls and subscribe.uri.scheme == "sips",
        )

    @property
    def local_tag(self) -> str:
        """
        Our tag.
        """
        return self.id.local_tag

    @property
    def remote_tag(self) -> str:
        """
        The peer's tag, empty if it has none.
        """
        return self.id.remote_tag

    def __repr__(self) -> str:
        return f"<Dialog {self.state.value} {self.call_id}>"

    # What we send

    def request(
        self, method: str, fields: Iterable[FieldValue] = (), body: bytes = b""
    ) -> Request:
        """
        Make our next request, without a Via (:rfc:`3261#section-12.2.1.1`).

        :param fields: beyond those of the dialog.
        :raises LocalProtocolError: if the dialog allows no such request now.
        """
        if self.state is State.Terminated:
            raise LocalProtocolError(f"{method} in a dialog that is over")
        if method in ("ACK", "CANCEL"):
            raise LocalProtocolError(f"{method} has the number of its INVITE")
        if method == "BYE" and self.state is State.Early and not self.initiator:
            # "the callee's UA MUST NOT send a BYE on early dialogs" (15)
            raise LocalProtocolError("BYE from the callee before the call is answered")
        return self._make(method, self.next_cseq(), fields, body)

    def next_cseq(self) -> int:
        """
        Take the number of our next request.

        :raises LocalProtocolError: if none is left.
        """
        if self.local_cseq >= MAX_CSEQ:
            raise LocalProtocolError("no CSeq number is left")
        self.local_cseq += 1
        return self.local_cseq

    def acknowledge(
        self, invite: Request, fields: Iterable[FieldValue] = (), body: bytes = b""
    ) -> Request:
        """
        Make the ACK for a 2xx to our *invite* (:rfc:`3261#section-13.2.2.4`).

        That works in a dialog that is over, too: a 2xx that comes late is acknowledged.
        """
        # "The ACK MUST contain the same credentials as the INVITE."
        credentials: list[FieldValue] = [
            (field, value)
            for field in (AUTHORIZATION, PROXY_AUTHORIZATION)
            for value in invite.all(field)
        ]
        number = invite[CSEQ].number
        return self._make("ACK", number, [*credentials, *fields], body)

    def respond(
        self,
        request: Request,
        status: int,
        reason: str | None = None,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
    ) -> Response:
        """
        Make the response to a request that :meth:`receive` has passed.

        It has our tag, our Contact and the Record-Route where those belong
        (:rfc:`3261#section-12.1.1`), and the dialog goes on as if it had been sent: a
        2xx confirms it and follows the peer's Contact, a failure of the request that
        made it ends it.
        """
        every = list(fields)
        makes_dialog = not self._is_within(request)
        if 100 < status < 300 and request.method in TARGET_REFRESH:
            if makes_dialog and request.all(RECORD_ROUTE):
                # As spelled: "including the URIs, URI parameters, and any Record-Route
                # header field parameters, whether they are known or unknown".
                every[:0] = (("Record-Route", t) for t in request.all("Record-Route"))
            if self.contact is not None:
                every.insert(0, (CONTACT, self.contact))
        tag = None if status == 100 else self.local_tag
        response = request.respond(status, reason, every, body, to_tag=tag)
        if 200 <= status < 300 and request.method in TARGET_REFRESH:
            # A request is refused whole or accepted whole (8.2).
            self._follow(request)
            if self.state is State.Early and makes_dialog:
                self.state = State.Confirmed
        elif status >= 300 and makes_dialog:
            self.terminate()
        return response

    # What comes

    def receive(self, request: Request) -> Refusal | None:
        """
        Judge a request of the peer within the dialog (:rfc:`3261#section-12.2.2`).

        ACK and CANCEL pass: they belong to a request that has been judged.

        :returns: how to refuse it, ``None`` if it may be acted upon.
        """
        if request.method in ("ACK", "CANCEL"):
            return None
        if self.state is State.Terminated:
            return Refusal(481)
        try:
            number = request[CSEQ].number
            contact_uri(request)
        except ParseError as error:
            return Refusal.of(error)
        # A retransmission never gets here, so the same number again is no new request
        # either. Numbers may be left out.
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return Refusal(500, f"CSeq {number} comes after {self.remote_cseq}")
        self.remote_cseq = number
        return None

    def receive_response(self, request: Request, response: Response) -> Fate:
        """
        Take a response to a request of ours, be it the one that made the dialog.

        What of it breaks the grammar is as if it were not there.

        :returns: what the response ends.
        """
        takes_effect = response.is_success or RSEQ in response
        if request.method in TARGET_REFRESH and takes_effect:
            self._follow(response)
        if not self._is_within(request) and self.state is State.Early:
            self._go_on(response)
        return Fate.Nothing if response.status < 300 else fate_of(response.status)

    def terminate(self) -> None:
        """
        End the dialog: nobody uses it any more.
        """
        self.state = State.Terminated

    def take_over(self) -> None:
        """
        Go on with a stored dialog where another process left it.
        """
        self.local_cseq = min(self.local_cseq + TAKE_OVER_STEP, MAX_CSEQ)

    def _go_on(self, response: Response) -> None:
        """
        Take a later response to the request that made the dialog.
        """
        if response.is_provisional:
            self._follow(response)
        elif response.is_success:
            self.state = State.Confirmed
            try:
                # "the route set for the dialog MUST be recomputed based on the 2xx
                # response", and nothing else (13.2.2.4)
                self.route_set = record_route(response)[::-1]
            except ParseError:
                pass
        else:
            self.terminate()

    def _follow(self, message: Message) -> None:
        try:
            self.remote_target = contact_uri(message) or self.remote_target
        except ParseError:
            pass

    def _is_within(self, request: Request) -> bool:
        return request[TO].tag is not None

    def _make(
        self, method: str, number: int, fields: Iterable[FieldValue], body: bytes
    ) -> Request:
        uri, routes = self.remote_target, self.route_set
        if routes and is_strict(routes[0]):
            # A strict router: it takes the place of the target, which goes last.
            uri, routes = routes[0].uri, (*routes[1:], Address(uri))
        every: list[FieldValue] = [(ROUTE, route) for route in routes]
        every += [
            (MAX_FORWARDS, HOPS),
            (FROM, self.local),
            (TO, self.remote),
            (CALL_ID, self.call_id),
            (CSEQ, CSeq(number, method)),
        ]
        if self.contact is not None and method in TARGET_REFRESH:
            every.append((CONTACT, self.contact))
        return Request(method, request_uri(uri), [*every, *fields], body)
