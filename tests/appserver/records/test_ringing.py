"""
Tests for `sipsorcery.appserver.records.ringing` and `snapshots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.errors import SnapshotError
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.records.ringing import RingingRecords
from sipsorcery.appserver.records.snapshots import MAX_SIZE, Snapshots
from sipsorcery.endpoint import Endpoint
from sipsorcery.store.live import Record
from sipsorcery.store.ringing import LIFETIME, RINGING, RingingCall
from sipsorcery.store.secrets import Purpose, Secrets
from tests.access.cases import NOW, StoreCase

SERVER = Endpoint.parse("udp:127.0.0.1:5065")
CALL = RingingCall(
    id="0123456789abcdef",
    owner="joe",
    server="",
    incarnation="",
    invite=b"INVITE",
    source="udp:127.0.0.1:5059",
    plan="in",
    version=1,
    started=NOW,
)
STATE = RunState(run=b"run", taken=1.0, own=9.0, legs=19)


@dataclass
class Ringing:
    """
    A call that rings.
    """

    call: RingingCall | None = CALL
    state: RunState | None = STATE

    @property
    def id(self) -> str:
        """
        Its identifier.
        """
        return CALL.id if self.call is None else self.call.id

    def describe(self) -> tuple[RingingCall, RunState | None] | None:
        """
        Write it down.
        """
        return None if self.call is None else (self.call, self.state)


class RingingRecordsTests(StoreCase):
    """
    When something is stored.
    """

    def setUp(self) -> None:
        super().setUp()
        secrets = Secrets(Path(self.mktemp()), self.reactor.seconds)
        secrets.load()
        self.snapshots = Snapshots(secrets)
        self.ringing = Ringing()
        self.records = self.server("one")

    def server(self, incarnation: str) -> RingingRecords:
        """
        Start a server.
        """
        records = RingingRecords(
            self.reactor,
            self.live,
            SERVER,
            incarnation,
            snapshots=self.snapshots,
            now=self.reactor.seconds,
        )
        self.addCleanup(records.stop)
        return records

    def record(self) -> Record | None:
        """
        Give the record of the call.
        """
        return self.wait(self.live.get(RINGING.name, CALL.id))

    def later(self, seconds: float = 0.1) -> None:
        """
        Let time pass.
        """
        self.reactor.advance(seconds)
        self.reactor.advance(0)

    def test_stored(self) -> None:
        """
        A call is stored at the second look, with its server and the time.
        """
        self.records.changed(self.ringing)
        self.later()
        self.assertIsNone(self.record())
        self.later()
        record = self.record()
        assert record is not None
        self.assertEqual((record.owner, record.expiry), ("joe", NOW + LIFETIME))
        call = RINGING.read(record)
        self.assertEqual((call.server, call.incarnation), (str(SERVER), "one"))
        state = self.snapshots.open(call)
        assert state is not None
        self.assertEqual(state.run, b"run")
        self.assertAlmostEqual(state.written, NOW + 0.2, places=3)

    def test_no_text(self) -> None:
        """
        A call with octets that are no text rings unrecorded, and keeps no other from
        being stored.
        """
        odd = Ringing(msgspec.structs.replace(CALL, id="odd", source="\udcff"), None)
        self.records.changed(odd)
        self.records.changed(self.ringing)
        self.later()
        self.later()
        self.assertIsNotNone(self.record())
        self.assertIsNone(self.wait(self.live.get(RINGING.name, "odd")))
        self.records.ended("odd")

    def test_rings(self) -> None:
        """
        When a phone rings it is stored at once; when another one does, there is nothing
        new to store.
        """
        self.records.changed(self.ringing)
        self.records.rings(CALL.id)
        self.assertIsNone(self.record())
        self.later(0)
        first = self.record()
        assert first is not None
        self.records.rings(CALL.id)
        self.later()
        self.later()
        second = self.record()
        assert second is not None
        self.assertEqual(second.version, first.version)

    def test_answered_at_once(self) -> None:
        """
        But not if the answer has come together with that.
        """
        self.records.changed(self.ringing)
        self.records.rings(CALL.id)
        self.records.ended(CALL.id)
        self.later(0)
        self.assertIsNone(self.record())

    def test_over(self) -> None:
        """
        What is over by then is never stored; what ends later is removed.
        """
        self.records.changed(self.ringing)
        self.records.ended(CALL.id)
        self.later(1)
        self.assertIsNone(self.record())
        self.records.changed(self.ringing)
        self.ringing.call = None
        self.later()
        self.later()
        self.assertIsNone(self.record())
        self.ringing.call = CALL
        self.put()
        self.assertIsNotNone(self.record())
        self.records.ended(CALL.id)
        self.later()
        self.assertIsNone(self.record())

    def put(self) -> None:
        """
        Have the call stored.
        """
        self.records.changed(self.ringing)
        self.later()
        self.later()

    def test_changes(self) -> None:
        """
        Each change is stored in place of the one before.
        """
        for version in range(1, 4):
            self.ringing.call = msgspec.structs.replace(CALL, version=version)
            self.put()
            record = self.record()
            assert record is not None
            self.assertEqual(RINGING.read(record).version, version)

    def test_over_while_stored(self) -> None:
        """
        A call that ends while the disk takes its time has no record in the end.
        """
        self.threads.waits = True
        self.put()
        self.records.ended(CALL.id)
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        self.later()
        self.assertIsNone(self.record())

    def test_disk_hangs(self) -> None:
        """
        After a disk that has hung the record follows the call again.
        """
        self.threads.waits = True
        self.put()
        self.later(3)  # nobody waits any longer
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        self.ringing.call = msgspec.structs.replace(CALL, version=2)
        self.put()
        self.later()
        self.later()
        record = self.record()
        assert record is not None
        self.assertEqual(RINGING.read(record).version, 2)

    def test_taken_by_another(self) -> None:
        """
        A record that another process has taken is left to that.
        """
        self.put()
        record = self.record()
        assert record is not None
        theirs = msgspec.structs.replace(RINGING.read(record), incarnation="two")
        self.wait(self.live.swap(record.replace(data=RINGING.write(theirs))))
        self.put()
        self.records.ended(CALL.id)
        self.later()
        record = self.record()
        assert record is not None
        self.assertEqual(RINGING.read(record).incarnation, "two")

    def test_goes_on(self) -> None:
        """
        The next process goes on with the record of the one before.
        """
        self.put()
        record = self.record()
        assert record is not None
        again = self.server("two")
        again.adopt(record)
        again.changed(self.ringing)
        self.later()
        self.later()
        record = self.record()
        assert record is not None
        self.assertEqual(RINGING.read(record).incarnation, "two")
        again.ended(CALL.id)
        self.later()
        self.assertIsNone(self.record())


class SnapshotsTests(SynchronousTestCase):
    """
    Sealed runs; what comes of forged ones stands in `test_restarting`.
    """

    def setUp(self) -> None:
        self.time = NOW
        self.secrets = Secrets(Path(self.mktemp()), lambda: self.time)
        self.secrets.load()
        self.snapshots = Snapshots(self.secrets)

    def sealed(self, state: RunState = STATE) -> RingingCall:
        """
        Give the call with a sealed run.
        """
        sealed = self.snapshots.seal(state, CALL)
        return msgspec.structs.replace(CALL, state=sealed)

    def test_round_trip(self) -> None:
        """
        What was sealed is opened, for that call; nothing is nothing.
        """
        self.assertEqual(self.snapshots.open(self.sealed()), STATE)
        self.assertEqual(self.snapshots.seal(None, CALL), b"")
        self.assertIsNone(self.snapshots.open(CALL))

    def test_what_may_change(self) -> None:
        """
        Whose server it is, and what rings, may change under it.
        """
        call = msgspec.structs.replace(self.sealed(), server="x", incarnation="y")
        self.assertEqual(self.snapshots.open(call), STATE)

    def test_size(self) -> None:
        """
        What is too large is not kept.
        """
        large = msgspec.structs.replace(STATE, run=bytes(MAX_SIZE))
        self.assertEqual(self.snapshots.seal(large, CALL), b"")
        large = msgspec.structs.replace(STATE, run=bytes(MAX_SIZE - 1000))
        self.assertEqual(self.snapshots.open(self.sealed(large)), large)

    def test_rotation(self) -> None:
        """
        The key before the present one still opens, and the one before that no more.
        """
        call = self.sealed()
        for opens in (True, False):
            self.secrets.rotate(Purpose.SNAPSHOT)
            self.time += 1000
            if opens:
                self.assertEqual(self.snapshots.open(call), STATE)
        with self.assertRaises(SnapshotError):
            self.snapshots.open(call)
