"""
Tests for `sipsorcery.registrar.orphans`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.registrar.locations import Locations
from sipsorcery.registrar.orphans import Orphans
from sipsorcery.store.errors import StoreUnavailable


class Accounts:
    """
    Accounts, of which some have gone.
    """

    revision = 1

    def __init__(self, *names: str) -> None:
        self.names = names

    async def catch_up(self) -> None:
        """
        Know everything already.
        """

    async def domain(self, name: str) -> Any | None:
        """
        Find its domain.
        """
        return name

    async def find(self, username: str, domain: str) -> Any | None:
        """
        Find one.
        """
        return username if username in self.names else None


class Bindings:
    """
    Bindings in a store that is elsewhere: each name has to be waited for.
    """

    def __init__(self, clock: Clock, *names: str) -> None:
        self.names = [f"sip:{name}@example.com" for name in names]
        self.removed: list[str] = []
        self.fails = False
        self._clock = clock

    async def all_names(self) -> AsyncIterator[str]:
        """
        Give the addresses-of-record.
        """
        for name in self.names:
            await deferLater(self._clock, 1)
            if self.fails:
                raise StoreUnavailable("away")
            yield name

    async def remove(self, aor: str, reason: str) -> None:
        """
        Remove one.
        """
        self.removed.append(aor)


class OrphansTests(SynchronousTestCase):
    """
    Bindings whose account has gone.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.accounts = Accounts("bob")
        self.bindings = Bindings(self.clock, "alice", "bob", "carol")
        self.orphans = Orphans(self.accounts, cast("Locations", self.bindings))

    def look(self) -> None:
        """
        Let a look take its time.
        """
        looked = Deferred.fromCoroutine(self.orphans.look())
        self.clock.pump([1] * 5)
        self.successResultOf(looked)

    def test_waits(self) -> None:
        """
        They go, and no others, also where the store makes one wait.
        """
        self.look()
        self.assertEqual(
            self.bindings.removed, ["sip:alice@example.com", "sip:carol@example.com"]
        )

    def test_away(self) -> None:
        """
        A round that the store has broken off begins anew when it is back.
        """
        self.bindings.fails = True
        self.look()
        self.assertEqual(self.bindings.removed, [])
        self.bindings.fails = False
        self.look()
        self.assertEqual(len(self.bindings.removed), 2)
