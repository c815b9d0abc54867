"""
Tests for `sipsorcery.appserver.records.takeover` and its `deadlines`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.connection import LIMIT_REACHED, Connection
from sipsorcery.appserver.records.deadlines import Deadlines
from sipsorcery.appserver.records.records import GRACE
from sipsorcery.appserver.records.strangers import hang_up_stranger
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import CALL_ID, CSEQ
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.dialogues import ALIASES, DIALOGUES, Alias
from sipsorcery.store.live import LocalStore, Record
from sipsorcery.store.ringing import RINGING
from sipsorcery.ua import Account
from tests.appserver.established import NOW, SERVER, EstablishedCase, Server
from tests.ua.cases import ALICE, BOB, BOB_MEDIA, PEER_MEDIA, PEER_URI

#: A server that has been killed.
GONE = Endpoint.parse("udp:192.0.2.9:5060")


class Raced:
    """
    Live state in which a record changes shortly before it is taken, twice.

    :ivar changes: how often it has.
    """

    def __init__(self, live: LocalStore, key: str) -> None:
        self.changes = 0
        self._live: Any = live
        self._key = key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._live, name)

    def swap(self, record: Record) -> Any:
        """
        Let the other one be faster.
        """
        if record.key == self._key and self.changes < 2:
            self.changes += 1
            self._live.get(DIALOGUES.name, self._key).addCallback(self._live.put)
        return self._live.swap(record)


class TakeoverCase(EstablishedCase):
    """
    A server that is killed in the midst of a call.
    """

    def take_own(self) -> int:
        """
        Let the server take up what it had when it was killed.
        """
        return self.run_through(self.server.takeover.take_own())

    def only(self) -> Connection:
        """
        Give the one call that the server has.
        """
        (connection,) = self.server.connections
        return connection


class OwnCallsTests(TakeoverCase):
    """
    What a server does at its start.
    """

    def test_take_own(self) -> None:
        """
        A server goes on with all that is known of its calls.
        """
        before, ours = self.connect(limit=NOW + 600, transfer="p", run="run 1")
        self.restart()
        self.assertEqual(self.take_own(), 1)
        after = self.only()
        for name in (
            *("id", "owner", "account", "direction", "started", "answered"),
            *("limit", "transfer", "run", "bridge_id"),
        ):
            self.assertEqual(getattr(after, name), getattr(before, name), name)
        self.assertEqual(after.caller.dialog.id, before.caller.dialog.id)
        self.assertEqual(after.callee.dialog.id, before.callee.dialog.id)
        self.assertIsInstance(after.bridge, Bridge)
        self.assertFalse(ours.is_over)

    def test_many(self) -> None:
        """
        All calls are taken up, and others get their turn meanwhile.
        """
        calls = []
        for _ in range(25):
            connection, _ = self.connect()
            calls.append(connection.id)
        self.restart()
        taking = self.begin(self.server.takeover.take_own())
        self.network.advance(1)
        self.assertEqual(self.successResultOf(taking), 25)
        self.assertEqual({one.id for one in self.server.connections}, set(calls))

    def test_disk_hangs(self) -> None:
        """
        A disk that hangs keeps no call from going on.
        """
        self.connect()
        self.restart()
        self.threads.waits = True
        taking = self.begin(self.server.takeover.take_own())
        self.network.advance(3)
        self.assertEqual(self.successResultOf(taking), 1)
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        connection = self.only()
        connection.changed()
        self.network.advance(2)
        self.assertEqual(
            self.stored(connection.id).incarnation, self.server.incarnation
        )

    def test_of_others(self) -> None:
        """
        The calls of other servers are left alone.
        """
        connection, _ = self.connect()
        self.give_to_another(connection)
        self.restart()
        self.assertEqual(self.take_own(), 0)

    def give_to_another(
        self,
        connection: Connection,
        unacknowledged: bytes | None = None,
        age: float = 0.0,
    ) -> None:
        """
        Let another server have a call.

        :param unacknowledged: its 2xx to the caller.
        :param age: for how long it is answered already.
        """
        record = self.record(connection.id)
        assert record is not None
        stored = self.stored(connection.id)
        caller, callee = stored.legs
        dialog = replace(caller.dialog, unacknowledged=unacknowledged)
        theirs = msgspec.structs.replace(
            stored,
            server="udp:192.0.2.9:5060",
            answered=self.now() - age,
            legs=(msgspec.structs.replace(caller, dialog=dialog), callee),
        )
        self.given(self.live.swap(record.replace(data=DIALOGUES.write(theirs))))

    def test_not_acknowledged(self) -> None:
        """
        Of another server that is gone, those are taken up whose 2xx may have been lost,
        as long as it has to be repeated.
        """
        gone = "udp:192.0.2.9:5060"
        for is_acknowledged, age in ((False, 0), (True, 0), (False, 61)):
            connection, _ = self.connect()
            answer = connection.caller.dialog.request("INVITE").respond(200)
            answer.prepend("Via", f"SIP/2.0/UDP {ALICE};branch=z9hG4bKgone")
            waiting = None if is_acknowledged else answer.to_bytes()
            self.give_to_another(connection, waiting, age)
        self.restart()
        taking = self.server.takeover.take_waiting
        self.assertEqual(self.run_through(taking("udp:192.0.2.8:5060")), 0)
        self.assertEqual(self.run_through(taking(gone)), 1)

    def test_twice(self) -> None:
        """
        A call that was taken up is not taken up again.
        """
        self.connect()
        self.restart()
        self.assertEqual((self.take_own(), self.take_own()), (1, 0))

    def test_records_go_on(self) -> None:
        """
        The records of its legs are open again, and closed when it ends.
        """
        _, ours = self.connect()
        self.network.advance(2)
        self.restart()
        self.run_through(self.server.cdrs.close_open())
        self.assertEqual(
            self.reasons(), {"caller": "server ended", "callee": "server ended"}
        )
        self.take_own()
        self.assertEqual(self.reasons(), {})
        self.run_through(ours.bye())
        self.assertEqual(self.reasons()["callee"], "remote end hungup")

    def test_damaged(self) -> None:
        """
        A call that cannot be read back is given up: who can be reached is hung up.
        """
        connection, ours = self.connect()
        record = self.record(connection.id)
        assert record is not None
        stored = self.stored(connection.id)
        caller, callee = stored.legs
        dialog = replace(callee.dialog, remote_target="::")
        damaged = msgspec.structs.replace(
            stored, legs=(caller, msgspec.structs.replace(callee, dialog=dialog))
        )
        self.given(self.live.swap(record.replace(data=DIALOGUES.write(damaged))))
        self.restart()
        self.assertEqual(self.take_own(), 0)
        self.network.advance(1)
        self.assertIsNone(self.record(connection.id))
        self.assertTrue(ours.is_over)

    def test_unreadable(self) -> None:
        """
        A record of a newer version is left to that.
        """
        connection, _ = self.connect()
        record = self.record(connection.id)
        assert record is not None
        self.given(self.live.swap(record.replace(data=b"\xff")))
        self.restart()
        self.assertEqual(self.take_own(), 0)
        self.assertIsNotNone(self.record(connection.id))


class RequestTests(TakeoverCase):
    """
    Requests that come before their call is taken up.
    """

    def setUp(self) -> None:
        super().setUp()
        self.before, self.ours = self.connect()
        self.restart()

    def ask(
        self, method: str, number: int = 2, *, name: str = "", body: bytes = b""
    ) -> int:
        """
        Let the callee ask something within the call; give the status of the answer.
        """
        dialog = self.before.callee.dialog
        contact = dialog.contact
        assert contact is not None
        uri = contact.uri
        assert isinstance(uri, SIPURI)
        request = self.phone.request(
            method,
            (CALL_ID, dialog.call_id),
            number=number,
            to_tag=dialog.local_tag,
            body=body,
            host="192.0.2.250",  # nobody: it is sent again, to the Contact
        )
        user = self.server.names.write(self.server.listens, name) if name else uri.user
        request.uri = uri._replace(user=user)
        self.phone.responses.clear()
        self.phone.send(request, BOB)
        self.network.advance()
        return self.phone.statuses[-1]

    def test_hang_up(self) -> None:
        """
        A BYE is answered, and passed on to the other end.
        """
        self.assertEqual(self.ask("BYE"), 200)
        self.assertTrue(self.ours.is_over)
        self.assertIsNone(self.record(self.before.id))

    def test_rang(self) -> None:
        """
        What was written down of the call as it rang goes with it: the server that had
        it, which is started again later, refuses nobody for it.
        """
        record = Record(RINGING.name, self.before.id, b"", self.now() + 600)
        self.given(self.live.put(record))
        self.assertEqual(self.ask("INFO"), 200)
        self.assertIsNotNone(self.given(self.live.get(RINGING.name, self.before.id)))
        self.assertEqual(self.ask("BYE", 3), 200)
        self.assertIsNone(self.given(self.live.get(RINGING.name, self.before.id)))

    def test_other_request(self) -> None:
        """
        Any other request finds the call as well, which then stays.
        """
        self.assertEqual(self.ask("INFO"), 200)
        self.assertEqual(self.only().id, self.before.id)
        self.assertEqual(self.ask("INFO", 3), 200)

    def test_caller_re_invites(self) -> None:
        """
        The caller, who follows the Contact, can hold the call: the callee is asked, by
        a request that comes after all it has had, and his answer goes back.
        """
        holding = self.begin(self.ours.hold())
        self.assertEqual(self.only().id, self.before.id)
        invite = self.phone.last("INVITE")
        self.assertIn(b"a=sendonly", invite.body)
        self.assertGreater(invite[CSEQ].number, 1000)
        answer = bytes(PEER_MEDIA) + b"a=recvonly\r\n"
        self.phone.respond(invite, 200, tag=None, body=answer)
        self.given(holding)
        assert self.ours.remote is not None
        self.assertIn(b"a=recvonly", bytes(self.ours.remote))
        self.network.advance(1)
        held = self.stored(self.before.id).legs[1].dialog
        self.assertIn(b"a=recvonly", held.remote_description or b"")

    def test_callee_re_invites(self) -> None:
        """
        So can the callee.
        """
        self.assertIsNotNone(self.run_through(self.take_up()))
        offer = bytes(PEER_MEDIA) + b"a=sendonly\r\n"
        self.assertEqual(self.ask("INVITE", 7, body=offer), 200)
        assert self.ours.remote is not None
        self.assertIn(b"a=sendonly", bytes(self.ours.remote))

    async def take_up(self) -> Connection | None:
        """
        Take the call up before anybody asks.
        """
        record = await self.live.get(DIALOGUES.name, self.before.id)
        assert record is not None
        return await self.server.takeover.take(record)

    def test_alias(self) -> None:
        """
        A leg that has come from another call is found by the name of that.
        """
        other = "fedcba9876543210"
        alias = ALIASES.record(other, Alias(self.before.id), expiry=NOW + 600)
        self.given(self.live.put(alias))
        self.assertEqual(self.ask("BYE", name=other), 200)

    def test_unknown(self) -> None:
        """
        What names no call that there is gets a 481.
        """
        self.assertEqual(self.ask("BYE", name="fedcba9876543210"), 481)
        self.assertEqual(list(self.server.connections), [])

    def test_store_is_away(self) -> None:
        """
        Likewise if nobody can look it up; the server goes on.
        """
        self.run_through(self.live.stop())
        self.assertEqual(self.ask("BYE"), 481)
        self.live.start()
        self.assertEqual(self.ask("BYE", 3), 200)

    def test_changed_meanwhile(self) -> None:
        """
        A call that another server, which is not dead after all, writes down in the
        moment in which it is taken is taken all the same.
        """
        store: Any = Raced(self.live, self.before.id)
        self.live = store
        self.restart()
        self.assertEqual(self.ask("INFO"), 200)
        self.assertEqual(store.changes, 2)
        self.assertEqual(self.only().id, self.before.id)

    def test_two_at_once(self) -> None:
        """
        Two requests that come while a call is taken up find the same one.
        """
        takeover = self.server.takeover
        record = self.record(self.before.id)
        assert record is not None
        self.threads.waits = True
        first = self.begin(takeover.take(record))
        second = self.begin(takeover.take(record))
        self.threads.waits = False
        self.threads.step(len(self.threads.calls))
        self.network.advance()
        connection = self.successResultOf(first)
        self.assertIs(connection, self.only())
        self.assertIs(connection, self.successResultOf(second))
        self.assertEqual(takeover.count, 1)

    def test_another_server(self) -> None:
        """
        A server that takes the call of another over names itself in the Contact.
        """
        other = Endpoint.parse(f"udp:{BOB}:5070")
        server = Server(
            self.server.agent, self.live, self.secrets, self.kept, self.now, other
        )
        self.addCleanup(server.stop)
        record = self.record(self.before.id)
        assert record is not None
        connection = self.run_through(server.takeover.take(record))
        assert connection is not None
        contact = connection.callee.dialog.contact
        assert contact is not None
        assert isinstance(contact.uri, SIPURI)
        named = server.names.read(contact.uri.user)
        assert named is not None
        self.assertEqual((named.server, named.dialogue), (other, self.before.id))
        self.assertEqual(self.stored(self.before.id).server, str(other))


class StrayTests(TakeoverCase):
    """
    Callees that repeat their 2xx because the server was killed before its ACK.
    """

    def answer(self) -> Any:
        """
        Call the peer, let it answer, and kill the server at once.
        """
        self.server.agent.invite(PEER_URI, BOB_MEDIA)
        self.network.advance()
        answer = self.phone.respond(
            self.phone.last("INVITE"), 200, body=bytes(PEER_MEDIA)
        )
        self.restart()
        return answer

    def test_unknown(self) -> None:
        """
        A callee whose call nobody has is acknowledged and hung up.
        """
        answer = self.answer()
        self.phone.send(answer, BOB)
        self.network.advance()
        self.assertEqual(self.phone.methods, [])  # it may be a call of ours
        self.take_own()
        self.network.advance(1)  # a look a second
        self.phone.send(answer, BOB)
        self.network.advance()
        self.assertEqual(self.phone.methods, ["ACK", "BYE"])
        ack, bye = self.phone.requests
        number = answer[CSEQ].number
        self.assertEqual((ack[CSEQ].number, bye[CSEQ].number), (number, number + 1))
        self.phone.respond(bye, 200, tag=None)
        self.network.advance()
        self.assertEqual(self.server.agent.core.dialogs, {})

    def test_leads_elsewhere(self) -> None:
        """
        Whatever it says about the way, what it hears goes by our proxy.
        """
        answer = self.answer()
        answer.set("Contact", "<sip:x@127.0.0.1:5001>")
        answer.add("Record-Route", "<sip:127.0.0.1:5001;lr>")
        proxy = SIPURI.parse(f"{PEER_URI};lr")
        ending = hang_up_stranger(self.server.agent.core, answer, proxy)
        hung_up = self.begin(ending)
        self.network.advance()
        self.assertEqual(self.phone.methods, ["ACK", "BYE"])
        for request in self.phone.requests:
            self.assertEqual(request.get("Route"), f"<{proxy}>")
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.given(hung_up)

    def test_known(self) -> None:
        """
        One whose call was taken up is acknowledged.
        """
        connection, _ = self.connect()
        dialog = connection.callee.dialog
        options = dialog.request("INVITE")
        self.restart()
        self.take_own()
        answer = options.respond(200)
        answer.prepend("Via", f"SIP/2.0/UDP {BOB};branch=z9hG4bKgone")
        self.phone.send(answer, BOB)
        self.network.advance()
        self.assertEqual(self.phone.methods, ["ACK"])

    def reinvited(self, server: Endpoint) -> Any:
        """
        Let a server ask the callee something, and be killed; give the answer.

        :param server: who has the call when the answer comes.
        """
        connection, _ = self.connect()
        invite = connection.callee.dialog.request("INVITE")
        record = self.record(connection.id)
        assert record is not None
        theirs = msgspec.structs.replace(
            self.stored(connection.id), server=str(server), incarnation="theirs"
        )
        self.given(self.live.swap(record.replace(data=DIALOGUES.write(theirs))))
        self.restart()
        self.server.agent.transactions.stands_in = True
        self.take_own()
        answer = invite.respond(200)
        gone = f"SIP/2.0/UDP {GONE.host}:{GONE.port};branch=z9hG4bKgone"
        answer.prepend("Via", gone)
        return answer

    def test_of_a_server_that_is_gone(self) -> None:
        """
        One that another server has asked is acknowledged, and its call taken over.
        """
        self.phone.send(self.reinvited(GONE), BOB)
        self.network.advance()
        self.assertEqual(self.phone.methods, ["ACK"])
        self.assertEqual(self.stored(self.only().id).server, str(SERVER))

    def test_taken_over(self) -> None:
        """
        If a third server has the call meanwhile, that hears it as it is.
        """
        uri = SIPURI.parse(PEER_URI)
        third = Endpoint(Transport.UDP, uri.host, uri.port or 5060)
        answer = self.reinvited(third)
        self.phone.send(answer, BOB)
        self.network.advance()
        self.assertEqual(self.phone.methods, [])
        self.assertEqual(self.phone.responses[-1].to_bytes(), answer.to_bytes())
        self.assertEqual(list(self.server.connections), [])

    def test_store_is_gone(self) -> None:
        """
        Nobody is hung up as long as nobody knows whether his call is stored.
        """
        answer = self.reinvited(GONE)
        self.run_through(self.live.stop())
        self.phone.send(answer, BOB)
        self.network.advance(1)
        self.assertEqual(self.phone.methods, [])
        self.live.start()
        self.phone.send(answer, BOB)
        self.network.advance(1)
        self.assertEqual(self.phone.methods, ["ACK"])

    def test_others(self) -> None:
        """
        No other response means anything.
        """
        self.server.agent.invite(PEER_URI, BOB_MEDIA)
        self.network.advance()
        invite = self.phone.last("INVITE")
        options = invite.copy()
        options.set(CSEQ, CSeq(1, "OPTIONS"))
        self.restart()
        self.take_own()
        self.phone.respond(invite, 180)
        self.phone.respond(invite, 486)
        self.phone.respond(invite, 200, tag=None)
        self.phone.respond(options, 200)
        self.network.advance()
        self.assertEqual(self.phone.methods, [])

    def test_broken(self) -> None:
        """
        One without a Contact, or with half a To, is left to itself, and no fault of
        ours.
        """
        answer = self.answer()
        self.take_own()
        broken = answer.copy()
        broken.set("To", "<sip:")
        answer.remove("Contact")
        for each in (answer, broken):
            self.phone.send(each, BOB)
            self.network.advance()
        self.assertEqual(self.phone.methods, [])
        self.assertEqual(self.flushLoggedErrors(), [])


class DeadlinesTests(TakeoverCase):
    """
    What is due about calls, whoever has had them.
    """

    def begin_to_look(self) -> Deadlines:
        """
        Let the server look for what is due.
        """
        deadlines = self.server.deadlines
        deadlines.start()
        return deadlines

    def test_limit_after_restart(self) -> None:
        """
        A limit is kept on time by the process that comes after.
        """
        _, ours = self.connect(limit=NOW + 60)
        self.restart()
        self.take_own()
        self.network.advance(58)
        self.assertFalse(ours.is_over)
        self.network.advance(2)
        self.assertTrue(ours.is_over)
        self.assertEqual(self.reasons()["caller"], LIMIT_REACHED)

    def test_limit_while_dead(self) -> None:
        """
        One that was reached while no process ran ends the call at once.
        """
        _, ours = self.connect(limit=NOW + 60)
        self.kill()
        self.network.advance(100)
        self.server = self.start()
        self.take_own()
        self.network.advance(1)
        self.assertTrue(ours.is_over)

    def test_limit_of_dead_server(self) -> None:
        """
        A server that is never started again has its calls ended by another one, a
        moment later.
        """
        _, ours = self.connect(limit=NOW + 60)
        self.restart()
        self.begin_to_look()
        self.network.advance(60 + GRACE - 2)
        self.assertFalse(ours.is_over)
        self.network.advance(4)
        self.assertTrue(ours.is_over)

    def test_refresh_of_dead_server(self) -> None:
        """
        Likewise with the refresh of a session: the call goes on.
        """
        self.restart(session_expires=1800)
        self.connect()
        self.kill()
        self.server = self.start(session_expires=1800)
        self.phone.requests.clear()
        self.begin_to_look()
        self.network.advance(900 + GRACE + 3)
        self.assertIn("INVITE", self.phone.methods)

    def test_living_server(self) -> None:
        """
        A server that has a call keeps it, and says for how long.
        """
        connection, ours = self.connect(limit=NOW + 60)
        self.begin_to_look()
        self.network.advance(50)
        self.assertIs(self.only(), connection)
        self.assertEqual(self.server.takeover.count, 0)
        self.run_through(ours.bye())
        self.network.advance(100)
        self.assertEqual(self.server.takeover.count, 0)

    def test_half_life(self) -> None:
        """
        A call without any times is said to go on when half of its life is over.
        """
        connection, _ = self.connect()
        self.begin_to_look()
        first = self.record(connection.id)
        assert first is not None
        self.machine.advance((first.due or 0) - self.now() - 4)
        self.network.advance(4)
        later = self.record(connection.id)
        assert later is not None
        self.assertGreater(later.expiry, first.expiry + 3600)
        self.assertEqual(self.server.takeover.count, 0)

    def test_store_is_away(self) -> None:
        """
        A store that is away is asked again a second later.
        """
        _, ours = self.connect(limit=NOW + 10)
        self.restart()
        self.begin_to_look()
        self.run_through(self.live.stop())
        self.network.advance(30)
        self.live.start()
        self.network.advance(3)
        self.assertTrue(ours.is_over)

    def test_credentials(self) -> None:
        """
        Challenges in a call that was taken over are answered.
        """
        account = Account("sip:joe@provider.example", "zanzibar")
        self.connect(account=account)
        self.restart()
        self.take_own()
        taken = self.only().callee.shared.account
        assert taken is not None
        self.assertEqual(taken.secret, account.secret)
