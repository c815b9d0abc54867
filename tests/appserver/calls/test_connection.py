"""
Tests for `sipsorcery.appserver.calls.connection`.
"""

from __future__ import annotations

from sipsorcery.appserver.calls.connection import LIMIT_REACHED, Connection, Side
from sipsorcery.sip.fields import REASON
from sipsorcery.sip.parameterised import Reason
from tests.appserver.established import EstablishedCase
from tests.ua.cases import BOB_MEDIA, PEER_MEDIA, PEER_URI


class ConnectionTests(EstablishedCase):
    """
    An established call.
    """

    def bye(self, *fields: object) -> None:
        """
        Let the peer, who was called, hang up.
        """
        invite = self.invite
        self.phone.request(
            "BYE",
            *fields,  # type: ignore[arg-type]  # pairs of field and value
            call_id=invite.get("Call-ID") or "",
            to_tag=self.connection.callee.dialog.local_tag,
            host="192.0.2.2",
        )
        self.network.advance()

    def setUp(self) -> None:
        super().setUp()
        self.connection, self.ours = self.connect(limit=self.now() + 60)
        dialog = self.connection.callee.dialog
        self.invite = dialog.request("OPTIONS")

    def test_caller_hangs_up(self) -> None:
        """
        When the caller hangs up the callee is hung up, and the records are closed.
        """
        self.run_through(self.ours.bye())
        self.assertTrue(self.connection.is_over)
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.assertEqual(
            self.reasons(),
            {"caller": "hung up by the peer", "callee": "remote end hungup"},
        )
        self.assertEqual(len(self.server.connections), 0)

    def test_why(self) -> None:
        """
        The other one learns why, as far as that passes.
        """
        reason = Reason.parse('Q.850;cause=31;text="Normal"')
        self.begin(self.ours.bye([(REASON, reason), ("X-Else", "1")]))
        bye = self.phone.last("BYE")
        self.assertEqual(bye.all(REASON), (reason,))
        self.assertNotIn("X-Else", bye)
        self.phone.respond(bye, 200, tag=None)
        self.network.advance()

    def test_callee_hangs_up(self) -> None:
        """
        When the callee hangs up the caller is.
        """
        self.bye()
        self.assertTrue(self.ours.is_over)
        self.assertEqual(
            self.reasons(),
            {"caller": "remote end hungup", "callee": "hung up by the peer"},
        )

    def test_reason_of_peer(self) -> None:
        """
        What the peer gives as its reason stands in the record of its leg.
        """
        self.bye((REASON, Reason.parse('Q.850;cause=16;text="Normal call clearing"')))
        self.assertEqual(self.reasons()["callee"], "Normal call clearing")

    def test_broken_reason(self) -> None:
        """
        One that breaks the grammar is as if it were not there; Asterisk has its own.
        """
        self.bye(("Reason", "!"), ("X-Asterisk-HangupCause", "Normal Clearing"))
        self.assertEqual(self.reasons()["callee"], "Normal Clearing")

    def test_limit(self) -> None:
        """
        A call that has reached its limit ends on both sides.
        """
        self.network.advance(58)
        self.assertFalse(self.connection.is_over)
        self.network.advance(2)
        self.assertTrue(self.ours.is_over)
        self.assertIn("BYE", self.phone.methods)
        self.assertEqual(
            self.reasons(), {"caller": LIMIT_REACHED, "callee": LIMIT_REACHED}
        )

    def test_hang_up(self) -> None:
        """
        Others may end it, for a reason that stands in both records.
        """
        ended = self.connection.ended()
        self.connection.hang_up("Blind transfer")
        self.network.advance()
        self.assertFalse(self.given(ended).by_peer)
        self.assertEqual(
            self.reasons(), {"caller": "Blind transfer", "callee": "Blind transfer"}
        )

    def test_registry(self) -> None:
        """
        A call is found by its identifier, its owner and its sessions until it ends.
        """
        calls, connection = self.server.connections, self.connection
        self.assertIs(calls.find(connection.id), connection)
        self.assertEqual(list(calls.of("joe")), [connection])
        self.assertEqual(list(calls.of("eve")), [])
        self.assertIs(calls.of_session(connection.callee), connection)
        self.assertIs(connection.opposite(connection.callee), connection.caller)
        self.run_through(self.ours.bye())
        self.assertIsNone(calls.find(connection.id))
        self.assertIsNone(calls.of_session(connection.callee))

    def test_over_before(self) -> None:
        """
        A call that has ended before anybody keeps it is not kept, nor is its limit.
        """
        self.bye()
        again = Connection(
            id="again",
            owner="joe",
            sides=self.connection.sides,
            started=self.now(),
            answered=self.now(),
            limit=self.now() + 60,
        )
        self.assertTrue(again.is_over)
        self.server.connections.add(again)
        self.assertEqual(len(self.server.connections), 0)
        self.assertIsNone(again.slot)

    def test_replace(self) -> None:
        """
        A leg that has come in the place of another belongs to the call, and the other
        one no more.
        """
        old = self.connection.callee
        leg = self.server.agent.invite(PEER_URI, BOB_MEDIA)
        self.network.advance()
        self.phone.respond(
            self.phone.last("INVITE"), 200, tag="new", body=bytes(PEER_MEDIA)
        )
        new = self.given(leg.answered())
        side = Side(session=new, name=self.connection.id, cdr=self.begin_cdr("new"))
        self.assertIs(self.connection.replace(old, side, "Blind transfer"), old)
        self.assertIs(self.server.connections.of_session(new), self.connection)
        self.assertIsNone(self.server.connections.of_session(old))
        self.begin(old.bye())
        self.assertFalse(self.connection.is_over)
        self.assertFalse(self.ours.is_over)
        self.begin(new.bye())
        self.assertTrue(self.ours.is_over)
        self.assertEqual(
            self.reasons(),
            {
                "caller": "remote end hungup",
                "callee": "Blind transfer",
                "new": "hung up",
            },
        )

    def test_surrender(self) -> None:
        """
        A call whose leg goes to another one is over, and the leg is not hung up.
        """
        side = self.connection.surrender(self.connection.callee, "Attended transfer")
        self.assertIs(side.session, self.connection.callee)
        self.assertTrue(self.connection.is_over)
        self.network.advance()
        self.assertEqual(self.phone.methods, [])
        self.assertEqual(self.reasons(), {"caller": "Attended transfer"})
        self.assertIsNone(self.record(self.connection.id))

    def test_release(self) -> None:
        """
        Who is to be replaced may hang up; if nobody comes, somebody has to end it.
        """
        self.connection.release(self.connection.caller)
        self.assertTrue(self.connection.retain())
        self.connection.release(self.connection.caller)
        self.run_through(self.ours.bye())
        self.assertFalse(self.connection.is_over)
        self.assertNotIn("BYE", self.phone.methods)
        self.assertFalse(self.connection.retain())
        self.connection.hang_up("nobody has come")
        self.network.advance()
        self.phone.respond(self.phone.last("BYE"), 200, tag=None)
        self.assertTrue(self.connection.is_over)
        self.assertEqual(self.reasons()["callee"], "nobody has come")

    def test_release_one(self) -> None:
        """
        When the other side hangs up the call is over all the same.
        """
        self.connection.release(self.connection.caller)
        self.bye()
        self.assertTrue(self.connection.is_over)
        self.assertTrue(self.ours.is_over)
