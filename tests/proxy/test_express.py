"""
Tests for `sipsorcery.proxy.express`.

The short way must send what the long way sends. An empty line in front, which means
nothing, makes any message go the long way.
"""

from __future__ import annotations

import re
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.token import INSIDE, DatagramFlow, Use
from sipsorcery.sip import Request, Response, parse
from sipsorcery.sip.fields import ROUTE
from sipsorcery.sip.usual import UsualRequest
from sipsorcery.store.secrets import Key
from tests.proxy.world import INSIDE as INSIDE_HOST
from tests.proxy.world import PHONE_A, PHONE_B, PROXY, SERVER, TRUNK, Peer, ProxyWorld

_SCRIPT = f"""
from sipsorcery.endpoint import Endpoint

async def request(sys, req):
    await sys.forward(Endpoint.parse("udp:{PHONE_B}:5060") if sys.is_ours else None)
"""
_CONTACT = f"sip:b@{PHONE_B}:5060;ob"
_RELAYING = f"""
from sipsorcery.access.contacts import Contact
from sipsorcery.sip.uri import SIPURI

B = [Contact(SIPURI.parse("{_CONTACT}"))]
BOTH = [*B, Contact(SIPURI.parse("sip:trunk@{TRUNK}"))]

async def request(sys, req):
    await sys.relay(BOTH if "both" in req.request_uri else B)
"""
_LONG = b"\r\n"

# What turns a usual message into an odd one, put anywhere.
_ODDITIES = st.sampled_from(
    [
        *(b"\r\n", b" ", b"\r\n ", b"\0", b";", b":", b",", b"0", b"7", b"%", b"@"),
        *(b"\r\nRoute: <sip:203.0.113.1;lr>", b"\r\nRoute: <sip:192.0.2.9;lr>"),
        *(b"\r\nProxy-Require: x", b"\r\nProxy-SendFrom: udp:203.0.113.1:5060"),
        *(b"\r\nProxy-ReceivedFrom: x", b"\r\nP-Asserted-Identity: <sip:a@b>"),
        *(b"\r\nprivacy: id", b"\r\nRecord-Route: <sip:192.0.2.9;lr>", b";tag=x"),
        *(b"\r\nv: SIP/2.0/UDP 192.0.2.9", b"\nVia: SIP/2.0/UDP 192.0.2.9;branch=x"),
        *(b"\r\nMax-Forwards: 1", b"\r\nl: 0", b";maddr=192.0.2.9", b";lr", b";ttl=1"),
        *(b";branch", b";branch=z9hG4bKx", b";received=192.0.2.9", b";rport=9"),
        *(
            b";rport",
            b"sips:",
            b"tel:",
            b"example.com",
            b"\r\nt: <sip:x>",
        ),
        *(b"\r\nTo: <sip:x>;tag=1", b"\xff", b"\xc3\xa9", b"\r\nVia: SIP/2.0/UDP a"),
    ]
)


class ExpressWorld(ProxyWorld):
    """
    A proxy that sends on what is for it to phone B.
    """

    def setUp(self) -> None:
        script = Path(self.mktemp())
        script.write_text(_SCRIPT)
        self.script = script
        super().setUp()
        self.role_b = Peer(self, SERVER, 5065)

    def sent(self, data: bytes, by: Peer | None = None) -> list[tuple[object, bytes]]:
        """
        Send a datagram to the proxy, and give all that comes of it, and to whom.
        """
        peer = by or self.a
        inside = peer.end[0] == SERVER
        to = (INSIDE_HOST, 5059) if inside else (PROXY, 5060)
        self.network.send(data, peer.end, to)
        self.network.advance()
        found: list[tuple[object, bytes]] = []
        for end, one in self.peers.items():
            found += [(end, message.to_bytes()) for message in one.inbox]
            one.inbox.clear()
        return found

    def check_same(self, data: bytes, by: Peer | None = None) -> list[bytes]:
        """
        See that both ways send the same, and give it.
        """
        short, long = self.sent(data, by), self.sent(_LONG + data, by)
        self.assertEqual(_settled(short), _settled(long), data)
        return [message for _, message in short]

    def is_usual(self, data: bytes, by: Peer | None = None) -> bool:
        """
        Tell whether a request is routed the short way.
        """
        peer = by or self.a
        request = parse(data)
        assert isinstance(request, Request)
        local = f"udp:{PROXY}:5060"
        if peer.end[0] == SERVER:
            local = f"udp:{INSIDE_HOST}:5059"
        remote = Endpoint.parse(f"udp:{peer.end[0]}:{peer.end[1]}")
        flow = self.ways.find(DatagramFlow(Endpoint.parse(local), remote))
        assert flow is not None
        return self.express.route(request, flow) is not None


