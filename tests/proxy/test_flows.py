"""
Tests of routing as the documentation tells it: requests on their way through a proxy
with its roles and phones, over real transports in a network in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from sipsorcery.access.contacts import Contact
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip import Request
from sipsorcery.sip.fields import PATH, RECORD_ROUTE, VIA
from sipsorcery.sip.uri import SIPURI
from sipsorcery.stun import Message, MessageClass, answer, mapped_address
from tests.proxy.house import (
    INSIDE,
    OUTSIDE,
    PHONE_A,
    PHONE_B,
    PROVIDER,
    PROXY,
    SECURE,
    HouseCase,
    Station,
)

PHONE_B2, STUN = "198.51.100.10", "192.0.2.53"
A_CONTACT = "sip:alice@192.168.1.2:5060"
B_CONTACT = "sip:bob@10.0.0.5:4444;transport=tls"
_PRIVATE = ("Proxy-ReceivedFrom", "Proxy-ReceivedOn", "Proxy-SendFrom")


def routes(request: Request) -> list[str]:
    """
    Give the Record-Routes of a request, the topmost first.
    """
    return [str(each) for each in request.all(RECORD_ROUTE)]


class FlowsCase(HouseCase):
    """
    Phones A and B, which can register.
    """

    def register(self, phone: Station, contact: str) -> str:
        """
        Let a phone register.

        :return: the Path that the registrar got.
        """
        phone.send(
            phone.make(
                "REGISTER",
                "sip:example.com",
                ("Contact", f"<{contact}>"),
                ("Proxy-ReceivedFrom", "udp:127.0.0.1:1"),
            )
        )
        register = self.registrar.request()
        (path,) = register.all("Path")
        fields = [("Path", path), ("Proxy-ReceivedOn", "udp:127.0.0.1:1")]
        self.registrar.answer(register, 200, fields=fields)
        return path

    def call(self, path: str, contact: str) -> tuple[Request, Request]:
        """
        Let the application server call a phone.

        :return: what it sent, and what the phone got.
        """
        phone = self.a if contact == A_CONTACT else self.b
        invite = self.appserver.make(
            "INVITE",
            contact,
            ("Route", path),
            ("Contact", "<sip:DLG@203.0.113.1:5060>"),
        )
        self.appserver.send(invite)
        return invite, phone.request()


class RegisterTests(FlowsCase):
    """
    A phone registers.
    """

    def test_over_tls(self) -> None:
        """
        The registrar gets a Path with a token and learns the source; nothing that the
        phone claimed of it arrives. The answer leaves on the phone's connection,
        without what was between the two of us.
        """
        self.b.send(
            self.b.make("REGISTER", "sip:example.com", ("Proxy-ReceivedFrom", "x"))
        )
        register = self.registrar.request()
        (path,) = register.all(PATH)
        assert isinstance(path.uri, SIPURI)
        self.assertEqual((path.uri.host, path.uri.port), ("127.0.0.1", 5059))
        self.assertTrue(path.uri.is_loose)
        self.assertIn("ob", path.uri.parameters)
        (seen,) = register.all("Proxy-ReceivedFrom")
        self.assertRegex(seen, rf"^tls:{PHONE_B}:\d+$")
        self.assertEqual(register.all("Proxy-ReceivedOn"), (f"tls:{PROXY}:5061",))
        self.assertEqual(register[VIA].sent_by, "127.0.0.1:5059")
        fields = [
            *(("Path", str(path)), ("Proxy-ReceivedOn", "x")),
            *(("Flow-Timer", "100"), ("Require", "outbound")),
        ]
        self.registrar.answer(register, 200, fields=fields)
        response = self.b.response()
        self.assertEqual(response.get("Path"), str(path))
        self.assertEqual(response.get("Flow-Timer"), "100")
        self.assertEqual(response.get("Require"), "outbound")
        for name in _PRIVATE:
            self.assertNotIn(name, response)

    def test_lost_datagram(self) -> None:
        """
        What comes over a connection, and may get lost inside, we send again; over UDP
        its sender does.
        """
        for phone, times in ((self.b, 2), (self.a, 1)):
            phone.send(phone.make("REGISTER", "sip:example.com"))
            self.network.advance(0.6)
            self.assertEqual(len(self.registrar.consumer.requests), times)
            self.registrar.consumer.requests.clear()

    def test_over_udp(self) -> None:
        """
        Over UDP, the same; a REGISTER that is sent again has the same Path.
        """
        first, second = (self.register(self.a, A_CONTACT) for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(self.a.response().status, 200)


class CallTests(FlowsCase):
    """
    The application server calls, and both ends send in the dialog.
    """

    def test_second_leg(self) -> None:
        """
        A call with the Path from inside leaves on B's connection, with a Record-Route
        for each side; B's BYE by these comes to the server that the URI names.
        """
        path = self.register(self.b, B_CONTACT)
        _, invite = self.call(path, B_CONTACT)
        self.assertNotIn("Route", invite)
        self.assertEqual(invite.request_uri, B_CONTACT)
        outer, inner = routes(invite)
        self.assertIn(f"@{PROXY}:5061;transport=tls;lr>", outer)
        self.assertIn("@127.0.0.1:5059;lr>", inner)
        self.b.answer(invite, 200)
        answered = self.appserver.response()
        self.assertEqual(answered.status, 200)
        self.assertRegex(answered.get("Proxy-ReceivedFrom") or "", f"tls:{PHONE_B}")

    def test_hang_up_of_the_server(self) -> None:
        """
        The server's BYE with both Record-Routes leaves to A from the listener that A
        knows, whatever A's Contact says.
        """
        path = self.register(self.a, A_CONTACT)
        _, invite = self.call(path, A_CONTACT)
        outer, inner = routes(invite)
        self.a.answer(invite, 200)
        self.appserver.send(
            self.appserver.make(
                "BYE", A_CONTACT, ("Route", inner), ("Route", outer), to_tag="t"
            )
        )
        bye = self.a.request()
        self.assertEqual((bye.method, bye.request_uri), ("BYE", A_CONTACT))
        self.assertEqual(bye[VIA].sent_by, f"{PROXY}:5060")
        for name in ("Route", *_PRIVATE):
            self.assertNotIn(name, bye)

    def test_hang_up_of_the_phone(self) -> None:
        """
        B's BYE with both Record-Routes comes to the server, which learns the source,
        also over another connection than that of the call.
        """
        path = self.register(self.b, B_CONTACT)
        _, invite = self.call(path, B_CONTACT)
        self.b.answer(invite, 200)
        self.appserver.response()
        again = self.station(PHONE_B2, SECURE)
        for phone in (self.b, again):
            phone.send(
                phone.make(
                    "BYE",
                    f"sip:DLG@{PROXY}:5060",
                    *(("Route", each) for each in routes(invite)),
                    to_tag="t",
                )
            )
            bye = self.appserver.request()
            self.assertEqual(bye.request_uri, f"sip:DLG@{PROXY}:5060")
            self.assertNotIn("Route", bye)
            self.assertRegex(bye.get("Proxy-ReceivedFrom") or "", "^tls:198.51.100.")

    def test_tokens_of_others(self) -> None:
        """
        A Path that somebody outside has got hold of is worth nothing there, nor is a
        Record-Route without a dialog: 403.
        """
        path = self.register(self.b, B_CONTACT)
        _, invite = self.call(path, B_CONTACT)
        outer, _ = routes(invite)
        self.b.consumer.responses.clear()
        for route in (path, outer):
            self.provider.send(
                self.provider.make("MESSAGE", B_CONTACT, ("Route", route))
            )
            self.assertEqual(self.provider.response().status, 403)
        self.assertTrue(self.b.is_quiet)

    def test_cancel_and_ack(self) -> None:
        """
        What is forwarded without state takes CANCEL and the ACK to a failure along the
        same way, in the same branch.
        """
        path = self.register(self.a, A_CONTACT)
        branches = set()
        for method in ("INVITE", "CANCEL", "ACK"):
            self.appserver.send(
                self.appserver.make(
                    method,
                    A_CONTACT,
                    ("Route", path),
                    branch="z9hG4bKone",
                    call_id="one",
                )
            )
            branches.add(self.a.request()[VIA].branch)
        self.assertEqual(len(branches), 1)


class ProviderTests(FlowsCase):
    """
    Calls to somebody else's server.
    """

    def send(self) -> Request:
        """
        Let the application server call outward.
        """
        invite = self.appserver.make(
            "INVITE",
            f"sip:+4420@{PROVIDER}",
            ("Route", f"<sip:{INSIDE.removeprefix('udp:')};lr>"),
            ("Proxy-SendFrom", OUTSIDE),
        )
        self.appserver.send(invite)
        return self.provider.request()

    def test_outward(self) -> None:
        """
        It leaves from the listener that the server chose, with a Record-Route for each
        side, and without a word that is for us.
        """
        invite = self.send()
        self.assertEqual(invite.request_uri, f"sip:+4420@{PROVIDER}")
        self.assertEqual(invite[VIA].sent_by, f"{PROXY}:5060")
        self.assertEqual(len(routes(invite)), 2)
        for name in ("Route", *_PRIVATE):
            self.assertNotIn(name, invite)

    def test_challenge(self) -> None:
        """
        A provider's challenge is passed to the server, which has the credentials.
        """
        challenge = 'Digest realm="provider", nonce="n"'
        fields = [("Proxy-Authenticate", challenge)]
        self.provider.answer(self.send(), 407, fields=fields)
        response = self.appserver.response()
        self.assertEqual(response.status, 407)
        self.assertEqual(response.all("Proxy-Authenticate"), (challenge,))


class RestartTests(FlowsCase):
    """
    The proxy starts again, with the same secrets.
    """

    def restart(self) -> None:
        """
        Stop the proxy and start it.
        """
        self.stop()
        self.start()

    def test_udp(self) -> None:
        """
        A binding over UDP goes on to be reached, and a dialog goes on.
        """
        path = self.register(self.a, A_CONTACT)
        _, invite = self.call(path, A_CONTACT)
        self.a.answer(invite, 200)
        outer, inner = routes(invite)
        self.restart()
        self.call(path, A_CONTACT)
        self.appserver.send(
            self.appserver.make(
                "BYE", A_CONTACT, ("Route", inner), ("Route", outer), to_tag="t"
            )
        )
        self.assertEqual(self.a.request().method, "BYE")

    def test_connection(self) -> None:
        """
        One over a connection is gone: 430 (RFC 5626, 5.3.1).
        """
        path = self.register(self.b, B_CONTACT)
        self.restart()
        self.appserver.send(self.appserver.make("INVITE", B_CONTACT, ("Route", path)))
        self.assertEqual(self.appserver.response().status, 430)

    def test_connection_of_another(self) -> None:
        """
        Nor is it anybody else's, who now has the connection of the same number.
        """
        path = self.register(self.b, B_CONTACT)
        self.restart()
        other = self.station("198.51.100.13", SECURE)
        other.send(other.make("OPTIONS", "sip:example.com"))
        self.assertEqual(other.response().status, 200)
        self.appserver.send(self.appserver.make("INVITE", B_CONTACT, ("Route", path)))
        self.assertEqual(self.appserver.response().status, 430)
        self.assertTrue(other.is_quiet)


class FlowClosedTests(FlowsCase):
    """
    A phone's connection ends.
    """

    def test_event(self) -> None:
        """
        Whoever listens hears which Path leads nowhere any more.
        """
        path = SIPURI.parse(self.register(self.b, B_CONTACT).strip("<>"))
        self.b.flow.close("the phone is off")
        self.network.advance(10)
        closed = [each for each in self.events if each.kind is EventKind.FLOW_CLOSED]
        self.assertEqual([each.detail["token"] for each in closed], [path.user])
        self.assertEqual(closed[0].server, "proxy")

    def test_call_after_it(self) -> None:
        """
        A call to that Path is refused: 430.
        """
        path = self.register(self.b, B_CONTACT)
        self.b.flow.close("the phone is off")
        self.network.advance(10)
        self.appserver.send(self.appserver.make("INVITE", B_CONTACT, ("Route", path)))
        self.assertEqual(self.appserver.response().status, 430)


class LostConnectionTests(FlowsCase):
    """
    A request that came on a connection which is gone when its answer comes.
    """

    config = f"[[trunk]]\nname = 'it'\nnetworks = ['{PROVIDER}/32']"

    def setUp(self) -> None:
        super().setUp()
        self.far = self.station(PHONE_B2, OUTSIDE, f"tcp:{PHONE_B2}:5060")
        machine = self.provider.machine
        self.trunk = Station(self, machine, f"tcp:{PROXY}:5060", f"tcp:{PROVIDER}:5070")
        uri = f"sip:x@{PHONE_B2}:5060;transport=tcp"
        self.trunk.send(self.trunk.make("MESSAGE", uri))
        self.message = self.far.request()

    def test_same_connection(self) -> None:
        """
        As long as it is there the answer goes back on it.
        """
        self.far.answer(self.message, 202)
        ((response, flow),) = self.trunk.consumer.responses
        self.assertEqual(response.status, 202)
        self.assertIs(flow, self.trunk.flow)

    def test_new_connection(self) -> None:
        """
        Else a new one is opened to the address it came from, and the port that its Via
        names (RFC 3261, 18.2.2).
        """
        self.trunk.flow.close("the test")
        self.network.advance(10)
        self.far.answer(self.message, 202)
        self.network.advance(1)
        ((response, flow),) = self.trunk.consumer.responses
        self.assertEqual(response.status, 202)
        self.assertIsNot(flow, self.trunk.flow)
        self.assertIsNotNone(flow.listener)

    def test_elsewhere(self) -> None:
        """
        But to no other address: a response whose Via was changed is none of ours.
        """
        self.trunk.flow.close("the test")
        self.network.advance(10)
        ours, below = self.message.all("Via")
        self.message.set_all("Via", [ours, f"{below};received={PHONE_A}"])
        self.far.answer(self.message, 202)
        self.network.advance(1)
        self.assertEqual((self.trunk.is_quiet, self.a.is_quiet), (True, True))


class TrunkTests(FlowsCase):
    """
    A neighbour that calls over TCP.
    """

    config = f"[[trunk]]\nname = 'it'\nnetworks = ['{PROVIDER}/32']"

    def options(self) -> dict[str, Any]:
        """
        Let the proxy know a user.
        """
        return {"contacts": self}

    async def of(self, uri: SIPURI | str) -> Sequence[Contact]:
        """
        Find the user's phone.
        """
        return [Contact(SIPURI.parse(f"sip:bob@{PHONE_B2}:5060"))]

    def test_long_call(self) -> None:
        """
        When its connection has ended, what follows in the call goes to where its
        Contact says, on another one.
        """
        machine, here = self.provider.machine, f"tcp:{PROVIDER}:5070"
        trunk = Station(self, machine, f"tcp:{PROXY}:5060", here)
        far = self.station(PHONE_B2, OUTSIDE, f"udp:{PHONE_B2}:5060")
        trunk.send(trunk.make("INVITE", "sip:bob@example.com"))
        invite = far.request()
        far.answer(invite, 200)
        self.assertEqual(trunk.response().status, 200)
        trunk.flow.close("the test")
        self.network.advance(10)
        far.send(
            far.make(
                "BYE",
                f"sip:x@{PROVIDER}:5070;transport=tcp",
                *(("Route", each) for each in routes(invite)),
                to_tag="f",
                call_id=invite.get("Call-ID") or "",
            )
        )
        self.network.advance(1)
        ((bye, flow),) = trunk.consumer.requests
        self.assertEqual(bye.method, "BYE")
        self.assertIsNot(flow, trunk.flow)


class NATOfTheProxyTests(FlowsCase):
    """
    The proxy itself is behind a NAT, and asks a STUN server what that makes of it.
    """

    sip = f"stun_server = '{STUN}:3478'"
    seen = ("192.0.2.200", 5060)

    def setUp(self) -> None:
        super().setUp()
        machine = self.network.machine(STUN)
        machine.listenUDP(3478, _STUNServer(self.seen), STUN)

    def test_learned(self) -> None:
        """
        From then on the public address stands in Record-Route, and is ours.
        """
        path = self.register(self.a, A_CONTACT)
        _, invite = self.call(path, A_CONTACT)
        self.assertIn(f"@{PROXY}:5060;lr>", routes(invite)[0])
        self.a.send(self.a.make("OPTIONS", "sip:192.0.2.200"))
        self.assertEqual(self.a.response().status, 403)
        self.network.advance(61)
        _, invite = self.call(path, A_CONTACT)
        self.assertIn("@192.0.2.200:5060;lr>", routes(invite)[0])
        self.a.send(self.a.make("OPTIONS", "sip:192.0.2.200"))
        self.assertEqual(self.a.response().status, 200)
        self.appserver.send(
            self.appserver.make(
                "BYE",
                A_CONTACT,
                *(("Route", each) for each in reversed(routes(invite))),
                to_tag="t",
            )
        )
        self.assertEqual(self.a.request().method, "BYE")

    def test_phones(self) -> None:
        """
        Phones that ask the SIP port by STUN get an answer.
        """
        request = Message(MessageClass.REQUEST, bytes(range(12)))
        self.network.send(bytes(request), (PHONE_A, 33000), (PROXY, 5060))
        self.settle()
        ((data, _),) = self.a.consumer.stun
        self.assertEqual(mapped_address(Message.parse(data)), (PHONE_A, 33000))


class _STUNServer(DatagramProtocol):
    """
    Sees everybody at the same address.
    """

    def __init__(self, seen: tuple[str, int]) -> None:
        self.seen = seen

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        response = answer(datagram, self.seen)
        assert response is not None and self.transport is not None
        self.transport.write(response, addr)
