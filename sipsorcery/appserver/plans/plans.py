"""
Which dialplan decides about a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.plans.engine import Engine
from sipsorcery.appserver.plans.implicit_plan import ImplicitEngine, script_for
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.store.directory import Account, Language
from sipsorcery.store.directory.cdrs import Direction


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A dialplan that can be run.

    :ivar name: "" of what is done where there is no dialplan.
    :ivar time_zone: of the owner, by its name in the IANA database.
    :ivar options: the owner's tables and settings for it.
    :ivar accepts_non_invite: whether it decides about MESSAGE, too.
    :ivar language: that it is in; None: nobody has written it.
    """

    owner: str
    name: str
    version: int
    engine: Engine = field(repr=False)
    script: str = field(repr=False)
    time_zone: str = "UTC"
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    accepts_non_invite: bool = False
    language: Language | None = None

    @property
    def key(self) -> tuple[str, str]:
        """
        What tells it from all others.
        """
        return self.owner, self.name

    def check(self, method: str) -> None:
        """
        See whether it decides about requests of a method.

        :raises Refused: if it does not.
        """
        if method != "INVITE" and not self.accepts_non_invite:
            raise Refused(Code.METHOD)


class Plans:
    """
    Finds the dialplans of accounts.

    :param engines: by the language that each runs.
    """

    def __init__(
        self, configured: Configured, engines: Mapping[Language, Engine]
    ) -> None:
        self._configured = configured
        self._engines = engines
        self._implicit = ImplicitEngine()

    async def of(
        self, account: Account, direction: Direction, called: str | None = None
    ) -> Plan:
        """
        Find the dialplan for a call of an account, or to it.

        :param called: the domain of ours that an account calls; None: it is somebody
            else's.
        :raises Refused: if there is none that could decide.
        """
        if direction is Direction.IN:
            name, domain = account.in_dialplan, account.domain
        else:
            name, domain = account.out_dialplan, called or ""
        if name:
            return await self.named(account.owner, name)
        if not domain:
            raise Refused(Code.NO_PLAN)
        return Plan(
            account.owner,
            "",
            0,
            self._implicit,
            script_for(domain),
            accepts_non_invite=True,
        )

    async def named(self, owner: str, name: str) -> Plan:
        """
        Find a dialplan of a user.

        :raises Refused: if there is none that could decide.
        """
        stored = await self._configured.plan(owner, name)
        if stored is None:
            raise Refused(Code.PLAN_MISSING, f"Could not load dialplan {name}")
        if stored.is_read_only:
            raise Refused(Code.PLAN_READ_ONLY)
        if not stored.script.strip():
            raise Refused(Code.PLAN_EMPTY)
        engine = self._engines.get(stored.kind)
        if engine is None:
            raise Refused(Code.PLAN_LANGUAGE)
        return Plan(
            owner,
            stored.name,
            stored.version,
            engine,
            stored.script,
            await self._configured.time_zone(owner),
            stored.options,
            stored.accepts_non_invite,
            stored.kind,
        )

    async def again(
        self, account: Account, name: str, language: str, version: int
    ) -> Plan:
        """
        Find the dialplan that a call has begun with.

        It goes on with that, though there may be a newer version by now.

        :param language: "" of what nobody has written.
        :raises Refused: if there is none of that name and language any more.
        """
        if not language:
            return await self.of(replace(account, in_dialplan=None), Direction.IN)
        plan = await self.named(account.owner, name)
        if plan.language != language:
            raise Refused(Code.RESTARTED)
        return replace(plan, version=version)