def _settled(sent: list[tuple[object, bytes]]) -> list[tuple[object, bytes]]:
    # Our own answers have a random time to come back in, at most.
    return [(to, re.sub(rb"Retry-After: \d+", b"", data)) for to, data in sent]


class RequestTests(ExpressWorld):
    """
    Requests on their way.
    """

    def request(self, method: str, uri: str, *lines: str, to_tag: str = "") -> bytes:
        """
        Write a request of phone A.
        """
        data = self.a.make(method, uri, to_tag=to_tag).to_bytes()
        added = "".join(f"{line}\r\n" for line in lines).encode()
        return data.replace(b"From: ", added + b"From: ", 1)

    def test_usual_requests(self) -> None:
        """
        What phones and servers send goes the short way, and comes out the same.
        """
        for data in (
            self.request("OPTIONS", "sip:bob@example.com"),
            self.request("INVITE", "sip:bob@example.com"),
            self.request("INVITE", "sip:bob@example.com", to_tag="b"),
            self.request("SUBSCRIBE", f"sip:bob@{PROXY}"),
            self.request("NOTIFY", f"sip:{PROXY}:5060", to_tag="b"),
            self.request("REFER", "sip:bob@example.com"),
            self.request("MESSAGE", "sip:bob@example.com;user=phone"),
            self.request("BYE", f"sip:bob@{PHONE_B}:5060", to_tag="b"),
            self.request("ACK", "sip:bob@example.com", to_tag="b"),
            self.request("CANCEL", "sip:bob@example.com"),
        ):
            self.assertTrue(self.is_usual(data), data)
            (message,) = self.check_same(data)
            self.assertIn(b"Max-Forwards: 69\r\n", message)

    def test_record_routes(self) -> None:
        """
        A request that begins a dialog gets both Record-Routes.
        """
        data = self.request("INVITE", "sip:bob@example.com")
        (message,) = self.check_same(data)
        self.assertEqual(message.count(b"\r\nRecord-Route: <sip:"), 2)

    def routes(self, *lines: str) -> str:
        """
        Write Route lines below each other.
        """
        return "\r\n".join(f"Route: <{line}>" for line in lines)

    def test_own_routes(self) -> None:
        """
        Routes of ours are taken, and their token chooses the flow.
        """
        to_b = self.tokens.write(
            Use.RECORD_ROUTE,
            DatagramFlow(
                Endpoint.parse(f"udp:{PROXY}:5060"),
                Endpoint.parse(f"udp:{PHONE_B}:5060"),
            ),
        )
        inside = self.tokens.write(Use.RECORD_ROUTE, INSIDE)
        target = "sip:bob@192.168.1.2"
        for routes in (
            self.routes(f"sip:{to_b}@{PROXY}:5060;lr"),
            self.routes(f"sip:{PROXY}:5060;lr", f"sip:{to_b}@{PROXY}:5060;lr"),
            self.routes(f"sip:{inside}@{PROXY}:5060;lr", f"sip:{to_b}@{PROXY};lr"),
        ):
            for method in ("BYE", "ACK", "INVITE", "INFO"):
                data = self.request(method, target, routes, to_tag="b")
                self.assertTrue(self.is_usual(data), data)
                (message,) = self.check_same(data)
                self.assertNotIn(b"\r\nRoute:", message)

    def test_call_that_was_let_out(self) -> None:
        """
        What follows in a call goes the short way with the token of the call; in another
        call, or from elsewhere, it is refused as on the long way.
        """
        (invite,) = self.sent(self.request("INVITE", "sip:bob@example.com"))
        found = re.findall(rb"\r\nRecord-Route: <(sip:[^>]*)>", invite[1])
        routes = self.routes(*(one.decode() for one in reversed(found)))
        for method in ("ACK", "BYE"):
            data = self.request(method, f"sip:bob@{PHONE_B}", routes, to_tag="b")
            self.assertTrue(self.is_usual(data), data)
            (message,) = self.check_same(data)
            self.assertNotIn(b"\r\nRoute:", message)
        data = self.request("BYE", f"sip:bob@{PHONE_B}", routes, to_tag="b")
        other = data.replace(b"Call-ID: call", b"Call-ID: other")
        self.assertFalse(self.is_usual(other))
        (answer,) = self.check_same(other)
        self.assertTrue(answer.startswith(b"SIP/2.0 403 "), answer)
        self.assertFalse(self.is_usual(data, self.evil))

    def test_routes_that_take_longer(self) -> None:
        """
        Others, and tokens that are not to be used so, are left to the long way, with
        every Route in its place.
        """
        path = self.tokens.write(Use.PATH, INSIDE)
        record_route = self.tokens.write(Use.RECORD_ROUTE, INSIDE)
        via = self.tokens.write(Use.VIA, INSIDE)
        own = f"sip:{PROXY}:5060;lr"
        for routes, tag in (
            (self.routes(own, "sip:192.0.2.9;lr"), "b"),
            (self.routes("sip:192.0.2.9;lr"), "b"),
            (self.routes("sip:192.0.2.9"), "b"),
            (f"Route: <{own}>, <{own}>", "b"),
            (self.routes(f"sip:{path}@{PROXY}:5060;lr"), "b"),
            (self.routes(f"sip:{via}@{PROXY}:5060;lr"), "b"),
            (self.routes(f"sip:{record_route}@{PROXY}:5060;lr"), ""),
            (self.routes(f"sip:{record_route}@{PROXY}:5060;lr"), "b"),
            (self.routes(f"sip:forged@{PROXY}:5060;lr"), "b"),
            (self.routes(*[own] * 9), "b"),
        ):
            data = self.request("BYE", f"sip:bob@{PHONE_B}", routes, to_tag=tag)
            self.assertFalse(self.is_usual(data), data)
            self.check_same(data)

    def test_what_takes_longer(self) -> None:
        """
        Fields that a proxy acts on, and odd URIs, are left to the long way.
        """
        bob = "sip:bob@example.com"
        for data in (
            self.request("OPTIONS", bob, "Proxy-Require: x"),
            self.request("OPTIONS", bob, "PROXY-REQUIRE: x"),
            self.request("OPTIONS", bob, f"Proxy-SendFrom: udp:{PROXY}:5060"),
            self.request("OPTIONS", bob, "Proxy-ReceivedFrom: x"),
            self.request("OPTIONS", bob, "proxy-receivedon: x"),
            self.request("INVITE", bob, "P-Asserted-Identity: <sip:a@b>"),
            self.request("INVITE", bob, "p-preferred-identity: <sip:a@b>"),
            self.request("OPTIONS", f"sip:x@{PROXY};lr"),
            self.request("OPTIONS", f"sip:x@192.0.2.9;maddr={PROXY}"),
            self.request("OPTIONS", "tel:+123"),
            self.request("OPTIONS", "sip:%@@"),
            self.request("OPTIONS", bob).replace(b"s: 70", b"s: 0"),
            self.request("INVITE", bob).replace(b"s: 70", b"s: 0"),
            self.request("INVITE", bob).replace(b"Max-Forwards: 70\r\n", b""),
        ):
            self.assertFalse(self.is_usual(data), data)
            self.check_same(data)

    def test_in_transit(self) -> None:
        """
        A dialog that somebody else began, or records, keeps their fields in order.
        """
        data = self.request(
            "INVITE", "sip:bob@example.com", "Record-Route: <sip:192.0.2.9;lr>"
        )
        (message,) = self.check_same(data)
        self.assertEqual(message.count(b"\r\nRecord-Route: <sip:"), 3)
        data = self.request("INVITE", "sips:bob@example.com")
        self.check_same(data)

    def test_loop(self) -> None:
        """
        A request that comes back as it was is refused, as is one that only looks so.
        """
        data = self.request("OPTIONS", "sip:bob@example.com")
        (message,) = self.check_same(data)
        again = message.replace(b"Max-Forwards: 69", b"Max-Forwards: 68")
        for looped in (again, _LONG + again):
            ((_, answer),) = self.sent(looped, self.b)
            self.assertTrue(answer.startswith(b"SIP/2.0 482 "), answer)

    def test_from_inside(self) -> None:
        """
        What a role sends out is sent on likewise; what goes to a role is told where it
        came from, the long way.
        """
        data = self.role.make("OPTIONS", f"sip:bob@{PHONE_B}").to_bytes()
        self.assertTrue(self.is_usual(data, self.role))
        (message,) = self.check_same(data, self.role)
        self.assertNotIn(b"Proxy-", message)

    def test_repeated(self) -> None:
        """
        A request that is sent again leaves with the same branch.
        """
        data = self.request("OPTIONS", "sip:bob@example.com")
        self.assertEqual(self.sent(data), self.sent(data))

    def test_other_sources(self) -> None:
        """
        Where a NAT has another address than the Via, or no rport was asked for.
        """
        for old, new in (
            (b";rport", b""),
            (f"{PHONE_A}:33000".encode(), b"10.0.0.1:5060"),
            (f"{PHONE_A}:33000".encode(), b"phone.local"),
            (f"{PHONE_A}:33000;branch".encode(), b"10.0.0.1;ttl=1;branch"),
            (b"z9hG4bK1", b"old"),
            (b";branch=z9hG4bK1", b""),
        ):
            data = self.request("OPTIONS", "sip:bob@example.com")
            self.assertIn(old, data)
            self.check_same(data.replace(old, new))

    @given(st.integers(0, 350), _ODDITIES, st.integers(0, 20), st.booleans())
    def test_oddities(self, at: int, oddity: bytes, cut: int, routed: bool) -> None:
        """
        Whatever is put into a request, or in the place of a part of it, both ways send
        the same.
        """
        routes = [self.routes(f"sip:{PROXY}:5060;lr")] if routed else []
        data = self.request("INVITE", "sip:bob@example.com", *routes)
        at = min(at, len(data))
        for changed in (data[:at] + oddity + data[at:], data[:at] + data[at + cut :]):
            if changed[:1].isupper():  # else it is another protocol, or no line
                self.check_same(changed)


