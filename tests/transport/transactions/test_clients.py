"""
Tests for `sipsorcery.transport.transactions.clients`, by way of the layer.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError

from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.sip.fields import CSEQ, EXPIRES, FROM, TO, VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.via import Via
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transaction.state import State
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import ClientTransaction
from sipsorcery.transport.transactions.drive import TransactionLimits
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.wheel import SLOT
from tests.transaction.messages import make_request
from tests.transport.cases import CLIENT, SERVER
from tests.transport.transactions.cases import Caller, TransactionCase, target

UDP, TCP = f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060"


def own_request(method: str = "OPTIONS") -> Request:
    """
    Make a request that has no Via yet.
    """
    request = make_request(method)
    request.remove(VIA)
    return request


class ClientCase(TransactionCase):
    """
    A transaction layer on the client; on the server only a transport.
    """

    listeners: tuple[str, ...] = (f"udp:{CLIENT}:5060",)
    limits = TransactionLimits()

    def setUp(self) -> None:
        super().setUp()
        self.peer, self.received = self.layer(self.server, UDP, TCP)
        self.layer_, self.user = self.transactions(
            self.client, *self.listeners, limits=self.limits
        )
        self.caller = Caller()

    def begin(self, method: str = "OPTIONS", over: str = UDP) -> ClientTransaction:
        """
        Send a request, and let it arrive.
        """
        transaction = self.layer_.request(
            own_request(method), target(over), self.caller
        )
        self.network.advance()
        return transaction

    def answer(self, *statuses: int, to_tag: str = "b") -> None:
        """
        Answer the last request, or cancelled one, and let that arrive.
        """
        request, flow = self.received.requests[-1]
        for status in statuses:
            response = request.respond(status, to_tag=to_tag)
            self.peer.send_response(response, flow)
        self.network.advance()

    def answer_always(self, *statuses: int) -> None:
        """
        Answer every request so, but no ACK.
        """

        def on_request(request: Request, flow: Flow) -> None:
            for status in statuses if request.method != "ACK" else ():
                self.peer.send_response(request.respond(status, to_tag="b"), flow)

        self.received.on_request = on_request

    def later(self, seconds: float) -> list[str]:
        """
        Wait, and give the methods of what the server received meanwhile.
        """
        before = len(self.received.requests)
        self.network.advance(seconds)
        return [request.method for request, _ in self.received.requests[before:]]

    def last_request(self) -> Request:
        """
        Give what the server has received last.
        """
        request, _ = self.received.requests[-1]
        return request

    def failure(self, kind: type[Exception]) -> str:
        """
        Give the sentence of the failure that was reported, which has this class.
        """
        (error,) = self.caller.failures
        self.assertIsInstance(error, kind)
        return str(error)


class RequestTests(ClientCase):
    """
    Requests other than INVITE.
    """

    def test_via(self) -> None:
        """
        The request gets a Via of ours with a branch of its own, asking for the port;
        the user's own copy stays as it was.
        """
        mine = own_request()
        transactions = [self.layer_.request(mine, target(UDP)) for _ in range(2)]
        self.network.advance()
        self.assertNotIn(VIA, mine)
        (first, _), (second, _) = self.received.requests
        self.assertEqual(first[VIA].sent_by, f"{CLIENT}:5060")
        self.assertTrue(first[VIA].is_rfc3261)
        self.assertEqual(first[VIA].rport, 5060)
        self.assertNotEqual(first[VIA].branch, second[VIA].branch)
        self.assertEqual(transactions[0].request[VIA].branch, first[VIA].branch)
        self.assertEqual(str(transactions[0].peer), UDP)

    def test_answer(self) -> None:
        """
        Provisional and final response go to the user; then Timer K, and it is over.
        """
        transaction = self.begin()
        self.answer(100, 404)
        self.assertEqual(self.caller.statuses, [100, 404])
        self.assertEqual(transaction.state, State.Completed)
        self.answer(404)
        self.assertEqual(self.caller.statuses, [100, 404])
        self.assertEqual(self.later(5 + SLOT), [])
        self.assert_idle(self.layer_)

    def test_lost_request(self) -> None:
        """
        The request is repeated until it is answered.
        """
        self.begin()
        self.assertEqual(self.later(3.6), ["OPTIONS"] * 3)
        self.answer(200)
        self.assertEqual(self.later(10), [])
        self.assert_idle(self.layer_)

    def test_no_answer(self) -> None:
        """
        If there is none in time the user hears that.
        """
        self.begin()
        self.later(32 + SLOT)
        self.assertEqual(self.failure(TransactionTimeout), f"{UDP} has not answered")
        self.assertEqual(self.layer_.counters.timeouts, 1)
        self.assert_idle(self.layer_)

    def test_no_user(self) -> None:
        """
        It may be that nobody wants to know.
        """
        self.layer_.request(own_request(), target(UDP))
        self.network.advance()
        self.answer(100, 200)
        self.layer_.request(own_request(), target(UDP))
        self.later(40)
        self.assert_idle(self.layer_)

    def test_branch(self) -> None:
        """
        The user may choose the branch, but none that is in use.
        """
        way = target(UDP)
        self.layer_.request(own_request(), way, branch="z9hG4bKmine")
        self.assertRaises(
            LocalProtocolError,
            self.layer_.request,
            own_request(),
            way,
            branch="z9hG4bKmine",
        )
        self.network.advance()
        self.assertEqual(self.last_request()[VIA].branch, "z9hG4bKmine")
        self.assertEqual(self.layer_.size, (0, 1))

    def test_several_vias(self) -> None:
        """
        Our Via goes on top of those of a request that is forwarded. A response that has
        one more or less than the request is dropped (RFC 3261, 8.1.3.3).
        """
        via = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKfirst"
        request = make_request(via=via)
        self.layer_.request(request, target(UDP), self.caller)
        self.network.advance()
        vias = self.last_request().all(VIA)
        self.assertEqual([each.address for each in vias], [CLIENT, "192.0.2.9"])
        sent, flow = self.received.requests[-1]
        for change in (vias[:1], (*vias, vias[1]), vias):
            response = sent.respond(200)
            response.set_all(VIA, change)
            self.assertEqual(self.caller.responses, [])
            self.peer.send_response(response, flow)
            self.network.advance()
        self.assertEqual(self.caller.statuses, [200])
        self.assertEqual(self.layer_.counters.foreign, 2)

    def test_known_flow(self) -> None:
        """
        A request can go back the way that something came.
        """
        self.layer_.request(own_request(), target(UDP))
        self.network.advance()
        _, flow = self.received.requests[-1]
        peer = make_request("MESSAGE", via=f"SIP/2.0/UDP {SERVER};branch=z9hG4bKm")
        self.user.on_request = lambda transaction: transaction.respond(200)
        self.peer.send_request(peer, Target(flow.remote))
        self.network.advance()
        (transaction,) = self.user.transactions
        mine = self.layer_.request(own_request(), transaction.flow, self.caller)
        self.network.advance()
        self.assertEqual(str(mine.peer), UDP)
        self.answer(200)
        self.assertEqual(self.caller.statuses, [200])

    def test_failing_user(self) -> None:
        """
        If the user fails that is logged, and the transaction ends all the same.
        """
        self.begin()
        self.caller.responses = None  # type: ignore[assignment]  # to make it fail
        self.answer(200)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assertEqual(self.layer_.counters.user_failures, 1)
        self.later(6)
        self.assert_idle(self.layer_)

    def test_field_that_the_user_reads(self) -> None:
        """
        If it finds a field that breaks the grammar, that is no failure of ours.
        """

        class Reader(Caller):
            def response_received(
                self, transaction: ClientTransaction, response: object
            ) -> None:
                broken = own_request()
                broken.set("Expires", "never")
                broken.get(EXPIRES)

        self.layer_.request(own_request(), target(UDP), Reader())
        self.network.advance()
        self.answer(200)
        self.assertEqual(self.layer_.counters.user_failures, 1)
        self.later(6)
        self.assert_idle(self.layer_)

    def test_ack(self) -> None:
        """
        An ACK is no request of its own.
        """
        ack = own_request("ACK")
        self.assertRaises(LocalProtocolError, self.layer_.request, ack, target(UDP))


class ResponseTests(ClientCase):
    """
    Responses that do not fit.
    """

    def respond(self, change: Callable[[Request], object]) -> None:
        """
        Answer the last request 200 after changing it.
        """
        request, flow = self.received.requests[-1]
        change(request)
        self.peer.send_response(request.respond(200, to_tag="b"), flow)
        self.network.advance()

    def test_late(self) -> None:
        """
        A response that nobody waits for any more goes to the user of the layer.
        """
        self.begin()
        self.answer(200)
        self.later(6)
        self.answer(200)
        (stray,) = self.user.stray
        self.assertEqual(stray.status, 200)
        self.assertEqual(self.layer_.counters.stray, 1)

    def test_other_branch(self) -> None:
        """
        One with a branch that we have not made is stray.
        """
        self.begin()
        via = Via.parse(f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKother")
        self.respond(lambda request: request.set(VIA, via))
        self.assertEqual((self.caller.statuses, len(self.user.stray)), ([], 1))

    def test_other_method(self) -> None:
        """
        So is one to a request that had another method.
        """
        self.begin()
        cseq = CSEQ.parse("7 INFO")
        self.respond(lambda request: request.set(CSEQ, cseq))
        self.assertEqual((self.caller.statuses, len(self.user.stray)), ([], 1))

    def test_foreign(self) -> None:
        """
        One whose top Via is not ours is dropped (RFC 3261, 18.1.2).
        """
        self.begin()
        text = (
            f"SIP/2.0/UDP 192.0.2.99;received={CLIENT};branch=z9hG4bKother;rport=5060"
        )
        via = Via.parse(text)
        self.respond(lambda request: request.set(VIA, via))
        self.assertEqual((self.caller.statuses, self.user.stray), ([], []))
        self.assertEqual(self.layer_.counters.foreign, 1)

    def test_broken(self) -> None:
        """
        One that cannot be read is counted, and the next one is taken.
        """
        self.begin()
        request, flow = self.received.requests[-1]
        for field in (CSEQ, FROM, TO):
            response = request.respond(200)
            response.remove(field)
            self.peer.send_response(response, flow)
        self.network.advance()
        self.assertEqual(self.caller.statuses, [])
        self.assertEqual(len(self.user.errors), 3)
        self.answer(200)
        self.assertEqual(self.caller.statuses, [200])


class InviteTests(ClientCase):
    """
    Calls.
    """

    def test_failure(self) -> None:
        """
        A failure is acknowledged, each time it comes; the user hears it once.
        """
        transaction = self.begin("INVITE")
        self.answer(180, 486)
        self.assertEqual(self.caller.statuses, [180, 486])
        ack = self.last_request()
        self.assertEqual(ack.method, "ACK")
        self.assertEqual(ack[TO].tag, "b")
        branch = transaction.request[VIA].branch
        self.assertEqual([via.branch for via in ack.all(VIA)], [branch])
        self.received.requests.pop()
        self.answer(486)
        self.assertEqual(self.last_request().method, "ACK")
        self.assertEqual(self.caller.statuses, [180, 486])
        self.later(32)
        self.assert_idle(self.layer_)

    def test_success(self) -> None:
        """
        Every 2xx goes to the user, repeated or of another fork. Its ACK, with a branch
        of its own, is the same each time.
        """
        transaction = self.begin("INVITE")
        self.answer(200)
        self.answer(200)
        self.answer(200, to_tag="fork")
        self.assertEqual(self.caller.statuses, [200] * 3)
        self.assertEqual(transaction.state, State.Accepted)
        assert transaction.flow is not None
        ack = self.layer_.with_via(own_request("ACK"), transaction.flow)
        for _ in range(2):
            self.fired(self.layer_.send_ack(ack, transaction.flow))
        first, second = (request for request, _ in self.received.requests[-2:])
        self.assertEqual(first, second)
        self.assertEqual(first.method, "ACK")
        self.assertNotEqual(first[VIA].branch, transaction.request[VIA].branch)
        self.later(32)
        self.assert_idle(self.layer_)

    def test_ringing(self) -> None:
        """
        It rings as long as the user lets it.
        """
        self.begin("INVITE")
        self.answer(180)
        self.assertEqual(self.later(300), [])
        self.answer(200)
        self.assertEqual(self.caller.statuses, [180, 200])

    def test_no_answer(self) -> None:
        """
        Without any response the user hears that after 64*T1.
        """
        self.begin("INVITE")
        self.assertEqual(self.later(33), ["INVITE"] * 6)
        self.failure(TransactionTimeout)
        self.assert_idle(self.layer_)

    def test_ack_cannot_be_sent(self) -> None:
        """
        If the ACK to a failure cannot leave, the user hears the failure, and only that.
        """
        self.begin("INVITE")
        request, flow = self.received.requests[-1]
        response = request.respond(486, to_tag="b")
        self.client.udp_ports[(CLIENT, 5060)].stopListening()
        self.layer_.response_received(response, flow)
        self.assertEqual(self.caller.statuses, [486])
        self.assertEqual(self.caller.failures, [])
        self.assertEqual(self.layer_.counters.transport_failures, 1)
        self.assert_idle(self.layer_)


class CancelTests(ClientCase):
    """
    The user changes its mind (RFC 3261, 9.1).
    """

    def test_ringing(self) -> None:
        """
        The CANCEL goes to where the INVITE went, with its branch; the user hears the
        487 and nothing of the 200 to the CANCEL.
        """
        transaction = self.begin("INVITE")
        invite, flow = self.received.requests[-1]
        self.answer(180)
        transaction.cancel()
        self.network.advance()
        cancel = self.last_request()
        self.assertEqual(cancel.method, "CANCEL")
        self.assertEqual(cancel[VIA].branch, invite[VIA].branch)
        self.answer(200)
        self.peer.send_response(invite.respond(487, to_tag="b"), flow)
        self.network.advance()
        self.assertEqual(self.caller.statuses, [180, 487])
        self.assertEqual(self.last_request().method, "ACK")
        self.later(33)
        self.assert_idle(self.layer_)

    def test_too_early(self) -> None:
        """
        It waits for the first provisional response.
        """
        transaction = self.begin("INVITE")
        transaction.cancel()
        self.assertEqual(self.later(0.6), ["INVITE"])
        self.answer(100)
        self.assertEqual(self.last_request().method, "CANCEL")

    def test_lost_cancel(self) -> None:
        """
        The CANCEL is repeated like any request.
        """
        transaction = self.begin("INVITE")
        self.answer(180)
        transaction.cancel()
        self.assertEqual(self.later(1.6), ["CANCEL"] * 3)

    def test_too_late(self) -> None:
        """
        After a final response it does nothing.
        """
        for status in (200, 486):
            transaction = self.begin("INVITE")
            self.answer(status)
            transaction.cancel()
            self.assertEqual(self.later(1), [])

    def test_crossing(self) -> None:
        """
        A 2xx that crosses the CANCEL is told like any other.
        """
        transaction = self.begin("INVITE")
        invite, flow = self.received.requests[-1]
        self.answer(180)
        transaction.cancel()
        self.peer.send_response(invite.respond(200, to_tag="b"), flow)
        self.network.advance()
        self.assertEqual(self.caller.statuses, [180, 200])
        self.assertEqual(transaction.state, State.Accepted)
        self.answer(481)
        self.later(33)
        self.assertEqual(self.caller.statuses, [180, 200])
        self.assert_idle(self.layer_)

    def test_no_final_response(self) -> None:
        """
        A server that says nothing more is given up after 64*T1.
        """
        transaction = self.begin("INVITE")
        self.answer(180)
        self.later(100)
        transaction.cancel()
        self.later(33)
        self.failure(TransactionTimeout)
        self.assert_idle(self.layer_)

    def test_while_hearing_a_response(self) -> None:
        """
        The user may cancel in the very moment that it hears of the ringing.
        """

        class Hasty(Caller):
            def response_received(
                self, transaction: ClientTransaction, response: object
            ) -> None:
                transaction.cancel()

        self.layer_.request(own_request("INVITE"), target(UDP), Hasty())
        self.network.advance()
        self.answer(180)
        self.assertEqual(self.last_request().method, "CANCEL")

    def test_other_request(self) -> None:
        """
        Nothing but an INVITE can be cancelled.
        """
        self.assertRaises(LocalProtocolError, self.begin().cancel)

    def test_over_tcp(self) -> None:
        """
        It takes the same connection.
        """
        transaction = self.begin("INVITE", over=TCP)
        (_, first) = self.received.requests[-1]
        self.answer(180)
        transaction.cancel()
        self.network.advance()
        (cancel, second) = self.received.requests[-1]
        self.assertEqual(cancel.method, "CANCEL")
        self.assertIs(first, second)


class WithdrawTests(ClientCase):
    """
    An INVITE that a process before this one has sent, and nobody wants any more.
    """

    def withdraw(self) -> Request:
        """
        Withdraw an INVITE; give it as it was sent.
        """
        via = f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKbefore;rport"
        invite = make_request("INVITE", via=via)
        transaction = self.layer_.withdraw(invite, target(UDP), self.caller)
        self.assertEqual(transaction.state, State.Proceeding)
        self.network.advance()
        return invite

    def test_cancel(self) -> None:
        """
        The CANCEL has its branch and goes where it went; the INVITE itself is not sent
        again, and its 487 is acknowledged.
        """
        invite = self.withdraw()
        ((cancel, flow),) = self.received.requests
        self.assertEqual(cancel.method, "CANCEL")
        self.assertEqual(cancel[VIA].branch, "z9hG4bKbefore")
        self.answer(200)
        self.peer.send_response(invite.respond(487, to_tag="b"), flow)
        self.network.advance()
        self.assertEqual(self.caller.statuses, [487])
        self.assertEqual(self.last_request().method, "ACK")
        self.later(33)
        self.assert_idle(self.layer_)

    def test_answered(self) -> None:
        """
        A 2xx that has crossed the CANCEL is told, each time that it comes.
        """
        invite = self.withdraw()
        _, flow = self.received.requests[-1]
        for _ in range(2):
            self.peer.send_response(invite.respond(200, to_tag="b"), flow)
            self.network.advance()
        self.assertEqual(self.caller.statuses, [200, 200])

    def test_nobody_there(self) -> None:
        """
        If nobody answers it is over when a transaction is.
        """
        self.withdraw()
        self.later(33)
        self.assertIsInstance(self.caller.failures[0], TransactionTimeout)
        self.assert_idle(self.layer_)

    def test_limit(self) -> None:
        """
        It counts among the requests that wait for their answers.
        """
        self.layer_._clients._limit = 0
        with self.assertRaises(TransportError):
            self.withdraw()


class TransportFailureTests(ClientCase):
    """
    Requests that cannot be sent.
    """

    def test_at_once(self) -> None:
        """
        What fails at once is raised, and leaves nothing.
        """
        for where in ("udp:[2001:db8::1]:5060", "udp:224.0.0.1:5060"):
            self.assertRaises(
                TransportError,
                self.layer_.request,
                own_request(),
                target(where),
                self.caller,
            )
        self.assertEqual(self.caller.failures, [])
        self.assert_idle(self.layer_)

    def test_limit(self) -> None:
        """
        There are only so many at a time.
        """
        layer, _ = self.transactions(
            self.client, f"udp:{CLIENT}:5070", limits=TransactionLimits(client=1)
        )
        layer.request(own_request(), target(UDP))
        error = self.assertRaises(
            TransportError, layer.request, own_request(), target(UDP)
        )
        self.assertEqual(str(error), "1 requests wait for their answers")

    def test_refused(self) -> None:
        """
        A connection that is refused is heard of as soon as that is known.
        """
        self.begin(over=f"tcp:{SERVER}:5999")
        self.assertIn("5999", self.failure(TransportError))
        self.assert_idle(self.layer_)

    def test_slow_connection(self) -> None:
        """
        One that is there only after the request has been given up does no harm.
        """
        self.network.latency = 40.0
        self.begin(over=TCP)
        self.later(100)
        self.failure(TransactionTimeout)
        self.assertTrue(self.layer_.is_idle)

    def test_later(self) -> None:
        """
        What fails when it is repeated is heard of too.
        """
        self.begin()
        self.client.udp_ports[(CLIENT, 5060)].stopListening()
        self.later(1)
        self.failure(TransportError)
        self.assertEqual(self.layer_.size, (0, 0))


class ConnectionTests(ClientCase):
    """
    Requests over TCP.
    """

    def close(self) -> None:
        """
        Let the server close the connection that the last request came by.
        """
        _, flow = self.received.requests[-1]
        flow.close("enough")
        self.network.advance()

    def test_answer(self) -> None:
        """
        Nothing is repeated, and nothing left after the answer.
        """
        self.begin(over=TCP)
        self.assertEqual(self.later(10), [])
        self.answer(200)
        self.assertEqual(self.caller.statuses, [200])
        self.assertTrue(self.layer_.is_idle)

    def test_failure_of_a_call(self) -> None:
        """
        The failure of an INVITE is acknowledged on the connection.
        """
        self.begin("INVITE", over=TCP)
        _, first = self.received.requests[-1]
        self.answer(486)
        ack, second = self.received.requests[-1]
        self.assertEqual(ack.method, "ACK")
        self.assertIs(first, second)
        self.assertTrue(self.layer_.is_idle)

    def test_closed(self) -> None:
        """
        Who waits for a first response hears at once that the connection is gone.
        """
        for method in ("OPTIONS", "INVITE"):
            self.caller = Caller()
            self.begin(method, over=TCP)
            self.close()
            self.assertIn(TCP, self.failure(TransportError))
            self.assertTrue(self.layer_.is_idle)
        self.assertEqual(len(self.user.closed), 2)

    def test_closed_while_ringing(self) -> None:
        """
        So does who has nothing that the server could connect to.
        """
        self.begin("INVITE", over=TCP)
        self.answer(180)
        self.close()
        self.failure(TransportError)
        self.assertTrue(self.layer_.is_idle)

    def test_closed_after_success(self) -> None:
        """
        Who has a 2xx needs the connection no more.
        """
        self.begin("INVITE", over=TCP)
        self.answer(200)
        self.close()
        self.assertEqual(self.caller.failures, [])
        self.later(33)
        self.assertTrue(self.layer_.is_idle)

    def test_kept(self) -> None:
        """
        A connection is kept as long as something waits on it, though it is idle.
        """
        self.begin("INVITE", over=TCP)
        self.received.requests[-1][1].hold()  # so that it is not the server who ends it
        self.answer(180)
        self.later(300)
        self.assertEqual(self.user.closed, [])
        self.answer(486)
        self.later(300)
        self.assertEqual(len(self.user.closed), 1)


class ListeningTests(ClientCase):
    """
    Requests over TCP of somebody who also listens there.
    """

    listeners = (f"udp:{CLIENT}:5060", f"tcp:{CLIENT}:5060")

    def test_closed_while_ringing(self) -> None:
        """
        The server may close the connection while it rings, and answer on a new one; the
        ACK to a failure takes one as well.
        """
        transaction = self.begin("INVITE", over=TCP)
        self.answer(180)
        invite, flow = self.received.requests[-1]
        flow.close("enough")
        self.later(60)
        self.peer.send_response(invite.respond(486, to_tag="b"), flow)
        self.network.advance()
        self.assertEqual((self.caller.statuses, self.caller.failures), ([180, 486], []))
        self.assertEqual(self.last_request().method, "ACK")
        self.assertEqual(transaction.state, State.Terminated)
        self.assertTrue(self.layer_.is_idle)

    def test_closed_before_any_response(self) -> None:
        """
        Who has heard nothing at all does not wait for that.
        """
        self.begin("INVITE", over=TCP)
        _, flow = self.received.requests[-1]
        flow.close("enough")
        self.network.advance()
        self.failure(TransportError)


class AskTests(ClientCase):
    """
    Waiting for one final response.
    """

    def test_answer(self) -> None:
        """
        It fires with the final response, whatever its status.
        """
        for statuses in ((200,), (100, 503)):
            self.answer_always(*statuses)
            response = self.fired(self.layer_.ask(own_request(), target(UDP)))
            self.assertEqual(response.status, statuses[-1])

    def test_failures(self) -> None:
        """
        It fails when nobody answers, and when the request cannot be sent.
        """
        waiting = self.layer_.ask(own_request(), target(UDP))
        self.later(33)
        self.failureResultOf(waiting, TransactionTimeout)
        waiting = self.layer_.ask(own_request(), target("udp:[2001:db8::1]:5060"))
        self.failureResultOf(waiting, TransportError)
        self.failed(
            self.layer_.ask(own_request(), target(f"tcp:{SERVER}:5999")), TransportError
        )

    def test_cancel(self) -> None:
        """
        Nobody has to wait for the end; the request ends by itself.
        """
        for end in (lambda: self.answer(200), lambda: self.later(33)):
            waiting = self.layer_.ask(own_request(), target(UDP))
            self.network.advance()
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            end()
            self.later(33)
            self.assert_idle(self.layer_)

    def test_invite(self) -> None:
        """
        Calls are more than a question and an answer.
        """
        invite = own_request("INVITE")
        self.assertRaises(LocalProtocolError, self.layer_.ask, invite, target(UDP))


class StopTests(ClientCase):
    """
    The service stops.
    """

    def test_what_waits(self) -> None:
        """
        Who waits hears of it, once; nothing is left, and nothing can be sent.
        """
        waiting, answered, ringing = (
            self.begin(method) for method in ("OPTIONS", "MESSAGE", "INVITE")
        )
        del waiting, answered, ringing
        self.layer_.stop()
        self.assertEqual(
            [str(error) for error in self.caller.failures], ["the service stops"] * 3
        )
        self.assert_idle(self.layer_)
        self.assertRaises(TransportError, self.begin)

    def test_while_hearing_a_response(self) -> None:
        """
        The user may stop the layer in the very moment that it hears of a response.
        """
        layer = self.layer_

        class Stopping(Caller):
            def response_received(
                self, transaction: ClientTransaction, response: object
            ) -> None:
                layer.stop()

        for method, status in (("OPTIONS", 200), ("INVITE", 200), ("INVITE", 180)):
            with self.subTest(method=method, status=status):
                self.setUp()
                layer = self.layer_
                layer.request(own_request(method), target(UDP), Stopping())
                self.network.advance()
                self.answer(status)
                self.assert_idle(layer)

    def test_what_is_answered(self) -> None:
        """
        Who has an answer hears nothing more.
        """
        transactions = []
        for method, status in (("OPTIONS", 200), ("INVITE", 486), ("INVITE", 200)):
            transactions.append(self.begin(method))
            self.answer(status)
        self.layer_.stop()
        for transaction in transactions:
            self.assertEqual(transaction.state, State.Terminated)
        self.assertEqual(self.caller.failures, [])
        self.assert_idle(self.layer_)


class LayerTests(ClientCase):
    """
    The layer as such.
    """

    def test_transport(self) -> None:
        """
        It knows the transport layer below, and says what exists.
        """
        self.assertIsInstance(self.layer_, TransactionLayer)
        self.assertEqual(len(self.layer_.transport.listeners), 1)
        self.assertEqual(self.layer_.size, (0, 0))
        self.begin()
        self.assertEqual(self.layer_.size, (0, 1))
        self.assertFalse(self.layer_.is_idle)
