"""
What all parts of a user agent share: the layers below, the dialogs, what it can do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.dialog.dialog import Dialog, DialogID
from sipsorcery.dialog.extensions import EXTENSIONS
from sipsorcery.dialog.multipart import SDP
from sipsorcery.dialog.refer import PACKAGE
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.session_timer import SessionTimerSettings
from sipsorcery.endpoint import Transport
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import ACCEPT, ALLOW, ALLOW_EVENTS, EVENT, SUPPORTED
from sipsorcery.sip.parameters import NONE, Parameters
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.location.locator import Locator
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import Way
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.transport.transactions.wheel import TimerWheel
from sipsorcery.ua import admission
from sipsorcery.ua.account import Account
from sipsorcery.ua.settings import UserAgentSettings

if TYPE_CHECKING:
    from sipsorcery.ua.client_call import ClientCall
    from sipsorcery.ua.draft import Draft
    from sipsorcery.ua.negotiation import Negotiation
    from sipsorcery.ua.referral import Referral
    from sipsorcery.ua.registration import Registration
    from sipsorcery.ua.session import Session
    from sipsorcery.ua.shared import SharedDialog
    from sipsorcery.ua.subscription import Subscription

T = TypeVar("T")

#: Takes a request that is to be answered; may be a coroutine function.
Hook: TypeAlias = Callable[[ServerTransaction], object]

#: Makes another refusal of the one that a request gets from us.
Explain: TypeAlias = Callable[[ServerTransaction, Refusal], Refusal]

# What sessions do by themselves.
_METHODS = (
    *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"),
    *("PRACK", "UPDATE", "INFO", "REFER", "NOTIFY"),
)
# What our Via adds to a request, at most: an IPv6 address, a branch, parameters.
_VIA_SIZE = 130


class Core:
    """
    The UAC and UAS core (:rfc:`3261#section-8`).

    :ivar account: who we are in what does not say otherwise.
    :ivar wheel: the timers of the machines that dialogs are made of.
    :ivar dialogs: every dialog that is not over.
    :ivar calls: those of ours that nobody has answered.
    :ivar registrations: those that are kept.
    :ivar subscriptions: likewise.
    :ivar expected: those that wait for the NOTIFY that makes their dialog, by Call-ID
        and our tag.
    :ivar is_stopping: whether nothing new is to be begun.
    """

    #: Begins a call; set by the user agent, which knows what a call is made of.
    begin_call: Callable[[Draft, Negotiation | None], ClientCall]
    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        settings: UserAgentSettings,
        transactions: TransactionLayer,
        locator: Locator,
        account: Account,
    ) -> None:
        self.account = account
        self.clock = clock
        self.settings = settings
        self.transactions = transactions
        self.locator = locator
        self.wheel = TimerWheel(clock)
        self.dialogs: dict[DialogID, SharedDialog] = {}
        self.calls: set[ClientCall] = set()
        self.registrations: set[Registration] = set()
        self.subscriptions: set[Subscription] = set()
        self.expected: dict[tuple[str, str], Subscription] = {}
        self.is_stopping = False
        #: What we want of session timers; None: nothing.
        self.timer_settings: SessionTimerSettings | None = None
        if settings.session_expires:
            self.timer_settings = SessionTimerSettings(settings.session_expires)
        #: Takes the REFER of a peer in a session; None: it is refused.
        self.on_refer: Callable[[Referral], object] | None = None
        #: Tells whether a session is still here, before it acts by its own timer; None:
        #: nobody else can have it.
        self.is_ours: Callable[[Session], Awaitable[bool]] | None = None
        #: Says more about what we refuse before anybody is asked; None: nobody does.
        self.explain: Explain | None = None
        self._hooks: dict[str, Hook] = {
            "OPTIONS": self.answer_options,
            "SUBSCRIBE": self._refuse_subscribe,
        }
        self._note_methods()

    # What we can do

    def on(self, method: str, hook: Hook) -> None:
        """
        Let *hook* take the requests with this method.
        """
        self._hooks[method] = hook
        self._note_methods()

    def hook_for(self, method: str) -> Hook | None:
        """
        Give what takes the requests with this method.
        """
        return self._hooks.get(method)

    def answer_options(
        self, transaction: ServerTransaction, more: Sequence[FieldValue] = ()
    ) -> None:
        """
        Say what we can do (:rfc:`3261#section-11.2`).

        :param more: what else the asker may know.
        """
        transaction.respond(200, fields=((ACCEPT, SDP), *self.abilities, *more))

    def _note_methods(self) -> None:
        self.methods = tuple(dict.fromkeys((*_METHODS, *self._hooks)))
        #: The fields that say what we can do, for an INVITE and its 2xx.
        self.abilities: tuple[FieldValue, ...] = (
            (ALLOW.name, ", ".join(self.methods)),
            (SUPPORTED.name, ", ".join(EXTENSIONS)),
        )

    def abilities_without(self, tag: str) -> tuple[FieldValue, ...]:
        """
        Give what `abilities` says, without one extension.
        """
        others = ", ".join(one for one in EXTENSIONS if one != tag)
        return (self.abilities[0], (SUPPORTED.name, others))

    def check(self, request: Request) -> Refusal | None:
        """
        Judge a request by what we can do (:rfc:`3261#section-8.2`).

        :returns: how to refuse it, ``None`` if it may be acted upon.
        """
        return admission.check(
            request, self.methods, EXTENSIONS, any_body=self.settings.any_body
        )

    def serve(self, transaction: ServerTransaction) -> None:
        """
        Let the hook for its method answer a request, in a dialog or not.
        """
        hook = self.hook_for(transaction.request.method)
        if hook is None:
            # It means something only within a dialog, and only one that we know.
            self.refuse(transaction, Refusal(481))
        else:
            self.call(hook, transaction)

    def refuse(self, transaction: ServerTransaction, refusal: Refusal) -> None:
        """
        Refuse a request that is shown to nobody.
        """
        refusal = self.explained(transaction, refusal)
        transaction.send(refusal.response(transaction.request, transaction.to_tag))

    def explained(self, transaction: ServerTransaction, refusal: Refusal) -> Refusal:
        """
        Let the application say more about a refusal of ours.
        """
        if self.explain is None:
            return refusal
        return self.explain(transaction, refusal)

    def call(self, hook: Hook, transaction: ServerTransaction) -> None:
        """
        Let *hook* answer a request; it is answered even if the hook does not.
        """

        def settle(failure: Failure | None = None) -> None:
            self._settle(transaction, failure)

        self.run(hook, transaction, then=settle)

    def _settle(
        self, transaction: ServerTransaction, failure: Failure | None = None
    ) -> None:
        """
        See to it that a request is answered, whatever a hook made of it.

        :param failure: what has escaped from the hook.
        """
        error = None if failure is None else failure.value
        if not transaction.is_pending:
            if failure is not None:
                self.log_failure(failure)
        elif isinstance(error, ParseError):
            # A field that only the hook reads: the peer's fault.
            refusal = Refusal.of(error)
            transaction.send(refusal.response(transaction.request, transaction.to_tag))
        else:
            self._log.failure(
                "No answer to {method} of call {call_id!r}",
                failure,
                method=transaction.request.method,
                call_id=transaction.request.get("Call-ID"),
            )
            transaction.respond(500)

    def _refuse_subscribe(self, transaction: ServerTransaction) -> None:
        """
        Refuse what the application does not tell; the transfers have had their turn.
        """
        request = transaction.request
        event = request.get(EVENT)
        if event is not None and event.package == PACKAGE:
            transaction.respond(481)  # those come with a REFER, and this one is over
        else:
            transaction.respond(489, fields=[(ALLOW_EVENTS, PACKAGE)])

    def find_dialog(self, id: DialogID) -> Dialog | None:
        """
        Find a dialog that is not over.
        """
        shared = self.dialogs.get(id)
        return None if shared is None else shared.dialog

    # Where requests go

    async def ways(self, hop: URI, request: Request) -> list[Target]:
        """
        Find the targets for a request, in the order to try them in.

        :param hop: the topmost Route, or else the Request-URI.
        :raises TransportError: if there are none.
        """
        if not isinstance(hop, SIPURI):
            raise TransportError(f"a {hop.scheme} URI leads nowhere without a proxy")
        limit = self.settings.udp_mtu
        size = len(request.head) + len(request.body) + _VIA_SIZE
        return await self.locator.locate(hop, reliable=bool(limit) and size > limit)

    def contact(self, way: Way, user: str | None, *, secure: bool = False) -> Address:
        """
        Make the Contact that the peer of a way reaches us by.

        :param secure: whether it has to be a sips URI.
        :raises TransportError: if no address of ours leads there.
        """
        via = self.transactions.transport.via_for(way)
        if secure:
            return Address(SIPURI("sips", user, via.host, via.port))
        end = way.endpoint if isinstance(way, Target) else way.remote
        parameters = _PARAMETERS[end.transport]
        return Address(SIPURI("sip", user, via.host, via.port, parameters))

    # Coroutines

    def run(
        self,
        hook: Callable[..., object],
        *arguments: Any,
        then: Callable[..., object] | None = None,
    ) -> None:
        """
        Call a hook of the application, which may be a coroutine function.

        One that returns a Deferred is waited for as well.

        :param then: is called when it is through: without arguments, or with the
            failure that escaped from it. None: a failure is logged.
        """
        try:
            result = hook(*arguments)
        except Exception:
            (then or self.log_failure)(Failure())
            return
        if isinstance(result, Coroutine):
            result = Deferred.fromCoroutine(result)
        if isinstance(result, Deferred):
            running: Deferred[Any] = result
            if then is None:
                running.addErrback(self.log_failure)
            else:
                running.addCallbacks(lambda _: then(), then)
                running.addErrback(self.log_failure)
        elif then is not None:
            then()

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> Deferred[T | None]:
        """
        Start a coroutine of our own that nobody waits for.
        """
        return Deferred.fromCoroutine(coroutine).addErrback(self.log_failure)

    def log_failure(self, failure: Failure) -> None:
        """
        Log what nobody expected.
        """
        self._log.failure("Failed in a user agent", failure)

    def log_failure_but_cancelled(self, failure: Failure) -> None:
        """
        Log what nobody expected; that we have given up ourselves is no news.
        """
        if not failure.check(CancelledError):
            self.log_failure(failure)


# UDP is what a sip URI means by itself.
_PARAMETERS = {
    transport: NONE
    if transport is Transport.UDP
    else Parameters([("transport", str(transport))])
    for transport in Transport
}