class ResponseTests(ExpressWorld):
    """
    Responses on their way back.
    """

    def forwarded(self, method: str = "OPTIONS", by: Peer | None = None) -> Request:
        """
        Send a request through, and give it as it comes out.
        """
        peer = by or self.a
        uri = f"sip:bob@{PHONE_B}:5060"
        [(_, data)] = self.sent(peer.make(method, uri).to_bytes(), peer)
        message = parse(data)
        assert isinstance(message, Request)
        return message

    def goes_short(self, data: bytes, by: Peer) -> bool:
        """
        Tell whether a response is passed back the short way.
        """
        response = parse(data)
        assert isinstance(response, Response)
        remote = Endpoint.parse(f"udp:{by.end[0]}:{by.end[1]}")
        flow = self.ways.find(DatagramFlow(Endpoint.parse(f"udp:{PROXY}:5060"), remote))
        assert flow is not None
        passed = self.express.pass_back(response, flow)
        self.network.advance()
        for peer in self.peers.values():
            peer.inbox.clear()
        return passed

    def test_usual_responses(self) -> None:
        """
        Any response to what was forwarded goes back without our Via, to whom it is for.
        """
        for method in ("OPTIONS", "INVITE", "BYE", "UPDATE"):
            request = self.forwarded(method)
            for status in (100, 180, 200, 404, 503):
                data = request.respond(status, to_tag="b").to_bytes()
                (message,) = self.check_same(data, self.b)
                self.assertEqual(message.count(b"\r\nVia: "), 1)
                self.assertTrue(self.goes_short(data, self.b))

    def test_registration(self) -> None:
        """
        An answer to a REGISTER goes the long way, where it is noted.
        """
        data = self.forwarded("REGISTER").respond(200, to_tag="b").to_bytes()
        self.assertFalse(self.goes_short(data, self.b))
        self.assertEqual(len(self.check_same(data, self.b)), 1)

    def test_other_spellings(self) -> None:
        """
        Parameters that the next hop adds to our Via do not matter.
        """
        data = self.forwarded().respond(200, to_tag="b").to_bytes()
        for old, new in (
            (b";rport;branch", b";rport=5060;received=203.0.113.1;branch"),
            (b"\r\nVia: SIP/2.0/UDP 198", b";received=x\r\nVia: SIP/2.0/UDP 198"),
        ):
            self.assertIn(old, data)
            changed = data.replace(old, new)
            self.assertTrue(self.goes_short(changed, self.b), changed)
            self.assertEqual(len(self.check_same(changed, self.b)), 1)

    def test_forged(self) -> None:
        """
        A response that answers nothing of ours goes nowhere: with another branch, token
        or origin.
        """
        data = self.forwarded().respond(200, to_tag="b").to_bytes()
        (branch,) = re.findall(rb"branch=(z9hG4bKf\w+)", data)
        (token,) = re.findall(rb";flow=([\w\-]+)", data)
        other = self.tokens.write(
            Use.VIA,
            DatagramFlow(
                Endpoint.parse(f"udp:{PROXY}:5060"),
                Endpoint.parse("udp:192.0.2.66:5060"),
            ),
        )
        for old, new in (
            (branch, branch[:-1] + (b"0" if branch[-1:] != b"0" else b"1")),
            (branch, branch.replace(b"z9hG4bKf", b"z9hG4bKr")),
            (branch, branch[:-2]),
            (token, token[:-2]),
            (token, b""),
            (b"branch=z9hG4bK1", b"branch=z9hG4bK2"),
            (b"received=198.51.100.7", b"received=192.0.2.66"),
        ):
            self.assertIn(old, data)
            self.assertEqual(self.check_same(data.replace(old, new), self.b), [], new)
        # One of our own tokens, but not the one of this branch: the Via decides.
        self.check_same(data.replace(token, other.encode()), self.b)

    def test_privileged_fields(self) -> None:
        """
        What only roles may say, and what is meant for roles alone, goes no further.
        """
        request = self.forwarded()
        for line in ("Proxy-ReceivedFrom: x", "P-Asserted-Identity: <sip:a@b>"):
            name, _, value = line.partition(": ")
            response = request.respond(200, fields=[(name, value)])
            (message,) = self.check_same(response.to_bytes(), self.b)
            self.assertNotIn(name.encode(), message)

    def test_to_a_role(self) -> None:
        """
        A role is told where a response came from, the long way.
        """
        request = self.forwarded(by=self.role)
        data = request.respond(200, to_tag="b").to_bytes()
        self.assertFalse(self.goes_short(data, self.b))
        (message,) = self.check_same(data, self.b)
        self.assertIn(b"Proxy-ReceivedFrom: udp:198.51.100.9:5060", message)

    def test_script_looks(self) -> None:
        """
        If the script wants to see responses, none goes the short way.
        """
        data = self.forwarded().respond(200, to_tag="b").to_bytes()
        self.assertTrue(self.goes_short(data, self.b))
        self.express.looks = lambda: True
        self.assertFalse(self.goes_short(data, self.b))

    def test_new_keys(self) -> None:
        """
        Once a key is gone, so is what was signed with it, remembered or not.
        """
        data = self.forwarded().respond(200, to_tag="b").to_bytes()
        self.assertTrue(self.goes_short(data, self.b))
        self.tokens.renew([Key(2, b"n" * 32, 1.0)])
        self.assertFalse(self.goes_short(data, self.b))
        self.assertEqual(self.check_same(data, self.b), [])

    @given(st.integers(0, 400), _ODDITIES, st.integers(0, 20))
    def test_oddities(self, at: int, oddity: bytes, cut: int) -> None:
        """
        Whatever is put into a response, or in the place of a part of it, both ways send
        the same.
        """
        data = self.forwarded().respond(200, to_tag="b").to_bytes()
        at = min(at, len(data))
        for changed in (data[:at] + oddity + data[at:], data[:at] + data[at + cut :]):
            if changed[:1].isupper():  # else it is another protocol, or no line
                self.check_same(changed, self.b)


