"""
Tests for `sipsorcery.appserver.records.records`.
"""

from __future__ import annotations

import msgspec

from sipsorcery.appserver.calls.connection import Side
from sipsorcery.appserver.records.records import GRACE, PATIENCE
from sipsorcery.sip.parser import parse
from sipsorcery.store.dialogues import ALIASES, DIALOGUES, LIFETIME
from sipsorcery.ua import Account
from tests.appserver.established import NOW, EstablishedCase
from tests.ua.cases import BOB_MEDIA, PEER_MEDIA, PEER_URI


class RecordsTests(EstablishedCase):
    """
    What is stored of a call.
    """

    def test_whole_call(self) -> None:
        """
        Both legs are stored, with their dialogs, descriptions and detail records.
        """
        connection, _ = self.connect(transfer="n", run="run 1")
        stored = self.stored(connection.id)
        self.assertEqual((stored.owner, stored.account), ("joe", connection.account))
        self.assertEqual((stored.transfer, stored.run), ("n", "run 1"))
        self.assertEqual((stored.started, stored.answered), (NOW - 5, NOW))
        for leg, side in zip(stored.legs, connection.sides, strict=True):
            self.assertEqual(leg.dialog.dialog().id, side.session.dialog.id)
            self.assertEqual(leg.dialog.state, "Confirmed")
            self.assertEqual(leg.name, connection.id)
            assert side.cdr is not None
            self.assertEqual(leg.cdr, side.cdr.now)
        description = stored.legs[1].dialog.remote_description
        self.assertEqual(description, bytes(PEER_MEDIA))
        self.assertIsNone(stored.legs[0].dialog.unacknowledged)

    def test_before_the_answer_leaves(self) -> None:
        """
        What is stored before the 2xx leaves has that 2xx in it.
        """
        connection, _ = self.connect()
        answer = parse(
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
            b"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 1\r\n"
            b"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        )
        self.run_through(self.server.records.store(connection, answer))  # type: ignore[arg-type]  # it is a response
        caller, callee = self.stored(connection.id).legs
        self.assertEqual(caller.dialog.unacknowledged, answer.to_bytes())
        self.assertIsNone(callee.dialog.unacknowledged)

    def test_changes(self) -> None:
        """
        What changes is stored within a second, all of it at once.
        """
        connection, ours = self.connect()
        before = self.record(connection.id)
        self.run_through(ours.hold())
        connection.changed()
        connection.changed()
        self.network.advance(1)
        after = self.record(connection.id)
        assert before is not None
        assert after is not None
        self.assertEqual(after.version, before.version + 1)
        held = self.stored(connection.id).legs[0].dialog.remote_description
        self.assertIn(b"sendonly", held or b"")

    def test_end(self) -> None:
        """
        The record goes with the call, and a change that waits does not bring it back.
        """
        connection, ours = self.connect()
        connection.changed()
        self.run_through(ours.bye())
        self.assertIsNone(self.record(connection.id))
        self.network.advance(5)
        self.assertIsNone(self.record(connection.id))

    def test_end_while_stored(self) -> None:
        """
        A call that ends while it is being stored leaves nothing behind.
        """
        connection, ours = self.connect()
        self.threads.waits = True
        storing = self.begin(self.server.records.store(connection))
        self.begin(ours.bye())
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        self.given(storing)
        self.assertIsNone(self.record(connection.id))

    def test_away(self) -> None:
        """
        A store that is away lets a call go on after two seconds, and the owner hears.
        """
        connection, _ = self.connect()
        self.threads.waits = True
        storing = self.begin(self.server.records.store(connection))
        self.network.advance(PATIENCE - 0.1)
        self.assertNoResult(storing)
        self.network.advance(0.1)
        self.successResultOf(storing)
        self.assertEqual(len(self.server.away), 1)
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        # It is back, and the next change is stored again.
        connection.limit = NOW + 99
        connection.changed()
        self.network.advance(1)
        self.assertEqual(self.stored(connection.id).limit, NOW + 99)

    def test_due(self) -> None:
        """
        A record is due a moment after the limit, or the next refresh if that is first.
        """
        connection, _ = self.connect(limit=NOW + 3000)
        record = self.record(connection.id)
        assert record is not None
        self.assertEqual(record.due, NOW + 3000 + GRACE)
        self.assertEqual(record.expiry, self.now() + LIFETIME)

    def test_due_for_refresh(self) -> None:
        """
        With session timers it is due when the session is to be refreshed.
        """
        self.restart(session_expires=1800)
        connection, _ = self.connect(limit=NOW + 3000)
        record = self.record(connection.id)
        assert record is not None
        timer = connection.callee.timer
        assert timer is not None
        self.assertEqual(record.due, NOW + (timer.next_timer() or 0) + GRACE)
        self.assertLess(record.due or 0, NOW + 3000)
        self.assertEqual(self.stored(connection.id).legs[1].refreshed, NOW)

    def test_credentials(self) -> None:
        """
        Credentials lie there sealed, and come out again.
        """
        account = Account("sip:joe@provider.example", "zanzibar", username="j")
        connection, _ = self.connect(account=account)
        record = self.record(connection.id)
        assert record is not None
        self.assertNotIn(b"zanzibar", record.data)
        _, leg = self.stored(connection.id).legs
        opened = self.server.vault.open(leg.credentials)
        assert opened is not None
        self.assertEqual(opened.secret, account.secret)
        self.assertEqual(opened.realms, account.realms)
        self.assertIsNone(self.server.vault.open(leg.credentials[:-1]))

    def test_alias(self) -> None:
        """
        A leg of another call is found by the name that its Contact still has.
        """
        connection, ours = self.connect()
        other = "fedcba9876543210"
        leg = self.server.agent.invite(PEER_URI, BOB_MEDIA)
        self.network.advance()
        self.phone.respond(
            self.phone.last("INVITE"), 200, tag="new", body=bytes(PEER_MEDIA)
        )
        side = Side(session=self.given(leg.answered()), name=other)
        old = connection.replace(connection.callee, side, "Attended transfer")
        self.begin(old.bye())
        self.network.advance(1)
        alias = self.given(self.live.get(ALIASES.name, other))
        assert alias is not None
        self.assertEqual(ALIASES.read(alias).dialogue, connection.id)
        self.run_through(ours.bye())
        self.assertIsNone(self.given(self.live.get(ALIASES.name, other)))

    def test_taken_by_another(self) -> None:
        """
        A server whose call was taken over drops it without a word.
        """
        connection, ours = self.connect()
        record = self.record(connection.id)
        assert record is not None
        theirs = msgspec.structs.replace(
            self.stored(connection.id), server="udp:192.0.2.9:5060"
        )
        stolen = record.replace(data=DIALOGUES.write(theirs))
        self.given(self.live.swap(stolen))
        connection.changed()
        self.network.advance(1)
        self.assertTrue(connection.is_over)
        self.assertFalse(ours.is_over)
        self.assertEqual(self.phone.methods, [])
        self.assertIsNotNone(self.record(connection.id))

    def test_stop(self) -> None:
        """
        A server that stops leaves no timer of its own behind.
        """
        connection, _ = self.connect()
        connection.changed()
        before = len(self.machine.getDelayedCalls())
        self.server.records.stop()
        self.assertEqual(len(self.machine.getDelayedCalls()), before - 1)
