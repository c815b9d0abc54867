"""
What a dialplan can ask for in a simulation: all that it can, of what the world has.

They are the functions that the server has, above a web, a mail server, a DNS and a
directory that exist in the world only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from twisted.internet.interfaces import IReactorTime

from sipsorcery.access.accounts import Accounts
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.hosting.accounts import AccountFunctions
from sipsorcery.appserver.hosting.arguments import text
from sipsorcery.appserver.hosting.callbacks import CallbackFunctions
from sipsorcery.appserver.hosting.clocks import ClockFunctions
from sipsorcery.appserver.hosting.current import CurrentFunctions
from sipsorcery.appserver.hosting.dressing import dressing
from sipsorcery.appserver.hosting.ended import ended
from sipsorcery.appserver.hosting.guest import Arguments, Functions, Guest
from sipsorcery.appserver.hosting.guest import HostFunction as Function
from sipsorcery.appserver.hosting.joining import join
from sipsorcery.appserver.hosting.mail import MailFunctions
from sipsorcery.appserver.hosting.requests import RequestFunctions
from sipsorcery.appserver.hosting.tables import TableFunctions
from sipsorcery.appserver.hosting.values import ValueFunctions
from sipsorcery.appserver.hosting.web import WebFunctions
from sipsorcery.appserver.outside.enum import read_question
from sipsorcery.appserver.outside.mail import read_addresses
from sipsorcery.appserver.outside.web import WebError
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.appserver.simulation.backdrop import Backdrop
from sipsorcery.appserver.simulation.scene import Scene
from sipsorcery.appserver.simulation.trace import Email
from sipsorcery.appserver.simulation.world import World
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account, Directory
from sipsorcery.store.live import LiveReader
from sipsorcery.ua import RequestFailed

_PROXY = SIPURI("sip", None, "127.0.0.1")


def make_functions(
    clock: IReactorTime, world: World, scene: Scene, kept: Kept, outbox: list[Email]
) -> Functions:
    """
    Make the functions.

    :param kept: what the dialplans of owners have kept.
    :param outbox: gets the e-mails.
    """
    accounts, live = cast(Accounts, scene), cast(LiveReader, scene)
    directory = cast(Directory, _Directory(scene, kept))
    now = clock.seconds
    post = _Post(outbox) if world.has_mail else None
    return join(
        dressing,
        ended,
        AccountFunctions(accounts, directory, live, now).of,
        CallbackFunctions(_Actions, now).of,
        ClockFunctions(now).of,
        CurrentFunctions(live, now).of,
        MailFunctions(post, now).of,
        _Numbers(world).of,
        RequestFunctions(clock, _Agent(scene), _PROXY).of,
        TableFunctions(cast(Configured, scene)).of,
        ValueFunctions(directory).of,
        WebFunctions(_Pages(world)).of,
    )


@dataclass(slots=True)
class Kept:
    """
    What the dialplans of users have kept before, and keep in this simulation.

    :ivar changed: None: it was removed.
    """

    backdrop: Backdrop
    owner: str  # whose the values of the world are
    changed: dict[tuple[str, str], str | None] = field(default_factory=dict)

    async def get(self, owner: str, key: str) -> str | None:
        """
        Give a value.
        """
        if (owner, key) in self.changed:
            return self.changed[owner, key]
        return await self.backdrop.value(owner, key)

    async def keys(self, owner: str) -> list[str]:
        """
        List the keys, by name.
        """
        found = set(await self.backdrop.keys(owner))
        for (whose, key), value in self.changed.items():
            if whose == owner and value is None:
                found.discard(key)
            elif whose == owner:
                found.add(key)
        return sorted(found)

    def all(self) -> dict[str, str]:
        """
        Give what has changed and is there.
        """
        return {
            key: value
            for (whose, key), value in self.changed.items()
            if value is not None and whose == self.owner
        }


@dataclass(frozen=True, slots=True)
class _Directory:
    scene: Scene
    kept: Kept

    def of(self, owner: str) -> _Tenancy:
        return _Tenancy(_Accounts(self.scene, owner), _Values(self.kept, owner))


@dataclass(frozen=True, slots=True)
class _Tenancy:
    accounts: _Accounts
    values: _Values


@dataclass(frozen=True, slots=True)
class _Accounts:
    scene: Scene
    owner: str

    async def all(self) -> list[Account]:
        return await self.scene.all_accounts(self.owner)


@dataclass(frozen=True, slots=True)
class _Values:
    kept: Kept
    owner: str

    async def get(self, key: str) -> str | None:
        return await self.kept.get(self.owner, key)

    async def keys(self) -> list[str]:
        return await self.kept.keys(self.owner)

    async def put(self, key: str, value: str) -> None:
        self.kept.changed[self.owner, key] = value

    async def remove(self, key: str) -> None:
        self.kept.changed[self.owner, key] = None


class _Actions:
    """
    Calls nobody back: that would be another call, with a trace of its own.
    """

    async def call_back(
        self, owner: str, account: str, first: str, second: str, *, delay: float = 0.0
    ) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Post:
    outbox: list[Email]

    async def send(
        self, to: str, subject: str, body: str, *, is_html: bool = False
    ) -> None:
        read_addresses(to)
        self.outbox.append(Email(to, subject, body))


@dataclass(frozen=True, slots=True)
class _Pages:
    world: World

    async def get(self, url: str, seconds: float = 10, *, token: str = "") -> str:
        page = self.world.web.get(url)
        if page is None:
            raise WebError("the world has no such page")
        return page


@dataclass(frozen=True, slots=True)
class _Numbers:
    world: World

    def of(self, guest: Guest) -> dict[str, Function]:
        known = {
            read_question(number).name: uri for number, uri in self.world.enum.items()
        }

        async def look_up(arguments: Arguments) -> Value:
            return known.get(read_question(text(arguments, "number")).name)

        return {"enum_lookup": look_up}


@dataclass(frozen=True, slots=True)
class _Agent:
    """
    Sends requests to those who do with them what they do with calls.
    """

    scene: Scene

    async def request(
        self,
        method: str,
        uri: str | SIPURI,
        *,
        account: Any = None,
        fields: Sequence[FieldValue] = (),
        body: bytes = b"",
    ) -> Response:
        where = SIPURI.parse(uri) if isinstance(uri, str) else uri
        behaviour = self.scene.behaviour_of(where)
        if not behaviour.status:
            raise RequestFailed(f"{uri} is silent")
        response = Response(behaviour.status, behaviour.reason)
        if behaviour.status >= 300:
            raise RequestFailed(f"{uri} refuses", response)
        return response
