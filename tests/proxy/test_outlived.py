"""
What becomes of requests whose relay was in a process that was killed.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip import Request, Response
from sipsorcery.sip.fields import VIA
from sipsorcery.transaction.derived import make_ack, make_cancel
from tests.proxy.world import PHONE_A, PHONE_B, SERVER, Peer, ProxyWorld

APPSERVER = Endpoint.parse(f"udp:{SERVER}:5065")
OTHER = Endpoint.parse(f"udp:{SERVER}:5066")
BOB = "sip:bob@example.com"


class OutlivedCase(ProxyWorld):
    """
    A proxy that is killed between an INVITE and its answer.
    """

    def restart(self) -> None:
        """
        Kill the proxy, and start it again.
        """
        transport = self.ways._transport
        self.successResultOf(Deferred.fromCoroutine(transport.stop()))
        self.start()

    def answer(self, invite: Request, status: int = 200) -> Response:
        """
        Answer it, with the Record-Route of a dialog.
        """
        routes = [("Record-Route", route) for route in invite.all("Record-Route")]
        return invite.respond(status, None, routes, to_tag="b")


class OutlivedTests(OutlivedCase):
    """
    A call from phone to phone.
    """

    def call(self) -> Request:
        """
        Let A call B; give what B gets.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.a.send(self.a.make("INVITE", BOB, f"Contact: <sip:a@{PHONE_A}:33000>"))
        return self.b.request()

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


class LegTests(OutlivedCase):
    """
    A leg of an application server, to somebody else's server.
    """

    def setUp(self) -> None:
        super().setUp()
        self.roles["appserver"] = APPSERVER
        self.trusted.add(APPSERVER)
        self.server = Peer(self, SERVER, 5065)
        self.sent = self.server.make(
            "INVITE", f"sip:bob@{PHONE_B}:5060", f"Contact: <sip:x@{SERVER}:5065>"
        )
        self.from_server(self.sent)
        self.got = self.b.request()
        self.restart()

    def from_server(self, request: Request) -> None:
        """
        Let the application server send a request.
        """
        self.server.send(request, to="10.0.0.1", port=5059)

    def test_cancel(self) -> None:
        """
        The server that goes on cancels it: the CANCEL has the branch of the INVITE, as
        its callee has to know it, and so has the ACK. What the callee says goes back,
        though it shows no way.
        """
        self.from_server(make_cancel(self.sent))
        cancel = self.b.request()
        branch = self.got.all("Via")[0].partition("branch=")[2].partition(";")[0]
        self.assertEqual(cancel.method, "CANCEL")
        self.assertIn(f"branch={branch}", cancel.all("Via")[0])
        self.b.send(cancel.respond(200, to_tag="b"))
        self.assertEqual(self.server.response().get("CSeq"), "1 CANCEL")
        self.b.send(self.got.respond(487, to_tag="b"))
        failed = self.server.response()
        self.assertEqual((failed.status, len(failed.all("Via"))), (487, 1))
        self.from_server(make_ack(self.sent, failed))
        self.assertIn(f"branch={branch}", self.b.request().all("Via")[0])

    def test_rings(self) -> None:
        """
        That it rings is no news to who goes on.
        """
        for status in (100, 180):
            self.b.send(self.got.respond(status, to_tag="b"))
        self.assertEqual(self.server.inbox, [])

    def test_of_nobody(self) -> None:
        """
        A failure for somebody who is no server of ours goes nowhere.
        """
        self.trusted.clear()
        self.b.send(self.got.respond(487, to_tag="b"))
        self.assertEqual(self.server.inbox, [])


class DispatchedTests(OutlivedCase):
    """
    A call that an application server has, and goes on with.
    """

    here = frozenset({"appserver"})

    def setUp(self) -> None:
        super().setUp()
        self.roles["appserver"] = APPSERVER
        self.trusted.add(APPSERVER)
        self.server = Peer(self, SERVER, 5065)
        self.invite = self.a.make("INVITE", BOB, f"Contact: <sip:a@{PHONE_A}:33000>")
        self.a.send(self.invite)
        self.got = next(one for one in self.server.inbox if isinstance(one, Request))
        self.server.inbox.clear()
        self.a.inbox.clear()
        self.restart()

    def from_server(self, message: Request | Response) -> None:
        """
        Let the application server send something.
        """
        self.server.send(message, to="10.0.0.1", port=5059)

    def test_progress(self) -> None:
        """
        The caller hears that it rings, but not that it is tried.
        """
        self.from_server(self.got.respond(100))
        self.from_server(self.answer(self.got, 180))
        self.assertEqual(self.a.statuses(), [180])

    def test_failure(self) -> None:
        """
        The caller hears of a failure, and his ACK ends it.
        """
        self.from_server(self.answer(self.got, 486))
        failed = self.a.response()
        self.assertEqual((failed.status, len(failed.all("Via"))), (486, 1))
        self.a.send(make_ack(self.invite, failed))
        ack = self.server.request()
        self.assertEqual(ack.method, "ACK")
        self.assertIn("tag=b", ack.get("To") or "")

    def test_cancel(self) -> None:
        """
        The caller's CANCEL goes to the server, and the answer comes back.
        """
        self.a.send(make_cancel(self.invite))
        cancel = self.server.request()
        self.assertEqual(cancel.method, "CANCEL")
        self.from_server(cancel.respond(200, to_tag="b"))
        self.assertEqual(self.a.statuses(), [200])

    def test_forged(self) -> None:
        """
        Nobody outside can tell the caller that his call has failed.
        """
        self.evil.send(self.answer(self.got, 486))
        self.assertEqual(self.a.inbox, [])

    def test_strangers(self) -> None:
        """
        A CANCEL of nothing, to nobody of ours, goes nowhere.
        """
        self.evil.send(self.evil.make("CANCEL", "sip:x@elsewhere.test"))
        self.assertEqual(self.server.inbox, [])


class ServerLostTests(ProxyWorld):
    """
    A phone that answers an application server which was killed meanwhile.
    """

    def setUp(self) -> None:
        super().setUp()
        self.first, self.second = (Peer(self, SERVER, port) for port in (5065, 5066))
        self.trusted.update((APPSERVER, OTHER))

    def answer(self) -> Response:
        """
        Let the first server ask the phone something, and be killed; give the answer.
        """
        asked = self.first.make("UPDATE", f"sip:b@{PHONE_B}", to_tag="b")
        self.first.send(asked, "10.0.0.1", 5059)
        answer = self.b.request().respond(200)
        self.ways.instead_of = lambda role, call_id: (
            OTHER if (role, call_id) == (APPSERVER, "call") else None
        )
        return answer

    def test_handed_over(self) -> None:
        """
        The answer comes to another server, as it is.
        """
        self.b.send(self.answer())
        self.assertEqual(self.first.inbox, [])
        answer = self.second.response()
        (via,) = answer.all(VIA)
        self.assertEqual((via.host, via.port), (APPSERVER.host, APPSERVER.port))

    def test_nobody(self) -> None:
        """
        Where nobody is trusted to have it, it goes where it belongs.
        """
        answer = self.answer()
        self.trusted.remove(OTHER)
        self.b.send(answer)
        self.assertEqual(self.first.statuses(), [200])
        self.assertEqual(self.second.inbox, [])
