"""
Tests for `sipsorcery.appserver.records.cdr_writer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.records.cdr_writer import CDRWriter, LegCDR
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import parse_uri
from sipsorcery.store.directory.cdrs import CDR, Direction
from sipsorcery.store.errors import StoreUnavailable

NOW = 1_700_000_000.0
START = datetime.fromtimestamp(NOW, UTC)
SERVER = Endpoint.parse("udp:127.0.0.1:5065")


class RecordingCDRs:
    """
    Keeps what is written, unless it is away.
    """

    def __init__(self) -> None:
        self.rows: dict[str, CDR] = {}
        self.batches: list[int] = []
        self.closed: list[tuple[str, str, datetime]] = []
        self.is_away = False
        self.hangs: Deferred[None] | None = None

    def write_all(self, cdrs: Sequence[CDR]) -> Deferred[None]:
        """
        Keep records.
        """
        if self.is_away:
            return fail(StoreUnavailable("the directory is away"))
        self.batches.append(len(cdrs))
        self.rows.update({cdr.id: cdr for cdr in cdrs})
        return self.hangs or succeed(None)

    def close_open(self, server: str, reason: str, before: datetime) -> Deferred[int]:
        """
        Note what is asked.
        """
        self.closed.append((server, reason, before))
        return succeed(2)

    def remove_before(self, time: datetime) -> Deferred[int]:
        """
        Do nothing: nobody asks here.
        """
        return succeed(0)


class CDRWriterTests(SynchronousTestCase):
    """
    One writer, a second of whose clock writes what has changed.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.cdrs = RecordingCDRs()
        self.writer = CDRWriter(self.clock, self.cdrs, SERVER, now=self.clock.seconds)

    def begin(self) -> LegCDR:
        """
        Begin the record of a leg.
        """
        return self.writer.begin(
            owner="joe",
            direction=Direction.OUT,
            call_id="a84b4c76e66710",
            destination=parse_uri("sip:+3531@provider.example:5070"),
            caller=Address.parse('"Joe B." <sip:joe@example.com>;tag=1'),
            account="sip:joe@example.com",
            account_code="4711",
            dialplan="default",
            dialplan_version=3,
            run="run 1",
            local=SERVER,
            remote=Endpoint.parse("udp:192.0.2.1:5060"),
        )

    def written(self, leg: LegCDR) -> CDR:
        """
        Give the record of a leg as it is stored a second later.
        """
        self.clock.advance(1)
        return self.cdrs.rows[leg.id]

    def test_begin(self) -> None:
        """
        A leg that has begun has all that is known of it, and nothing of its future.
        """
        leg = self.begin()
        self.assertEqual(
            self.written(leg),
            CDR(
                id=leg.id,
                owner="joe",
                server="udp:127.0.0.1:5065",
                direction=Direction.OUT,
                account="sip:joe@example.com",
                account_code="4711",
                dialplan="default",
                dialplan_version=3,
                run="run 1",
                call_id="a84b4c76e66710",
                destination_user="+3531",
                destination_host="provider.example",
                destination_uri="sip:+3531@provider.example:5070",
                from_user="joe",
                from_name="Joe B.",
                from_header='"Joe B." <sip:joe@example.com>;tag=1',
                local_socket="udp:127.0.0.1:5065",
                remote_socket="udp:192.0.2.1:5060",
                created=START,
            ),
        )

    def test_life(self) -> None:
        """
        Each change is written with its time: first progress, answer, bridge and end.
        """
        leg = self.begin()
        self.clock.advance(1)
        leg.progress(100)
        leg.progress(180, "Ringing")
        self.clock.advance(2)
        leg.progress(183, "Session Progress")
        leg.answered()
        leg.bridged("bridge 1")
        cdr = self.written(leg)
        self.assertEqual(cdr.progress_at, START + timedelta(seconds=1))
        self.assertEqual((cdr.progress_status, cdr.progress_reason), (180, "Ringing"))
        self.assertEqual(cdr.answered_at, START + timedelta(seconds=3))
        self.assertEqual((cdr.answered_status, cdr.answered_reason), (200, "OK"))
        self.assertEqual((cdr.bridge, cdr.ended_at), ("bridge 1", None))
        leg.ended("remote end hungup")
        leg.ended("Client cancelled", 487)
        cdr = self.written(leg)
        self.assertEqual(cdr.ended_at, START + timedelta(seconds=4))
        self.assertEqual(cdr.ended_reason, "remote end hungup")
        self.assertIsNone(cdr.ended_status)
        self.assertEqual((cdr.ring_duration, cdr.duration), (2, 1))

    def test_failure(self) -> None:
        """
        A leg that was refused has the status and no answer.
        """
        leg = self.begin()
        leg.ended("Busy Here", 486)
        cdr = self.written(leg)
        self.assertEqual((cdr.ended_status, cdr.ended_reason), (486, "Busy Here"))
        self.assertIsNone(cdr.answered_at)

    def test_short_call(self) -> None:
        """
        Whatever happens within a second is written once, and all legs together.
        """
        for _ in range(3):
            leg = self.begin()
            leg.answered()
            leg.ended("remote end hungup")
        self.clock.advance(1)
        self.assertEqual(self.cdrs.batches, [3])
        self.clock.advance(60)
        self.assertEqual(self.cdrs.batches, [3])

    def test_end_of_call(self) -> None:
        """
        The end of an established call does not wait for others that have only begun.
        """
        leg = self.begin()
        leg.answered()
        self.clock.advance(1)
        begun = self.begin()
        leg.ended("remote end hungup")
        self.clock.advance(0.1)
        self.assertEqual(self.cdrs.rows[leg.id].ended_reason, "remote end hungup")
        self.assertNotIn(begun.id, self.cdrs.rows)
        self.clock.advance(1)
        self.assertIn(begun.id, self.cdrs.rows)

    def test_changes_while_writing(self) -> None:
        """
        One batch is written at a time; what changes meanwhile goes with the next.
        """
        self.cdrs.hangs = Deferred()
        leg = self.begin()
        self.clock.advance(1)
        leg.ended("Busy Here", 486)
        self.clock.advance(10)
        self.assertEqual(self.cdrs.batches, [1])
        hangs, self.cdrs.hangs = self.cdrs.hangs, None
        hangs.callback(None)
        self.assertEqual(self.written(leg).ended_status, 486)

    def test_away(self) -> None:
        """
        What a directory that is away does not take is written when it is back, with
        what has changed since.
        """
        self.cdrs.is_away = True
        first, second = self.begin(), self.begin()
        self.clock.advance(1)
        first.ended("Busy Here", 486)
        self.clock.advance(5)
        self.assertEqual(self.cdrs.rows, {})
        self.cdrs.is_away = False
        self.clock.advance(5)
        self.assertEqual(self.cdrs.rows[first.id].ended_status, 486)
        self.assertIn(second.id, self.cdrs.rows)

    def test_stop(self) -> None:
        """
        A server that stops writes what waits, and leaves no timer behind.
        """
        leg = self.begin()
        self.successResultOf(Deferred.fromCoroutine(self.writer.stop()))
        self.assertIn(leg.id, self.cdrs.rows)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_while_away(self) -> None:
        """
        A directory that is away does not keep a server from its end.
        """
        self.cdrs.is_away = True
        self.begin()
        self.successResultOf(Deferred.fromCoroutine(self.writer.stop()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_open(self) -> None:
        """
        At the start, what the server has left open before is closed.
        """
        closing = Deferred.fromCoroutine(self.writer.close_open())
        self.assertEqual(self.successResultOf(closing), 2)
        self.assertEqual(
            self.cdrs.closed, [("udp:127.0.0.1:5065", "server ended", START)]
        )

    def test_resume(self) -> None:
        """
        The record of a call that was taken over goes on, and is open again.
        """
        leg = self.begin()
        leg.answered()
        other = Endpoint.parse("udp:127.0.0.1:5066")
        writer = CDRWriter(self.clock, self.cdrs, other, now=self.clock.seconds)
        again = writer.resume(leg.now)
        self.assertTrue(again.is_answered)
        cdr = self.written(again)
        self.assertEqual((cdr.id, cdr.server), (leg.id, "udp:127.0.0.1:5066"))
        again.ended("remote end hungup")
        self.assertTrue(again.is_over)
        self.assertEqual(self.written(again).ended_reason, "remote end hungup")
