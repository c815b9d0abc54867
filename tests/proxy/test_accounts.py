"""
Tests of what the proxy lets its users do, and strangers not: with a directory, digest
and a guard that trusts nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contact
from sipsorcery.access.guard import Guard
from sipsorcery.access.notices import Notices
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip import Request
from sipsorcery.sip.digest import DigestClient, Secret
from sipsorcery.sip.fields import PROXY_AUTHENTICATE
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.secrets import Secrets
from tests.proxy.house import (
    OUTSIDE,
    PHONE_A,
    PHONE_B,
    PROVIDER,
    PROXY,
    HouseCase,
    Station,
)
from tests.store.directory.cases import DirectoryCase

ALICE, BOB = "sip:alice@example.com", "sip:bob@example.com"
PASSWORD = "correct horse"


class AccountsCase(DirectoryCase, HouseCase):
    """
    A proxy with the accounts ``alice``, ``bob`` and ``carol``, who may only be called.
    """

    config = "[limits]\nallow = []"

    def setUp(self) -> None:
        DirectoryCase.setUp(self)
        for name, fields in (
            ("alice", {}),
            ("bob", {}),
            ("carol", {"incoming_only": True}),
            ("101", {}),
        ):
            self.do(self.joe.accounts.add(name, "example.com", PASSWORD, **fields))
        self.users: dict[str, list[Contact]] = {}
        HouseCase.setUp(self)
        self.settle()
        self.c = self.station("198.51.100.12", OUTSIDE, "udp:198.51.100.12:5060")

    def options(self) -> dict[str, Any]:
        """
        Give the proxy all that it can have.
        """
        config = self.parsed()
        secrets = Secrets(self.data_dir)
        secrets.load()
        notices = Notices("proxy", self.bus)
        self.guard = Guard.of_config(config, banned=notices.banned)
        accounts = Accounts(self.directory, config, self.machine, own=lambda: [PROXY])
        return {
            "accounts": accounts,
            "authenticator": Authenticator(
                self.machine,
                config,
                accounts=accounts,
                secrets=secrets,
                server="proxy",
                guard=self.guard,
                bus=self.bus,
            ),
            "contacts": self,
            "guard": self.guard,
        }

    async def of(self, uri: SIPURI | str) -> Sequence[Contact] | None:
        """
        Find contacts, as `Contacts` does.
        """
        assert isinstance(uri, SIPURI)
        return self.users.get(uri.aor)

    def settle(self) -> None:
        """
        Let the directory answer, too.
        """
        for _ in range(4):
            self.network.advance(0.01)
            self.reactor.advance(0)

    def place(self, aor: str, *uris: str) -> None:
        """
        Say where a user is.
        """
        self.users[aor] = [Contact(SIPURI.parse(uri)) for uri in uris]

    def make(self, phone: Station, method: str, uri: str, *lines: Any) -> Request:
        """
        Make a request from alice.
        """
        return phone.make(method, uri, *lines, from_uri=ALICE)

    def credentials(
        self,
        phone: Station,
        method: str,
        uri: str,
        username: str = "alice",
        password: str = PASSWORD,
    ) -> list[tuple[str, str]]:
        """
        Send a request and answer its challenge.
        """
        request = self.make(phone, method, uri)
        phone.send(request)
        challenge = phone.response()
        self.assertEqual(challenge.status, 407)
        if method == "INVITE":
            ack = self.make(phone, "ACK", uri)
            ack.set_all("Via", request.all("Via"))
            phone.send(ack)
        client = DigestClient({"example.com": Secret(username, password)}.get)
        attempt = client.attempt(method, uri)
        attempt.challenged(proxy=challenge.all(PROXY_AUTHENTICATE))
        return [(field.name, str(value)) for field, value in attempt.authorize()]

    def kinds(self) -> list[EventKind]:
        """
        Give the kinds of what the monitor has heard, but for traces.
        """
        kinds = [each.kind for each in self.events]
        return [kind for kind in kinds if kind is not EventKind.SIP_TRACE]


class CallerTests(AccountsCase):
    """
    Requests whose From is of our domain.
    """

    def test_challenged(self) -> None:
        """
        Whoever says to be one of us is asked to prove it, for every method, before
        anything is looked up or sent; also under other names of the domain.
        """
        self.place(BOB, f"sip:bob@{PHONE_B}:5060")
        for uri in (BOB, f"sip:x@{PROVIDER}", "sip:nobody@example.com"):
            for method in ("INVITE", "MESSAGE", "SUBSCRIBE", "BYE", "OPTIONS", "FOO"):
                self.a.send(self.make(self.a, method, uri))
                self.assertEqual(self.a.response().status, 407, (method, uri))
        self.assertTrue(self.provider.is_quiet)

    def test_call(self) -> None:
        """
        With the right answer the call goes out; it says whose it is, whatever the phone
        said of that, and holds the credentials no more.
        """
        self.place(BOB, f"sip:bob@{PROVIDER}:5060")
        lines = self.credentials(self.a, "INVITE", BOB)
        lines += [
            ("P-Asserted-Identity", "<sip:boss@example.com>"),
            ("P-Preferred-Identity", "<sip:boss@example.com>"),
            (
                "Proxy-Authorization",
                'Digest username="x", realm="other", nonce="n", uri="sip:x", '
                'response="00000000000000000000000000000000"',
            ),
        ]
        self.a.send(self.make(self.a, "INVITE", BOB, *lines))
        invite = self.provider.request()
        self.assertEqual(invite.all("P-Asserted-Identity"), (f"<{ALICE}>",))
        self.assertNotIn("P-Preferred-Identity", invite)
        (other,) = invite.all("Proxy-Authorization")
        self.assertIn('realm="other"', other)

    def test_outward(self) -> None:
        """
        Who has proved to be one of us may call others.
        """
        uri = f"sip:x@{PROVIDER}"
        lines = self.credentials(self.a, "INVITE", uri)
        self.a.send(self.make(self.a, "INVITE", uri, *lines))
        self.assertEqual(self.provider.request().request_uri, uri)

    def test_outward_dialog(self) -> None:
        """
        What follows in that call goes out, too, without credentials, and what the other
        side sends comes in.
        """
        uri = f"sip:x@{PROVIDER}"
        lines = self.credentials(self.a, "INVITE", uri)
        sent = self.a.send(self.make(self.a, "INVITE", uri, *lines))
        invite = self.provider.request()
        self.provider.answer(invite, 200)
        routes = [("Route", str(each)) for each in invite.all("Record-Route")]
        call_id = sent.get("Call-ID") or ""

        def follow(method: str, *given: tuple[str, str]) -> Request:
            options = {"from_uri": ALICE, "to_tag": "t", "call_id": call_id}
            return self.a.make(method, uri, *given, **options)

        self.a.consumer.responses.clear()
        self.a.send(follow("ACK", *reversed(routes)))
        self.assertEqual(self.provider.request().method, "ACK")
        self.a.send(follow("INVITE", *reversed(routes)))
        self.provider.answer(self.provider.request(), 200)
        self.assertEqual(self.a.response().status, 200)
        self.provider.send(
            self.provider.make("INFO", f"sip:alice@{PHONE_A}", *routes, to_tag="f")
        )
        self.assertEqual(self.a.request().method, "INFO")
        self.a.send(follow("BYE", *reversed(routes)))
        self.assertEqual(self.provider.request().method, "BYE")

    def test_outward_dialog_of_another(self) -> None:
        """
        The way out is for that call and its caller alone.
        """
        uri = f"sip:x@{PROVIDER}"
        lines = self.credentials(self.a, "INVITE", uri)
        sent = self.a.send(self.make(self.a, "INVITE", uri, *lines))
        invite = self.provider.request()
        self.provider.answer(invite, 200)
        upper, lower = (("Route", str(each)) for each in invite.all("Record-Route"))
        call_id = sent.get("Call-ID") or ""
        target = "sip:x@198.51.100.12"
        for station, routes, call in (
            (self.a, (lower, upper), "another"),
            (self.a, (upper,), call_id),
            (self.provider, (upper,), call_id),
            (self.provider, (lower, upper), call_id),
        ):
            station.consumer.responses.clear()
            station.send(station.make("BYE", target, *routes, to_tag="t", call_id=call))
            self.assertEqual(station.response().status, 403, routes)
        self.assertTrue(self.c.is_quiet)

    def test_not_onto_this_machine(self) -> None:
        """
        But nothing of theirs goes to addresses that they cannot reach themselves.
        """
        for host in ("169.254.1.1", "0.0.0.0", "[::ffff:127.0.0.1]"):
            uri = f"sip:x@{host}"
            lines = self.credentials(self.a, "MESSAGE", uri)
            self.a.send(self.make(self.a, "MESSAGE", uri, *lines))
            self.assertIn(self.a.response().status, (403, 404, 405, 500), host)
        self.assertTrue(self.registrar.is_quiet)

    def test_someone_else(self) -> None:
        """
        The credentials of one account are none for another: 403.
        """
        lines = self.credentials(self.a, "MESSAGE", BOB, username="bob")
        self.a.send(self.make(self.a, "MESSAGE", BOB, *lines))
        self.assertEqual(self.a.response().status, 403)

    def test_incoming_only(self) -> None:
        """
        An account that may only be called calls nobody.
        """
        request = self.c.make("INVITE", BOB, from_uri="sip:carol@example.com")
        self.c.send(request)
        challenge = self.c.response()
        client = DigestClient({"example.com": Secret("carol", PASSWORD)}.get)
        attempt = client.attempt("INVITE", BOB)
        attempt.challenged(proxy=challenge.all(PROXY_AUTHENTICATE))
        lines = [(field.name, str(value)) for field, value in attempt.authorize()]
        self.c.send(
            self.c.make("INVITE", BOB, *lines, from_uri="sip:carol@example.com")
        )
        self.assertEqual(self.c.response().status, 403)

    def test_wrong_password(self) -> None:
        """
        A wrong password and an unknown name get the same answer; the monitor hears.
        """
        for name in ("alice", "nobody"):
            lines = self.credentials(self.a, "MESSAGE", BOB, name, "guess")
            self.a.send(self.make(self.a, "MESSAGE", BOB, *lines))
            self.assertEqual(self.a.response().status, 407)
        self.assertEqual(self.kinds(), [EventKind.AUTH_FAILED] * 2)

    def test_number(self) -> None:
        """
        A number is of no domain: whoever has it in the From may call our users, as any
        stranger, and nobody else. But one that is local to a domain of ours is one of
        us (RFC 3966, 5.1.5), and has to prove it.
        """
        self.place(BOB, f"sip:bob@{PHONE_B}:5060")
        for number, to_bob, out in (
            ("tel:+4930123456", 404, 403),
            ("tel:101;phone-context=elsewhere.example", 404, 403),
            ("tel:101;phone-context=+4930", 404, 403),
            ("tel:101;phone-context=example.com", 407, 407),
            ("tel:1-0.1;phone-context=EXAMPLE.com", 407, 407),
        ):
            for uri, status in (
                ("sip:nobody@example.com", to_bob),
                (f"sip:x@{PROVIDER}", out),
            ):
                self.a.send(self.a.make("MESSAGE", uri, from_uri=number))
                self.assertEqual(self.a.response().status, status, (number, uri))
        self.assertTrue(self.provider.is_quiet)

    def test_own_number(self) -> None:
        """
        It is the number of an account, whose password proves it.
        """
        self.place(BOB, f"sip:bob@{PROVIDER}:5060")
        number = "tel:101;phone-context=example.com"
        self.a.send(self.a.make("MESSAGE", BOB, from_uri=number))
        client = DigestClient({"example.com": Secret("101", PASSWORD)}.get)
        attempt = client.attempt("MESSAGE", BOB)
        attempt.challenged(proxy=self.a.response().all(PROXY_AUTHENTICATE))
        lines = [(field.name, str(value)) for field, value in attempt.authorize()]
        self.a.send(self.a.make("MESSAGE", BOB, *lines, from_uri=number))
        message = self.provider.request()
        self.assertEqual(message.all("P-Asserted-Identity"), ("<sip:101@example.com>",))

    def test_server(self) -> None:
        """
        OPTIONS to the server itself needs no credentials; a REGISTER is for the
        registrar to judge.
        """
        self.a.send(self.make(self.a, "OPTIONS", "sip:example.com"))
        self.assertEqual(self.a.response().status, 200)
        self.a.send(self.make(self.a, "REGISTER", "sip:example.com"))
        self.assertEqual(self.registrar.request().method, "REGISTER")

    def test_role(self) -> None:
        """
        A role of ours is not asked.
        """
        route = ("Route", "<sip:127.0.0.1:5059;lr>")
        uri = f"sip:x@{PROVIDER}"
        self.appserver.send(self.make(self.appserver, "INVITE", uri, route))
        self.assertEqual(self.provider.request().request_uri, uri)

    def test_domain_of_the_directory(self) -> None:
        """
        A domain that is added while we run is ours within seconds.
        """
        uri = "sip:dave@new.example"
        self.a.send(self.a.make("OPTIONS", "sip:new.example"))
        self.assertEqual(self.a.response().status, 403)
        self.do(self.everyone.domains.add("new.example"))
        self.network.advance(3)
        self.settle()
        self.a.send(self.a.make("OPTIONS", "sip:new.example"))
        self.assertEqual(self.a.response().status, 200)
        self.a.send(self.a.make("MESSAGE", BOB, from_uri=uri))
        self.assertEqual(self.a.response().status, 407)


class TrunkTests(AccountsCase):
    """
    A neighbour with rights.
    """

    config = f"""
        [limits]
        allow = []
        [[trunk]]
        name = 'provider'
        networks = ['{PROVIDER}/32']
        """

    def test_no_credentials(self) -> None:
        """
        It is not asked, even for calls that come from one of us.
        """
        self.place(BOB, f"sip:bob@{PHONE_A}:33000")
        self.provider.send(self.make(self.provider, "INVITE", BOB))
        self.assertEqual(self.a.request().method, "INVITE")

    def test_never_banned(self) -> None:
        """
        Whatever it asks for, nobody stops listening to it.
        """
        for _ in range(100):
            self.provider.send(self.provider.make("MESSAGE", "sip:no@example.com"))
            self.assertEqual(self.provider.response().status, 404)


class StrangerTests(AccountsCase):
    """
    Everybody else.
    """

    def setUp(self) -> None:
        super().setUp()
        self.place(BOB, f"sip:bob@{PHONE_A}:33000")

    def test_call(self) -> None:
        """
        May call our users, and nobody else.
        """
        self.c.send(self.c.make("INVITE", BOB))
        self.assertEqual(self.a.request().method, "INVITE")
        self.c.send(self.c.make("INVITE", f"sip:x@{PROVIDER}"))
        self.assertEqual(self.c.response().status, 403)

    def test_call_where_any_host_is_ours(self) -> None:
        """
        They may also where one of our domains stands for any host, without being asked
        for a password that they cannot have.
        """
        self.do(self.everyone.domains.add_alias("example.com", "*"))
        self.network.advance(3)
        self.settle()
        self.c.send(self.c.make("INVITE", BOB, from_uri="sip:x@other.example"))
        self.assertEqual(self.a.request().method, "INVITE")

    def ask(self, station: Station, **lines: str) -> bool:
        """
        Send an OPTIONS; tell whether there is an answer.
        """
        fields = [(name.replace("_", "-"), value) for name, value in lines.items()]
        station.send(station.make("OPTIONS", "sip:example.com", *fields))
        answered = not station.is_quiet
        station.consumer.responses.clear()
        return answered

    def test_scanner(self) -> None:
        """
        Who is called like a scanner gets no answer, and none to whatever comes later
        from that address; others do.
        """
        self.assertTrue(self.ask(self.c))
        self.assertFalse(self.ask(self.c, User_Agent="friendly-scanner"))
        self.assertFalse(self.ask(self.c))
        self.assertTrue(self.ask(self.provider))
        self.assertEqual(self.kinds(), [EventKind.BANNED])
        self.network.advance(301)
        self.assertTrue(self.ask(self.c))

    def test_unknown_users(self) -> None:
        """
        Who asks for many users that do not exist is not listened to any more.
        """
        statuses = []
        for number in range(25):
            self.network.advance(0.5)
            self.c.send(self.c.make("MESSAGE", f"sip:{number}@example.com"))
            if not self.c.is_quiet:
                statuses.append(self.c.response().status)
        self.assertEqual(statuses, [404] * 20)

    def test_garbage(self) -> None:
        """
        Who sends what cannot be read is not listened to any more, nor answered.
        """
        host, port = self.c.layer.listeners[0].local.host, 5060
        for _ in range(25):
            self.network.advance(0.5)
            garbage = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\n\r\n"
            self.network.send(garbage, (host, port), (PROXY, 5060))
        self.settle()
        told = [each for each in self.events if each.kind is EventKind.BAD_MESSAGE]
        self.assertEqual(len(told), 20)
        self.assertEqual(str(told[0].remote), f"udp:{host}:{port}")
        self.assertIn("could not be read: ", told[0].message)
        self.assertFalse(self.ask(self.c))

    def flood(self, station: Station, count: int) -> int:
        """
        Send many OPTIONS at once; count the answers.
        """
        for _ in range(count):
            request = station.make("OPTIONS", "sip:example.com")
            station.layer.send_request(request, station.to)
        self.settle()
        answered = len(station.consumer.responses)
        station.consumer.responses.clear()
        return answered

    def test_flood(self) -> None:
        """
        Beyond so many packets in so many seconds a stranger's are dropped; a phone that
        has registered is served, whatever else comes from its address.
        """
        self.a.send(self.a.make("REGISTER", "sip:example.com"))
        self.registrar.answer(self.registrar.request(), 200)
        self.a.consumer.responses.clear()
        self.assertEqual(self.flood(self.c, 100), 60)
        self.assertEqual(self.flood(self.a, 100), 100)
        same = Station(self, self.a.machine, OUTSIDE, f"udp:{PHONE_A}:5099")
        self.assertLess(self.flood(same, 700), 601)
        self.assertEqual(self.flood(self.a, 100), 100)

    def test_flood_of_an_account(self) -> None:
        """
        So is one that has proved to a call of its own whose it is.
        """
        self.place(BOB, f"sip:bob@{PROVIDER}:5060")
        lines = self.credentials(self.a, "MESSAGE", BOB)
        self.a.send(self.make(self.a, "MESSAGE", BOB, *lines))
        self.provider.answer(self.provider.request(), 200)
        self.a.consumer.responses.clear()
        self.assertEqual(self.flood(self.a, 100), 100)


class InsideTests(AccountsCase):
    """
    The inside socket, under a guard that trusts nobody.
    """

    def test_roles_are_no_strangers(self) -> None:
        """
        What comes by it is neither counted nor banned.
        """
        for _ in range(100):
            self.appserver.send(
                self.appserver.make(
                    "OPTIONS",
                    "sip:example.com",
                    ("Route", "<sip:127.0.0.1:5059;lr>"),
                    ("User-Agent", "friendly-scanner"),
                )
            )
            self.assertEqual(self.appserver.response().status, 200)
        for _ in range(30):
            garbage = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\n\r\n"
            self.network.send(garbage, ("127.0.0.1", 5065), ("127.0.0.1", 5059))
        self.settle()
        self.appserver.send(self.appserver.make("OPTIONS", "sip:example.com"))
        self.assertEqual(self.appserver.response().status, 200)


class TraceTests(AccountsCase):
    """
    What the monitor sees of messages.
    """

    def test_call(self) -> None:
        """
        Every message on both sides is there, with its addresses and our branch; all of
        one transaction share an origin, and no proof of a password is to be read.
        """
        self.place(BOB, f"sip:bob@{PROVIDER}:5060")
        lines = self.credentials(self.a, "INVITE", BOB)
        self.network.advance(1)
        self.events.clear()
        sent = self.a.send(self.make(self.a, "INVITE", BOB, *lines))
        received = self.provider.request()
        self.provider.answer(received, 486)
        self.network.advance(1)
        traces = [each for each in self.events if each.kind is EventKind.SIP_TRACE]
        shown = [
            (str(each.trace.direction), each.trace.data.split(b" ", 1)[0])
            for each in traces
            if each.trace is not None
        ]
        self.assertEqual(
            shown[:5],
            [
                ("received", b"INVITE"),
                ("sent", b"INVITE"),
                ("received", b"SIP/2.0"),
                ("sent", b"ACK"),
                ("sent", b"SIP/2.0"),
            ],
        )
        self.assertEqual({each.call_id for each in traces}, {sent.get("Call-ID")})
        received_invite, sent_invite, failure, _, passed_on = traces[:5]
        origins = {
            each.detail["origin"]
            for each in (received_invite, sent_invite, failure, passed_on)
        }
        self.assertEqual(len(origins), 1)
        ours = received.all("Via")[0].partition("branch=")[2].partition(";")[0]
        branches = [each.trace.branch for each in traces[1:3] if each.trace]
        self.assertEqual(branches, [ours, ours])
        first = traces[0].trace
        assert first is not None
        self.assertIn(b'response="' + b"*" * 32 + b'"', first.data)
        self.assertEqual(str(first.local), OUTSIDE)
        self.assertEqual(str(first.remote), f"udp:{PHONE_A}:33000")
