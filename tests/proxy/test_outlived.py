"""
What becomes of a 2xx whose relay was in a process that was killed.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip import Request, Response
from tests.proxy.world import PHONE_A, PHONE_B, SERVER, Peer, ProxyWorld

APPSERVER = Endpoint.parse(f"udp:{SERVER}:5065")
BOB = "sip:bob@example.com"


class OutlivedTests(ProxyWorld):
    """
    A proxy that is killed between an INVITE and its 2xx.
    """

    def restart(self) -> None:
        """
        Kill the proxy, and start it again.
        """
        transport = self.ways._transport
        self.successResultOf(Deferred.fromCoroutine(transport.stop()))
        self.start()

    def call(self) -> Request:
        """
        Let A call B; give what B gets.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.a.send(self.a.make("INVITE", BOB, f"Contact: <sip:a@{PHONE_A}:33000>"))
        return self.b.request()

    def answer(self, invite: Request, status: int = 200) -> Response:
        """
        Answer it, with the Record-Route of a dialog.
        """
        routes = [("Record-Route", route) for route in invite.all("Record-Route")]
        return invite.respond(status, None, routes, to_tag="b")

    def test_success(self) -> None:
        """
        A 2xx that comes after a restart goes back to the caller.
        """
        invite = self.call()
        self.restart()
        self.b.send(self.answer(invite))
        self.assertEqual(self.a.statuses(), [200])
        self.b.send(self.answer(invite))
        self.assertEqual(self.a.statuses(), [200])

    def test_failure(self) -> None:
        """
        Nothing else does: the caller repeats his INVITE, or has given up.
        """
        invite = self.call()
        self.restart()
        for status in (180, 486):
            self.b.send(self.answer(invite, status))
        self.assertEqual(self.a.inbox, [])

    def test_forged(self) -> None:
        """
        Nor does a 2xx to something that we have not sent.
        """
        invite = self.call()
        self.restart()
        answer = self.answer(invite)
        top, below = answer.all("Via")
        answer.set_all("Via", [top.replace("z9hG4bK", "z9hG4bKx"), below])
        self.b.send(answer)
        other = self.answer(invite)
        other.set_all("Via", [top, below.replace("z9hG4bK", "z9hG4bKx")])
        self.b.send(other)
        self.assertEqual(self.a.inbox, [])

    def test_without_record_route(self) -> None:
        """
        Without a Record-Route of ours nothing says where it goes.
        """
        invite = self.call()
        self.restart()
        self.b.send(invite.respond(200, to_tag="b"))
        self.assertEqual(self.a.inbox, [])

    def test_to_a_server(self) -> None:
        """
        That of a leg goes back to the application server that has called, and to no
        other place inside.
        """
        self.roles["appserver"] = APPSERVER
        self.trusted.add(APPSERVER)
        server = Peer(self, SERVER, 5065)
        invite = server.make(
            "INVITE", f"sip:bob@{PHONE_B}:5060", f"Contact: <sip:x@{SERVER}:5065>"
        )
        server.send(invite, to="10.0.0.1", port=5059)
        got = self.b.request()
        self.restart()
        self.b.send(self.answer(got))
        self.assertEqual(server.statuses(), [200])
        self.roles.pop("appserver")
        self.restart()
        self.b.send(self.answer(got))
        self.assertEqual(server.inbox, [])
