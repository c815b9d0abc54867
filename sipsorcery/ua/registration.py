"""
Registrations: our contact, kept at a registrar (:rfc:`3261#section-10`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    CONTACT,
    EXPIRES,
    MIN_EXPIRES,
    PROXY_AUTHENTICATE,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.transport.flow import Flow
from sipsorcery.ua.account import Account
from sipsorcery.ua.backoff import Backoff
from sipsorcery.ua.core import Core
from sipsorcery.ua.draft import Draft
from sipsorcery.ua.errand import Errand
from sipsorcery.ua.errors import LocalProtocolError, RequestFailed
from sipsorcery.ua.outcome import Outcome
from sipsorcery.ua.sending import send

# Before its end a registration is refreshed: early enough that a lost server is noticed
# and another try has time.
_MARGIN = 32.0
# A registrar that grants less than this would keep us busy for nothing.
_SHORTEST = 10
# What a 423 can talk us into, or a 200: a week.
_LONGEST = 604800


class RegistrationState(Enum):
    """
    Name how a registration stands.
    """

    Registering = "Registering"  #: the first answer is still to come
    Registered = "Registered"  #: calls find us
    Failed = "Failed"  #: they do not; it is tried again
    Ended = "Ended"  #: we have ended it


class Registration:
    """
    Keep an account registered until it is stopped. `UserAgent.register` makes it.

    Each has its own Call-ID and its own timers: one registrar that is away does not
    bother another. It is refreshed before it expires, renewed at once when its
    connection breaks, and never given up.

    :param registrar: a sip URI without user; None: the host of the account.
    :param expires: for how long to ask, in seconds.

    :ivar state: how it stands.
    :ivar expires: what was granted, in seconds.
    :ivar failure: why it failed last; None: it has not.
    """

    def __init__(
        self,
        core: Core,
        account: Account,
        *,
        registrar: URI | None = None,
        expires: int = 600,
        on_change: Callable[[Registration], object] | None = None,
    ) -> None:
        uri = registrar or _registrar_of(account)
        self.account = account
        self.state = RegistrationState.Registering
        self.expires = expires
        self.failure: RequestFailed | None = None
        self._core = core
        self._wanted = expires
        self._on_change = on_change
        self._backoff = Backoff()
        self._draft = Draft(
            "REGISTER",
            uri,
            account,
            to=account.address,
            product=core.settings.product,
        )
        self._errand: Errand | None = None
        self._running: Deferred[object] | None = None
        self._next: IDelayedCall | None = None
        self._registered: Outcome[None] = Outcome()
        core.registrations.add(self)
        self._begin()

    def registered(self) -> Deferred[None]:
        """
        Wait until it has been registered for the first time.

        :return: fails with `RequestFailed` if the first try fails; it goes on trying.
        """
        return self._registered.wait()

    async def stop(self) -> None:
        """
        End it, and take our contact away if it was there.
        """
        if self.state is RegistrationState.Ended:
            return
        was_registered = self.state is RegistrationState.Registered
        self._core.registrations.discard(self)
        self._change(RegistrationState.Ended)
        self._forget_next()
        if self._running is not None:
            self._running.cancel()
        self._registered.fail(LocalProtocolError("the registration was stopped"))
        if was_registered:
            try:
                await self._ask(0)
            except RequestFailed:
                pass  # it expires by itself

    def flow_closed(self, flow: Flow) -> None:
        """
        Hear that a connection is gone; if it was ours, register anew.
        """
        way = None if self._errand is None else self._errand.way
        if way is not None and self._running is None and flow.remote == way:
            self._forget_next()
            self._schedule(self._backoff.failed(503, None, random.random()))

    # One try after the other

    def _begin(self) -> None:
        self._next = None
        self._running = Deferred.fromCoroutine(self._try())
        self._running.addErrback(self._core.log_failure_but_cancelled)

    async def _try(self) -> None:
        try:
            response = await self._register()
        except RequestFailed as error:
            self._failed(error)
        else:
            self._succeeded(response)
        finally:
            self._running = None

    async def _register(self) -> Response:
        response = await self._ask(self._wanted)
        if response.status == 423 and self._lengthen(response):
            response = await self._ask(self._wanted)
        if not response.is_success:
            answer = f"{response.status} {response.reason}"
            text = f"REGISTER {self.account.address.uri}: {answer}"
            raise RequestFailed(text, response)
        return response

    async def _ask(self, expires: int) -> Response:
        draft = self._draft
        self._errand = Errand(
            draft.method,
            draft.uri,
            draft.hop,
            lambda credentials: draft.make([(EXPIRES, expires), *credentials]),
            account=self.account,
            needs_contact=True,
            hear=self._trust,
        )
        return await send(self._core, self._errand)

    def _trust(self, response: Response) -> None:
        """
        Take the realm of our own registrar for ours: it is whom we want to convince.
        """
        try:
            for field in (WWW_AUTHENTICATE, PROXY_AUTHENTICATE):
                for challenge in response.all(field):
                    if challenge.realm is not None:
                        self.account.trust_realm(challenge.realm)
        except ParseError:
            pass

    def _succeeded(self, response: Response) -> None:
        self._backoff.succeeded()
        self.failure = None
        self.expires = min(max(self._granted(response), _SHORTEST), _LONGEST)
        early = min(_MARGIN, self.expires / 2)
        self._schedule((self.expires - early) * (1 - random.random() / 20))
        self._change(RegistrationState.Registered)
        self._registered.succeed(None)

    def _failed(self, error: RequestFailed) -> None:
        self.failure = error
        retry_after = None
        try:
            if error.response is not None:
                seconds = error.response.get(RETRY_AFTER)
                retry_after = None if seconds is None else float(seconds.seconds)
        except ParseError:
            pass
        delay = self._backoff.failed(error.status, retry_after, random.random())
        self._schedule(delay)
        self._change(RegistrationState.Failed)
        self._registered.fail(error)

    def _granted(self, response: Response) -> int:
        """
        Find for how long: what our own Contact says, or else Expires (10.3, step 8).
        """
        contact = None if self._errand is None else self._errand.contact
        try:
            for other in response.all(CONTACT):
                if (
                    contact is not None
                    and isinstance(other, Address)
                    and isinstance(contact.uri, SIPURI)
                    and contact.uri.is_equivalent(other.uri)
                    and other.expires is not None
                ):
                    return other.expires
            expires = response.get(EXPIRES)
        except ParseError:
            expires = None
        return self._wanted if expires is None else expires

    def _lengthen(self, response: Response) -> bool:
        try:
            shortest = response.get(MIN_EXPIRES)
        except ParseError:
            return False
        if shortest is None or not self._wanted < shortest <= _LONGEST:
            return False
        self._wanted = shortest
        return True

    # Time and news

    def _schedule(self, delay: float) -> None:
        if self.state is not RegistrationState.Ended:
            self._next = self._core.clock.callLater(delay, self._begin)

    def _forget_next(self) -> None:
        waiting, self._next = self._next, None
        if waiting is not None:
            waiting.cancel()

    def _change(self, state: RegistrationState) -> None:
        if state is not self.state:
            self.state = state
            if self._on_change is not None:
                self._core.run(self._on_change, self)


def _registrar_of(account: Account) -> SIPURI:
    uri = account.address.uri
    if not isinstance(uri, SIPURI):
        raise LocalProtocolError(f"no registrar for {uri}")
    return SIPURI(uri.scheme, None, uri.host, uri.port)