class RelayTests(ExpressWorld):
    """
    Requests that are relayed, and the answers to them.
    """

    def setUp(self) -> None:
        super().setUp()
        assert self.script is not None
        self.script.write_text(_RELAYING)
        self.network.advance(2)  # until it has been loaded again

    def relayed(self, data: bytes) -> list[bytes]:
        """
        Relay a request the short way and the long way, with another branch each time,
        and give both as they come out.
        """
        found = []
        for number, way in enumerate((b"", _LONG)):
            self.round = getattr(self, "round", 0) + 1
            other = data.replace(b"z9hG4bK1", b"z9hG4bKr%d" % self.round)
            for end, message in self.sent(way + other):
                if end == self.b.end:
                    found.append(message)
                else:
                    self.assertTrue(message.startswith(b"SIP/2.0 100 "), message)
            self.assertEqual(len(found), number + 1)
        return found

    def settled(self, message: bytes) -> bytes:
        """
        Leave out what differs: the branches of two transactions.
        """
        return re.sub(rb"branch=[^;\r]*", b"", message)

    def test_same_request(self) -> None:
        """
        Both ways send the same to a contact, with its URI, and with Record-Routes where
        a dialog begins.
        """
        for method, tag, count in (
            ("INVITE", "", 2),
            ("BYE", "b", 0),
            ("INFO", "b", 0),
        ):
            data = self.a.make(method, "sip:bob@example.com", to_tag=tag).to_bytes()
            short, long = self.relayed(data)
            self.assertEqual(self.settled(short), self.settled(long))
            self.assertEqual(short.count(b"\r\nRecord-Route: "), count)
            self.assertTrue(short.startswith(f"{method} {_CONTACT} SIP".encode()))

    def test_same_responses(self) -> None:
        """
        Both ways bring back the same, and nothing of it is lost.
        """
        data = self.a.make("INVITE", "sip:bob@example.com").to_bytes()
        for request in self.relayed(data):
            invite = parse(request)
            assert isinstance(invite, Request)
            for status in (180, 200):
                answer = invite.respond(status, to_tag="b").to_bytes()
                ((to, short),) = self.sent(answer, self.b)
                self.assertEqual(to, self.a.end)
                self.assertEqual(short.count(b"\r\nVia: "), 1)
                self.assertIn(b"\r\nTo: <sip:you@example.com>;tag=b\r\n", short)

    def test_two_hops_at_once(self) -> None:
        """
        Two contacts get branches of their own.
        """
        data = self.a.make("INVITE", "sip:both@example.com").to_bytes()
        sent = [message for end, message in self.sent(data) if end != self.a.end]
        branches = {re.search(rb"branch=([^;\r]*)", one)[1] for one in sent}  # type: ignore[index]  # each has one
        self.assertEqual((len(sent), len(branches)), (2, 2))


