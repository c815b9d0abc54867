"""
Tests for `sipsorcery.proxy.outgoing`.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import HostPort, Transport
from sipsorcery.proxy.arrival import Departure, Side
from sipsorcery.proxy.token import INSIDE
from sipsorcery.sip import Request
from sipsorcery.sip.fields import PATH, RECORD_ROUTE, ROUTE
from sipsorcery.sip.uri import SIPURI
from tests.proxy.flows import (
    FLOW_A,
    FLOW_B,
    FROM_A,
    FROM_B,
    FROM_R,
    FROM_S1,
    OUTGOING,
    TO_A,
    TO_B,
    TO_INSIDE,
    TO_PROVIDER,
    make_request,
    path,
    route,
    rr,
)


def uris(request: Request, field: str) -> list[str]:
    """
    Give the URIs in a field.
    """
    table = {"Path": PATH, "Record-Route": RECORD_ROUTE, "Route": ROUTE}
    return [str(each.uri) for each in request.all(table[field])]


class RegisterTests(SynchronousTestCase):
    """
    A phone registers.
    """

    def test_path(self) -> None:
        """
        The registrar gets a Path with the token of the phone's flow, and is told where
        the request came from, whatever the phone said of that.
        """
        for arrival, flow, remote, local in (
            (FROM_A, FLOW_A, "udp:198.51.100.7:33000", "udp:203.0.113.1:5060"),
            (FROM_B, FLOW_B, "tls:198.51.100.9:5555", "tls:203.0.113.1:5061"),
        ):
            register = make_request(
                "REGISTER", "sip:example.com", "Proxy-ReceivedFrom: udp:127.0.0.1:1"
            )
            request = OUTGOING.prepare(route(register, arrival), TO_INSIDE)
            self.assertEqual(uris(request, "Path"), [path(flow)])
            self.assertEqual(request.all("Proxy-ReceivedFrom"), (remote,))
            self.assertEqual(request.all("Proxy-ReceivedOn"), (local,))
            self.assertEqual(uris(request, "Record-Route"), [])

    def test_trunk(self) -> None:
        """
        A role is told that a request is of a trunk, and nobody outside is; what the
        sender says of that itself counts for nothing.
        """
        for is_trunk, told in ((True, ("yes",)), (False, ())):
            arrival = replace(FROM_B, is_trunk=is_trunk)
            for departure, expected in ((TO_INSIDE, told), (TO_A, ())):
                invite = make_request(
                    "INVITE", "sip:bob@example.com", "Proxy-ReceivedTrunk: really"
                )
                request = OUTGOING.prepare(route(invite, arrival), departure)
                self.assertEqual(request.all("Proxy-ReceivedTrunk"), expected)

    def test_not_the_first_hop(self) -> None:
        """
        Behind another proxy we are not the edge: no ``ob``, and our Path is on top.
        """
        register = make_request(
            "REGISTER",
            "sip:example.com",
            "Via: SIP/2.0/UDP 10.0.0.7",
            "Path: <sip:edge.example.net;lr>",
        )
        request = OUTGOING.prepare(route(register, FROM_A), TO_INSIDE)
        self.assertEqual(
            uris(request, "Path"),
            [path(FLOW_A).replace(";ob", ""), "sip:edge.example.net;lr"],
        )

    def test_answer(self) -> None:
        """
        What the registrar says to us alone does not leave.
        """
        response = make_request("REGISTER", "sip:example.com").respond(
            200, fields=[("PROXY-ReceivedFrom", "x"), ("Proxy-SendFrom", "y")]
        )
        OUTGOING.answer(response, FROM_R, inside=False)
        self.assertNotIn("Proxy-ReceivedFrom", response)
        self.assertNotIn("Proxy-SendFrom", response)

    def test_outward(self) -> None:
        """
        A REGISTER of ours at a provider takes no Path along.
        """
        register = make_request("REGISTER", "sip:provider.example")
        request = OUTGOING.prepare(route(register, FROM_S1), TO_PROVIDER)
        self.assertEqual(uris(request, "Path"), [])


class RecordRouteTests(SynchronousTestCase):
    """
    Both sides of a dialog get an address of their own to come back to.
    """

    def test_inwards(self) -> None:
        """
        A calls bob: the upper value faces the server inside, the lower one A.
        """
        invite = make_request("INVITE", "sip:bob@example.com")
        request = OUTGOING.prepare(route(invite, FROM_A), TO_INSIDE)
        self.assertEqual(uris(request, "Record-Route"), [rr(INSIDE), rr(FLOW_A)])
        for each in uris(request, "Record-Route"):
            self.assertTrue(SIPURI.parse(each).is_loose)

    def test_outwards(self) -> None:
        """
        The second leg to B: the upper value faces B, with TLS, the lower one us.
        """
        invite = make_request(
            "INVITE", "sip:bob@10.0.0.5:4444;transport=tls", f"Route: <{path(FLOW_B)}>"
        )
        request = OUTGOING.prepare(route(invite, FROM_S1), TO_B)
        self.assertEqual(uris(request, "Record-Route"), [rr(FLOW_B), rr(INSIDE)])
        self.assertIn("@203.0.113.1:5061;transport=tls;lr>", request.head)
        self.assertEqual(uris(request, "Route"), [])

    def test_the_ways_back(self) -> None:
        """
        The values lead each side of a call from A to B to the other one.
        """
        invite = make_request("INVITE", "sip:bob@example.com")
        request = OUTGOING.prepare(route(invite, FROM_A), TO_B)
        record = uris(request, "Record-Route")
        for arrival, routes, flow in (
            (FROM_B, record, FLOW_A),
            (FROM_A, record[::-1], FLOW_B),
        ):
            line = f"Route: <{routes[0]}>, <{routes[1]}>"
            bye = make_request("BYE", "sip:x@192.168.1.2", line, to_tag="b")
            self.assertEqual(route(bye, arrival).flow, flow)

    def test_to_a_provider(self) -> None:
        """
        Where the location of a server led is no flow: a Route, or the Request-URI,
        will lead there again. A role's wishes stay here.
        """
        invite = make_request(
            "INVITE", "sip:1@provider.example", "Proxy-SendFrom: udp:203.0.113.1:5060"
        )
        request = OUTGOING.prepare(route(invite, FROM_S1), TO_PROVIDER)
        self.assertEqual(
            uris(request, "Record-Route"), ["sip:203.0.113.1:5060;lr", rr(INSIDE)]
        )
        self.assertNotIn("Proxy-SendFrom", request)
        line = f"Route: <{rr(INSIDE)}>, <sip:203.0.113.1:5060;lr>"
        bye = make_request("BYE", "sip:gw@192.0.2.80", line, to_tag="x")
        routed = route(bye, FROM_S1)
        self.assertIsNone(routed.flow)
        self.assertEqual(str(routed.next_hop), "sip:gw@192.0.2.80")

    def test_sips(self) -> None:
        """
        Where a request goes to a sips URI, so do Record-Routes on the sides that have
        TLS (RFC 3261, 16.6, 4); else they are sip URIs, also after TLS.
        """
        for uri, arrival, departure, schemes in (
            ("sips:bob@10.0.0.5", FROM_S1, TO_B, ["sips", "sip"]),
            ("sips:bob@example.com", FROM_B, TO_INSIDE, ["sip", "sips"]),
            ("sip:bob@10.0.0.5;transport=tls", FROM_S1, TO_B, ["sip", "sip"]),
            ("sip:bob@example.com", FROM_B, TO_INSIDE, ["sip", "sip"]),
        ):
            request = OUTGOING.prepare(
                route(make_request("INVITE", uri), arrival), departure
            )
            found = [SIPURI.parse(each) for each in uris(request, "Record-Route")]
            self.assertEqual([each.scheme for each in found], schemes, uri)
            for each in found:
                if each.scheme == "sips":
                    self.assertIsNone(each.transport)
                    self.assertEqual(each.port, 5061)

    def test_sips_route(self) -> None:
        """
        A sips URI in the Route that is next counts the same.
        """
        request = make_request(
            "INVITE",
            "sip:x@192.0.2.80",
            f"Route: <{path(FLOW_B)}>, <sips:192.0.2.80;lr>",
        )
        request = OUTGOING.prepare(route(request, FROM_S1), TO_B)
        self.assertTrue(uris(request, "Record-Route")[0].startswith("sips:"))

    def test_which_requests(self) -> None:
        """
        What begins a dialog is signed, and every NOTIFY, which may (RFC 6665, 4.3).
        """
        for method, to_tag, expected in (
            ("INVITE", None, 2),
            ("SUBSCRIBE", None, 2),
            ("REFER", None, 2),
            ("NOTIFY", "x", 2),
            ("NOTIFY", None, 2),
            ("INVITE", "x", 0),
            ("MESSAGE", None, 0),
            ("OPTIONS", None, 0),
            ("BYE", "x", 0),
        ):
            request = make_request(method, "sip:bob@example.com", to_tag=to_tag)
            request = OUTGOING.prepare(route(request, FROM_A), TO_B)
            self.assertEqual(len(uris(request, "Record-Route")), expected, method)

    def test_ipv6(self) -> None:
        """
        An IPv6 address stands in brackets.
        """
        side = Side(Transport.TCP, HostPort("2001:db8::1", 5060))
        invite = make_request("INVITE", "sip:bob@example.com")
        request = OUTGOING.prepare(route(invite, FROM_S1), Departure(side, "x"))
        self.assertEqual(
            uris(request, "Record-Route")[0], "sip:[2001:db8::1]:5060;transport=tcp;lr"
        )


class PrepareTests(SynchronousTestCase):
    """
    The rest of what changes.
    """

    def test_nothing(self) -> None:
        """
        A request of which nothing changes is the one that came, byte for byte.
        """
        message = make_request("MESSAGE", "sip:bob@example.com")
        self.assertIs(OUTGOING.prepare(route(message, FROM_A), TO_B), message)

    def test_each_of_its_own(self) -> None:
        """
        Each target gets a request of its own; the one that came stays.
        """
        message = make_request("INVITE", "sip:bob@example.com")
        routed = route(message, FROM_A)
        before = message.to_bytes()
        contact = SIPURI.parse("sip:bob@10.0.0.5:4444")
        to_b = OUTGOING.prepare(routed, TO_B, contact)
        to_a = OUTGOING.prepare(routed, TO_A)
        self.assertEqual(to_b.request_uri, "sip:bob@10.0.0.5:4444")
        self.assertEqual(to_a.request_uri, "sip:bob@example.com")
        self.assertEqual(message.to_bytes(), before)

    def test_strict_router_ahead(self) -> None:
        """
        A next hop without ``lr`` gets its URI in the request line, and the one that
        stood there as the last Route (RFC 3261, 16.6).
        """
        line = "Route: <sip:127.0.0.1:5059;lr>, <sip:old.example>, <sip:c.example;lr>"
        message = make_request("MESSAGE", "sip:bob@provider.example", line)
        request = OUTGOING.prepare(route(message, FROM_S1), TO_PROVIDER)
        self.assertEqual(request.request_uri, "sip:old.example")
        self.assertEqual(
            uris(request, "Route"), ["sip:c.example;lr", "sip:bob@provider.example"]
        )

    def test_response_from_outside(self) -> None:
        """
        A role is told where a response came from, not what its sender says of that.
        """
        response = make_request("INVITE", "sip:bob@example.com").respond(
            200,
            fields=[
                ("Proxy-ReceivedFrom", "udp:127.0.0.1:1"),
                ("P-Asserted-Identity", "<sip:boss@example.com>"),
            ],
        )
        OUTGOING.answer(response, FROM_B, inside=True)
        self.assertEqual(response.all("Proxy-ReceivedFrom"), ("tls:198.51.100.9:5555",))
        self.assertNotIn("P-Asserted-Identity", response)
