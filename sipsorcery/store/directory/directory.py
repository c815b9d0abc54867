"""
The directory: what people configure, and the records of their calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from twisted.internet.defer import Deferred

from sipsorcery.config import Config, Durability
from sipsorcery.store.directory import schema
from sipsorcery.store.directory.accounts import Accounts
from sipsorcery.store.directory.cdrs import CDRs
from sipsorcery.store.directory.database import Database
from sipsorcery.store.directory.dialplans import Dialplans
from sipsorcery.store.directory.domains import Domains
from sipsorcery.store.directory.keys import PublicKeys
from sipsorcery.store.directory.passwords import HASHER, Passwords
from sipsorcery.store.directory.providers import Providers
from sipsorcery.store.directory.rows import Tools
from sipsorcery.store.directory.scope import Scope
from sipsorcery.store.directory.settings import Settings, Values
from sipsorcery.store.directory.users import Users
from sipsorcery.store.sealing import Sealer
from sipsorcery.store.secrets import Purpose, Secrets
from sipsorcery.store.threads import Threads


class Tenancy:
    """
    The directory as one user sees it: what is theirs, and nothing else.
    """

    def __init__(self, tools: Tools, scope: Scope) -> None:
        self.users = Users(tools, scope)
        self.keys = PublicKeys(tools, scope)
        self.accounts = Accounts(tools, scope)
        self.providers = Providers(tools, scope)
        self.dialplans = Dialplans(tools, scope)
        self.settings = Settings(tools, scope)
        self.values = Values(tools, scope)
        self.cdrs = CDRs(tools, scope)


class Everyone(Tenancy):
    """
    The directory as the service itself sees it.

    What is only about the things of one user, such as adding one, asks to say whose:
    `Directory.of`.
    """

    def __init__(self, tools: Tools, scope: Scope) -> None:
        super().__init__(tools, scope)
        self.domains = Domains(tools, scope)


class Directory:
    """
    The directory. All that it holds is reached through `of` or `everyone`.

    :param reactor: has time, and threads unless there are *threads*.
    :param folder: the ``data_dir`` of the service.
    :param secrets: loaded; seals the passwords at providers.
    :param url: ``storage.directory``.
    :param served: ``sip.domains``: accounts can be in these without `Domains`.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        reactor: Any,
        folder: Path,
        secrets: Secrets,
        *,
        url: str = "sqlite",
        durability: Durability = Durability.PROCESS,
        served: Iterable[str] = (),
        threads: Threads | None = None,
        hasher: PasswordHasher = HASHER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(
            reactor, folder, url, durability=durability, threads=threads
        )
        self._tools = Tools(
            reactor=reactor,
            database=self._database,
            passwords=Passwords(self._database.threads, hasher),
            sealer=lambda: Sealer(secrets.keys(Purpose.PASSWORD)),
            served=frozenset(served),
            clock=clock,
        )
        self.everyone = Everyone(self._tools, Scope(None, is_admin=True))

    @classmethod
    def of_config(cls, reactor: Any, config: Config, secrets: Secrets) -> Directory:
        """
        Make the directory that a configuration names.
        """
        return cls(
            reactor,
            config.server.data_dir,
            secrets,
            url=config.storage.directory,
            durability=config.storage.durability,
            served=config.sip.domains,
        )

    def start(self) -> None:
        """
        Connect, and make the tables or bring them up to date; this blocks.

        :raises StoreDamaged: if a newer version has made them, or they are damaged.
        :raises StoreUnavailable: if there is no connection.
        :raises OSError: if the file cannot be made.
        """
        self._database.start()

    def stop(self) -> None:
        """
        Finish what was begun and disconnect.
        """
        self._database.stop()

    def of(self, owner: str, *, as_admin: bool = False) -> Tenancy:
        """
        Give the part that belongs to a user.

        :param as_admin: an administrator asks, and may do what its owner may not.
        """
        return Tenancy(self._tools, Scope(owner, is_admin=as_admin))

    def revisions(self) -> Deferred[dict[str, int]]:
        """
        Give the number of changes that each table has seen.

        Whoever keeps a copy of something asks for this now and then: other processes
        change the directory, too.
        """
        table = schema.revisions
        query = sa.select(table.c.name, table.c.number)
        return self._database.read(
            lambda using: {row.name: row.number for row in using.execute(query)}
        )
