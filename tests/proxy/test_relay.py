"""
Tests for `sipsorcery.proxy.relay`.
"""

from __future__ import annotations

from dataclasses import replace

from sipsorcery.access.contacts import Contact
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.relay import MAX_BRANCHES
from sipsorcery.proxy.relay_branch import TIMER_C
from sipsorcery.proxy.token import ConnectionFlow, Tokens, Use
from sipsorcery.sip import Request, Response
from sipsorcery.sip.fields import MAX_BREADTH, RECORD_ROUTE, VIA
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Key
from tests.proxy.world import INSIDE, PHONE_A, PHONE_B, Peer, ProxyWorld

BOB = "sip:bob@example.com"


class RelayTests(ProxyWorld):
    """
    One INVITE to several phones.
    """

    def setUp(self) -> None:
        super().setUp()
        self.c = Peer(self, PHONE_B, 5080)

    def tearDown(self) -> None:
        # Whatever happened: in the end nothing is left of it.
        self.network.advance(TIMER_C + 100)
        self.assertEqual(len(self.relays), 0)
        self.assertTrue(self.relays.transactions.is_idle)

    def ring(self, method: str = "INVITE") -> tuple[Request, Request, Request]:
        """
        Let A call bob, who has two phones.

        :return: A's request, and what both phones got.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060", f"sip:bob@{PHONE_B}:5080")
        sent = self.a.make(method, BOB)
        self.a.send(sent)
        return sent, self.b.request(), self.c.request()

    def acknowledge(self, sent: Request) -> None:
        """
        Let A acknowledge a failure.
        """
        self.a.inbox.clear()
        ack = self.a.make("ACK", sent.request_uri, to_tag="x")
        self.a.send(ack)
        self.assertEqual(self.a.inbox, [])

    def test_parallel(self) -> None:
        """
        Each phone gets a branch of its own; the first to answer has the call, and the
        other's is cancelled.
        """
        _, to_b, to_c = self.ring()
        self.assertNotEqual(to_b[VIA].branch, to_c[VIA].branch)
        self.b.send(to_b.respond(180, to_tag="b"))
        self.c.send(to_c.respond(180, to_tag="c"))
        self.c.send(to_c.respond(200, to_tag="c"))
        self.assertEqual(self.a.statuses(), [180, 180, 200])
        cancel = self.b.request()
        self.assertEqual((cancel.method, cancel[VIA]), ("CANCEL", to_b[VIA]))
        self.b.send(cancel.respond(200))
        self.b.send(to_b.respond(487, to_tag="b"))
        self.assertEqual(self.b.request().method, "ACK")
        self.assertEqual(self.a.inbox, [])

    def test_stop(self) -> None:
        """
        When the proxy stops, the caller is refused, and no phone goes on ringing.
        """
        _, to_b, _to_c = self.ring()
        self.b.send(to_b.respond(180, to_tag="b"))
        self.a.inbox.clear()
        self.relays.stop()
        self.assertEqual(self.a.statuses(), [503])
        cancel = self.b.request()
        self.assertEqual((cancel.method, cancel[VIA]), ("CANCEL", to_b[VIA]))

    def test_two_answers(self) -> None:
        """
        Each 2xx to an INVITE goes back, also one that crossed our CANCEL.
        """
        _, to_b, to_c = self.ring()
        self.b.send(to_b.respond(200, to_tag="b"))
        self.c.send(to_c.respond(200, to_tag="c"))
        self.assertEqual(self.a.statuses(), [200, 200])

    def test_best_response(self) -> None:
        """
        Failures wait until all are there; then the best one goes back.
        """
        sent, to_b, to_c = self.ring()
        self.b.send(to_b.respond(500, to_tag="b"))
        self.assertEqual(self.a.inbox, [])
        self.c.send(to_c.respond(486, to_tag="c"))
        self.assertEqual(self.a.statuses(), [486])
        self.acknowledge(sent)

    def test_global_failure(self) -> None:
        """
        A 6xx cancels the others at once, and goes back when they have ended.
        """
        sent, to_b, to_c = self.ring()
        self.b.send(to_b.respond(180, to_tag="b"))
        self.c.send(to_c.respond(603, to_tag="c"))
        self.c.inbox.clear()  # the ACK
        cancel = self.b.request()
        self.assertEqual(self.a.statuses(), [180])
        self.b.send(cancel.respond(200))
        self.b.send(to_b.respond(487, to_tag="b"))
        self.assertEqual(self.a.statuses(), [603])
        self.acknowledge(sent)

    def test_cancel(self) -> None:
        """
        The caller's CANCEL is answered here and goes to every phone that rings.
        """
        sent, to_b, to_c = self.ring()
        self.b.send(to_b.respond(180, to_tag="b"))
        self.a.inbox.clear()
        self.a.send(self.a.make("CANCEL", BOB))
        self.assertEqual(self.a.statuses(), [200])
        self.assertEqual(self.b.request().method, "CANCEL")
        # The other has said nothing yet: the CANCEL waits for a word (9.1).
        self.assertEqual(self.c.inbox, [])
        self.c.send(to_c.respond(180, to_tag="c"))
        self.assertEqual(self.c.request().method, "CANCEL")
        self.b.send(to_b.respond(487, to_tag="b"))
        self.c.send(to_c.respond(487, to_tag="c"))
        self.assertEqual(self.a.statuses()[-1], 487)
        self.acknowledge(sent)

    def test_cancel_of_a_stranger(self) -> None:
        """
        A phone that was called knows all that names the call, and cannot end it for the
        others; nor can anybody else at another address than the caller's.
        """
        _, to_b, _ = self.ring()
        self.b.send(to_b.respond(180, to_tag="b"))
        for stranger in (self.c, self.evil, self.trunk):
            stranger.send(self.a.make("CANCEL", BOB))
            self.assertEqual(stranger.statuses(), [481])
        self.assertEqual(self.b.inbox, [])

    def test_cancel_from_another_port(self) -> None:
        """
        The caller may come from where its NAT lets it come from by now.
        """
        _, to_b, _ = self.ring()
        self.b.send(to_b.respond(180, to_tag="b"))
        Peer(self, PHONE_A, 44000).send(self.a.make("CANCEL", BOB))
        self.assertEqual(self.b.request().method, "CANCEL")

    def test_cancel_of_a_colleague(self) -> None:
        """
        What one of our roles began another may end, which has taken over from it.
        """
        colleague = Peer(self, "10.0.0.3", 5001)
        self.trusted.add(Endpoint.parse("udp:10.0.0.3:5001"))
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.role.send(self.role.make("INVITE", BOB), INSIDE, 5059)
        self.b.send(self.b.request().respond(180, to_tag="b"))
        colleague.send(self.role.make("CANCEL", BOB), INSIDE, 5059)
        self.assertEqual(self.b.request().method, "CANCEL")

    def test_repeated(self) -> None:
        """
        What the caller sends again is absorbed; the last answer is repeated.
        """
        sent, to_b, _ = self.ring()
        self.b.send(to_b.respond(180, to_tag="b"))
        self.a.inbox.clear()
        self.a.send(sent)
        self.assertEqual(self.a.statuses(), [180])
        self.assertEqual((self.b.inbox, self.c.inbox), ([], []))

    def test_silence(self) -> None:
        """
        Phones that say nothing at all: 408 to an INVITE, nothing to others (RFC 4320).
        """
        sent, _, _ = self.ring()
        self.network.advance(33)
        self.assertEqual(self.a.statuses()[-1], 408)
        self.acknowledge(sent)
        self.b.inbox.clear()
        self.c.inbox.clear()
        self.a.send(self.a.make("MESSAGE", BOB, branch="2"))
        self.network.advance(40)
        self.assertEqual([each for each in self.a.statuses() if each >= 200], [])

    def test_timer_c(self) -> None:
        """
        A phone that rings for three minutes is cancelled; each sign of life gives it
        three more (16.7, 2).
        """
        self.register(BOB, f"sip:bob@{PHONE_B}")
        sent = self.a.make("INVITE", BOB)
        self.a.send(sent)
        invite = self.b.request()
        self.b.send(invite.respond(180, to_tag="b"))
        self.network.advance(TIMER_C - 1)
        self.b.send(invite.respond(180, to_tag="b"))
        self.network.advance(TIMER_C - 1)
        self.assertEqual(self.b.inbox, [])
        self.network.advance(1)
        self.assertEqual(self.b.request().method, "CANCEL")
        self.b.send(invite.respond(487, to_tag="b"))
        self.assertEqual(self.a.statuses()[-1], 487)
        self.acknowledge(sent)

    def test_next_target(self) -> None:
        """
        A target that is overloaded or silent is noted, and the next one is tried.
        """
        self.places.names["far.example"] = [
            f"udp:{PHONE_B}:5060",
            "udp:192.0.2.99:5060",
            f"udp:{PHONE_B}:5080",
        ]
        self.trunk.send(self.trunk.make("INVITE", "sip:x@far.example"))
        self.b.send(self.b.request().respond(503, to_tag="b"))
        self.assertEqual(self.c.inbox, [])
        self.network.advance(33)
        invite = self.c.inbox[0]
        assert isinstance(invite, Request)
        self.c.send(invite.respond(200, to_tag="c"))
        self.assertEqual(self.trunk.statuses()[-1], 200)
        self.assertEqual(
            self.places.failures, [f"udp:{PHONE_B}:5060", "udp:192.0.2.99:5060"]
        )

    def test_flow_after_flow(self) -> None:
        """
        The ways to one phone are tried one after the other: the next, when its edge
        says that the flow is gone (RFC 5626, 5.3), and never beside the first.
        """
        first, second = (
            Contact(SIPURI.parse(f"sip:bob@{PHONE_B}:{port}")) for port in (5060, 5080)
        )
        self.users[BOB] = [replace(first, alternatives=(second,))]
        sent = self.a.make("INVITE", BOB)
        self.a.send(sent)
        self.assertEqual(self.c.inbox, [])
        self.b.send(self.b.request().respond(430, to_tag="b"))
        self.c.send(self.c.request().respond(486, to_tag="c"))
        self.assertEqual(self.a.statuses()[-1], 486)
        self.acknowledge(sent)

    def test_last_flow(self) -> None:
        """
        A 430 is between proxies: "Endpoints should never receive" it (RFC 5626, 11.1).
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        sent = self.a.make("INVITE", BOB)
        self.a.send(sent)
        self.b.send(self.b.request().respond(430, to_tag="b"))
        self.assertEqual(self.a.statuses()[-1], 480)
        self.acknowledge(sent)

    def test_dead_flow(self) -> None:
        """
        A way that is gone is passed over; if it was the last, nobody is there: 480.
        Each time the registrar is told, to forget it.
        """
        dead = ConnectionFlow(0, b"beforeit", 7)
        token = Tokens([Key(1, b"f" * 32, 0.0)]).write(Use.PATH, dead)
        path = (SIPURI.parse(f"sip:{token}@10.0.0.1:5059;lr;ob"),)
        gone = Contact(SIPURI.parse("sip:bob@10.1.1.1"), path)
        alive = Contact(SIPURI.parse(f"sip:bob@{PHONE_B}:5060"))
        self.users[BOB] = [replace(gone, alternatives=(alive,))]
        self.a.send(self.a.make("MESSAGE", BOB))
        self.b.send(self.b.request().respond(200))
        self.assertEqual(self.a.statuses(), [200])
        self.users[BOB] = [gone]
        self.a.send(self.a.make("MESSAGE", BOB, branch="2"))
        self.assertEqual(self.a.statuses(), [480])
        lost = [
            event.detail["token"]
            for event in self.bus.events
            if event.kind is EventKind.FLOW_CLOSED
        ]
        self.assertEqual(lost, [token, token])

    def test_sips(self) -> None:
        """
        A sips request goes nowhere without TLS: 480.
        """
        self.users["sip:bob@example.com"] = [
            Contact(SIPURI.parse(f"sips:bob@{PHONE_B}"))
        ]
        self.users["sips:bob@example.com"] = self.users["sip:bob@example.com"]
        self.a.send(self.a.make("MESSAGE", "sips:bob@example.com"))
        self.assertEqual(self.a.statuses(), [480])
        self.assertEqual(self.b.inbox, [])

    def test_only_overload(self) -> None:
        """
        A 503 does not go back: it would mean us (16.7, 6).
        """
        sent, to_b, to_c = self.ring()
        self.b.send(to_b.respond(503, to_tag="b"))
        self.c.send(to_c.respond(503, to_tag="c"))
        self.assertEqual(self.a.statuses(), [500])
        self.acknowledge(sent)

    def test_redirection(self) -> None:
        """
        A redirection goes back with its Contacts as they came, private addresses and
        all: nobody but the caller may follow it.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.a.send(self.a.make("INVITE", BOB))
        targets = ("<sip:bob@10.0.0.5:5070>;q=0.7", "Bob  <SIP:bob@[fd00::5]>")
        moved = self.b.request().respond(
            302, fields=[("Contact", each) for each in targets], to_tag="b"
        )
        self.a.inbox.clear()
        self.b.send(moved)
        self.assertEqual(self.a.response().all("Contact"), targets)

    def test_client_with_a_name(self) -> None:
        """
        A client that names its host in its Via is answered at its source, be its
        request relayed or forwarded.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        for sender, method in ((self.a, "INVITE"), (self.trunk, "MESSAGE")):
            uri = BOB if method == "INVITE" else f"sip:x@{PHONE_B}"
            request = sender.make(method, uri, branch=method)
            via = "SIP/2.0/UDP phone.invalid;rport;branch=z9hG4bKname"
            request.set_all("Via", [f"{via}{method}"])
            sender.send(request)
            sender.inbox.clear()
            self.b.send(self.b.request().respond(486, to_tag="b"))
            response = sender.response()
            self.assertEqual(response.status, 486)
            self.assertEqual(response[VIA].host, "phone.invalid")
            self.b.inbox.clear()  # of the ACK

    def test_other_methods(self) -> None:
        """
        A MESSAGE goes to all, and the first success back, alone.
        """
        _, to_b, to_c = self.ring("MESSAGE")
        self.b.send(to_b.respond(404, to_tag="b"))
        self.c.send(to_c.respond(200, to_tag="c"))
        self.assertEqual(self.a.statuses(), [200])

    def test_late_response(self) -> None:
        """
        What comes after the end of its transaction is not passed on (RFC 6026, 7.3).
        """
        _, to_b, _ = self.ring()
        self.b.send(to_b.respond(200, to_tag="b"))
        self.network.advance(TIMER_C + 100)
        self.a.inbox.clear()
        self.b.send(to_b.respond(200, to_tag="b"))
        self.assertEqual(self.a.inbox, [])

    def test_bounds(self) -> None:
        """
        One request reaches so many phones at most.
        """
        uris = [f"sip:{number}@{PHONE_B}" for number in range(MAX_BRANCHES + 10)]
        self.register(BOB, *uris)
        self.a.send(self.a.make("MESSAGE", BOB))
        self.assertEqual(len(self.b.inbox), MAX_BRANCHES)

    def test_memory(self) -> None:
        """
        What is under way may take so much memory; beyond that a request is refused, and
        there is room again for each that has got its answer.
        """
        self.relays.memory = 20_000
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        for number in range(5):
            self.a.send(self.a.make("MESSAGE", BOB, branch=str(number)))
        first, *_ = self.b.inbox
        self.assertEqual(len(self.b.inbox), 3)
        self.assertEqual(self.a.statuses(), [503, 503])
        assert isinstance(first, Request)
        self.b.send(first.respond(200))
        self.a.inbox.clear()
        large = self.a.make("MESSAGE", BOB, branch="large")
        large.body = bytes(4000)
        self.a.send(large)
        self.assertEqual(self.a.statuses(), [503])
        self.a.send(self.a.make("MESSAGE", BOB, branch="small"))
        self.assertEqual(len(self.b.inbox), 4)

    def test_breadth(self) -> None:
        """
        The branches share the Max-Breadth (RFC 5393, 5.3.3): 60 where nobody said so or
        said more, and that of the request in the fields of it, in any spelling.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060", f"sip:bob@{PHONE_B}:5080")
        for number, (lines, expected) in enumerate(
            (
                ((), (30, 30)),
                (("Max-Breadth: 5",), (3, 2)),
                (("MAX-BREADTH : 2",), (1, 1)),
                (("Max-Breadth: 4000",), (30, 30)),
            )
        ):
            self.a.send(self.a.make("MESSAGE", BOB, *lines, branch=f"{number}"))
            shares = []
            for phone in (self.b, self.c):
                message = phone.request()
                phone.send(message.respond(200))
                shares.append(message[MAX_BREADTH])
                self.assertEqual(len(message.all("Max-Breadth")), 1)
            self.assertEqual(tuple(shares), expected, lines)

    def test_too_narrow(self) -> None:
        """
        A request that may not be split any more is not: 440. To one phone it goes.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060", f"sip:bob@{PHONE_B}:5080")
        self.a.send(self.a.make("MESSAGE", BOB, "Max-Breadth: 1"))
        self.assertEqual(self.a.statuses(), [440])
        self.assertEqual((self.b.inbox, self.c.inbox), ([], []))
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.a.send(self.a.make("MESSAGE", BOB, "Max-Breadth: 1", branch="2"))
        self.assertEqual(self.b.request()[MAX_BREADTH], 1)
        self.a.inbox.clear()
        self.a.send(self.a.make("MESSAGE", BOB, "Max-Breadth: 0", branch="3"))
        self.assertEqual(self.a.statuses(), [440])

    def test_spiral(self) -> None:
        """
        A request that another server sends back to us for somebody else goes on.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}")
        self.register("sip:carol@example.com", f"sip:carol@{PHONE_A}:33000")
        self.trunk.send(self.trunk.make("MESSAGE", BOB))
        message = self.b.request()
        message.uri = self.b.make("MESSAGE", "sip:carol@example.com").uri
        message.prepend("Via", f"SIP/2.0/UDP {PHONE_B}:5060;branch=z9hG4bKspiral;rport")
        self.b.send(message)
        self.assertEqual(self.a.request().request_uri, f"sip:carol@{PHONE_A}:33000")

    def test_loop(self) -> None:
        """
        One that comes back for the same one is refused.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}")
        self.trunk.send(self.trunk.make("MESSAGE", BOB))
        message = self.b.request()
        message.uri = self.b.make("MESSAGE", BOB).uri
        message.prepend("Via", f"SIP/2.0/UDP {PHONE_B}:5060;branch=z9hG4bKloop;rport")
        self.b.send(message)
        self.assertEqual(self.b.statuses(), [482])


