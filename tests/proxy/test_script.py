"""
Tests for `sipsorcery.proxy.script`, with all that carries out what it decides.
"""

from __future__ import annotations

from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.token import Use
from sipsorcery.sip import Request
from sipsorcery.sip.fields import MAX_FORWARDS, PATH, RECORD_ROUTE, TO, VIA
from tests.proxy.test_routing import METHODS
from tests.proxy.world import EVIL, INSIDE, PHONE_A, PHONE_B, PROXY, ProxyWorld

BOB = "sip:bob@example.com"


class CallTests(ProxyWorld):
    """
    Phones call each other.
    """

    def test_call(self) -> None:
        """
        An INVITE to a user goes to the contact, its answers back, and the rest of the
        dialog follows the Record-Routes, both ways.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.a.send(self.a.make("INVITE", BOB, f"Contact: <sip:a@{PHONE_A}:33000>"))
        invite = self.b.request()
        self.assertEqual(invite.request_uri, f"sip:bob@{PHONE_B}:5060")
        self.assertEqual(invite.get(MAX_FORWARDS), 69)
        self.assertEqual(len(invite.all(VIA)), 2)
        routes = [str(each) for each in invite.all(RECORD_ROUTE)]
        self.assertEqual(len(routes), 2)

        self.b.send(invite.respond(180, to_tag="b"))
        self.b.send(invite.respond(200, to_tag="b"))
        self.assertEqual(self.a.statuses(), [180, 200])

        line = "Route: " + ", ".join(reversed(routes))
        contact = f"sip:bob@{PHONE_B}:5060"
        ack = self.a.make("ACK", contact, line, branch="2", to_tag="b")
        self.a.send(ack)
        self.assertEqual(self.b.request().method, "ACK")

        bye = self.b.make(
            "BYE", f"sip:a@{PHONE_A}", "Route: " + ", ".join(routes), to_tag="me"
        )
        self.b.send(bye)
        self.a.send(self.a.request().respond(200))
        self.assertEqual(self.b.statuses(), [200])
        self.network.advance(64)
        self.assertEqual(len(self.relays), 0)

    def test_unknown_and_away(self) -> None:
        """
        Nobody of that name: 404. Not registered: 480.
        """
        self.register("sip:carol@example.com")
        self.a.send(self.a.make("INVITE", BOB))
        self.assertEqual(self.a.statuses(), [404])
        self.a.send(self.a.make("INVITE", "sip:carol@example.com", branch="2"))
        self.assertEqual(self.a.statuses(), [480])

    def test_own_failure_is_acknowledged_here(self) -> None:
        """
        The ACK to a failure of ours goes nowhere, whatever its Request-URI.
        """
        self.register("sip:carol@example.com", f"sip:carol@{PHONE_B}")
        self.a.send(self.a.make("INVITE", BOB))
        to_tag = self.a.response()[TO].tag or ""
        self.a.send(self.a.make("ACK", BOB, to_tag=to_tag))
        self.assertEqual((self.a.inbox, self.b.inbox), ([], []))

    def test_own_failure_outwards(self) -> None:
        """
        Nor does it where an ACK would go on: it is known by its To tag.
        """
        far = "sip:x@far.example"
        self.trunk.send(self.trunk.make("INVITE", far))
        tag = self.trunk.response()[TO].tag
        assert tag is not None
        self.places.names["far.example"] = [f"udp:{PHONE_B}:5060"]
        self.trunk.send(self.trunk.make("ACK", far, to_tag=tag))
        self.assertEqual(self.b.inbox, [])
        self.trunk.send(self.trunk.make("ACK", far, to_tag="another"))
        self.assertEqual(self.b.request().method, "ACK")

    def test_register(self) -> None:
        """
        A REGISTER goes to the registrar with our Path, and its answer back.
        """
        self.a.send(self.a.make("REGISTER", "sip:example.com"))
        register = self.role.request()
        self.assertEqual(len(register.all(PATH)), 1)
        self.assertEqual(register.get("Proxy-ReceivedFrom"), f"udp:{PHONE_A}:33000")
        answer = register.respond(200, fields=[("Proxy-ReceivedOn", "x")])
        self.role.send(answer, INSIDE, 5059)
        response = self.a.response()
        self.assertEqual(response.status, 200)
        self.assertNotIn("Proxy-ReceivedOn", response)

    def test_to_a_binding(self) -> None:
        """
        A role reaches a phone by the Path that the registrar stored.
        """
        self.a.send(self.a.make("REGISTER", "sip:example.com"))
        path = self.role.request().all(PATH)[0]
        self.role.send(
            self.role.make("MESSAGE", "sip:a@10.1.1.1", f"Route: {path}"), INSIDE, 5059
        )
        message = self.a.request()
        self.assertEqual(message.request_uri, "sip:a@10.1.1.1")
        self.assertNotIn("Route", message)
        self.a.send(message.respond(200))
        response = self.role.response()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.get("Proxy-ReceivedFrom"), f"udp:{PHONE_A}:33000")

    def test_options(self) -> None:
        """
        OPTIONS to us is answered here.
        """
        for uri in ("sip:example.com", f"sip:{PROXY}", "sip:127.0.0.1"):
            self.a.send(self.a.make("OPTIONS", uri))
            self.assertEqual(self.a.statuses(), [200], uri)

    def test_trunk(self) -> None:
        """
        A trunk's requests for others are sent there; to nowhere they fail.
        """
        self.places.names["far.example"] = [f"udp:{PHONE_B}:5060"]
        self.trunk.send(self.trunk.make("MESSAGE", "sip:x@far.example"))
        self.b.send(self.b.request().respond(202))
        self.assertEqual(self.trunk.statuses(), [202])
        self.trunk.send(self.trunk.make("MESSAGE", "sip:x@no.example", branch="2"))
        self.assertEqual(self.trunk.statuses(), [500])

    def test_late_location(self) -> None:
        """
        While a name is looked up, what follows on the same branch waits.
        """
        self.places.pending = []
        self.trunk.send(self.trunk.make("INVITE", "sip:x@far.example"))
        self.trunk.send(self.trunk.make("CANCEL", "sip:x@far.example"))
        self.assertEqual(self.trunk.inbox, [])
        (pending,) = self.places.pending
        self.places.pending = None
        targets = self.successResultOf(
            self.places.locate(self.trunk.make("X", f"sip:{PHONE_B}").uri)  # type: ignore[arg-type]  # it is a SIP URI
        )
        pending.callback(targets)
        self.network.advance()
        self.assertEqual(self.b.request().method, "INVITE")
        self.assertEqual(self.trunk.statuses(), [200])  # to the CANCEL

    def test_many_that_wait(self) -> None:
        """
        Only so many wait at a time; others are told to come back later. Behind one that
        waits there is room for a few of its branch; the rest is lost.
        """
        self.places.pending = []
        self.board.limit = 1
        self.trunk.send(self.trunk.make("INVITE", "sip:x@far.example"))
        self.trunk.send(self.trunk.make("MESSAGE", "sip:x@far.example", branch="2"))
        refusal = self.trunk.response()
        self.assertEqual(refusal.status, 503)
        self.assertIn("Retry-After", refusal)
        for _ in range(20):
            self.trunk.send(self.trunk.make("CANCEL", "sip:x@far.example"))
        self.places.pending.pop().callback([])
        self.network.advance()
        self.assertEqual(self.trunk.statuses().count(200), 8)

    def test_location_that_never_ends(self) -> None:
        """
        A script that waits too long is given up, and its request answered.
        """
        self.places.pending = []
        self.trunk.send(self.trunk.make("MESSAGE", "sip:x@far.example"))
        self.network.advance(40)
        self.assertEqual(self.trunk.statuses(), [500])


class HopsTests(ProxyWorld):
    """
    Max-Forwards on its way (RFC 3261, 16.3 and 16.6).
    """

    def send(self, method: str, hops: str | None) -> None:
        """
        Send a request for bob, who is registered, with that Max-Forwards.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}")
        request = self.a.make(method, BOB, branch=f"{method}{hops}")
        request.remove("Max-Forwards")
        if hops is not None:
            request.set("Max-Forwards", hops)
        self.a.send(request)

    def test_counted(self) -> None:
        """
        Each hop takes one; a request without it gets one with 70 of them.
        """
        for method in ("INVITE", "MESSAGE", "OPTIONS"):
            for hops, left in (("70", 69), ("1", 0), (None, 69)):
                self.send(method, hops)
                self.assertEqual(self.b.request().get(MAX_FORWARDS), left)

    def test_none_left(self) -> None:
        """
        With none left nothing goes on: 483, and to OPTIONS an answer of our own.
        """
        for method in METHODS:
            self.send(method, "0")
            self.assertEqual(self.b.inbox, [])
            expected = {"OPTIONS": [200], "ACK": []}.get(method, [483])
            self.assertEqual(self.a.statuses(), expected, method)


