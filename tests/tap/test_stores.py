"""
Tests for `sipsorcery.tap.stores`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import Config, Server, Storage
from sipsorcery.store.errors import StoreInUse, StoreUnavailable
from sipsorcery.store.secrets import SETTLING, Purpose, Secrets
from sipsorcery.tap.stores import Stores, WritableStores


class StoresTests(SynchronousTestCase):
    """
    Stores that open and close together.
    """

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.folder = Path(self.mktemp())
        self.config = Config(server=Server(data_dir=self.folder))

    def start(self, kind: type[Stores]) -> Stores:
        """
        Start stores, and stop them after the test.
        """
        stores = kind(self.reactor, self.config)
        stores.startService()
        self.addCleanup(self.stop, stores)
        return stores

    def stop(self, stores: Stores) -> None:
        """
        Stop stores, if they run.
        """
        if stores.running:
            self.successResultOf(stores.stopService())

    def test_one_writer(self) -> None:
        """
        Of two that write, the second one is refused, and others can read beside it.
        """
        first = self.start(WritableStores)
        second = WritableStores(self.reactor, self.config)
        self.assertRaises(StoreInUse, second.startService)
        self.start(Stores)
        self.stop(first)
        self.start(WritableStores)

    def test_redis(self) -> None:
        """
        With Redis several processes write, and start also while it is away.
        """
        self.config = replace(self.config, storage=Storage(live=("redis://127.0.0.1",)))
        first, second = [WritableStores(self.reactor, self.config) for _ in range(2)]
        for stores in (first, second):
            stores.startService()
            asked = stores.live.get("binding", "sip:alice@example.com")
            self.reactor.advance(3)
            self.failureResultOf(asked, StoreUnavailable)
            self.stop(stores)

    def test_new_keys(self) -> None:
        """
        A key that another process has made is known here before anybody uses it.
        """
        stores = self.start(Stores)
        other = Secrets(self.folder)
        other.load()
        fresh = other.rotate(Purpose.NONCE)
        self.assertNotIn(fresh, stores.secrets.keys(Purpose.NONCE))
        self.reactor.advance(SETTLING / 2)
        self.assertIn(fresh, stores.secrets.keys(Purpose.NONCE))

    def test_secrets_that_go(self) -> None:
        """
        While the file cannot be used, the keys that are known go on to be good.
        """
        stores = self.start(Stores)
        keys = stores.secrets.keys(Purpose.FLOW)
        (self.folder / "secrets").write_text("x", "utf-8")
        self.reactor.advance(SETTLING)
        self.assertEqual(stores.secrets.keys(Purpose.FLOW), keys)
