"""
Tests for :mod:`sipsorcery.dialog.dialog`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.dialog import Dialog, DialogID, State
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.fate import Fate
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import MAX_CSEQ, CSeq
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    PROXY_AUTHORIZATION,
    RECORD_ROUTE,
    ROUTE,
    TO,
    VIA,
)
from sipsorcery.sip.request import Request
from tests.dialog.messages import (
    ALICE_TAG,
    BOB_CONTACT,
    BOB_TAG,
    alices_dialog,
    bobs_dialog,
    from_bob,
    request,
    response,
)

P1, P2 = "<sip:p1.example.com;lr>", "<sip:p2.example.net;lr>"
STRICT = "<sip:p1.example.com>"
RECORD_ROUTES = (f"Record-Route: {P2}", f"Record-Route: {P1}")


def routes(message: Request) -> list[str]:
    """
    Give the Route of a request as texts.
    """
    return [str(route) for route in message.all(ROUTE)]


class ClientTests(SynchronousTestCase):
    """
    Dialogs made by a response to our request.
    """

    def test_state_of_the_response(self) -> None:
        """
        A provisional response makes an early dialog, a 2xx a confirmed one
        (RFC 3261, 12.1).
        """
        for status, state in ((180, State.Early), (200, State.Confirmed)):
            self.assertIs(alices_dialog(status).state, state)

    def test_id(self) -> None:
        """
        The local tag is that of our From, the remote one that of the response's To.
        """
        dialog = alices_dialog()
        call_id = "a84b4c76e66710@192.0.2.1"
        self.assertEqual(dialog.id, DialogID(call_id, ALICE_TAG, BOB_TAG))
        self.assertTrue(dialog.initiator)

    def test_peer_without_tag(self) -> None:
        """
        "If the value of the remote tag is null, the tag parameter MUST be omitted" in
        what we send (RFC 3261, 12.2.1.1).
        """
        dialog = Dialog.of_response(request(), response(200, to_tag=None))
        self.assertEqual(dialog.remote_tag, "")
        to = dialog.request("BYE")[TO]
        self.assertEqual(str(to), '"Bob" <sip:bob@example.net>')

    def test_remote_address_is_what_we_have_called(self) -> None:
        """
        The remote URI is that of our To, whatever the response makes of it (12.1.2).
        """
        answer = response(200)
        answer.set(TO, Address.parse("Mallory <sip:mallory@example.org>;tag=9"))
        dialog = Dialog.of_response(request(), answer)
        self.assertEqual(str(dialog.remote), '"Bob" <sip:bob@example.net>;tag=9')

    def test_route_set_is_reversed(self) -> None:
        """
        The route set is the Record-Route of the response "in reverse order", all
        parameters kept (12.1.2).
        """
        answer = response(200, *RECORD_ROUTES, "Record-Route: <sip:p0.com;lr;x=1>;y=2")
        dialog = Dialog.of_response(request(), answer)
        self.assertEqual(
            routes(dialog.request("BYE")), ["<sip:p0.com;lr;x=1>;y=2", P1, P2]
        )

    def test_target_is_the_contact(self) -> None:
        """
        The remote target is the Contact of the response, the first if there are more.
        """
        two = "<sip:bob@192.0.2.4>, <sip:bob@192.0.2.9>"
        dialog = Dialog.of_response(request(), response(200, contact=two))
        self.assertEqual(str(dialog.remote_target), "sip:bob@192.0.2.4")

    def test_response_without_contact(self) -> None:
        """
        Without a Contact, as in the 183 of many a gateway, requests go where the first
        one went, until a later response has one.
        """
        first = request()
        dialog = Dialog.of_response(first, response(183, contact=None))
        self.assertEqual(str(dialog.remote_target), "sip:bob@example.net")
        dialog.receive_response(first, response(180))
        self.assertEqual(str(dialog.remote_target), "sip:bob@192.0.2.4:5070")

    def test_sequence_numbers(self) -> None:
        """
        We go on counting from our request; the peer has no number yet (12.1.2).
        """
        first = request(cseq=314159)
        dialog = Dialog.of_response(first, response(200, to=first))
        self.assertEqual((dialog.local_cseq, dialog.remote_cseq), (314159, None))
        self.assertIsNone(dialog.receive(from_bob("BYE", cseq=7)))
        self.assertEqual(dialog.remote_cseq, 7)

    def test_secure(self) -> None:
        """
        It is secure if the request went over TLS to a sips URI, and only then.
        """
        for uri, over_tls, secure in (
            ("sips:bob@example.net", True, True),
            ("sips:bob@example.net", False, False),
            ("sip:bob@example.net", True, False),
        ):
            first = request(uri=uri)
            dialog = Dialog.of_response(first, response(200), over_tls=over_tls)
            self.assertIs(dialog.secure, secure)

    def test_broken_response(self) -> None:
        """
        A response whose Contact or Record-Route cannot be read makes no dialog.
        """
        for more, contact in (
            ((), "<sip:[::1>"),
            ((), "*"),
            ((), "<tel:+15551234>"),
            (("Record-Route: <sip:>",), "<sip:bob@192.0.2.4>"),
            (("Record-Route: <tel:1>",), "<sip:bob@192.0.2.4>"),
        ):
            answer = response(200, *more, contact=contact)
            self.assertRaises(ParseError, Dialog.of_response, request(), answer)

    def test_confirmation(self) -> None:
        """
        The 2xx confirms an early dialog: it recomputes the route set and refreshes the
        target, and leaves the numbers alone (13.2.2.4).
        """
        first = request()
        dialog = Dialog.of_response(first, response(180, f"Record-Route: {P1}"))
        dialog.request("UPDATE")
        dialog.receive(from_bob("UPDATE", cseq=5))
        answer = response(200, f"Record-Route: {P2}", contact="<sip:bob@192.0.2.9>")
        self.assertIs(dialog.receive_response(first, answer), Fate.Nothing)
        self.assertIs(dialog.state, State.Confirmed)
        bye = dialog.request("BYE")
        self.assertEqual(routes(bye), [P2])
        self.assertEqual(bye.request_uri, "sip:bob@192.0.2.9")
        self.assertEqual((dialog.local_cseq, dialog.remote_cseq), (3, 5))

    def test_confirmation_with_a_broken_route(self) -> None:
        """
        A 2xx whose Record-Route cannot be read leaves the route set as it was.
        """
        first = request()
        dialog = Dialog.of_response(first, response(180, f"Record-Route: {P1}"))
        dialog.receive_response(first, response(200, "Record-Route: <tel:1>"))
        self.assertIs(dialog.state, State.Confirmed)
        self.assertEqual(routes(dialog.request("BYE")), [P1])

    def test_failure_ends_an_early_dialog(self) -> None:
        """
        A final failure of the request that made it ends an early dialog (12.3).
        """
        first = request()
        dialog = Dialog.of_response(first, response(180))
        dialog.receive_response(first, response(486))
        self.assertIs(dialog.state, State.Terminated)


class ServerTests(SynchronousTestCase):
    """
    Dialogs made by a request of the peer.
    """

    def test_state(self) -> None:
        """
        It is early until a 2xx is made, and over after a failure (12.1, 12.3).
        """
        for status, state in (
            (100, State.Early),
            (180, State.Early),
            (200, State.Confirmed),
            (302, State.Terminated),
            (603, State.Terminated),
        ):
            dialog = bobs_dialog()
            dialog.respond(request(), status)
            self.assertIs(dialog.state, state, status)

    def test_id(self) -> None:
        """
        The local tag is ours, the remote one that of the From.
        """
        dialog = bobs_dialog()
        self.assertEqual((dialog.local_tag, dialog.remote_tag), (BOB_TAG, ALICE_TAG))
        self.assertFalse(dialog.initiator)

    def test_peer_without_tag(self) -> None:
        """
        "A UAS MUST be prepared to receive a request without a tag in the From field, in
        which case the tag is considered to have a value of null" (12.1.1).
        """
        dialog = Dialog.of_request(request(from_tag=None), BOB_TAG, BOB_CONTACT)
        self.assertEqual(dialog.remote_tag, "")
        self.assertIsNone(dialog.request("UPDATE")[TO].tag)

    def test_route_set_is_in_order(self) -> None:
        """
        The route set is the Record-Route of the request in its order (12.1.1).
        """
        dialog = bobs_dialog(*RECORD_ROUTES)
        self.assertEqual(routes(dialog.request("UPDATE")), [P2, P1])

    def test_sequence_numbers(self) -> None:
        """
        The peer's number is that of the request; ours begins where we say (12.1.1).
        """
        first = request(cseq=7)
        dialog = Dialog.of_request(first, BOB_TAG, BOB_CONTACT, local_cseq=100)
        self.assertEqual(dialog.remote_cseq, 7)
        self.assertEqual(dialog.request("UPDATE")[CSEQ], CSeq(101, "UPDATE"))

    def test_secure(self) -> None:
        """
        It is secure if the request came over TLS for a sips URI.
        """
        first = request(uri="sips:bob@example.net")
        for over_tls in (True, False):
            dialog = Dialog.of_request(first, "1", BOB_CONTACT, over_tls=over_tls)
            self.assertIs(dialog.secure, over_tls)

    def test_broken_request(self) -> None:
        """
        A request without a Contact that is a SIP URI is answered with 400
        (RFC 3261, 8.1.1.8).
        """
        for contact in (None, "*", "<tel:+15551234>", "<sip:>"):
            first = request(contact=contact)
            with self.assertRaises(ParseError) as caught:
                Dialog.of_request(first, BOB_TAG, BOB_CONTACT)
            self.assertEqual(caught.exception.status, 400)


class NotifyTests(SynchronousTestCase):
    """
    Dialogs made by a NOTIFY for our SUBSCRIBE.
    """

    def test_dialog_of_a_notify(self) -> None:
        """
        The dialog is ours, with the tag, Contact and routes of the NOTIFY
        (RFC 6665, 4.4.1).
        """
        subscribe = request("SUBSCRIBE", "Event: presence", cseq=4)
        notify = from_bob("NOTIFY", *RECORD_ROUTES, cseq=9)
        dialog = Dialog.of_notify(subscribe, notify)
        self.assertIs(dialog.state, State.Confirmed)
        self.assertEqual((dialog.local_tag, dialog.remote_tag), (ALICE_TAG, BOB_TAG))
        self.assertTrue(dialog.initiator)
        self.assertEqual(dialog.method, "SUBSCRIBE")
        again = dialog.request("SUBSCRIBE")
        self.assertEqual(again.request_uri, "sip:bob@192.0.2.4:5070")
        self.assertEqual(routes(again), [P2, P1])
        self.assertEqual(again[CSEQ].number, 5)
        self.assertEqual(str(again[CONTACT]), "<sip:alice@192.0.2.1:5060>")
        self.assertEqual(dialog.receive(notify), Refusal(500, "CSeq 9 comes after 9"))

    def test_notify_without_contact(self) -> None:
        """
        A NOTIFY without a Contact makes no dialog.
        """
        notify = from_bob("NOTIFY", contact=None)
        self.assertRaises(ParseError, Dialog.of_notify, request("SUBSCRIBE"), notify)


class RequestTests(SynchronousTestCase):
    """
    Requests that a dialog makes.
    """

    def test_fields(self) -> None:
        """
        A request has the URIs, tags, Call-ID and next number of the dialog, and no Via,
        which the transaction brings (12.2.1.1).
        """
        made = alices_dialog().request("BYE")
        self.assertEqual(made.request_uri, "sip:bob@192.0.2.4:5070")
        self.assertEqual(
            str(made[FROM]), f'"Alice" <sip:alice@example.com>;tag={ALICE_TAG}'
        )
        self.assertEqual(str(made[TO]), f'"Bob" <sip:bob@example.net>;tag={BOB_TAG}')
        self.assertEqual(made[CALL_ID], "a84b4c76e66710@192.0.2.1")
        self.assertEqual(made[CSEQ], CSeq(2, "BYE"))
        self.assertEqual(made[MAX_FORWARDS], 70)
        self.assertNotIn(VIA, made)
        self.assertNotIn(ROUTE, made)

    def test_more_fields_and_a_body(self) -> None:
        """
        What the user adds goes into the request.
        """
        made = alices_dialog().request("INFO", [("X-Info", "1")], b"body")
        self.assertEqual(made.get("X-Info"), "1")
        self.assertEqual(made.body, b"body")
        self.assertEqual(made.get("Content-Length"), "4")

    def test_contact_in_target_refreshes(self) -> None:
        """
        Requests that refresh the target have our Contact, the others have none.
        """
        dialog = alices_dialog()
        for method, has_contact in (
            ("INVITE", True),
            ("UPDATE", True),
            ("SUBSCRIBE", True),
            ("NOTIFY", True),
            ("REFER", True),
            ("INFO", False),
            ("PRACK", False),
            ("BYE", False),
        ):
            made = dialog.request(method)
            self.assertIs(CONTACT in made, has_contact, method)

    def test_moving(self) -> None:
        """
        A new Contact goes into the next request.
        """
        dialog = alices_dialog()
        dialog.contact = Address.parse("<sip:alice@192.0.2.99>")
        self.assertEqual(
            str(dialog.request("INVITE")[CONTACT]), "<sip:alice@192.0.2.99>"
        )

    def test_loose_routing(self) -> None:
        """
        Where the first route has lr, the Request-URI is the target and the whole route
        set goes into Route (12.2.1.1).
        """
        made = alices_dialog(200, *RECORD_ROUTES).request("BYE")
        self.assertEqual(made.request_uri, "sip:bob@192.0.2.4:5070")
        self.assertEqual(routes(made), [P1, P2])

    def test_strict_routing(self) -> None:
        """
        Where the first route has no lr, it becomes the Request-URI, without what may
        not be in one, and the target goes to the end of Route (12.2.1.1).
        """
        strict = "Record-Route: <sip:p1.example.com;x=1;method=INVITE?Subject=no>"
        made = alices_dialog(200, f"Record-Route: {P2}", strict).request("BYE")
        self.assertEqual(made.request_uri, "sip:p1.example.com;x=1")
        self.assertEqual(routes(made), [P2, "<sip:bob@192.0.2.4:5070>"])

    def test_strict_router_behind_a_loose_one(self) -> None:
        """
        Only the first route decides.
        """
        answer = response(200, f"Record-Route: {STRICT}", f"Record-Route: {P2}")
        made = Dialog.of_response(request(), answer).request("BYE")
        self.assertEqual(made.request_uri, "sip:bob@192.0.2.4:5070")
        self.assertEqual(routes(made), [P2, STRICT])

    def test_target_with_what_no_request_uri_has(self) -> None:
        """
        A method parameter and headers of a Contact stay out of the Request-URI
        (19.1.1), which a peer would refuse.
        """
        contact = "<sip:bob@192.0.2.4;transport=tcp;method=INVITE?Subject=x>"
        made = Dialog.of_response(request(), response(200, contact=contact))
        uri = made.request("BYE").request_uri
        self.assertEqual(uri, "sip:bob@192.0.2.4;transport=tcp")

    def test_refused(self) -> None:
        """
        There is no request in a dialog that is over, no second way to an ACK or a
        CANCEL, and no number after the last one.
        """
        over = alices_dialog()
        over.terminate()
        self.assertRaises(LocalProtocolError, over.request, "INFO")
        for method in ("ACK", "CANCEL"):
            self.assertRaises(LocalProtocolError, alices_dialog().request, method)
        last = alices_dialog()
        last.local_cseq = MAX_CSEQ
        self.assertRaises(LocalProtocolError, last.request, "INFO")

    def test_bye_in_an_early_dialog(self) -> None:
        """
        Of an early dialog only the caller may send a BYE (15).
        """
        self.assertEqual(alices_dialog(180).request("BYE").method, "BYE")
        self.assertRaises(LocalProtocolError, bobs_dialog().request, "BYE")

    def test_acknowledge(self) -> None:
        """
        An ACK has the number and the credentials of its INVITE, and counts as no
        request of the dialog (13.2.2.4).
        """
        credentials = 'Digest username="a", realm="r", nonce="n", uri="u", response="x"'
        invite = request(
            "INVITE",
            f"Authorization: {credentials}",
            f"Proxy-Authorization: {credentials}",
            f"Proxy-Authorization: {credentials}",
            cseq=41,
        )
        answer = response(200, *RECORD_ROUTES, to=invite)
        dialog = Dialog.of_response(invite, answer)
        dialog.request("INFO")
        ack = dialog.acknowledge(invite, [("X-Info", "1")], b"answer")
        self.assertEqual(ack[CSEQ], CSeq(41, "ACK"))
        self.assertEqual(routes(ack), [P1, P2])
        self.assertEqual(len(ack.all(AUTHORIZATION)), 1)
        self.assertEqual(len(ack.all(PROXY_AUTHORIZATION)), 2)
        self.assertEqual((ack.get("X-Info"), ack.body), ("1", b"answer"))
        self.assertNotIn(CONTACT, ack)
        self.assertEqual(dialog.local_cseq, 42)

    def test_acknowledge_after_the_end(self) -> None:
        """
        A 2xx is acknowledged in a dialog that is over, too.
        """
        dialog = alices_dialog()
        dialog.terminate()
        self.assertEqual(dialog.acknowledge(request())[CSEQ], CSeq(1, "ACK"))

    def test_take_over(self) -> None:
        """
        Who takes a stored dialog over counts a thousand ahead, at most to the last
        number that there is.
        """
        dialog = alices_dialog()
        dialog.take_over()
        self.assertEqual(dialog.request("BYE")[CSEQ].number, 1002)
        dialog.local_cseq = MAX_CSEQ - 10
        dialog.take_over()
        self.assertEqual(dialog.local_cseq, MAX_CSEQ)


class ResponseTests(SynchronousTestCase):
    """
    Responses that a dialog makes.
    """

    def test_responses_that_make_a_dialog(self) -> None:
        """
        They copy the Record-Route as it is spelled and have our tag and Contact
        (12.1.1).
        """
        spelled = 'Record-Route:  "P 2"  <sip:p2.example.net;LR;ftag=1>;x, <sip:p1;lr>'
        first = request("INVITE", spelled, f"Record-Route: {P1}")
        for status in (180, 200):
            dialog = Dialog.of_request(first, BOB_TAG, BOB_CONTACT)
            made = dialog.respond(first, status)
            self.assertEqual(
                made.all("Record-Route"),
                ('"P 2"  <sip:p2.example.net;LR;ftag=1>;x, <sip:p1;lr>', P1),
            )
            self.assertEqual(made[TO].tag, BOB_TAG)
            self.assertEqual(made.all(CONTACT), (BOB_CONTACT,))

    def test_trying(self) -> None:
        """
        A 100 makes no dialog: it has no tag, Contact or Record-Route.
        """
        first = request("INVITE", *RECORD_ROUTES)
        dialog = Dialog.of_request(first, BOB_TAG, BOB_CONTACT)
        made = dialog.respond(first, 100)
        self.assertIsNone(made[TO].tag)
        self.assertNotIn(CONTACT, made)
        self.assertNotIn(RECORD_ROUTE, made)

    def test_failure(self) -> None:
        """
        A failure has our tag, but no Contact of ours and no Record-Route.
        """
        first = request("INVITE", *RECORD_ROUTES)
        dialog = Dialog.of_request(first, BOB_TAG, BOB_CONTACT)
        made = dialog.respond(first, 302, "Elsewhere", [("Contact", "<sip:c@e.com>")])
        self.assertEqual(made.reason, "Elsewhere")
        self.assertEqual(made[TO].tag, BOB_TAG)
        self.assertEqual([str(each) for each in made.all(CONTACT)], ["<sip:c@e.com>"])
        self.assertNotIn(RECORD_ROUTE, made)

    def test_within_the_dialog(self) -> None:
        """
        A response to a target refresh has our Contact, that to another request none;
        neither has a Record-Route.
        """
        dialog = alices_dialog()
        for method, has_contact in (("INVITE", True), ("INFO", False), ("BYE", False)):
            made = dialog.respond(from_bob(method, *RECORD_ROUTES), 200)
            self.assertIs(CONTACT in made, has_contact)
            self.assertNotIn(RECORD_ROUTE, made)

    def test_more_fields_and_a_body(self) -> None:
        """
        What the user adds goes into the response.
        """
        made = bobs_dialog().respond(request(), 200, None, [("X-Info", "1")], b"body")
        self.assertEqual((made.get("X-Info"), made.body), ("1", b"body"))


class ReceiveTests(SynchronousTestCase):
    """
    Requests of the peer, and what they do to the dialog.
    """

    def assert_refused(self, dialog: Dialog, received: Request, status: int) -> None:
        """
        Check that the dialog refuses a request with this status.
        """
        refusal = dialog.receive(received)
        assert refusal is not None
        self.assertEqual(refusal.status, status)

    def test_order(self) -> None:
        """
        A lower number is refused with 500, a higher one may leave some out (12.2.2).
        """
        dialog = alices_dialog()
        self.assertIsNone(dialog.receive(from_bob("INFO", cseq=10)))
        self.assert_refused(dialog, from_bob("INFO", cseq=9), 500)
        self.assertIsNone(dialog.receive(from_bob("INFO", cseq=5000)))
        self.assert_refused(dialog, from_bob("INFO", cseq=4999), 500)
        self.assertEqual(dialog.remote_cseq, 5000)

    def test_the_same_number_again(self) -> None:
        """
        No second request has the number of one before.
        """
        dialog = alices_dialog()
        dialog.receive(from_bob("INFO", cseq=10))
        self.assert_refused(dialog, from_bob("BYE", cseq=10), 500)

    def test_number_of_the_first_request_counts(self) -> None:
        """
        The request that made the dialog is the first in the row.
        """
        dialog = bobs_dialog()
        self.assert_refused(dialog, request("UPDATE", cseq=1, to_tag=BOB_TAG), 500)
        self.assertIsNone(dialog.receive(request("UPDATE", cseq=2, to_tag=BOB_TAG)))

    def test_ack_and_cancel(self) -> None:
        """
        ACK and CANCEL have the number of their INVITE, and pass.
        """
        dialog = bobs_dialog()
        dialog.receive(request("INFO", cseq=2, to_tag=BOB_TAG))
        for method in ("ACK", "CANCEL"):
            self.assertIsNone(dialog.receive(request(method, cseq=1, to_tag=BOB_TAG)))
        self.assertEqual(dialog.remote_cseq, 2)

    def test_dialog_that_is_over(self) -> None:
        """
        A request in a dialog that is over finds none.
        """
        dialog = alices_dialog()
        dialog.terminate()
        self.assert_refused(dialog, from_bob("INFO"), 481)
        self.assertIsNone(dialog.receive(from_bob("ACK")))

    def test_broken_requests(self) -> None:
        """
        What cannot be read is refused with 400 and changes nothing.
        """
        dialog = alices_dialog()
        broken = from_bob("INFO")
        broken.set("CSeq", "x INFO")
        missing = from_bob("INFO")
        missing.remove(CSEQ)
        for received in (
            broken,
            missing,
            from_bob("INVITE", contact="*"),
            from_bob("INVITE", contact="<sip:>"),
            from_bob("INVITE", contact="<tel:1>"),
        ):
            self.assert_refused(dialog, received, 400)
        self.assertIsNone(dialog.remote_cseq)

    def test_target_refresh(self) -> None:
        """
        The Contact of a target refresh is followed when it is accepted, and only then:
        "If it is rejected, all state changes MUST NOT be performed" (8.2).
        """
        elsewhere = "<sip:bob@192.0.2.99>"
        for method in ("INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"):
            for status, uri in (
                (180, "sip:bob@192.0.2.4:5070"),
                (202, "sip:bob@192.0.2.99"),
                (488, "sip:bob@192.0.2.4:5070"),
            ):
                dialog = alices_dialog()
                received = from_bob(method, contact=elsewhere)
                self.assertIsNone(dialog.receive(received))
                dialog.respond(received, status)
                self.assertEqual(str(dialog.remote_target), uri, (method, status))
                self.assertIs(dialog.state, State.Confirmed)

    def test_no_target_refresh(self) -> None:
        """
        Other requests leave the target alone, and so does one without a Contact.
        """
        dialog = alices_dialog()
        for received in (
            from_bob("INFO", contact="<sip:bob@192.0.2.99>"),
            from_bob("INVITE", contact=None, cseq=2),
        ):
            dialog.receive(received)
            dialog.respond(received, 200)
            self.assertEqual(str(dialog.remote_target), "sip:bob@192.0.2.4:5070")

    def test_route_set_stays(self) -> None:
        """
        A target refresh leaves the route set alone (12.2).
        """
        dialog = alices_dialog(200, *RECORD_ROUTES)
        received = from_bob("INVITE", "Record-Route: <sip:p9.example.com;lr>")
        dialog.receive(received)
        dialog.respond(received, 200)
        self.assertEqual(routes(dialog.request("BYE")), [P1, P2])


class ReceiveResponseTests(SynchronousTestCase):
    """
    Responses to our requests within a dialog, and what they do to it.
    """

    def test_target_refresh(self) -> None:
        """
        The Contact of a 2xx to a target refresh is followed (12.2.1.2), and that of a
        reliable provisional response (RFC 6141, 4.6).
        """
        moved = "<sip:bob@192.0.2.99>"
        for method, status, more, uri in (
            ("INVITE", 200, (), "sip:bob@192.0.2.99"),
            ("UPDATE", 200, (), "sip:bob@192.0.2.99"),
            ("INVITE", 183, ("RSeq: 1",), "sip:bob@192.0.2.99"),
            ("INVITE", 183, (), "sip:bob@192.0.2.4:5070"),
            ("INVITE", 302, (), "sip:bob@192.0.2.4:5070"),
            ("INFO", 200, (), "sip:bob@192.0.2.4:5070"),
        ):
            dialog = alices_dialog()
            made = dialog.request(method)
            made.prepend("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa")
            answer = response(status, *more, to=made, contact=moved)
            dialog.receive_response(made, answer)
            self.assertEqual(str(dialog.remote_target), uri, (method, status))

    def test_broken_contact(self) -> None:
        """
        A Contact that cannot be read is as if there were none.
        """
        dialog = alices_dialog()
        made = dialog.request("INVITE")
        answer = response(200, to=made, contact="<sip:>")
        self.assertIs(dialog.receive_response(made, answer), Fate.Nothing)
        self.assertEqual(str(dialog.remote_target), "sip:bob@192.0.2.4:5070")

    def test_fate(self) -> None:
        """
        Some failures end the usage, some the dialog, most of them nothing
        (RFC 5057, 5.1); it is left to the user to end it.
        """
        for status, fate in (
            (180, Fate.Nothing),
            (200, Fate.Nothing),
            (401, Fate.Nothing),
            (404, Fate.Dialog),
            (408, Fate.Usage),
            (410, Fate.Dialog),
            (481, Fate.Usage),
            (483, Fate.Dialog),
            (488, Fate.Nothing),
            (491, Fate.Nothing),
            (500, Fate.Nothing),
            (503, Fate.Nothing),
            (604, Fate.Dialog),
        ):
            dialog = alices_dialog()
            made = dialog.request("INVITE")
            answer = response(status, to=made)
            self.assertIs(dialog.receive_response(made, answer), fate, status)
            self.assertIs(dialog.state, State.Confirmed)

    def test_late_response_to_the_first_request(self) -> None:
        """
        A failure of the request that made a confirmed dialog does not end it.
        """
        dialog = alices_dialog(200)
        dialog.receive_response(request(), response(480))
        self.assertIs(dialog.state, State.Confirmed)

    def test_repr(self) -> None:
        """
        A dialog shows its state and its Call-ID.
        """
        self.assertEqual(
            repr(alices_dialog(180)), "<Dialog Early a84b4c76e66710@192.0.2.1>"
        )