class RejectedTests(ProxyWorld):
    """
    What the monitor hears of refusals.
    """

    def test_events(self) -> None:
        """
        Each tells which request of whom was refused, and why; an ACK is not answered,
        so nothing was refused.
        """
        self.a.send(self.a.make("MESSAGE", f"sip:x@{EVIL}", call_id="first"))
        self.a.send(self.a.make("MESSAGE", BOB, "Proxy-Require: x", branch="2"))
        self.a.send(self.a.make("ACK", f"sip:x@{EVIL}", branch="3"))
        first, second = self.bus.events
        self.assertIs(first.kind, EventKind.REJECTED)
        self.assertEqual(first.detail, {"method": "MESSAGE", "status": "403"})
        self.assertEqual((first.call_id, first.server), ("first", "proxy"))
        self.assertEqual(str(first.remote), f"udp:{PHONE_A}:33000")
        self.assertEqual(second.detail["status"], "420")
        self.assertIn("Proxy-Require: 'x'", second.message)


class NoOpenRelayTests(ProxyWorld):
    """
    From a stranger nothing ever goes to where we do not serve.
    """

    def targets(self) -> list[tuple[str, tuple[str, ...]]]:
        """
        Give ways to ask for a foreign destination: Request-URI and more fields.
        """
        evil = f"sip:x@{EVIL}"
        return [
            (evil, ()),
            ("sip:x@evil.example", ()),
            ("sips:x@evil.example", ()),
            (f"sip:x@example.com;maddr={EVIL}", ()),
            (f"sip:x@{PROXY};maddr={EVIL}", ()),
            (f"sip:x@{PROXY}:5099", ()),
            ("sip:x@127.0.0.1:5001", ()),
            ("sip:x@localhost:5001", ()),
            ("sip:x@[::1]:5001", ()),
            (f"sip:x@{INSIDE}:5059", ()),
            (f"sip:x@{INSIDE}:5001", ()),
            (f"sip:x@{PROXY}", ()),
            ("sip:x@0.0.0.0", ()),
            ("sip:x@[::ffff:127.0.0.1]:5001", ()),
            (f"sip:x@[::ffff:{EVIL}]", ()),
            ("sip:x@LocalHost.:5001", ()),
            ("sip:x@registrar.localhost:5001", ()),
            ("sip:x@127.1.2.3:5001;transport=tcp", ()),
            ("sip:x@169.254.1.1", ()),
            ("sip:x@[fe80::1]", ()),
            (f"sip:x@EXAMPLE.com.;maddr={EVIL}", ()),
            ("sip:x@example.com:5099;maddr=127.0.0.1", ()),
            (f"sip:x@example.com;maddr={INSIDE}", ()),
            (f"sip:x@{EVIL};maddr={PROXY}", ()),
            (f"sip:x@{EVIL};maddr=example.com", ()),
            (BOB, (f"Route: <sip:{EVIL};lr>",)),
            (BOB, (f"Route: <sip:{EVIL}>",)),
            (BOB, ("Route: <sip:127.0.0.1:5001;lr>",)),
            (BOB, (f"Route: <sips:{EVIL};lr>",)),
            (BOB, ("Route: <tel:+4420>",)),
            (BOB, (f"Route: <sip:{PROXY};lr>", f"route : <sip:{EVIL}>")),
            (BOB, (f"Route: <sip:example.com;lr;maddr={EVIL}>",)),
            (BOB, (f"Route: <sip:x@{PROXY};lr>",)),
            (f"sip:x@{PROXY};lr", (f"Route: <sip:{EVIL};lr>",)),
            (BOB, (f"Route: <sip:{PROXY};lr>, <sip:{EVIL};lr>",)),
            (evil, (f"Route: <sip:{PROXY};lr>",)),
            (evil, ("Route: <sip:127.0.0.1;lr>",)),
            (f"sip:{PROXY};lr", (f"Route: <{evil}>",)),
            (f"sip:{PROXY};lr", (f"Route: <sip:{EVIL};lr>, <{evil}>",)),
            (BOB, (f"Route: <sip:{PROXY};lr;maddr={EVIL}>", f"Route: <sip:{EVIL};lr>")),
            (evil, (f"Contact: <{evil}>", "Proxy-SendFrom: udp:203.0.113.1:5060")),
            (evil, ("proxy-receivedfrom : udp:10.0.0.2:5001",)),
            (BOB, (f"Contact: <{evil}>", f"Refer-To: <{evil}>")),
            ("tel:+4420", ()),
        ]

    def test_headers_of_a_uri(self) -> None:
        """
        Fields in a Request-URI are none of the request.
        """
        self.a.send(self.a.make("INVITE", f"{BOB}?Route=%3Csip:{EVIL}%3E"))
        self.assertEqual(self.evil.inbox, [])
        self.assertTrue(400 <= self.a.response().status < 500)

    def test_every_method_and_target(self) -> None:
        """
        Whatever a stranger sends, nobody but the stranger hears of it, in a dialog and
        outside of one, on the public socket and on the inside one.
        """
        self.places.names["evil.example"] = [f"udp:{EVIL}:5060"]
        tried = 0
        for uri, lines in self.targets():
            for method in METHODS:
                for to_tag in ("", "t"):
                    for to, port in ((PROXY, 5060), (INSIDE, 5059)):
                        tried += 1
                        request = self.a.make(
                            method, uri, *lines, branch=str(tried), to_tag=to_tag
                        )
                        self.a.send(request, to, port)
                        self.assert_answered(request)
        self.assertEqual(self.places.asked, [])

    def assert_answered(self, request: Request) -> None:
        """
        Check that the sender got a failure, or OPTIONS an answer, and nobody a word.
        """
        what = f"{request}"
        for peer in (self.b, self.trunk, self.evil):
            self.assertEqual(peer.inbox, [], what)
        if request.method == "REGISTER" and self.role.inbox:
            # To the registrar of ours it may go, which asks for credentials.
            self.role.inbox.clear()
            return
        self.assertEqual(self.role.inbox, [], what)
        statuses = self.a.statuses()
        if request.method == "ACK":
            self.assertEqual(statuses, [], what)
        else:
            self.assertEqual(len(statuses), 1, what)
            self.assertTrue(400 <= statuses[0] < 700, what)

    def test_responses(self) -> None:
        """
        A response that answers nothing of ours goes nowhere, whatever its Vias say.
        """
        victim = f"SIP/2.0/UDP {EVIL}:5060;branch=z9hG4bKv"
        for ours in (
            f"SIP/2.0/UDP {PROXY}:5060;branch=z9hG4bKx",
            f"SIP/2.0/UDP {PROXY}:5060;branch=z9hG4bK{'f' + '0' * 46}",
            f"SIP/2.0/UDP {EVIL}:5060;branch=z9hG4bKx",
        ):
            response = self.a.make("INVITE", BOB).respond(200)
            response.set_all("Via", [ours, victim])
            self.a.send(response)
            self.assertEqual((self.evil.inbox, self.a.inbox), ([], []))

    def test_response_with_another_token(self) -> None:
        """
        Nor does one whose Via says by a token for something else where it came from,
        such as one that stood in a Record-Route.
        """
        self.trunk.send(self.trunk.make("MESSAGE", f"sip:x@{PHONE_B}"))
        message = self.b.request()
        ours, *others = message.all("Via")
        flow = self.tokens.read(message[VIA].parameters.get("flow") or "").flow
        for use, arrives in ((Use.RECORD_ROUTE, 0), (Use.PATH, 0), (Use.VIA, 1)):
            before, _, _ = ours.partition("flow=")
            token = self.tokens.write(use, flow)
            message.set_all("Via", [f"{before}flow={token}", *others])
            self.b.send(message.respond(200, to_tag="b"))
            self.assertEqual(len(self.trunk.inbox), arrives, use)

    def test_response_to_another(self) -> None:
        """
        Nor does one with a genuine Via of ours on top of a Via that was not there.
        """
        self.places.names["far.example"] = [f"udp:{PHONE_B}:5060"]
        self.trunk.send(self.trunk.make("MESSAGE", "sip:x@far.example"))
        response = self.b.request().respond(200)
        genuine, below = response.all("Via")
        response.set_all("Via", [genuine, f"SIP/2.0/UDP {EVIL};branch=z9hG4bKv"])
        self.b.send(response)
        self.assertEqual((self.evil.inbox, self.trunk.inbox), ([], []))
        response.set_all("Via", [genuine, below])
        self.b.send(response)
        self.assertEqual(self.trunk.statuses(), [200])


