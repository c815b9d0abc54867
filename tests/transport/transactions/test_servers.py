"""
Tests for `sipsorcery.transport.transactions.servers`, by way of the layer.
"""

from __future__ import annotations

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import CSEQ, EXPIRES, FROM, RETRY_AFTER, TO, VIA
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.via import Via
from sipsorcery.transaction.derived import make_ack, make_cancel
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transaction.state import State
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.transactions.drive import TransactionLimits
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.transport.transactions.wheel import SLOT
from tests.transaction.messages import make_request
from tests.transport.cases import CLIENT, SERVER
from tests.transport.transactions.cases import TransactionCase, target

UDP, TCP = f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060"
OLD_VIA = f"SIP/2.0/UDP {CLIENT}:5060"
TCP_VIA = f"SIP/2.0/TCP {CLIENT}:5060;branch=z9hG4bK1"


class ServerCase(TransactionCase):
    """
    A transaction layer on the server; on the client only a transport.
    """

    limits = TransactionLimits()

    def setUp(self) -> None:
        super().setUp()
        self.peer, self.received = self.layer(
            self.client, f"udp:{CLIENT}:5060", f"tcp:{CLIENT}:5060"
        )
        self.layer_, self.user = self.transactions(
            self.server, UDP, TCP, limits=self.limits
        )

    def answer(self, *statuses: int) -> None:
        """
        Let each request be answered so.
        """

        def on_request(transaction: ServerTransaction) -> None:
            for status in statuses:
                transaction.respond(status)

        self.user.on_request = on_request

    def send(self, *requests: Request, over: str = UDP) -> list[Response]:
        """
        Send requests and give what came back by now.
        """
        before = len(self.received.responses)
        for request in requests:
            self.fired(self.peer.send_request(request, target(over)))
        self.network.advance()
        return [response for response, _ in self.received.responses[before:]]

    def send_statuses(self, *requests: Request, over: str = UDP) -> list[int]:
        """
        Send requests and give the status codes of what came back by now.
        """
        return [response.status for response in self.send(*requests, over=over)]

    def later(self, seconds: float) -> list[int]:
        """
        Wait, and give the status codes of what came meanwhile.
        """
        before = len(self.received.responses)
        self.network.advance(seconds)
        return [response.status for response, _ in self.received.responses[before:]]

    @property
    def counters(self) -> dict[str, int]:
        """
        What was counted and is not zero.
        """
        counters = self.layer_.counters
        names = counters.__slots__
        return {name: n for name in names if (n := getattr(counters, name))}


