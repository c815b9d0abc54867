"""
Tests for `sipsorcery.proxy.routing`.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.arrival import Arrival
from sipsorcery.proxy.branch import Kind
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.token import INSIDE, DatagramFlow, Use
from sipsorcery.sip import ParseError, Request
from sipsorcery.sip.fields import ROUTE, UNSUPPORTED, VIA
from tests.proxy.flows import (
    BRANCHES,
    FLOW_A,
    FLOW_B,
    FROM_A,
    FROM_B,
    FROM_S1,
    OUTSIDE_UDP,
    STRANGER_INSIDE,
    make_request,
    path,
    route,
    rr,
    token,
)

DLG = "sip:dialog@203.0.113.1:5060"
METHODS = (
    *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
    *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE", "NEWMETHOD"),
)


class RoutingCase(SynchronousTestCase):
    """
    What the tests below share.
    """

    def assert_refused(self, status: int, request: Request, arrival: Arrival) -> None:
        """
        Check that a request is refused.
        """
        with self.assertRaises(Refused) as caught:
            route(request, arrival)
        self.assertEqual(caught.exception.status, status)

    def routes(self, request: Request) -> list[str]:
        """
        Give the URIs that are left in the Routes.
        """
        return [str(each.uri) for each in request.all(ROUTE)]


class DialogTests(RoutingCase):
    """
    Requests in a dialog: the last Route of ours chooses the flow.
    """

    def test_from_a_phone(self) -> None:
        """
        B hangs up: its Routes rr(B), rr(in) lead inside, to the dialogue's server.
        """
        bye = make_request(
            "BYE",
            DLG,
            f"Route: <{rr(FLOW_B)}>, <{rr(INSIDE)}>",
            to_tag="b",
        )
        routed = route(bye, FROM_B)
        self.assertEqual(routed.flow, INSIDE)
        self.assertEqual(self.routes(routed.request), [])
        self.assertEqual(str(routed.uri), DLG)
        self.assertTrue(routed.is_ours)

    def test_to_a_phone(self) -> None:
        """
        S1 hangs up A: its Routes rr(in), rr(A) lead to where A is behind its NAT.
        """
        bye = make_request(
            "BYE",
            "sip:alice@192.168.1.2:5060",
            f"Route: <{rr(INSIDE)}>",
            f"Route: <{rr(FLOW_A)}>",
            to_tag="a",
        )
        routed = route(bye, FROM_S1)
        self.assertEqual(routed.flow, FLOW_A)
        self.assertEqual(str(routed.uri), "sip:alice@192.168.1.2:5060")
        self.assertFalse(routed.is_ours)

    def test_new_port_of_nat(self) -> None:
        """
        A comes from a new port: its old flow is of no account, the last one is.
        """
        moved = Endpoint.parse("udp:198.51.100.7:44000")
        arrival = Arrival(
            DatagramFlow(OUTSIDE_UDP, moved), FROM_A.side, OUTSIDE_UDP, moved
        )
        reinvite = make_request(
            "INVITE", DLG, f"Route: <{rr(FLOW_A)}>, <{rr(INSIDE)}>", to_tag="s"
        )
        self.assertEqual(route(reinvite, arrival).flow, INSIDE)

    def test_without_route(self) -> None:
        """
        A phone that ignores Record-Route reaches the dialogue by the Request-URI.
        """
        routed = route(make_request("BYE", DLG, to_tag="s"), FROM_A)
        self.assertIsNone(routed.flow)
        self.assertTrue(routed.is_ours)

    def test_outside_a_dialog(self) -> None:
        """
        The token of a Record-Route from outside is refused without a To tag.
        """
        line = f"Route: <{rr(FLOW_A)}>, <{rr(INSIDE)}>"
        for method in METHODS:
            self.assert_refused(403, make_request(method, DLG, line), FROM_A)

    def test_path_from_outside(self) -> None:
        """
        The token of a Path is refused from outside, also in a dialog.
        """
        for uri in (path(FLOW_B), rr(FLOW_B).replace("lr", "lr;ob")):
            line = f"Route: <{uri}>"
            self.assert_refused(403, make_request("INVITE", DLG, line), FROM_A)
        line = f"Route: <{path(FLOW_B)}>"
        request = make_request("BYE", DLG, line, to_tag="b")
        self.assert_refused(403, request, FROM_A)

    def test_forged(self) -> None:
        """
        A user part of a Route of ours that we have not signed is refused.
        """
        genuine = rr(FLOW_B)
        user = token(Use.RECORD_ROUTE, FLOW_B)
        forged = genuine.replace(user, user[:-1] + ("A" if user[-1] != "A" else "B"))
        for uri in (forged, "sip:bob@203.0.113.1;lr"):
            request = make_request("BYE", DLG, f"Route: <{uri}>", to_tag="b")
            self.assert_refused(403, request, FROM_B)
            request = make_request("BYE", DLG, f"Route: <{uri}>", to_tag="b")
            self.assert_refused(403, request, FROM_S1)

    def test_every_token_is_checked(self) -> None:
        """
        A forged token does not pass because a genuine one follows.
        """
        line = f"Route: <sip:x@203.0.113.1;lr>, <{rr(INSIDE)}>"
        self.assert_refused(403, make_request("BYE", DLG, line, to_tag="b"), FROM_B)

    def test_through_us_to_others_inside(self) -> None:
        """
        A genuine way inside is none to a Request-URI that is not ours.
        """
        line = f"Route: <{rr(FLOW_B)}>, <{rr(INSIDE)}>"
        request = make_request("BYE", "sip:x@192.0.2.66", line, to_tag="b")
        self.assert_refused(403, request, FROM_B)

    def test_foreign_routes_stay(self) -> None:
        """
        Only the Routes in front of the first foreign one are ours to pop.
        """
        bye = make_request(
            "BYE",
            "sip:carol@192.0.2.80",
            f"Route: <{rr(INSIDE)}>, <{rr(FLOW_A)}>, <sip:192.0.2.81;lr>;x=1",
            f"Route: <{rr(FLOW_B)}>",
            to_tag="c",
        )
        routed = route(bye, FROM_S1)
        self.assertEqual(routed.flow, FLOW_A)
        self.assertEqual(self.routes(routed.request), ["sip:192.0.2.81;lr", rr(FLOW_B)])
        self.assertIn("Route: <sip:192.0.2.81;lr>;x=1\r\n", routed.request.head)


class OutgoingRouteTests(RoutingCase):
    """
    Routes of ours that only bring a request here.
    """

    def test_to_a_binding(self) -> None:
        """
        S1 calls B: the token of the Path, from inside, chooses B's connection.
        """
        invite = make_request(
            "INVITE",
            "sip:bob@10.0.0.5:4444;transport=tls",
            f"Route: <{path(FLOW_B)}>",
        )
        routed = route(invite, FROM_S1)
        self.assertEqual(routed.flow, FLOW_B)
        self.assertEqual(str(routed.uri), "sip:bob@10.0.0.5:4444;transport=tls")

    def test_preloaded(self) -> None:
        """
        S1 calls out through us: the plain Route is popped, the Request-URI goes on,
        and the role chooses the listener.
        """
        invite = make_request(
            "INVITE",
            "sip:+4420@provider.example",
            "Route: <sip:127.0.0.1:5059;lr>",
            "Proxy-SendFrom: udp:203.0.113.1:5060",
        )
        routed = route(invite, FROM_S1)
        self.assertIsNone(routed.flow)
        self.assertEqual(str(routed.next_hop), "sip:+4420@provider.example")
        self.assertEqual(routed.send_from, OUTSIDE_UDP)
        self.assertFalse(routed.is_ours)

    def test_preloaded_with_more(self) -> None:
        """
        The Route that follows ours is the next hop.
        """
        line = "Route: <sip:127.0.0.1:5059;lr>, <sip:sbc.provider.example;lr>"
        invite = make_request("INVITE", "sip:1@provider.example", line)
        routed = route(invite, FROM_S1)
        self.assertEqual(str(routed.next_hop), "sip:sbc.provider.example;lr")

    def test_own_flow_alone(self) -> None:
        """
        A single Route of ours with the flow it came by is outgoing.
        """
        line = f"Route: <{rr(INSIDE)}>"
        request = make_request("BYE", "sip:x@192.0.2.80", line, to_tag="x")
        self.assertIsNone(route(request, FROM_S1).flow)
        line = f"Route: <{rr(FLOW_A)}>"
        request = make_request("BYE", DLG, line, to_tag="x")
        routed = route(request, FROM_A)
        self.assertIsNone(routed.flow)
        self.assertTrue(routed.is_ours)

    def test_own_flow_twice(self) -> None:
        """
        Two of the same lead back to the sender: that is who it calls.
        """
        line = f"Route: <{rr(FLOW_A)}>, <{rr(FLOW_A)}>"
        request = make_request("BYE", "sip:a@10.0.0.7", line, to_tag="x")
        self.assertEqual(route(request, FROM_A).flow, FLOW_A)

    def test_outbound_proxy(self) -> None:
        """
        A phone that names us as its outbound proxy, by any name, may.
        """
        for uri in ("sip:203.0.113.1;lr", "sip:example.com;lr", "sip:203.0.113.1:5061"):
            request = make_request("INVITE", "sip:bob@example.com", f"Route: <{uri}>")
            self.assertTrue(route(request, FROM_A).is_ours)

    def test_bad_listener(self) -> None:
        """
        A role that names no listener hears of it.
        """
        request = make_request("INVITE", "sip:x@192.0.2.80", "Proxy-SendFrom: eth0")
        self.assertRaises(ParseError, route, request, FROM_S1)

    def test_too_many(self) -> None:
        """
        More Routes of ours than hops could have made are refused.
        """
        lines = ["Route: " + ", ".join(["<sip:203.0.113.1;lr>"] * 100)] * 2
        request = make_request("INVITE", "sip:bob@example.com", *lines)
        self.assert_refused(400, request, FROM_A)


class StrictRouterTests(RoutingCase):
    """
    Strict routers before us (RFC 3261, 16.4).
    """

    def test_request_uri_of_ours(self) -> None:
        """
        The last Route is the Request-URI, ours was the first Route.
        """
        bye = make_request(
            "BYE", rr(FLOW_B), f"Route: <{rr(INSIDE)}>, <{DLG}>", to_tag="b"
        )
        routed = route(bye, FROM_B)
        self.assertEqual(routed.flow, INSIDE)
        self.assertEqual(str(routed.uri), DLG)
        self.assertEqual(routed.request.request_uri, DLG)
        self.assertEqual(self.routes(routed.request), [])

    def test_foreign_last_route(self) -> None:
        """
        What becomes the Request-URI so is no more ours than if it had been it.
        """
        request = make_request(
            "INVITE", "sip:203.0.113.1;lr", "Route: <sip:x@192.0.2.66>"
        )
        self.assertFalse(route(request, FROM_A).is_ours)

    def test_others_stay(self) -> None:
        """
        Routes between ours and the last one stay.
        """
        other = "sip:192.0.2.81;lr"
        line = f"Route: <{rr(FLOW_A)}>, <{other}>, <sip:c@192.0.2.80>"
        routed = route(make_request("BYE", rr(INSIDE), line, to_tag="c"), FROM_S1)
        self.assertEqual(routed.flow, FLOW_A)
        self.assertEqual(self.routes(routed.request), [other])
        self.assertEqual(str(routed.uri), "sip:c@192.0.2.80")

    def test_scheme(self) -> None:
        """
        A last Route that is no SIP URI is refused.
        """
        request = make_request("INVITE", "sip:203.0.113.1;lr", "Route: <tel:112>")
        self.assert_refused(416, request, FROM_A)


class TrustTests(RoutingCase):
    """
    What is believed of whom.
    """

    LINES = (
        "Proxy-ReceivedFrom: udp:192.0.2.1:1",
        "PROXY-receivedON: udp:192.0.2.1:1",
        "proxy-sendfrom \t: udp:127.0.0.1:5059",
        "Proxy-SendFrom:\r\n udp:203.0.113.1:5060",
        "pROXY-rECEIVEDtRUNK: yes",
        "P-Asserted-Identity: <sip:boss@example.com>",
    )
    NAMES = (
        *("Proxy-ReceivedFrom", "Proxy-ReceivedOn", "Proxy-SendFrom"),
        "Proxy-ReceivedTrunk",
        "P-Asserted-Identity",
    )

    def test_outside(self) -> None:
        """
        From a public socket the fields between us are removed, however spelled.
        """
        for line in self.LINES:
            request = make_request("INVITE", "sip:bob@example.com", line, line)
            routed = route(request, FROM_A)
            self.assertIsNone(routed.send_from)
            for name in self.NAMES:
                self.assertNotIn(name, routed.request)

    def test_inside_but_nobody(self) -> None:
        """
        The inside socket alone makes nobody trusted: the address has to be a role's.
        """
        for line in self.LINES:
            request = make_request("INVITE", "sip:bob@example.com", line)
            routed = route(request, STRANGER_INSIDE)
            for name in self.NAMES:
                self.assertNotIn(name, routed.request)
        line = f"Route: <{path(FLOW_B)}>"
        request = make_request("INVITE", "sip:bob@10.0.0.5", line)
        self.assert_refused(403, request, STRANGER_INSIDE)

    def test_role(self) -> None:
        """
        What a role says stays.
        """
        request = make_request("INVITE", "sip:bob@example.com", *self.LINES[:2])
        self.assertIn("Proxy-ReceivedOn", route(request, FROM_S1).request)

    def test_untouched(self) -> None:
        """
        A request without any of it stays what it was.
        """
        request = make_request("INVITE", "sip:bob@example.com", "Proxy-Other: 1")
        before = request.to_bytes()
        self.assertEqual(route(request, FROM_A).request.to_bytes(), before)


class ValidationTests(RoutingCase):
    """
    RFC 3261, 16.3.
    """

    def test_hops(self) -> None:
        """
        No Max-Forwards counts as 70; at 0 nothing but OPTIONS is worth a look.
        """
        request = make_request("INVITE", "sip:bob@example.com")
        self.assertEqual(route(request, FROM_A).hops, 70)
        request = make_request("INVITE", "sip:bob@example.com", "Max-Forwards: 7")
        self.assertEqual(route(request, FROM_A).hops, 7)
        for method in METHODS:
            request = make_request(method, "sip:bob@example.com", "Max-Forwards: 0")
            if method == "OPTIONS":
                self.assertEqual(route(request, FROM_A).hops, 0)
            else:
                self.assert_refused(483, request, FROM_A)

    def test_extensions(self) -> None:
        """
        A Proxy-Require is answered with what is not supported; an ACK and a CANCEL
        repeat that of their INVITE and are not judged by it.
        """
        lines = ("Proxy-Require: sec-agree, foo", "proxy-require: foo")
        request = make_request("INVITE", "sip:bob@example.com", *lines)
        with self.assertRaises(Refused) as caught:
            route(request, FROM_A)
        self.assertEqual(caught.exception.status, 420)
        self.assertEqual(
            caught.exception.fields, [(UNSUPPORTED.name, "sec-agree, foo")]
        )
        for method in ("ACK", "CANCEL"):
            route(make_request(method, "sip:bob@example.com", *lines), FROM_A)

    def test_scheme(self) -> None:
        """
        A Request-URI that is no SIP URI is refused.
        """
        for uri in ("tel:112", "urn:service:sos", "http://example.com"):
            self.assert_refused(416, make_request("INVITE", uri), FROM_A)

    def test_ours(self) -> None:
        """
        Ours are domains and addresses of ours; to somebody outside also all of the
        loopback, which nobody is led to.
        """
        for uri, from_a, from_s1 in (
            ("sip:bob@example.com", True, True),
            ("sips:bob@EXAMPLE.com:5061", True, True),
            ("sip:203.0.113.1", True, True),
            ("sip:x@203.0.113.1:5099", False, False),
            ("sip:x@127.0.0.1:5080", True, False),
            ("sip:x@localhost", True, False),
            ("sip:x@192.0.2.66", False, False),
            ("sip:bob@example.com;maddr=192.0.2.66", False, False),
            ("sip:bob@example.com;maddr=", False, False),
            ("sip:bob@example.com;maddr=203.0.113.1", True, True),
        ):
            request = make_request("INVITE", uri)
            self.assertEqual(route(request, FROM_A).is_ours, from_a, uri)
            request = make_request("INVITE", uri)
            self.assertEqual(route(request, FROM_S1).is_ours, from_s1, uri)

    def test_neighbour_here(self) -> None:
        """
        A trunk on this machine can mean others on it; on another one it cannot.
        """
        for host, ours in (("127.0.0.1", False), ("192.0.2.80", True)):
            remote = Endpoint.parse(f"udp:{host}:5080")
            arrival = replace(FROM_A, remote=remote, is_trunk=True)
            request = make_request("INVITE", "sip:x@127.0.0.1:5081")
            self.assertIs(route(request, arrival).is_ours, ours, host)

    def test_foreign_route(self) -> None:
        """
        What is to pass somebody else first has not arrived.
        """
        for line in ("Route: <sip:192.0.2.66;lr>", "Route: <tel:112>"):
            request = make_request("INVITE", "sip:bob@example.com", line)
            self.assertFalse(route(request, FROM_A).is_ours)

    @given(st.text(max_size=80), st.sampled_from(METHODS))
    def test_any_line(self, line: str, method: str) -> None:
        """
        Whatever a request holds, it is read or refused, and never anything else.
        """
        for arrival in (FROM_A, FROM_S1):
            try:
                request = make_request(method, "sip:bob@example.com", f"Route: {line}")
            except ParseError:
                return  # the transport layer has answered that
            try:
                route(request, arrival)
            except Refused as refused:
                self.assertGreaterEqual(refused.status, 400)
            except ParseError as error:
                # Else nobody could answer.
                self.assertIs(error.partial, request)


class LoopTests(RoutingCase):
    """
    RFC 5393: a loop is told from a spiral.
    """

    def again(self, request: Request, arrival: Arrival, uri: str) -> Request:
        """
        Let a request pass, and send it back to us as it left, but for its URI.
        """
        routed = route(request, arrival)
        branch = BRANCHES.make(Kind.FORWARDED, routed.loop, "target", routed.request)
        lines = [f"Via: {via}" for via in routed.request.all(VIA)]
        return make_request(
            routed.request.method,
            uri,
            *lines,
            via=f"SIP/2.0/UDP 203.0.113.1:5060;branch={branch}",
        )

    def test_loop(self) -> None:
        """
        A request that comes back as it was is refused, also after another hop.
        """
        uri = "sip:bob@example.com"
        back = self.again(make_request("INVITE", uri), FROM_A, uri)
        self.assert_refused(482, back, FROM_B)
        back = self.again(make_request("INVITE", uri), FROM_A, uri)
        vias = [f"Via: {via}" for via in back.all(VIA)]
        other = "SIP/2.0/UDP 192.0.2.80;branch=z9hG4bKother"
        self.assert_refused(482, make_request("INVITE", uri, *vias, via=other), FROM_B)

    def test_spiral(self) -> None:
        """
        A request that comes back for somebody else goes on; so does the second turn.
        """
        first = make_request("INVITE", "sip:bob@example.com")
        second = self.again(first, FROM_A, "sip:carol@example.com")
        third = self.again(second, FROM_A, "sip:dave@example.com")
        self.assertTrue(route(third, FROM_A).is_ours)

    def test_other_vias_of_ours(self) -> None:
        """
        Vias with our address alone, which anybody can write, are no loop.
        """
        via = "SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bKx"
        request = make_request("INVITE", "sip:bob@example.com", f"Via: {via}", via=via)
        route(request, FROM_A)

    def test_elsewhere(self) -> None:
        """
        The hash of a loop in another field is no loop.
        """
        uri = "sip:bob@example.com"
        loop = route(make_request("INVITE", uri), FROM_A).loop
        route(make_request("INVITE", uri, f"Subject: z9hG4bKf{loop}"), FROM_A)

    def test_method_does_not_matter(self) -> None:
        """
        CANCEL and ACK have the hash of their INVITE.
        """
        loops = {
            route(make_request(method, "sip:bob@example.com"), FROM_A).loop
            for method in ("INVITE", "CANCEL", "ACK")
        }
        self.assertEqual(len(loops), 1)
