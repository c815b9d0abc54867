"""
Tests for `sipsorcery.tap.vitals` and `sipsorcery.tap.stored`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.modules import getModule
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery import store
from sipsorcery.config import Config
from sipsorcery.monitor.bus import LocalBus
from sipsorcery.monitor.figures import Figure
from sipsorcery.store.errors import StoreUnavailable
from sipsorcery.store.live import Kind
from sipsorcery.tap.questions import of_tables
from sipsorcery.tap.stored import Stored
from sipsorcery.tap.vitals import Vitals


class Server:
    """
    Has two calls.
    """

    running = True

    def figures(self) -> Iterator[Figure]:
        """
        Count nothing.
        """
        return iter(())

    def tables(self) -> dict[str, int]:
        """
        Give what there is.
        """
        return {"calls": 2}


class Reader:
    """
    Looks at a live state with a few records.
    """

    is_away = False

    def count(self, kind: str, owner: str | None = None) -> Deferred[int]:
        """
        Count what there is of a kind.
        """
        if self.is_away:
            return fail(StoreUnavailable("away"))
        return succeed({"binding": 3, "outside-call": 1}.get(kind, 0))


class Stores:
    """
    Has a live state.
    """

    def __init__(self) -> None:
        self.reader = Reader()


class TablesTests(SynchronousTestCase):
    """
    How much servers hold.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.stores = Stores()
        bus = LocalBus(self.clock)
        self.vitals = Vitals(self.clock, Config(), bus, Stored(cast(Any, self.stores)))
        self.vitals.add("appserver", Server())

    def ask(self) -> dict[str, int]:
        """
        Ask the application server.
        """
        verb: Any = of_tables(self.vitals, "appserver")["tables"]
        return self.successResultOf(Deferred.fromCoroutine(verb()))

    def test_everything(self) -> None:
        """
        Its own tables are told, the calls that the reactor is to make, and the records.
        """
        self.clock.callLater(1, int)
        self.assertEqual(
            self.ask(),
            {
                "calls": 2,
                "delayed_calls": 1,
                "binding_records": 3,
                "dialogue_records": 0,
                "dialogue_alias_records": 0,
                "ringing_records": 0,
                "claim_records": 0,
                "outside_call_records": 1,
                "outside_call_begun_records": 0,
                "server_records": 0,
            },
        )

    def test_all_kinds(self) -> None:
        """
        Whatever kinds of records there are, each is counted.
        """
        modules = [module.load() for module in getModule(store.__name__).iterModules()]
        names = {
            kind.name
            for module in modules
            for kind in vars(module).values()
            if isinstance(kind, Kind)
        }
        tables = {f"{name.replace('-', '_')}_records" for name in names}
        self.assertEqual(tables - self.ask().keys(), set())
        self.assertGreater(len(tables), 7)

    def test_store_away(self) -> None:
        """
        What cannot be counted is not told.
        """
        self.stores.reader.is_away = True
        self.assertEqual(self.ask(), {"calls": 2, "delayed_calls": 0})