class RequestTests(ServerCase):
    """
    Requests other than INVITE.
    """

    def test_answer(self) -> None:
        """
        A request is given to the user once; its answer goes back the way it came.
        """
        self.answer(200)
        request = make_request()
        (response,) = self.send(request)
        self.assertEqual(response.status, 200)
        self.assertEqual(response[CSEQ], request[CSEQ])
        (transaction,) = self.user.transactions
        self.assertEqual(transaction.flow.address, (CLIENT, 5060))
        self.assertFalse(transaction.is_invite)

    def test_to_tag(self) -> None:
        """
        A response gets our To tag, the same in all of a transaction; that of a dialog
        stays.
        """
        self.answer(180, 200)
        ringing, ok = self.send(make_request("INVITE"))
        (transaction,) = self.user.transactions
        self.assertEqual(ringing[TO].tag, transaction.to_tag)
        self.assertEqual(ok[TO].tag, transaction.to_tag)
        self.assertEqual(len(transaction.to_tag), 16)
        via = f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bK2"
        to = "<sip:bob@example.com>;tag=ours"
        _, ok = self.send(make_request("INVITE", via=via, to=to))
        self.assertEqual(ok[TO].tag, "ours")

    def test_repeated_request(self) -> None:
        """
        A request that comes again is answered again, and the user hears nothing of it.
        """
        self.answer(404)
        (first,) = self.send(make_request())
        (second,) = self.send(make_request())
        self.assertEqual(first, second)
        self.assertEqual(len(self.user.transactions), 1)
        self.assertEqual(self.counters, {"server": 1, "repeated": 1})

    def test_nothing_is_left(self) -> None:
        """
        Over UDP Timer J ends the transaction; the same request is then a new one.
        """
        self.answer(200)
        self.send(make_request())
        self.later(31.9)
        self.assertEqual(self.layer_.size, (1, 0))
        self.later(0.1 + SLOT)
        self.assert_idle(self.layer_)
        self.send(make_request())
        self.assertEqual(len(self.user.transactions), 2)

    def test_nothing_is_left_over_tcp(self) -> None:
        """
        Over TCP the final response ends it.
        """
        self.answer(200)
        self.assertEqual(self.send_statuses(make_request(via=TCP_VIA), over=TCP), [200])
        self.assertTrue(self.layer_.is_idle)

    def test_slow_user(self) -> None:
        """
        A user that takes its time causes a 100 after 3.5 seconds (RFC 4320, 4.1).
        """
        self.assertEqual(self.send(make_request()), [])
        self.assertEqual(self.later(3.4), [])
        self.assertEqual(self.later(0.2), [100])
        self.user.transactions[0].respond(200)
        self.assertEqual(self.later(0), [200])

    def test_too_slow_user(self) -> None:
        """
        When the client has given up nothing is sent, not even a 408; the user is told,
        and what it answers then is dropped.
        """
        self.send(make_request())
        self.assertEqual(self.later(40), [100])
        (error,) = self.user.failures
        self.assertIsInstance(error, TransactionTimeout)
        self.assertEqual(
            str(error), f"the answer to udp:{CLIENT}:5060 would come too late"
        )
        self.assert_idle(self.layer_)
        self.user.transactions[0].respond(200)
        self.assertEqual(self.later(1), [])
        self.assert_idle(self.layer_)

    def test_request_is_gone(self) -> None:
        """
        After the final response the request is not kept, and there is no second one.
        """
        self.answer(200)
        self.send(make_request())
        (transaction,) = self.user.transactions
        self.assertRaises(LocalProtocolError, lambda: transaction.request)
        self.assertRaises(LocalProtocolError, transaction.respond, 200)

    def test_response_of_the_user(self) -> None:
        """
        A response that the user has made, or forwards, is sent as it is.
        """
        self.send(make_request())
        (transaction,) = self.user.transactions
        transaction.send(transaction.request.respond(403, "No", [("X-Why", "no")]))
        self.network.advance()
        ((response, _),) = self.received.responses
        self.assertEqual((response.reason, response.get("X-Why")), ("No", "no"))
        self.assertIsNone(response[TO].tag)

    def test_fields_and_body(self) -> None:
        """
        A response may have a phrase, fields and a body.
        """
        self.send(make_request())
        (transaction,) = self.user.transactions
        made = transaction.respond(200, "Fine", [(EXPIRES, 60)], b"body")
        self.network.advance()
        ((response, _),) = self.received.responses
        self.assertEqual(response.to_bytes(), made.to_bytes())
        self.assertEqual((response.reason, response[EXPIRES]), ("Fine", 60))
        self.assertEqual(response.body, b"body")

    def test_answer_cannot_be_sent(self) -> None:
        """
        The user hears of it, and the transaction stays (RFC 6026, 8.8).
        """
        self.send(make_request())
        self.server.udp_ports[(SERVER, 5060)].stopListening()
        (transaction,) = self.user.transactions
        transaction.respond(200)
        (error,) = self.user.failures
        self.assertIsInstance(error, TransportError)
        self.assertEqual(transaction.state, State.Completed)
        self.assertEqual(self.counters, {"server": 1, "transport_failures": 1})
        self.later(33)
        self.assert_idle(self.layer_)