class ClaimsTests(ProxyWorld):
    """
    What a response says that only some may say.
    """

    LINES = (
        ("P-Asserted-Identity", "<sip:boss@example.com>"),
        ("Proxy-ReceivedFrom", "udp:192.0.2.1:1"),
        ("Proxy-SendFrom", "udp:192.0.2.1:1"),
    )

    def test_stranger(self) -> None:
        """
        Of a stranger's response the claims are removed, relayed or forwarded.
        """
        for method in ("MESSAGE", "INVITE"):
            self.trunk.send(self.trunk.make(method, f"sip:x@{PHONE_B}", branch=method))
            self.trunk.inbox.clear()
            self.b.send(self.b.request().respond(200, to_tag="b", fields=self.LINES))
            response = self.trunk.response()
            for name, _ in self.LINES:
                self.assertNotIn(name, response, method)

    def test_role(self) -> None:
        """
        What a role says to the proxy alone does not leave.
        """
        self.a.send(self.a.make("REGISTER", "sip:example.com"))
        register = self.role.request()
        register.method = "OPTIONS"
        self.role.send(register.respond(200, fields=self.LINES), INSIDE, 5059)
        response = self.a.response()
        self.assertNotIn("Proxy-ReceivedFrom", response)
        self.assertNotIn("Proxy-SendFrom", response)
        self.assertIn("P-Asserted-Identity", response)
