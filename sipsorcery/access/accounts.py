"""
The accounts and domains of the directory, in memory: asked for with every request.

Others change the directory, too. So its counters of changes are looked at every two
seconds, by whoever comes next, and what has changed is asked for again. While the
directory is away, what is known goes on to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Literal, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from sipsorcery.access.domains import Domains
from sipsorcery.access.flights import Flights
from sipsorcery.access.networks import Networks
from sipsorcery.access.own import own_hosts
from sipsorcery.access.recent import Recent
from sipsorcery.config import Config
from sipsorcery.store.directory import Account, Directory, Domain
from sipsorcery.store.directory.account import address_of
from sipsorcery.store.errors import StoreError

#: Seconds for which nobody looks whether the directory has changed: so long a disabled
#: account is used at most, and a new one is not known to whoever asked for it before.
CURRENCY = 2.0

# Accounts that are kept: those of a large site, in some 90 MB.
_CAPACITY = 100_000
# Names without an account that are kept. Strangers choose them, so they have a table of
# their own, in some 2 MB.
_MISSES = 10_000
# Requests that wait for the directory: two seconds of 6,000 registrations.
_WAITING = 12_000
# The longest that the directory has: 64 for the user, 255 for the domain, and "@".
_MAX_ADDRESS = 320


class _Forgotten(Enum):
    FORGOTTEN = "forgotten"


#: What `Accounts.recall` gives where only the directory knows.
FORGOTTEN = _Forgotten.FORGOTTEN

Recalled: TypeAlias = Account | Literal[_Forgotten.FORGOTTEN] | None


class Accounts:
    """
    What servers know of domains and accounts.

    :param directory: started.
    :param own: gives the hosts that are this service; None: as `own_hosts` finds them.
    :param capacity: how many accounts are kept.
    :param misses: how many names are kept that have no account.
    """

    _log = Logger()

    def __init__(
        self,
        directory: Directory,
        config: Config,
        reactor: IReactorTime,
        *,
        own: Callable[[], Collection[str]] | None = None,
        capacity: int = _CAPACITY,
        misses: int = _MISSES,
    ) -> None:
        self._directory = directory
        self._reactor = reactor
        self._served = config.sip.domains
        self._find_own = own or (lambda: own_hosts(config))
        self._own: Collection[str] = self._find_own()
        #: The domains as they were when somebody looked last.
        self.domains = Domains(self._served, own=self._own)
        self._stored: Sequence[Domain] = ()
        #: Who is in none of these needs credentials, whatever account they name.
        self.trusted = Networks(())
        self._disabled: Mapping[str, str] = {}  # users, and why
        self._revisions: Mapping[str, int] = {}
        self._due = reactor.seconds()  # to look whether there are changes
        self._is_away = False  # the directory, when it was asked last
        self._looking: Flights[None, None] = Flights(_WAITING)
        self._asking: Flights[str, Account | None] = Flights(_WAITING)
        # With the generation of each entry: what is of an earlier one no longer holds,
        # without all of it having to be removed at once.
        self._generation = 0
        self._found: Recent[str, tuple[int, Account]] = Recent(capacity)
        self._missing: Recent[str, int] = Recent(misses)

    def reconfigure(self, config: Config) -> None:
        """
        Serve the domains of another configuration.
        """
        self._served = config.sip.domains
        self.domains = Domains(self._served, self._stored, self._own)

    @property
    def revision(self) -> int:
        """
        Count the changes of accounts that have been taken over.
        """
        return self._revisions.get("accounts", 0)

    async def domain(self, host: str, *, wildcard: bool = True) -> str | None:
        """
        Find the canonical name of the domain that a host stands for.

        :param host: as in a URI, without the port.
        :param wildcard: whether the domain with the alias ``*`` stands for hosts that
            nobody has.
        :raises StoreError: if the directory has never been there.
        """
        if self.is_due:
            await self.catch_up()
        served = self.domains.find(host, wildcard=wildcard)
        return None if served is None else served.name

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.

        :param domain: the canonical name.
        :raises StoreError: if the directory has to be asked and does not answer.
        """
        if self.is_due:
            await self.catch_up()
        account = self.recall(username, domain)
        return await self.ask(username, domain) if account is FORGOTTEN else account

    async def find_called(self, username: str, domain: str) -> Account | None:
        """
        Find the account that a call is for.

        Calls to ``anything.user`` are for the account ``user``, unless there is an
        account of that very name.
        """
        account = await self.find(username, domain)
        _, dot, base = username.rpartition(".")
        if account is None and dot and base:
            account = await self.find(base, domain)
        return account

    def suspended(self, owner: str) -> str | None:
        """
        Tell why a user is disabled, as far as it is known; None: they are not.
        """
        return self._disabled.get(owner)

    def recall(self, username: str, domain: str) -> Recalled:
        """
        Give what is known of an account without asking the directory.
        """
        address = address_of(username, domain)
        entry = self._found.get(address)
        if entry is not None and entry[0] == self._generation:
            self._found[address] = self._found.pop(address)  # the last one now
            return entry[1]
        if self._missing.get(address) == self._generation:
            return None
        return FORGOTTEN

    def ask(self, username: str, domain: str) -> Deferred[Account | None]:
        """
        Ask the directory for an account, whatever is known of it.
        """
        address = address_of(username, domain)
        return self._asking.join(
            address, lambda: self._look_up(address, username, domain)
        )

    @property
    def is_due(self) -> bool:
        """
        Whether it is time to catch up.
        """
        return self._reactor.seconds() >= self._due

    async def catch_up(self) -> None:
        """
        Take over what has changed, if nobody has looked for a while.

        :raises StoreError: if the directory has never been there.
        """
        if not self.is_due:
            return
        looking = self._looking.join(None, self._look)
        if self._is_away:
            # Nobody waits for it time and again.
            looking.addErrback(lambda failure: None)
            return
        await looking

    # Inside

    async def _look_up(
        self, address: str, username: str, domain: str
    ) -> Account | None:
        if len(address) > _MAX_ADDRESS:
            return None
        generation = self._generation
        account = await self._directory.everyone.accounts.find(username, domain)
        if account is None:
            self._found.pop(address, None)
            self._missing.note(address, generation)
            return None
        why = self._disabled.get(account.owner)
        if why is not None:
            account = replace(account, admin_disabled=account.admin_disabled or why)
        self._missing.pop(address, None)
        self._found.note(address, (generation, account))
        return account

    async def _look(self) -> None:
        try:
            revisions = await self._directory.revisions()
            if revisions != self._revisions:
                await self._take_over(revisions)
            own = self._find_own()  # addresses come and go
            if own != self._own:
                self._own = own
                self.domains = Domains(self._served, self._stored, own)
        except StoreError as error:
            if not self._revisions:
                raise
            if not self._is_away:
                self._log.warn(
                    "The directory is away, what is known of it holds: {error}",
                    error=error,
                )
            self._is_away = True
        else:
            self._is_away = False
        self._due = self._reactor.seconds() + CURRENCY

    async def _take_over(self, revisions: Mapping[str, int]) -> None:
        everyone = self._directory.everyone

        def has_changed(name: str) -> bool:
            return revisions.get(name) != self._revisions.get(name)

        if has_changed("domains"):
            self._stored = await everyone.domains.all()
            self.domains = Domains(self._served, self._stored, self._own)
        disabled = self._disabled
        if has_changed("users"):
            disabled = await everyone.users.disabled()
        if has_changed("accounts"):
            self.trusted = Networks(await everyone.accounts.trusted_networks())
        if has_changed("accounts") or disabled != self._disabled:
            self._generation += 1
        self._disabled = disabled
        self._revisions = revisions
