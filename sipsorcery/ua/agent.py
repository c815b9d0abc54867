"""
The user agent: what an application makes calls with, and takes them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IResolver
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.dialog.dialog import HOPS, Dialog
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.replaces import find_replaced
from sipsorcery.endpoint import ListenAddress
from sipsorcery.sdp import SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import EVENT, RETRY_AFTER, TARGET_DIALOG
from sipsorcery.sip.parameterised import Event, Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, URI, parse_uri
from sipsorcery.transport import local
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.location.locator import Locator
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.transport.watch import Watch
from sipsorcery.ua import targeting
from sipsorcery.ua.account import Account
from sipsorcery.ua.client_call import ClientCall
from sipsorcery.ua.core import Core, Explain, Hook
from sipsorcery.ua.draft import Draft
from sipsorcery.ua.errand import Errand
from sipsorcery.ua.errors import RequestFailed
from sipsorcery.ua.negotiation import Negotiation, nothing_yet
from sipsorcery.ua.onward import Onward
from sipsorcery.ua.referral import Referral
from sipsorcery.ua.registration import Registration
from sipsorcery.ua.resolver import system_resolver
from sipsorcery.ua.sending import send
from sipsorcery.ua.server_call import ServerCall
from sipsorcery.ua.session import Session
from sipsorcery.ua.settings import UserAgentSettings
from sipsorcery.ua.shared import dialog_id
from sipsorcery.ua.subscription import Subscription

#: Who we are where the application does not say.
ANONYMOUS = Account('"Anonymous" <sip:anonymous@anonymous.invalid>')


class UserAgent:
    """
    Make and take calls, register, send requests and answer them.

    :param reactor: one that has TCP, UDP and time.
    :param listen: where to listen, such as ``udp:0.0.0.0:5060``. A request by UDP
        leaves from one of these; TCP and TLS need none.
    :param account: who we are in what does not say otherwise.
    :param resolver: asks DNS; None: the servers that the system names.
    :param local_addresses: lists the addresses that a wildcard stands for.
    :param source_address: tells which of them leads to a peer.
    :param watch: stands beside the traffic.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        listen: Iterable[str | ListenAddress] = (),
        *,
        account: Account = ANONYMOUS,
        settings: UserAgentSettings = UserAgentSettings(),  # noqa: B008  # frozen
        resolver: IResolver | None = None,
        local_addresses: Callable[[], Sequence[str]] = local.local_addresses,
        source_address: Callable[[str], str | None] = local.source_address,
        watch: Watch | None = None,
    ) -> None:
        self.account = account
        self.settings = settings
        addresses = tuple(
            ListenAddress.parse(one) if isinstance(one, str) else one for one in listen
        )
        self.transactions = TransactionLayer(
            reactor,
            self,
            timers=settings.timers,
            limits=settings.transaction_limits,
        )
        self.locator = Locator(
            resolver or system_resolver(reactor),
            reactor,
            listeners=lambda: self.transport.listeners,
            policy=settings.tls_policy,
            source_address=source_address,
        )
        self.transport = TransportLayer(
            reactor,
            TransportSettings(addresses, settings.tls, settings.transport_limits),
            self.transactions,
            resolve=self.locator.locate_response,
            local_addresses=local_addresses,
            source_address=source_address,
            watch=watch,
        )
        self.transactions.join(self.transport)
        self.core = Core(reactor, settings, self.transactions, self.locator, account)
        self.core.begin_call = partial(ClientCall, self.core)
        self._on_invite: Callable[[ServerCall], object] | None = None
        self._bring_back: Callable[[Request], object] | None = None
        self._on_stray_response: Callable[[Response], object] | None = None

    # Life

    async def start(self) -> None:
        """
        Open the listeners.

        :raises ListenError: naming the first that cannot be opened.
        :raises CertificateError: if a certificate file cannot be used.
        """
        self.transport.start()

    async def stop(self) -> None:
        """
        Hang up, give up what is under way, and close everything.
        """
        self.core.is_stopping = True
        stopping = [call.stop() for call in list(self.core.calls)]
        stopping += [one.stop() for one in list(self.core.registrations)]
        stopping += [one.stop() for one in list(self.core.subscriptions)]
        stopping += [shared.stop() for shared in list(self.core.dialogs.values())]
        ends = DeferredList(
            [Deferred.fromCoroutine(one) for one in stopping], consumeErrors=True
        )
        ends.addTimeout(self.settings.stop_time, self.core.clock, lambda *_: None)
        await ends
        self.core.wheel.clear()
        self.transactions.stop()
        await self.transport.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """
        List the open listeners.
        """
        return self.transport.listeners

    def tables(self) -> dict[str, int]:
        """
        Count what is under way: dialogs, transactions, and what waits for time.
        """
        core = self.core
        return {
            "dialogs": len(core.dialogs),
            "dialog_timers": len(core.wheel),
            "outgoing_calls": len(core.calls),
            **self.transactions.tables(),
        }

    # What comes in

    def on_invite(self, hook: Callable[[ServerCall], object]) -> None:
        """
        Let *hook*, which may be a coroutine function, take each call that comes in.

        The call waits until it is answered, rejected or redirected, by the hook or
        later. If the hook fails before that, the call is refused.
        """
        self._on_invite = hook

    def on(self, method: str, hook: Hook) -> None:
        """
        Let *hook*, which may be a coroutine function, answer requests of one method.

        These are the requests outside of dialogs, and those in a session that has no
        hook of its own. A request that the hook leaves unanswered gets a 500.
        """
        self.core.on(method, hook)

    def on_refer(self, hook: Callable[[Referral], object]) -> None:
        """
        Let *hook*, which may be a coroutine function, take what peers ask by REFER.

        Without a hook they are refused: whoever follows them calls whom others choose.
        """
        self.core.on_refer = hook

    def on_refusal(self, hook: Explain) -> None:
        """
        Let *hook* say more in what we refuse by ourselves, before anybody is asked.

        It is given the request, in its transaction, and the refusal, and returns the
        one that is sent.
        """
        self.core.explain = hook

    def on_unknown_dialog(self, hook: Callable[[Request], object]) -> None:
        """
        Let *hook*, which may be a coroutine function, bring back a dialog.

        It is given each request, ACKs included, of a dialog that we do not have, and
        restores it, if it can (`sipsorcery.ua.restoring`); then we look again.
        """
        self._bring_back = hook

    def on_stray_response(self, hook: Callable[[Response], object]) -> None:
        """
        Let *hook*, which may be a coroutine function, take responses to nothing.

        These are the ones that belong to no request which we remember.
        """
        self._on_stray_response = hook

    # What we send

    def invite(
        self,
        uri: str | URI,
        description: SessionDescription | None = None,
        *,
        account: Account | None = None,
        fields: Iterable[FieldValue] = (),
        late_offer: bool = False,
        on_fork: Callable[[Session], object] | None = None,
        onward: Onward | None = None,
    ) -> ClientCall:
        """
        Call somebody.

        :param uri: whom; headers in it become fields, where that does no harm.
        :param description: what to offer; answers to what the peer offers later are
            made of it, too. None: the session is not described by SDP.
        :param account: who calls.
        :param late_offer: whether the peer is to make the first offer.
        :param on_fork: is given the session of each further phone that answers; None:
            the first one counts, and the others are hung up.
        :param onward: how it goes out where it is one leg of a longer call.
        :return: the call, which has begun.
        """
        if description is None and late_offer:
            description = nothing_yet(_host_of(onward))
        negotiation = None
        if description is not None:
            negotiation = Negotiation(description, relays=onward is not None)
            negotiation.on_offer = None if onward is None else onward.on_offer
        hops, to = (HOPS, None) if onward is None else (onward.hops, onward.to)
        return ClientCall(
            self.core,
            self._draft("INVITE", uri, account, fields, hops=hops, to=to),
            negotiation,
            late_offer=late_offer,
            on_fork=on_fork,
            onward=onward,
        )

    def register(
        self,
        account: Account | None = None,
        *,
        registrar: str | URI | None = None,
        expires: int = 600,
        on_change: Callable[[Registration], object] | None = None,
    ) -> Registration:
        """
        Keep an account registered, so that calls find us.

        :param registrar: where; None: at the host of the account.
        :param expires: for how long to ask each time, in seconds.
        :param on_change: is called with the registration whenever its state changes.
        """
        if isinstance(registrar, str):
            registrar = parse_uri(registrar)
        return Registration(
            self.core,
            account or self.account,
            registrar=registrar,
            expires=expires,
            on_change=on_change,
        )

    def subscribe(
        self,
        uri: str | URI,
        event: str | Event,
        *,
        account: Account | None = None,
        expires: int = 3600,
        fields: Iterable[FieldValue] = (),
    ) -> Subscription:
        """
        Be told what happens: presence, dialogs, waiting messages (:rfc:`6665`).

        :param event: the package, such as ``presence``.
        :param expires: for how long to ask each time, in seconds.
        :param fields: beyond the usual ones, such as Accept.
        """
        if isinstance(event, str):
            event = Event.parse(event)
        every = [(EVENT, event), *fields]

        def draft() -> Draft:
            return self._draft("SUBSCRIBE", uri, account, every)

        return Subscription(self.core, draft, expires)

    async def request(
        self,
        method: str,
        uri: str | URI,
        *,
        account: Account | None = None,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        to: Address | None = None,
        hops: int = HOPS,
        begun: Callable[[str, str], object] | None = None,
    ) -> Response:
        """
        Send a request outside of any dialog: OPTIONS, MESSAGE or another.

        :param account: who sends it.
        :param to: whom it is for, if that is not the same as *uri*.
        :param hops: how many it may take.
        :param begun: is given its Call-ID and our tag before it is sent.
        :return: the 2xx.
        :raises RequestFailed: for any other response, or if there is none.
        """
        draft = self._draft(method, uri, account, fields, body, hops, to)
        if begun is not None:
            begun(draft.call_id, draft.local_tag)
        errand = Errand(
            method, draft.uri, draft.hop, draft.make, body=body, account=draft.account
        )
        response = await send(self.core, errand)
        if not response.is_success:
            answer = f"{response.status} {response.reason}"
            raise RequestFailed(f"{method} {draft.uri}: {answer}", response)
        return response

    def _draft(
        self,
        method: str,
        uri: str | URI,
        account: Account | None,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        hops: int = HOPS,
        to: Address | None = None,
    ) -> Draft:
        return Draft(
            method,
            parse_uri(uri) if isinstance(uri, str) else uri,
            account or self.account,
            fields=fields,
            body=body,
            product=self.settings.product,
            hops=hops,
            to=to,
        )

    # What the transaction layer receives

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        Take a new request.
        """
        request = transaction.request
        if request.to_tag() is not None:
            self._receive_within(transaction)
            return
        refusal = self.core.check(request)
        if refusal is None and request.method == "INVITE":
            refusal = self._receive_call(transaction)
        elif refusal is None and TARGET_DIALOG in request and request.method == "REFER":
            refusal = targeting.receive(self.core, transaction)
        elif refusal is None:
            self.core.serve(transaction)
        if refusal is not None:
            self.core.refuse(transaction, refusal)

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Take the ACK to a 2xx.
        """
        shared = self.core.dialogs.get(dialog_id(ack))
        if shared is not None:
            shared.acknowledge(ack)
        elif self._bring_back is not None:
            self.core.run(self._bring_back, ack, then=partial(self._acknowledge, ack))

    def stray_response(self, response: Response, flow: Flow) -> None:
        """
        Drop a response that nobody waits for any more, unless somebody wants it.
        """
        if self._on_stray_response is not None:
            self.core.run(self._on_stray_response, response)

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Drop a STUN message.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Leave it at the answer that the transport layer has given.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Register anew what was registered on it.
        """
        for registration in list(self.core.registrations):
            registration.flow_closed(flow)

    # Inside

    def _receive_within(self, transaction: ServerTransaction) -> None:
        id = dialog_id(transaction.request)
        shared = self.core.dialogs.get(id)
        if shared is not None:
            shared.receive(transaction)
            return
        subscription = self.core.expected.get((id.call_id, id.local_tag))
        if subscription is not None and subscription.receive(transaction):
            return
        if self._bring_back is None:
            self.core.refuse(transaction, Refusal(481))
        else:
            then = partial(self._receive_again, transaction)
            self.core.run(self._bring_back, transaction.request, then=then)

    def _receive_again(
        self, transaction: ServerTransaction, failure: Failure | None = None
    ) -> None:
        if failure is not None:
            self.core.log_failure(failure)
        shared = self.core.dialogs.get(dialog_id(transaction.request))
        if not transaction.is_pending:
            return  # cancelled meanwhile
        if shared is None:
            self.core.refuse(transaction, Refusal(481))
        else:
            shared.receive(transaction)

    def _acknowledge(self, ack: Request, failure: Failure | None = None) -> None:
        if failure is not None:
            self.core.log_failure(failure)
        shared = self.core.dialogs.get(dialog_id(ack))
        if shared is not None:
            shared.acknowledge(ack)

    def _receive_call(self, transaction: ServerTransaction) -> Refusal | None:
        request = transaction.request
        if self._on_invite is None:
            return Refusal(480)
        if len(self.core.dialogs) >= self.settings.dialogs or self.core.is_stopping:
            retry_after = Seconds(random.randint(*_RETRY_AFTER))
            return Refusal(503, fields=((RETRY_AFTER, retry_after),))
        replaced = find_replaced(request, self.core.find_dialog)
        if isinstance(replaced, Refusal):
            return replaced
        session = None if replaced is None else self._session_of(replaced)
        if replaced is not None and session is None:
            return Refusal(603)  # our BYE is on its way (RFC 3891, 3)
        call = ServerCall(self.core, transaction, self.account, session)
        if call.judge(transaction):
            self.core.run(self._on_invite, call, then=call.hook_done)
        return None

    def _session_of(self, dialog: Dialog) -> Session | None:
        usages = self.core.dialogs[dialog.id].usages
        return next((one for one in usages if isinstance(one, Session)), None)


def _host_of(onward: Onward | None) -> str:
    """
    Give the host for descriptions that we make before anybody has described anything.
    """
    contact = None if onward is None else onward.contact
    if contact is None or not isinstance(contact.uri, SIPURI):
        return _UNKNOWN
    return contact.uri.address


_UNKNOWN = "0.0.0.0"
# Seconds after which somebody who was refused may come back; spread, so that they do
# not all come at once.
_RETRY_AFTER = (5, 15)