class RememberingTests(ExpressWorld):
    """
    What is remembered is bounded, and right after a change.
    """

    def test_bound(self) -> None:
        """
        Any number of URIs and sources may come.
        """
        for number in range(4200):
            data = self.a.make("OPTIONS", f"sip:u{number}@example.com").to_bytes()
            self.network.send(data, (PHONE_A, 1024 + number), (PROXY, 5060))
        self.network.advance()
        self.assertEqual(len(self.b.inbox), 4200)
        kept = max(
            len(one) for one in vars(self.express).values() if isinstance(one, dict)
        )
        self.assertLessEqual(kept, 4096)
        self.b.inbox.clear()

    def test_trust_ends(self) -> None:
        """
        A role that is one no more is not trusted any more, remembered or not.
        """
        end = Endpoint.parse(f"udp:{SERVER}:5001")
        data = self.role.make("OPTIONS", "sip:bob@192.0.2.9").to_bytes()
        flow = self.ways.find(
            DatagramFlow(Endpoint.parse(f"udp:{INSIDE_HOST}:5059"), end)
        )
        assert flow is not None
        self.assertTrue(self.ways.arrival(flow).is_trusted)
        self.assertIs(self.ways.arrival(flow), self.ways.arrival(flow))
        self.sent(data, self.role)
        self.trusted.remove(end)
        self.assertFalse(self.ways.arrival(flow).is_trusted)
        self.trusted.add(end)
        self.assertTrue(self.ways.arrival(flow).is_trusted)

    def test_untouched_no_more(self) -> None:
        """
        A request that the script has changed goes the long way, changes included.
        """
        request = parse(self.a.make("OPTIONS", "sip:bob@example.com").to_bytes())
        assert isinstance(request, UsualRequest)
        self.assertTrue(request.is_untouched)
        request.set("Subject", "x")
        self.assertFalse(request.is_untouched)
        self.assertNotIn(ROUTE, request)