class ChallengeTests(ProxyWorld):
    """
    A phone that asks a caller for credentials.
    """

    REALMS = ("example.com", "EXAMPLE.com", "elsewhere.example")

    def challenge(self, request: Request, status: int) -> list[str]:
        """
        Let B ask for credentials for several realms; give the realms that A hears of.
        """
        name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        fields = [(name, f'Digest realm="{each}", nonce="n"') for each in self.REALMS]
        self.b.send(request.respond(status, fields=fields, to_tag="b"))
        response = self.a.inbox[-1]
        self.a.inbox.clear()
        assert isinstance(response, Response)
        self.assertEqual(response.status, status)
        return [text.split('"')[1] for text in response.all(name)]

    def test_own_realm(self) -> None:
        """
        In our name nobody but us asks: the answer is what a password is guessed by.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        for status in (401, 407):
            self.a.send(self.a.make("MESSAGE", BOB, branch=str(status)))
            heard = self.challenge(self.b.request(), status)
            self.assertEqual(heard, ["elsewhere.example"], status)

    def test_in_dialog(self) -> None:
        """
        Nor in a dialog, whose requests nobody checks.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}:5060")
        self.a.send(self.a.make("INVITE", BOB))
        invite = self.b.request()
        self.b.send(invite.respond(200, to_tag="b"))
        self.a.inbox.clear()
        routes = ", ".join(str(each) for each in reversed(invite.all(RECORD_ROUTE)))
        contact = f"sip:bob@{PHONE_B}:5060"
        bye = self.a.make("BYE", contact, f"Route: {routes}", branch="2", to_tag="b")
        self.a.send(bye)
        self.assertEqual(self.challenge(self.b.request(), 401), ["elsewhere.example"])
