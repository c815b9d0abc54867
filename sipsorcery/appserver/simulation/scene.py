"""
What a simulated call finds: its world, and behind that the backdrop.

To what asks it, it looks as the directory, the live state and what is known of both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.contacts import Contact, Contacts
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.limits.allowance import Allowance
from sipsorcery.appserver.lookup import OwnersLookup
from sipsorcery.appserver.simulation.backdrop import Backdrop
from sipsorcery.appserver.simulation.behaviour import Behaviour
from sipsorcery.appserver.simulation.world import World, fits
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.bindings import BINDINGS, Binding, Bindings, make_record
from sipsorcery.store.directory import Account, Dialplan, Language, Provider
from sipsorcery.store.live import LiveReader, Record

#: What those do of whom the world says nothing.
_USUAL = Behaviour.parse("answer after 5 s")
# Seconds that a binding holds on: longer than any simulated call lasts.
_BOUND = 3600.0
_EPOCH = datetime.fromtimestamp(0, UTC)


class Scene:
    """
    What there is around one call.

    :param tried: the dialplan that is tried, in place of any of that name.
    :param now: gives the simulated time, in seconds since the epoch.
    """

    def __init__(
        self,
        world: World,
        backdrop: Backdrop,
        account: Account,
        tried: Dialplan | None,
        now: Callable[[], float],
    ) -> None:
        self._world = world
        self._backdrop = backdrop
        self._account = account
        self._tried = tried
        self._now = now
        self._legs = world.behaviours()
        self._bindings = {_plain(key): each for key, each in world.bindings.items()}
        self._accounts = _accounts(world, account)
        self._domains = {each.domain for each in self._accounts.values()}
        self._domains.update(map(str.lower, world.domains))
        self._providers: dict[str, str] = {}  # names, by the host of their server

    # What is known of accounts: `sipsorcery.access.accounts.Accounts`

    async def domain(self, host: str, *, wildcard: bool = True) -> str | None:
        """
        Find the canonical name of the domain that a host stands for.
        """
        if host.lower() in self._domains:
            return host.lower()
        return await self._backdrop.domain(host, wildcard=wildcard)

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.
        """
        address = f"{username}@{domain}".lower()
        if address in map(_plain, self._world.accounts):
            return self._accounts[address]
        known = await self._backdrop.find(username, domain)
        return self._accounts.get(address) if known is None else known

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find the account that a call is for, ``trunk.user`` among them.
        """
        account = await self.find(username, domain)
        _, dot, base = username.rpartition(".")
        if account is None and dot and base:
            account = await self.find(base, domain)
        return account

    async def all_accounts(self, owner: str) -> list[Account]:
        """
        Give the accounts of a user.
        """
        found = {each.aor: each for each in await self._backdrop.accounts(owner)}
        own = (each for each in self._accounts.values() if each.owner == owner)
        return [*{**{each.aor: each for each in own}, **found}.values()]

    # What users have set up: `sipsorcery.appserver.configured.Configured`

    async def plan(self, owner: str, name: str) -> Dialplan | None:
        """
        Find a dialplan.
        """
        tried = self._tried
        if tried and (owner, name.lower()) == (tried.owner, tried.name.lower()):
            return tried
        written = self._world.plans.get(name)
        if written is not None and owner == (written.owner or self._account.owner):
            return Dialplan(
                owner=owner,
                name=name,
                kind=Language(written.kind),
                script=written.script,
                created=_EPOCH,
                updated=_EPOCH,
            )
        return await self._backdrop.plan(owner, name)

    async def provider(self, owner: str, name: str) -> Provider | None:
        """
        Find a provider.
        """
        provider = await self._backdrop.provider(owner, name)
        written = self._world.provider(name)
        if written is not None and owner == self._account.owner:
            provider = Provider(
                owner=owner,
                name=name,
                username=written.username or owner,
                server=written.server,
                from_uri=written.from_uri,
                created=_EPOCH,
                updated=_EPOCH,
            )
        if provider is not None:
            host = provider.server.lower().removeprefix("sip:").removeprefix("sips:")
            self._providers[host.partition(";")[0]] = name.lower()
        return provider

    async def time_zone(self, owner: str) -> str:
        """
        Give the time zone of a user.
        """
        if self._world.time_zone and owner == self._account.owner:
            return self._world.time_zone
        return await self._backdrop.time_zone(owner)

    async def setting(self, owner: str, name: str) -> Any:
        """
        Give a setting of a user.
        """
        if name == "lookup" and self._world.lookup and owner == self._account.owner:
            return self._world.lookup
        return await self._backdrop.setting(owner, name)

    async def allowance(self, owner: str) -> Allowance | None:
        """
        Say what a user may do outside.
        """
        return await self._backdrop.allowance(owner)

    # The live state: `sipsorcery.store.live.LiveReader`

    async def get(self, kind: str, key: str) -> Record | None:
        """
        Give the bindings of an account.
        """
        assert kind == BINDINGS.name  # nobody asks for anything else
        address = _plain(key)
        username, _, domain = address.rpartition("@")
        contacts = self._bindings.get(address)
        if contacts is None:
            account = await self.find(username, domain)
            known = () if account is None else await self._backdrop.bindings(account)
            if not known and self.behaviour(address) is not None:
                contacts = [f"sip:{address}"]
        else:
            known = ()
        found = [_bind(each) for each in contacts or ()] or known
        until = self._now() + _BOUND
        bound = [_held(each, until) for each in found]
        return make_record(key, Bindings(tuple(bound)), "") if bound else None

    async def count(self, kind: str, owner: str) -> int:
        """
        Count the calls of an owner: there is none but this one.
        """
        return 0

    async def scan(self, kind: str, owner: str | None = None) -> AsyncIterator[Record]:
        """
        Give them.
        """
        return
        yield  # which makes it one that can be gone through

    # What dial strings find

    def lookup(self, account: Account, *, foresees: bool = False) -> OwnersLookup:
        """
        Make what finds the things of an account's owner.

        :param foresees: whether it gives accounts without a binding one, to tell whom
            a dial string is for.
        """
        accounts = cast(Accounts, self)
        contacts = Contacts(self, cast(LiveReader, self), clock=self._now)
        if foresees:
            contacts = cast(Contacts, _Foreseen(contacts))
        configured = cast(Configured, self)
        return OwnersLookup(
            account.owner, account.domain, accounts, contacts, configured
        )

    # What those do who are called

    def behaviour(self, *addresses: str) -> Behaviour | None:
        """
        Give what the world says of somebody; None: nothing.

        :param addresses: as which they are known.
        """
        return next(
            (
                behaviour
                for pattern, behaviour in self._legs
                if any(fits(pattern, each) for each in addresses)
            ),
            None,
        )

    def behaviour_of(self, *uris: SIPURI) -> Behaviour:
        """
        Give what somebody does who is called.
        """
        addresses = []
        for uri in uris:
            user = uri.user or ""
            addresses.append(f"{user}@{uri.host}")
            host = uri.host if uri.port is None else f"{uri.host}:{uri.port}"
            if name := self._providers.get(host.lower()):
                addresses.append(f"{user}@{name}")
        return self.behaviour(*addresses) or _USUAL


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """
    Contacts, and whoever has none is where the dial string says.
    """

    contacts: Contacts

    async def of(self, uri: SIPURI) -> Sequence[Contact]:
        return await self.contacts.of(uri) or (Contact(uri),)


def _accounts(world: World, own: Account) -> dict[str, Account]:
    """
    Give the accounts that the world speaks of, and the one that calls or is called.
    """
    named = [*map(_plain, world.bindings), *map(_plain, world.accounts)]
    domains = {own.domain, *map(str.lower, world.domains)}
    domains.update(each.rpartition("@")[2] for each in named)
    called = [each for each in map(_plain, world.legs) if "*" not in each]
    named += [each for each in called if each.rpartition("@")[2] in domains]
    found = {}
    for each in named:
        username, _, domain = each.rpartition("@")
        if username:
            found[each] = replace(
                own,
                username=username,
                domain=domain,
                in_dialplan=None,
                out_dialplan=None,
            )
    for address, written in world.accounts.items():
        found[_plain(address)] = replace(
            found[_plain(address)],
            owner=written.owner or own.owner,
            in_dialplan=written.in_dialplan or None,
            user_disabled=written.disabled or None,
        )
    return {_plain(own.aor): own, **found}


def _plain(address: str) -> str:
    return address.lower().removeprefix("sip:")


def _bind(contact: str) -> Binding:
    return Binding(contact=contact, expiry=0.0, call_id="", cseq=0)


def _held(binding: Binding, until: float) -> Binding:
    """
    Let a binding hold in simulated time.
    """
    fields = {name: getattr(binding, name) for name in Binding.__struct_fields__}
    return Binding(**{**fields, "expiry": until})