class BadRequestTests(ServerCase):
    """
    Requests that cannot be read, and users that cannot cope.
    """

    def test_broken_request(self) -> None:
        """
        One that lacks a mandatory field gets a 400; there is no transaction.
        """
        request = make_request()
        request.remove(FROM)
        self.assertEqual(self.send_statuses(request), [400])
        self.assertEqual(self.user.transactions, [])
        self.assertEqual(len(self.user.errors), 1)
        self.assert_idle(self.layer_)

    def test_broken_via(self) -> None:
        """
        One that nothing can be answered to is dropped.
        """
        self.server.udp_ports[(SERVER, 5060)].deliver(
            b"OPTIONS sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n", (CLIENT, 5060)
        )
        self.assertEqual(self.later(1), [])
        self.assertEqual(len(self.user.errors), 1)
        self.assert_idle(self.layer_)

    def test_field_that_the_user_reads(self) -> None:
        """
        If the user finds a field that breaks the grammar, its error is the answer.
        """

        def on_request(transaction: ServerTransaction) -> None:
            raise ParseError("bad Expires 'never'", status=423)

        self.user.on_request = on_request
        (response,) = self.send(make_request())
        self.assertEqual(response.status, 423)
        self.assertEqual(response.reason, "Interval Too Brief: bad Expires 'never'")
        self.assertEqual(self.send_statuses(make_request()), [423])

    def test_failing_user(self) -> None:
        """
        Whatever else the user raises is logged and answered by a 500.
        """

        def on_request(transaction: ServerTransaction) -> None:
            raise ZeroDivisionError

        self.user.on_request = on_request
        self.assertEqual(self.send_statuses(make_request()), [500])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.counters, {"server": 1, "user_failures": 1})

    def test_failing_after_the_answer(self) -> None:
        """
        If it has answered already, that stays the answer.
        """

        def on_request(transaction: ServerTransaction) -> None:
            transaction.respond(202)
            raise ZeroDivisionError

        self.user.on_request = on_request
        self.assertEqual(self.send_statuses(make_request()), [202])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class InviteTests(ServerCase):
    """
    Calls.
    """

    def test_trying(self) -> None:
        """
        A user that is silent causes a 100 after 200 ms; one that is not, none.
        """
        self.send(make_request("INVITE"))
        self.assertEqual(self.later(0.19), [])
        self.assertEqual(self.later(0.05), [100])
        self.assertEqual(self.later(60), [])
        self.answer(180)
        via = f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bK2"
        other = make_request("INVITE", via=via, call_id="2@there")
        self.assertEqual(self.send_statuses(other), [180])
        self.assertEqual(self.later(60), [])

    def test_failure(self) -> None:
        """
        A failure is repeated until its ACK comes, which the user does not see; then
        Timer I ends it all.
        """
        self.answer(486)
        invite = make_request("INVITE")
        (busy,) = self.send(invite)
        self.assertEqual(self.later(2), [486, 486])
        self.assertEqual(self.send(make_ack(invite, busy)), [])
        self.assertEqual(self.later(4), [])
        self.assertEqual(self.send(make_ack(invite, busy)), [])
        self.assertEqual(self.later(2), [])
        self.assertEqual(self.user.acks, [])
        self.assert_idle(self.layer_)

    def test_no_ack(self) -> None:
        """
        Without an ACK the user hears of it after 64*T1, and it ends too.
        """
        self.answer(486)
        self.send(make_request("INVITE"))
        self.assertEqual(self.later(33), [486] * 10)
        (error,) = self.user.failures
        self.assertIsInstance(error, TransactionTimeout)
        self.assertEqual(
            str(error), f"udp:{CLIENT}:5060 has not acknowledged our failure"
        )
        self.assertEqual(self.counters, {"server": 1, "timeouts": 1})
        self.assert_idle(self.layer_)

    def test_ack_with_a_new_branch(self) -> None:
        """
        An ACK to a failure is known by its tags too: old Cisco phones give it a new
        branch.
        """
        self.answer(486)
        invite = make_request("INVITE")
        (busy,) = self.send(invite)
        ack = make_ack(invite, busy)
        ack.set(VIA, Via.parse(f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKnew"))
        self.send(ack)
        self.assertEqual(self.user.transactions[0].state, State.Confirmed)
        self.assertEqual(self.user.acks, [])

    def test_success(self) -> None:
        """
        A 2xx is not repeated here; the INVITE that comes again is absorbed. The ACK,
        which has a branch of its own, goes up.
        """
        self.answer(180, 200)
        invite = make_request("INVITE")
        _, ok = self.send(invite)
        self.assertEqual(self.later(2), [])
        self.assertEqual(self.send(invite), [])
        ack = make_ack(invite, ok)
        ack.set(VIA, Via.parse(f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKack"))
        self.send(ack)
        ((received, flow),) = self.user.acks
        self.assertEqual(received, ack)
        self.assertEqual(flow.address, (CLIENT, 5060))
        self.assertEqual(len(self.user.transactions), 1)
        self.later(32)
        self.assert_idle(self.layer_)

    def test_success_again(self) -> None:
        """
        The user repeats its 2xx itself, and may send that of another fork.
        """
        self.answer(200)
        (ok,) = self.send(make_request("INVITE"))
        (transaction,) = self.user.transactions
        transaction.send(ok)
        self.assertEqual(self.later(0), [200])
        self.assertRaises(LocalProtocolError, transaction.send, make_failure(ok))
        self.later(33)
        transaction.send(ok)
        self.assertEqual(self.later(0), [])

    def test_ack_with_the_old_branch(self) -> None:
        """
        An ACK to a 2xx that has the branch of the INVITE, as many clients send it, goes
        up all the same.
        """
        self.answer(200)
        invite = make_request("INVITE")
        (ok,) = self.send(invite)
        self.send(make_ack(invite, ok))
        self.assertEqual(len(self.user.acks), 1)

    def test_broken_ack(self) -> None:
        """
        An ACK that cannot be read is dropped and counted; it is never answered.
        """
        self.answer(200)
        invite = make_request("INVITE")
        (ok,) = self.send(invite)
        ack = make_ack(invite, ok)
        ack.set(VIA, Via.parse(f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKack"))
        for one in (make_ack(invite, ok), ack):
            one.set("From", "<")
            self.assertEqual(self.send(one), [])
        self.assertEqual(self.user.acks, [])
        self.assertEqual(len(self.user.errors), 2)

    def test_failing_user(self) -> None:
        """
        If the user fails on an ACK that is logged, and goes no further.
        """
        self.answer(200)
        invite = make_request("INVITE")
        (ok,) = self.send(invite)
        self.user.acks = None  # type: ignore[assignment]  # to make it fail
        self.send(make_ack(invite, ok))
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)

    def test_ringing_over_tcp(self) -> None:
        """
        A connection is kept as long as something rings on it, though it is idle.
        """
        self.answer(180)
        invite = make_request("INVITE", via=TCP_VIA)
        self.assertEqual(self.send_statuses(invite, over=TCP), [180])
        self.received.responses[0][1].hold()  # so that it is not the client who ends it
        self.later(300)
        self.assertEqual(self.user.closed, [])
        (transaction,) = self.user.transactions
        transaction.respond(486)
        self.network.advance()
        ((response, flow),) = self.received.responses[1:]
        self.assertTrue(flow.is_open)
        self.send(make_ack(invite, response), over=TCP)
        self.assertTrue(self.layer_.is_idle)
        self.later(300)
        self.assertEqual(len(self.user.closed), 1)

    def test_closed_connection(self) -> None:
        """
        If the connection is gone, and has been taken for half-closed long enough, the
        answer goes out on a new one.
        """
        invite = make_request("INVITE", via=TCP_VIA)
        flow = self.fired(self.peer.send_request(invite, target(TCP)))
        (transaction,) = self.user.transactions
        flow.close("the client has changed its mind")
        self.network.advance(TransportLimits().answers)
        self.assertFalse(transaction.flow.takes_answers)
        transaction.respond(180)
        self.assertEqual(self.later(1), [180])


def make_failure(response: Response) -> Response:
    """
    Make a 500 with the fields of a response.
    """
    return Response.from_lines(
        500,
        None,
        response.head.partition("\r\n")[2].split("Content-Length")[0],
        (),
        b"",
    )


class OldClientTests(ServerCase):
    """
    Clients of RFC 2543, whose branch says nothing, or is not there.
    """

    def setUp(self) -> None:
        super().setUp()
        self.invite = make_request("INVITE", via=OLD_VIA)

    def test_repeated_request(self) -> None:
        """
        A request that comes again is known; another one with the same Via is new.
        """
        self.answer(200)
        request = make_request(via=OLD_VIA)
        self.assertEqual(self.send_statuses(request, request), [200, 200])
        self.assertEqual(len(self.user.transactions), 1)
        self.send(make_request(via=OLD_VIA, cseq="8"))
        self.assertEqual(len(self.user.transactions), 2)

    def test_failure(self) -> None:
        """
        The ACK to a failure is known by its To tag.
        """
        self.answer(486)
        (busy,) = self.send(self.invite)
        self.send(make_ack(self.invite, busy))
        self.assertEqual(self.user.transactions[0].state, State.Confirmed)
        self.assertEqual(self.user.acks, [])

    def test_foreign_ack(self) -> None:
        """
        An ACK with another To tag is for somebody else.
        """
        self.answer(486)
        (busy,) = self.send(self.invite)
        ack = make_ack(self.invite, busy)
        ack.set("To", "<sip:bob@example.com>;tag=other")
        self.send(ack)
        self.assertEqual(self.user.transactions[0].state, State.Completed)
        self.assertEqual(len(self.user.acks), 1)

    def test_success(self) -> None:
        """
        The ACK to a 2xx goes up.
        """
        self.answer(200)
        (ok,) = self.send(self.invite)
        self.send(make_ack(self.invite, ok))
        self.assertEqual(len(self.user.acks), 1)
        self.assertEqual(self.user.transactions[0].state, State.Accepted)

    def test_cancel(self) -> None:
        """
        A CANCEL finds its INVITE.
        """
        self.answer(180)
        self.send(self.invite)
        self.assertEqual(self.send_statuses(make_cancel(self.invite)), [200])
        self.assertEqual(self.user.cancelled_ones, self.user.transactions)

    def test_nothing_is_left(self) -> None:
        """
        They leave nothing behind either.
        """
        self.answer(486)
        self.send(self.invite, make_request(via=OLD_VIA), make_cancel(self.invite))
        self.later(40)
        self.assert_idle(self.layer_)


class CancelTests(ServerCase):
    """
    Clients that change their minds (RFC 3261, 9.2).
    """

    def setUp(self) -> None:
        super().setUp()
        self.invite = make_request("INVITE")
        self.cancel = make_cancel(self.invite)

    def test_ringing(self) -> None:
        """
        The CANCEL gets a 200 with the To tag of the INVITE's responses; the user hears
        of it and answers the INVITE.
        """
        self.answer(180)
        (ringing,) = self.send(self.invite)
        (ok,) = self.send(self.cancel)
        self.assertEqual((ok.status, ok[CSEQ].method), (200, "CANCEL"))
        self.assertEqual(ok[TO].tag, ringing[TO].tag)
        (transaction,) = self.user.cancelled_ones
        self.assertIs(transaction, self.user.transactions[0])
        self.assertTrue(transaction.is_cancelled)
        self.assertTrue(transaction.is_pending)
        response = transaction.respond(487)
        self.assertEqual(self.later(0), [487])
        self.send(make_ack(self.invite, response))
        self.assertEqual(self.counters, {"server": 2, "cancelled": 1})
        self.later(33)
        self.assert_idle(self.layer_)

    def test_nobody_to_tell(self) -> None:
        """
        If the transaction has no user, the layer answers 487 itself.
        """

        def on_request(transaction: ServerTransaction) -> None:
            transaction.user = None

        self.user.on_request = on_request
        self.send(self.invite)
        self.assertEqual(self.send_statuses(self.cancel), [200, 487])

    def test_before_any_response(self) -> None:
        """
        It may come before anything was answered.
        """
        self.assertEqual(self.send_statuses(self.invite, self.cancel), [200])
        self.assertEqual(len(self.user.cancelled_ones), 1)

    def test_before_the_invite(self) -> None:
        """
        One that overtakes its INVITE gets a 481, and the INVITE rings.
        """
        self.answer(180)
        self.assertEqual(self.send_statuses(self.cancel, self.invite), [481, 180])
        self.assertEqual(self.user.cancelled_ones, [])

    def test_after_success(self) -> None:
        """
        After a final response it does nothing, but gets a 200.
        """
        self.answer(200)
        (ok,) = self.send(self.invite)
        (response,) = self.send(self.cancel)
        self.assertEqual(response[TO].tag, ok[TO].tag)
        self.assertEqual(self.user.cancelled_ones, [])

    def test_after_failure(self) -> None:
        """
        So after a failure, acknowledged or not.
        """
        self.answer(486)
        (busy,) = self.send(self.invite)
        self.assertEqual(self.send_statuses(self.cancel), [200])
        self.send(make_ack(self.invite, busy))
        self.assertEqual(self.send_statuses(self.cancel), [200])
        self.assertEqual(self.user.cancelled_ones, [])

    def test_crossing(self) -> None:
        """
        A user that answers 200 when it hears of the CANCEL has answered.
        """
        self.send(self.invite)
        self.user.on_cancel = lambda transaction: transaction.respond(200)
        self.assertEqual(self.send_statuses(self.cancel), [200, 200])
        self.assertEqual(self.user.transactions[0].state, State.Accepted)

    def test_repeated(self) -> None:
        """
        A CANCEL that comes again gets its 200 again; the user hears of it once.
        """
        self.send(self.invite)
        self.assertEqual(self.send_statuses(self.cancel, self.cancel), [200, 200])
        self.assertEqual(len(self.user.cancelled_ones), 1)

    def test_repeated_over_tcp(self) -> None:
        """
        Also over TCP, where the first one is forgotten by then.
        """
        invite = make_request("INVITE", via=TCP_VIA)
        cancel = make_cancel(invite)
        self.send(invite, over=TCP)
        statuses = self.send_statuses(cancel, cancel, over=TCP)
        self.assertEqual(statuses, [200, 200])
        self.assertEqual(len(self.user.cancelled_ones), 1)

    def test_stray(self) -> None:
        """
        A CANCEL of nothing gets a 481, always with the same tag, and leaves nothing.
        """
        responses = self.send(self.cancel, self.cancel)
        self.assertEqual([response.status for response in responses], [481, 481])
        first, second = responses
        self.assertEqual(first[TO].tag, second[TO].tag)
        self.assertIsNotNone(first[TO].tag)
        self.assertEqual(self.user.transactions, [])
        self.assertEqual(self.counters, {"stray": 2})
        self.assert_idle(self.layer_)

    def test_other_sender(self) -> None:
        """
        Somebody else who has chosen the same branch cannot cancel it.
        """
        self.send(self.invite)
        via = f"SIP/2.0/UDP {CLIENT}:5070;branch=z9hG4bK1;rport"
        self.assertEqual(self.send_statuses(make_request("CANCEL", via=via)), [481])
        self.assertEqual(self.user.cancelled_ones, [])

    def test_other_host(self) -> None:
        """
        Nor can somebody elsewhere who knows all of it, as whom it was sent to does.
        """
        self.send(self.invite)
        elsewhere = self.network.machine("192.0.2.66")
        peer, received = self.layer(elsewhere, "udp:192.0.2.66:5060")
        self.fired(peer.send_request(self.cancel, target(UDP)))
        self.network.advance()
        # The Via leads back to the client; the source has the answer all the same.
        self.assertEqual([one.status for one, _ in received.responses], [481])
        self.assertEqual(self.user.cancelled_ones, [])
        self.assertEqual(self.send_statuses(self.cancel), [200])

    def test_other_port(self) -> None:
        """
        The same host may, from wherever its NAT lets it come by now.
        """
        self.send(self.invite)
        peer, _ = self.layer(self.client, f"udp:{CLIENT}:5070")
        self.fired(peer.send_request(self.cancel, target(UDP)))
        self.network.advance()
        self.assertEqual(self.user.cancelled_ones, self.user.transactions)

    def test_other_method(self) -> None:
        """
        Only an INVITE can be cancelled.
        """
        self.send(make_request())
        self.assertEqual(self.send_statuses(make_request("CANCEL")), [481])

    def test_broken(self) -> None:
        """
        One that cannot be read gets a 400.
        """
        self.send(self.invite)
        self.cancel.set("From", "<")
        self.assertEqual(self.send_statuses(self.cancel), [400])
        self.assertEqual(self.user.cancelled_ones, [])

    def test_failing_user(self) -> None:
        """
        If the user fails that is logged, and the CANCEL answered.
        """
        self.send(self.invite)
        self.user.cancelled_ones = None  # type: ignore[assignment]  # to make it fail
        self.assertEqual(self.send_statuses(self.cancel), [200])
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)


class RestoreTests(ServerCase):
    """
    An INVITE that a process before this one has received.
    """

    def setUp(self) -> None:
        super().setUp()
        self.invite = make_request("INVITE")
        flow = self.layer_.transport.datagram_flow(Endpoint.parse(f"udp:{CLIENT}:5060"))
        restored = self.layer_.restore(self.invite, flow, "before")
        assert restored is not None
        self.transaction = restored
        self.transaction.user = self.user

    def test_answer(self) -> None:
        """
        It is answered with the tag that it has had, until its ACK comes.
        """
        response = self.transaction.respond(480)
        self.assertEqual(response[TO].tag, "before")
        self.assertEqual(self.later(0.6), [480, 480])
        self.send(make_ack(self.invite, response))
        self.assertEqual(self.later(33), [])
        self.assert_idle(self.layer_)

    def test_repeated(self) -> None:
        """
        If it comes again it is the same; and it is not restored again.
        """
        self.transaction.respond(180)
        self.assertEqual(self.send_statuses(self.invite), [180, 180])
        self.assertEqual(self.user.transactions, [])
        self.assertIsNone(
            self.layer_.restore(self.invite, self.transaction.flow, "before")
        )

    def test_came_first(self) -> None:
        """
        One that has come again already stays as it is.
        """
        again = make_request("INVITE", via=f"SIP/2.0/UDP {CLIENT};branch=z9hG4bK7")
        self.assertEqual(self.send_statuses(again), [482])

    def test_cancel(self) -> None:
        """
        Its CANCEL is known by the call: the proxy on the way may have been started
        again, too, and have chosen another branch.
        """
        other = make_cancel(self.invite)
        other.set("Via", f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKanother")
        (ok,) = self.send(other)
        self.assertEqual((ok.status, ok[TO].tag), (200, "before"))
        self.assertEqual(self.user.cancelled_ones, [self.transaction])
        self.transaction.respond(487)
        self.later(70)
        self.assertEqual(self.send_statuses(other), [481])
        self.later(33)
        self.assert_idle(self.layer_)

    def test_cancel_of_another(self) -> None:
        """
        A CANCEL of another call, or of somebody elsewhere, ends nothing.
        """
        other = make_cancel(self.invite)
        other.set("Via", f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKanother")
        other.set("Call-ID", "another")
        self.assertEqual(self.send_statuses(other), [481])
        self.assertTrue(self.transaction.is_pending)


class MergedTests(ServerCase):
    """
    One request that comes by two ways (RFC 3261, 8.2.2.2).
    """

    other_via = f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bKother"

    def test_request(self) -> None:
        """
        The second one gets a 482; the user sees the first one only.
        """
        self.answer(200)
        other = make_request(via=self.other_via, uri="sip:bob@192.0.2.1")
        self.assertEqual(
            self.send_statuses(make_request(), other, other), [200, 482, 482]
        )
        self.assertEqual(len(self.user.transactions), 1)
        self.assertEqual(self.counters["merged"], 1)
        self.later(33)
        self.assert_idle(self.layer_)

    def test_invite(self) -> None:
        """
        So with an INVITE; the 482 is repeated until its ACK comes.
        """
        self.answer(180)
        other = make_request("INVITE", via=self.other_via)
        (_, loop) = self.send(make_request("INVITE"), other)
        self.assertEqual(loop.status, 482)
        self.assertEqual(self.later(0.6), [482])
        self.send(make_ack(other, loop))
        self.assertEqual(self.later(4), [])
        self.assertEqual(self.user.acks, [])

    def test_end_of_the_second(self) -> None:
        """
        The end of the second one does not make a third one welcome.
        """
        self.answer(180)
        other = make_request("INVITE", via=self.other_via)
        (_, loop) = self.send(make_request("INVITE"), other)
        self.send(make_ack(other, loop))
        self.later(6)
        self.assertEqual(self.layer_.size, (1, 0))
        self.assertEqual(self.send_statuses(other), [482])

    def test_in_dialog(self) -> None:
        """
        Within a dialog there is no such thing.
        """
        self.answer(200)
        to = "<sip:bob@example.com>;tag=b"
        statuses = self.send_statuses(
            make_request("BYE", to=to), make_request("BYE", to=to, via=self.other_via)
        )
        self.assertEqual(statuses, [200, 200])

    def test_challenge(self) -> None:
        """
        A client may answer a challenge without counting its CSeq up, as some do.
        """
        for status in (401, 407):
            self.answer(status)
            first = make_request(
                call_id=f"{status}@there", cseq=str(status), via=OLD_VIA
            )
            self.send(first)
            again = make_request(
                call_id=f"{status}@there", cseq=str(status), via=self.other_via
            )
            self.answer(200)
            self.assertEqual(self.send_statuses(again), [200])
            self.later(33)

    def test_no_challenge(self) -> None:
        """
        After any other failure it may not.
        """
        self.answer(403)
        self.send(make_request())
        self.assertEqual(self.send_statuses(make_request(via=self.other_via)), [482])


class OverloadTests(ServerCase):
    """
    More requests than there is room for.
    """

    limits = TransactionLimits(server=1)

    def setUp(self) -> None:
        super().setUp()
        self.invite = make_request("INVITE")
        via = f"SIP/2.0/UDP {CLIENT}:5060;branch=z9hG4bK2"
        self.other = make_request("INVITE", via=via, call_id="2@there")
        self.send(self.invite)

    def test_refused(self) -> None:
        """
        What finds no room gets a 503 with a Retry-After, always with the same tag.
        """
        responses = self.send(self.other, self.other)
        for response in responses:
            self.assertEqual(response.status, 503)
            self.assertIn(response[RETRY_AFTER].seconds, range(5, 16))
        first, second = responses
        self.assertEqual(first[TO].tag, second[TO].tag)
        self.assertEqual(self.layer_.size, (1, 0))
        self.assertEqual(self.counters, {"server": 1, "refused": 2})

    def test_ack(self) -> None:
        """
        The ACK to the 503 ends here.
        """
        (response,) = self.send(self.other)
        self.assertEqual(self.send(make_ack(self.other, response)), [])
        self.assertEqual(self.user.acks, [])

    def test_what_is_known(self) -> None:
        """
        What is under way goes on: repetitions, CANCEL, ACK.
        """
        self.user.transactions[0].respond(180)
        cancel = make_cancel(self.invite)
        self.later(0)
        self.assertEqual(self.send_statuses(self.invite, cancel), [180, 200])
        response = self.user.transactions[0].respond(487)
        self.send(make_ack(self.invite, response))
        self.assertEqual(self.user.transactions[0].state, State.Confirmed)

    def test_room_again(self) -> None:
        """
        When something has ended there is room again.
        """
        self.user.transactions[0].respond(200)
        self.later(33)
        self.answer(180)
        self.assertEqual(self.send_statuses(self.other), [180])


class StopTests(ServerCase):
    """
    The service stops.
    """

    def test_what_waits(self) -> None:
        """
        What waits for an answer gets a 503, what has one is forgotten; no timer is
        left.
        """
        self.send(make_request())
        self.answer(200)
        self.send(make_request("INVITE", call_id="2@there"))
        self.layer_.stop()
        self.assertEqual(self.later(0), [503])
        self.assert_idle(self.layer_)

    def test_what_the_user_still_holds(self) -> None:
        """
        What the user still holds has ended: it sends nothing more.
        """
        self.answer(200)
        (ok,) = self.send(make_request("INVITE"))
        (transaction,) = self.user.transactions
        self.layer_.stop()
        self.assertEqual(transaction.state, State.Terminated)
        transaction.send(ok)
        self.assertEqual(self.later(0), [])
        self.assert_idle(self.layer_)

    def test_what_comes(self) -> None:
        """
        What comes until the sockets are closed is refused.
        """
        self.layer_.stop()
        self.assertEqual(self.send_statuses(make_request()), [503])
        self.assert_idle(self.layer_)


class PassingOnTests(ServerCase):
    """
    What has nothing to do with transactions.
    """

    def test_stun(self) -> None:
        """
        STUN goes up.
        """
        data = bytes.fromhex("000100002112a442") + bytes(12)
        self.server.udp_ports[(SERVER, 5060)].deliver(data, (CLIENT, 5060))
        self.assertEqual(self.user.stun, [data])
