"""
Tests for `sipsorcery.ua.resuming`.
"""

from __future__ import annotations

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.derived import make_ack, make_cancel
from sipsorcery.transport.errors import TransportError
from sipsorcery.ua import ServerCall
from sipsorcery.ua.resuming import essence, take_up, withdraw
from tests.ua.cases import ALICE, ALICE_URI, PEER, PEER_MEDIA, PEER_URI, AgentCase

SOURCE = Endpoint.parse(f"udp:{PEER}:5060")


class TakeUpTests(AgentCase):
    """
    A call that the peer has made to an agent before this one.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.agent()
        self.phone = self.peer()
        self.invite = Request(
            "INVITE",
            ALICE_URI,
            [
                ("Via", f"SIP/2.0/UDP {PEER};branch=z9hG4bKbefore"),
                ("Record-Route", f"<sip:{PEER};lr>"),
                ("From", f"<{PEER_URI}>;tag=p"),
                ("To", f"<{ALICE_URI}>"),
                ("Call-ID", "before"),
                ("CSeq", "1 INVITE"),
                ("Max-Forwards", "70"),
                ("Contact", f"<{PEER_URI}>"),
                ("Content-Type", "application/sdp"),
            ],
            bytes(PEER_MEDIA),
        )

    def take_up(self, tag: str | None = "ours") -> ServerCall:
        """
        Go on with the call.
        """
        call = take_up(self.alice.core, self.invite, SOURCE, tag)
        assert call is not None
        call.answered().addErrback(lambda failure: None)
        return call

    def test_answer(self) -> None:
        """
        It can be answered as any other call.
        """
        call = self.take_up()
        call.ring(180)
        answered = call.answer(PEER_MEDIA)
        self.network.advance()
        self.assertEqual(self.phone.statuses, [180, 200])
        ok = self.phone.responses[-1]
        self.assertEqual(ok[TO].tag, "ours")
        self.phone.send(self.ack(ok))
        self.assertEqual(self.given(answered), call.session)

    def ack(self, ok: Response) -> Request:
        """
        Make the ACK to a 2xx.
        """
        ack = make_ack(self.invite, ok)
        ack.set("Via", f"SIP/2.0/UDP {PEER};branch=z9hG4bKack")
        return ack

    def test_new_tag(self) -> None:
        """
        Without its tag it is another early dialog.
        """
        call = self.take_up(None)
        call.ring(180)
        self.network.advance()
        tag = self.phone.responses[-1][TO].tag
        self.assertEqual(tag, call.tag)
        self.assertNotIn(tag, (None, "ours"))

    def test_refuse(self) -> None:
        """
        A failure shows the way that the INVITE has come.
        """
        self.take_up().reject(486)
        self.network.advance()
        failed = self.phone.responses[-1]
        self.assertEqual(failed.all("Record-Route"), (f"<sip:{PEER};lr>",))
        self.phone.send(make_ack(self.invite, failed))
        self.network.advance(33)
        self.assertEqual(len(self.phone.responses), 1)

    def test_cancel(self) -> None:
        """
        So does the one that ends it when its caller gives up.
        """
        self.take_up()
        self.phone.send(make_cancel(self.invite))
        self.network.advance()
        self.assertEqual(self.phone.statuses, [200, 487])
        self.assertIn("Record-Route", self.phone.responses[-1])

    def test_committed(self) -> None:
        """
        Another process cannot go on with an early dialog in which something was said
        that has to be kept.
        """
        call = self.take_up()
        self.assertFalse(call.is_committed)
        call.ring(180)
        self.assertFalse(call.is_committed)
        call.ring(183, PEER_MEDIA)
        self.assertTrue(call.is_committed)

    def test_here_already(self) -> None:
        """
        An INVITE that has come again is not taken up.
        """
        calls = self.answering(self.alice)
        self.phone.send(self.invite)
        self.network.advance()
        self.assertEqual(len(calls), 1)
        self.assertIsNone(take_up(self.alice.core, self.invite, SOURCE))

    def test_connection(self) -> None:
        """
        Who has called over a connection is not there any more.
        """
        for transport in ("tcp", "tls", "ws"):
            gone = Endpoint.parse(f"{transport}:{PEER}:5060")
            with self.assertRaises(TransportError):
                take_up(self.alice.core, self.invite, gone)


class WithdrawTests(AgentCase):
    """
    A call that an agent before this one has made to the peer.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.agent()
        self.phone = self.peer()
        self.answers: list[Response] = []
        sent = Request(
            "INVITE",
            PEER_URI,
            [
                ("Via", f"SIP/2.0/UDP {ALICE};branch=z9hG4bKbefore;rport"),
                ("Route", f"<sip:{PEER};lr>"),
                ("From", f"<{ALICE_URI}>;tag=a"),
                ("To", f"<{PEER_URI}>"),
                ("Call-ID", "before"),
                ("CSeq", "7 INVITE"),
                ("Contact", f"<{ALICE_URI}>"),
                ("Content-Type", "application/sdp"),
            ],
            bytes(PEER_MEDIA),
        )
        self.invite = essence(sent)
        withdraw(self.alice.core, self.invite, SOURCE, self.answers.append)
        self.network.advance()

    def test_essence(self) -> None:
        """
        What is kept is little, and the CANCEL is made of it.
        """
        names = [name for name, _ in self.invite.items()]
        wanted = ["Via", "Route", "From", "To", "Call-ID", "CSeq", "Content-Length"]
        self.assertEqual(names, wanted[: len(names)])
        self.assertEqual(self.invite.body, b"")
        (cancel,) = self.phone.requests
        for name in ("Via", "Route", "From", "To", "Call-ID"):
            self.assertEqual(cancel.all(name), self.invite.all(name))
        self.assertEqual(cancel.get("CSeq"), "7 CANCEL")

    def test_cancelled(self) -> None:
        """
        The 487 is acknowledged, and nobody hears of it.
        """
        (cancel,) = self.phone.requests
        self.phone.respond(cancel, 200, tag=None)
        self.phone.send(self.invite.respond(487, to_tag="p"))
        self.network.advance()
        self.assertEqual(self.phone.methods, ["CANCEL", "ACK"])
        self.assertEqual(self.answers, [])

    def test_answered(self) -> None:
        """
        A 2xx is told, for somebody has to hang up.
        """
        self.phone.send(self.invite.respond(200, to_tag="p"))
        self.network.advance()
        self.assertEqual([each.status for each in self.answers], [200])

    def test_nobody(self) -> None:
        """
        Nothing is left if nobody answers.
        """
        self.network.advance(40)
        self.assertEqual(self.alice.transactions.size, (0, 0))
