"""
Letting calls in: whose each is, whether they may, and what decides about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.decision import Challenge, Disabled, Refusal
from sipsorcery.access.limits import CallRate
from sipsorcery.access.networks import Networks, source_of
from sipsorcery.access.overload import come_back_later
from sipsorcery.appserver.core import Intent, host_of, judge
from sipsorcery.appserver.limits.ringing_quota import RingingQuota
from sipsorcery.appserver.plans.plans import Plan, Plans
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.sources import Source
from sipsorcery.config import Config
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.fields import FROM
from sipsorcery.sip.request import Request
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.errors import StoreError

#: Phones take us for their proxy, and answer it by name (RFC 3261, 22.3).
CHALLENGE = 407


class Challenged(Exception):
    """
    Asks a caller who they are.
    """

    def __init__(self, status: int, fields: tuple[FieldValue, ...]) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Admitted:
    """
    A call that may go on.

    :ivar account: the one that calls, or is called.
    """

    intent: Intent
    account: Account
    plan: Plan


class Admission:
    """
    Decides who may call.

    :param clock: gives seconds that do not go back.
    :param quota: says who has too many calls already; None: nobody has.
    """

    def __init__(
        self,
        config: Config,
        accounts: Accounts,
        authenticator: Authenticator,
        plans: Plans,
        clock: Callable[[], float],
        quota: RingingQuota | None = None,
    ) -> None:
        self._accounts = accounts
        self._authenticator = authenticator
        self._plans = plans
        self._clock = clock
        self._quota = quota
        self._rate = CallRate(config.limits.incoming)
        self._unlimited = Networks(config.limits.allow)

    def reconfigure(self, config: Config) -> None:
        """
        Let in as many as another configuration says; who has come is not forgotten.
        """
        self._rate.rate = config.limits.incoming
        self._unlimited = Networks(config.limits.allow)

    async def admit(self, request: Request, source: Source) -> Admitted:
        """
        Let a call in.

        :raises Refused: if it may not go on.
        :raises Challenged: if the caller has to prove who they are first.
        """
        try:
            return await self._admit(request, source)
        except StoreError as error:
            raise Refused(Code.STORE_AWAY) from error

    async def again(
        self,
        username: str,
        domain: str,
        direction: Direction,
        *,
        plan: str,
        language: str,
        version: int,
    ) -> Admitted:
        """
        Let a call go on that was let in by a process before this one.

        :param plan: the name of the dialplan that has decided about it so far.
        :raises Refused: if it may not go on any more.
        """
        try:
            account = await self._accounts.find(username, domain)
            if account is None:
                raise Refused(Code.NO_ACCOUNT)
            self._check(account)
            found = await self._plans.again(account, plan, language, version)
        except StoreError as error:
            raise Refused(Code.STORE_AWAY) from error
        return Admitted(Intent(direction, username, domain), account, found)

    async def _admit(self, request: Request, source: Source) -> Admitted:
        uri, sender = request.uri, request[FROM].uri
        called = await self._domain(host_of(uri), wildcard=True)
        intent = judge(
            uri,
            sender,
            calling=await self._domain(host_of(sender), wildcard=False),
            called=called,
            is_trunk=source.is_trunk,
        )
        if intent.direction is Direction.OUT:
            account = await self._authenticated(request, source, intent)
        else:
            account = await self._called(source, intent)
        try:
            if self._quota is not None:
                await self._quota.check(account.owner)
            plan = await self._plans.of(account, intent.direction, called)
        except Refused as refused:
            refused.owner = account.owner
            raise
        return Admitted(intent, account, plan)

    async def _domain(self, host: str, *, wildcard: bool) -> str | None:
        if not host:
            return None
        return await self._accounts.domain(host, wildcard=wildcard)

    async def _authenticated(
        self, request: Request, source: Source, intent: Intent
    ) -> Account:
        decision = await self._authenticator.authenticate(
            request,
            source=source.remote,
            domain=intent.domain,
            username=intent.username,
            status=CHALLENGE,
        )
        match decision:
            case Challenge(status, fields):
                raise Challenged(status, fields)
            case Disabled(owner=owner):
                is_suspended = self._accounts.suspended(owner) is not None
                code = Code.OWNER_SUSPENDED if is_suspended else Code.ACCOUNT_DISABLED
                raise Refused(code, owner=owner)
            case Refusal(status, text, fields):
                raise Refused(Code.NOT_ADMITTED, text or "", status, fields)
        return decision.account

    async def _called(self, source: Source, intent: Intent) -> Account:
        """
        Find who is called by somebody who need not prove anything.
        """
        if not (source.is_trunk or self._may_come(source.remote.host)):
            raise Refused(Code.TOO_MANY_CALLS, more=(come_back_later(),))
        account = await self._accounts.find_called(intent.username, intent.domain)
        if account is None:
            raise Refused(Code.NO_ACCOUNT)
        self._check(account)
        return account

    def _check(self, account: Account) -> None:
        if self._accounts.suspended(account.owner) is not None:
            raise Refused(Code.OWNER_SUSPENDED, owner=account.owner)
        if account.disabled is not None:
            raise Refused(Code.ACCOUNT_DISABLED, owner=account.owner)

    def _may_come(self, host: str) -> bool:
        if self._unlimited.include(host):
            return True
        return self._rate.take(source_of(host), self._clock())
