"""
Finding out whose request it is: digest, or an address that the account trusts.

An unknown account and a wrong password get the same answer after the same work: what
fails is verified twice, once against what is known and once against what the directory
says when asked for it. So a password that was changed a moment ago is right, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from sipsorcery.access.accounts import FORGOTTEN, Accounts
from sipsorcery.access.decision import (
    Allowed,
    Challenge,
    Decision,
    Disabled,
    Proof,
    Refusal,
)
from sipsorcery.access.domains import Served
from sipsorcery.access.guard import Guard
from sipsorcery.access.limits import CallRate
from sipsorcery.access.networks import Networks, source_of
from sipsorcery.access.nonces import SecretNonces
from sipsorcery.access.notices import Notices
from sipsorcery.access.offences import Offence
from sipsorcery.access.policy import DigestPolicy
from sipsorcery.access.repeats import Repeats
from sipsorcery.access.security_log import Attempt, Reason
from sipsorcery.access.throttle import Throttle
from sipsorcery.config import Config
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.sip.digest import (
    Accepted,
    Algorithm,
    Claim,
    DigestServer,
    Malformed,
    Misdirected,
    NoCredentials,
    ReplayWindow,
    Stale,
    Wrong,
)
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    RETRY_AFTER,
    TO,
    USER_AGENT,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.account import address_of
from sipsorcery.store.errors import StoreError
from sipsorcery.store.secrets import Secrets

_FIELDS = {
    401: (AUTHORIZATION, WWW_AUTHENTICATE),
    407: (PROXY_AUTHORIZATION, PROXY_AUTHENTICATE),
}
# What an account that is for calls to it alone cannot do.
_CALLING = frozenset({"INVITE", "MESSAGE", "REFER"})
# Answers that wait. Each holds a request of some kilobytes; to whoever comes when there
# are more the answer goes at once.
_LATE = 1000
# Seconds until somebody may try again while the directory is away.
_AWAY = 5
# What is counted and told of a name: longer ones are no account's, and all the same.
_NAME = 128
# Realms with the algorithms that were offered: domains, times the rules for phones.
_SERVERS = 4096


class Authenticator:
    """
    Decides about requests that need an account.

    :param reactor: has time.
    :param secrets: loaded, and refreshed now and then.
    :param server: the role, for events.
    :param guard: is told who authenticates, and who fails too often.
    :param clock: gives the seconds since the epoch.
    :param late: how many answers to failures may wait.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        config: Config,
        *,
        accounts: Accounts,
        secrets: Secrets,
        server: str = "",
        guard: Guard | None = None,
        bus: Bus | None = None,
        throttle: Throttle | None = None,
        clock: Callable[[], float] = time.time,
        late: int = _LATE,
    ) -> None:
        self._reactor = reactor
        self._accounts = accounts
        self._clock = clock
        self._policy = DigestPolicy(config.auth.algorithms, config.user_agent)
        self._guard = guard
        self._throttle = throttle or Throttle()
        self._notices = Notices(server, bus, clock)
        self._calls = CallRate(config.limits.calls)
        self._repeats = Repeats()
        self._late, self._late_limit = 0, late
        self._digest = DigestServer(
            realm="",
            nonces=SecretNonces(secrets),
            # What a process before this one has admitted is not admitted again.
            window=ReplayWindow(horizon=clock()),
        )
        self._servers: dict[tuple[str, tuple[Algorithm, ...]], DigestServer] = {}

    def reconfigure(self, config: Config) -> None:
        """
        Challenge, and limit calls, as another configuration says.
        """
        self._policy = DigestPolicy(config.auth.algorithms, config.user_agent)
        self._calls.rate = config.limits.calls

    async def authenticate(
        self,
        request: Request,
        *,
        source: Endpoint,
        domain: str,
        username: str | None = None,
        status: int = 401,
    ) -> Decision:
        """
        Find out whose request it is, and whether that account may make it.

        :param source: where it came from, before any proxy of ours.
        :param domain: the canonical name of the domain that asks, which is the realm.
        :param username: whose it claims to be, if only they may make it.
        :param status: 401, or 407 of a proxy.
        :raises LocalProtocolError: for ACK and CANCEL, which cannot be challenged.
        """
        if request.method in ("ACK", "CANCEL"):
            raise LocalProtocolError(f"{request.method} is never authenticated")
        try:
            if self._accounts.is_due:
                await self._accounts.catch_up()
            served = self._accounts.domains.called(domain)
            if served is None:
                return Refusal(403, "domain not served")
            if username is not None and self._accounts.trusted.include(source.host):
                account = await self._accounts.find(username, domain)
                if account is not None and _trusts(account, source.host):
                    return self._admit(request, source, account, Proof.NETWORK)
            return await self._check(request, source, served, username, status)
        except ParseError as error:
            return Refusal.of(error)
        except StoreError:
            # Of a store that is away nothing shows who exists.
            return Refusal(
                503, "the directory is away", ((RETRY_AFTER, Seconds(_AWAY)),)
            )

    async def _check(
        self,
        request: Request,
        source: Endpoint,
        served: Served,
        username: str | None,
        status: int,
    ) -> Decision:
        server = self._server(request, served)
        peer, now = source_of(source.host), self._clock()

        def challenge(*, stale: bool = False) -> Challenge:
            field = _FIELDS[status][1]
            challenges = server.challenge(now, stale=stale, peer=peer)
            return Challenge(status, tuple((field, each) for each in challenges))

        claim = server.read(request.all(_FIELDS[status][0]))
        match claim:
            case NoCredentials():
                return challenge()
            case Malformed(reason):
                return Refusal(400, reason)
        if claim.username is None:
            return Refusal(400, "a hash of a user name, which was not asked for")
        if not server.is_fresh(claim, now, peer=peer):
            return challenge(stale=True)
        name = address_of(claim.username, served.name)[:_NAME]
        if self._throttle.locked_for(source, name, self._reactor.seconds()):
            self._tell(_attempt(request, source, name, Reason.LOCKED))
            return Refusal(403, "too many failures")
        verdict, account = await self._verify(
            request, source, server, claim, served, now
        )
        match verdict:
            case Stale() if not self._is_repeated(request, source):
                return challenge(stale=True)
            case Accepted() | Stale() if account is not None:
                self._succeeded(source, name)
                if username is not None and username.lower() != claim.username.lower():
                    return Refusal(403, "these are the credentials of another account")
                decision = self._admit(request, source, account, Proof.DIGEST)
                if isinstance(decision, Allowed) and _wants_info(request, claim):
                    info = server.authentication_info(claim, account)
                    return replace(decision, info=info)
                return decision
            case Misdirected():
                return Refusal(400, "the credentials are for another Request-URI")
        await self._failed(request, source, name, account)
        return challenge()

    async def _verify(
        self,
        request: Request,
        source: Endpoint,
        server: DigestServer,
        claim: Claim,
        served: Served,
        now: float,
    ) -> tuple[Accepted | Stale | Wrong | Misdirected, Account | None]:
        assert claim.username is not None  # checked by the caller

        def verify(
            account: Account | None,
        ) -> Accepted | Stale | Wrong | Misdirected:
            # From where an account cannot be used, its password is as wrong as any.
            is_usable = account is not None and _allows(account, source.host)
            return server.verify(
                claim,
                account if is_usable else None,
                method=request.method,
                request_uri=request.request_uri,
                body=request.body,
                now=now,
                peer=source_of(source.host),
            )

        recalled = self._accounts.recall(claim.username, served.name)
        account = None if recalled is FORGOTTEN else recalled
        verdict = verify(account)
        if isinstance(verdict, Wrong):
            account = await self._accounts.ask(claim.username, served.name)
            verdict = verify(account)
        return verdict, account

    def _admit(
        self, request: Request, source: Endpoint, account: Account, proof: Proof
    ) -> Decision:
        if account.disabled is not None:
            why = f"the account is disabled: {account.disabled}"
            return Disabled(403, why, owner=account.owner)
        if account.incoming_only and request.method in _CALLING:
            return Refusal(403, "the account is for incoming calls only")
        if not self._may_call(request, source, account):
            return Refusal(403, "too many calls in a short time")
        self._repeats.note(request, source, self._reactor.seconds())
        return Allowed(account, proof)

    def _may_call(self, request: Request, source: Endpoint, account: Account) -> bool:
        if not _begins_call(request) or self._is_repeated(request, source):
            return True
        return self._calls.take(account.owner, self._reactor.seconds())

    def _is_repeated(self, request: Request, source: Endpoint) -> bool:
        return self._repeats.include(request, source, self._reactor.seconds())

    def _succeeded(self, source: Endpoint, name: str) -> None:
        now = self._reactor.seconds()
        self._throttle.succeeded(source, name, now)
        if self._guard is not None:
            self._guard.note_authenticated(source, now)

    async def _failed(
        self, request: Request, source: Endpoint, name: str, account: Account | None
    ) -> None:
        reason = _reason(account, source.host)
        self._tell(_attempt(request, source, name, reason), account)
        delay = self._throttle.failed(source, name, self._reactor.seconds())
        if not delay or self._late >= self._late_limit:
            return
        self._late += 1
        try:
            await deferLater(self._reactor, delay)
        finally:
            self._late -= 1

    def _tell(self, attempt: Attempt, account: Account | None = None) -> None:
        self._notices.failed(attempt, account)
        if self._guard is not None:
            now = self._reactor.seconds()
            self._guard.note_failure(attempt.remote, Offence.CREDENTIALS, now)

    def _server(self, request: Request, served: Served) -> DigestServer:
        algorithms = self._policy.algorithms(served, request.get(USER_AGENT))
        key = served.name, algorithms
        server = self._servers.get(key)
        if server is None:
            if len(self._servers) >= _SERVERS:
                self._servers.clear()
            server = replace(self._digest, realm=served.name, algorithms=algorithms)
            self._servers[key] = server
        return server


def _wants_info(request: Request, claim: Claim) -> bool:
    """
    Tell whether the client is to be shown that we know the password as well.

    Whoever registers entrusts its calls to us. What came without qop is of before that
    was thought of (:rfc:`7616#section-3.5`).
    """
    return request.method == "REGISTER" and claim.qop is not None


def _begins_call(request: Request) -> bool:
    if request.method != "INVITE":
        return False
    to = request.get(TO)
    return to is None or to.tag is None


def _trusts(account: Account, host: str) -> bool:
    return _allows(account, host) and Networks(account.trusted_networks).include(host)


def _allows(account: Account, host: str) -> bool:
    allowed = account.allowed_networks
    return not allowed or Networks(allowed).include(host)


def _reason(account: Account | None, host: str) -> Reason:
    if account is None:
        return Reason.UNKNOWN
    return Reason.PASSWORD if _allows(account, host) else Reason.ADDRESS


def _attempt(request: Request, source: Endpoint, name: str, reason: Reason) -> Attempt:
    product = request.get(USER_AGENT) or ""
    call_id = request.get(CALL_ID) or ""
    return Attempt(source, request.method, name, reason, product, call_id)
