"""
A process whose servers find out who asks, and keep some away.
"""

from __future__ import annotations

import time
from typing import Any

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contacts
from sipsorcery.access.gruu import GRUUs
from sipsorcery.access.guard import Guard
from sipsorcery.access.notices import Notices
from sipsorcery.access.throttle import Throttle
from sipsorcery.tap.process import Process
from sipsorcery.tap.settings import Settings
from sipsorcery.tap.stored import Stored
from sipsorcery.tap.stores import Stores


class GuardedProcess(Process):
    """
    Has one guard and one throttle for all its servers.

    Who guesses passwords at one of them has tried them at the others, too.

    :param stores: started.
    :param server: the one that tells of bans.

    :ivar stores: those of the process.
    """

    def __init__(
        self, reactor: Any, settings: Settings, stores: Stores, server: str
    ) -> None:
        super().__init__(reactor, settings, Stored(stores))
        config = self.config
        self.stores = stores
        self.accounts = Accounts(stores.directory, config, reactor)
        self.throttle = Throttle()
        self.guard = Guard.of_config(config, banned=self.notices(server).banned)
        settings.follow(self.accounts, self.guard)

    def notices(self, server: str) -> Notices:
        """
        Make what tells the owner of an account of what a server did.
        """
        return Notices(server, self.bus, time.time)

    def contacts(self) -> Contacts:
        """
        Make what finds the phones of an account.
        """
        return Contacts(self.accounts, self.stores.reader, GRUUs(self.stores.secrets))

    def authenticator(self, server: str) -> Authenticator:
        """
        Make what finds out who sends a request to a server.
        """
        authenticator = Authenticator(
            self.reactor,
            self.config,
            accounts=self.accounts,
            secrets=self.stores.secrets,
            server=server,
            guard=self.guard,
            bus=self.bus,
            throttle=self.throttle,
        )
        self.settings.follow(authenticator)
        return authenticator
