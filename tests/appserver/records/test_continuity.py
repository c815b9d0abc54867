"""
Tests for `sipsorcery.appserver.records.continuity`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail

from sipsorcery.appserver.calls.connection import Connection
from sipsorcery.appserver.records.claiming import Claims
from sipsorcery.appserver.records.continuity import Continuity
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import VIA
from sipsorcery.store.dialogues import DIALOGUES
from sipsorcery.store.errors import StoreUnavailable
from tests.appserver.established import NOW, SERVER, EstablishedCase, KeptCDRs
from tests.ua.cases import BOB, PEER

NOBODY = "192.0.2.250"


class AwayCDRs(KeptCDRs):
    """
    Call detail records in a directory that may be away.
    """

    is_away = False

    def close_open(self, server: str, reason: str, before: datetime) -> Deferred[int]:
        """
        Close what a server has left open, if the directory is there.
        """
        if self.is_away:
            return fail(StoreUnavailable("the directory is away"))
        return super().close_open(server, reason, before)


class ContinuityCase(EstablishedCase):
    """
    A server with all that lets calls outlive it.
    """

    def setUp(self) -> None:
        super().setUp()
        self.kept: AwayCDRs = AwayCDRs()
        self.agents.remove(self.server.agent)
        self.run_through(self.server.agent.stop())
        self.server.stop()
        self.server: Any = self.begin_server()

    def begin_server(
        self, *, cdr_days: float = 0, session_expires: int = 0
    ) -> Continuity:
        """
        Start a server.
        """
        agent = self.agent(BOB, session_expires=session_expires)
        made = Continuity(
            agent,
            self.live,
            self.kept,
            SERVER,
            f"started at {self.now()}",
            secrets=self.secrets,
            claims=self.claims(SERVER),
            cdr_days=cdr_days,
            now=self.now,
        )
        # What a test server has beside it.
        made.agent = agent  # type: ignore[attr-defined]
        made.names = made.takeover._names  # type: ignore[attr-defined]
        made.listens = SERVER  # type: ignore[attr-defined]
        made.start(lambda before, incoming, state: None)
        self.network.advance()
        return made

    def claims(self, server: Endpoint) -> Claims:
        """
        Give what claims calls for a server.
        """
        return Claims(self.machine, self.live, server, "incarnation", now=self.now)

    def end_server(self) -> None:
        """
        Stop it as an operator does.
        """
        self.run_through(self.server.stop())
        self.run_through(self.server.agent.stop())
        self.agents.remove(self.server.agent)

    def tearDown(self) -> None:
        self.end_server()

    def assert_quiet(self) -> None:
        """
        Check that the server has left no timer behind; the store has one of its own.
        """
        self.assertEqual(len(self.machine.getDelayedCalls()), 1)

    def only(self) -> Connection:
        """
        Give the one call that the server has.
        """
        (connection,) = self.server.connections
        assert isinstance(connection, Connection)
        return connection


class ContinuityTests(ContinuityCase):
    """
    A server that stops, or is killed, and is started again.
    """

    def test_stop(self) -> None:
        """
        A server that stops hangs nobody up, and goes on with its calls at its start.
        """
        connection, ours = self.connect()
        self.end_server()
        self.assertFalse(ours.is_over)
        self.assertEqual(self.phone.methods, [])
        self.assert_quiet()
        self.server = self.begin_server()
        self.assertEqual(self.only().id, connection.id)
        self.run_through(ours.bye())
        self.assertIn("BYE", self.phone.methods)

    def test_taken_for_dead(self) -> None:
        """
        A server whose call another has taken over, because it was slow for a moment,
        neither refreshes the session nor hangs up when that is due.
        """
        self.end_server()
        self.server = self.begin_server(session_expires=90)
        connection, ours = self.connect()
        record = self.record(connection.id)
        assert record is not None
        stored = self.stored(connection.id)
        taken = msgspec.structs.replace(stored, server="udp:192.0.2.77:5060")
        self.live.put(record.replace(data=DIALOGUES.write(taken), due=NOW + 900))
        before = len(self.phone.methods)
        self.network.advance(120)
        self.assertEqual(self.phone.methods[before:], [])
        self.assertFalse(ours.is_over)
        self.assertEqual(len(self.server.connections), 0)

    def test_last_change(self) -> None:
        """
        What has changed just before is stored at the stop.
        """
        connection, _ = self.connect()
        connection.limit = self.now() + 600
        connection.changed()
        self.end_server()
        self.assertEqual(self.stored(connection.id).limit, connection.limit)
        self.server = self.begin_server()

    def test_records(self) -> None:
        """
        Of the records that a server has left open, those of calls that go on stay so.
        """
        self.connect()
        self.network.advance(2)
        left = self.begin_cdr("attempt")
        self.network.advance(2)
        self.assertFalse(left.is_over)
        self.end_server()
        self.network.advance(1)
        self.server = self.begin_server()
        self.assertEqual(self.reasons(), {"attempt": "server ended"})

    def test_directory_is_away(self) -> None:
        """
        They are closed when the directory is back, and what has begun since is not.
        """
        left = self.begin_cdr("attempt")
        self.network.advance(2)
        self.end_server()
        self.kept.is_away = True
        self.network.advance(1)
        self.server = self.begin_server()
        since = self.begin_cdr("since")
        self.assertEqual(self.reasons(), {})
        self.kept.is_away = False
        self.network.advance(30)
        self.assertEqual(self.reasons(), {"attempt": "server ended"})
        self.assertNotEqual(left.id, since.id)

    def test_retention(self) -> None:
        """
        Records that are old enough go.
        """
        self.begin_cdr("old")
        self.network.advance(2)
        self.end_server()
        self.server = self.begin_server(cdr_days=1 / 24)
        self.network.advance(3 * 3600)
        self.assertEqual(self.kept.rows, {})

    def test_stop_at_once(self) -> None:
        """
        A server can stop while it still waits for the directory.
        """
        self.end_server()
        self.kept.is_away = True
        self.server = self.begin_server()
        self.end_server()
        self.assert_quiet()
        self.server = self.begin_server()


class StrayTests(ContinuityCase):
    """
    CANCELs and ACKs of calls that another server has: the peer stands for it.
    """

    def claim(self) -> None:
        """
        Let the other server claim the call that the peer sends messages of.
        """
        invite = self.phone.request("INVITE", host=NOBODY)
        other = self.claims(Endpoint.parse(f"udp:{PEER}:5060"))
        taken = other.take(invite, "0123456789abcdef", 60)
        self.assertIsNotNone(self.run_through(taken))

    def test_cancel(self) -> None:
        """
        A CANCEL goes on to the server that has its call, with the Via that it came
        with on top; whoever has sent it has a 481.
        """
        self.claim()
        sent = self.phone.request("CANCEL", host=BOB)
        self.network.advance()
        self.assertEqual(self.phone.statuses, [481])
        (passed,) = self.phone.requests
        self.assertEqual(passed.method, "CANCEL")
        self.assertEqual(passed[VIA].branch, sent[VIA].branch)
        self.assertEqual(len(passed.all(VIA)), 1)

    def test_ack(self) -> None:
        """
        So does an ACK that belongs to nothing here.
        """
        self.claim()
        self.phone.request("ACK", host=BOB, to_tag="theirs")
        self.network.advance()
        self.assertEqual(self.phone.methods, ["ACK"])

    def test_nobody(self) -> None:
        """
        What nobody has claimed goes nowhere.
        """
        self.phone.request("CANCEL", host=BOB)
        self.phone.request("ACK", host=BOB, to_tag="theirs")
        self.network.advance()
        self.assertEqual(self.phone.methods, [])

    def test_own(self) -> None:
        """
        What we have claimed ourselves does not go round in circles.
        """
        invite = self.phone.request("INVITE", host=NOBODY)
        self.run_through(self.claims(SERVER).take(invite, "0123456789abcdef", 60))
        self.phone.request("CANCEL", host=BOB)
        self.network.advance()
        self.assertEqual(self.phone.methods, [])
