"""
Tests for `sipsorcery.registrar.service`, with all that it puts to work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from sipsorcery.access.contacts import Contacts
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.sip.auth import AuthenticationInfo
from sipsorcery.sip.fields import CONTACT, RETRY_AFTER
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.bindings import BINDINGS, GRACE, Bindings, make_record
from tests.access.cases import NOW, KnownAccounts, make_account, make_binding
from tests.registrar.cases import AOR, VIA, make_request
from tests.registrar.world import CONFIGURATION, PHONE, PROXY, World, contacts

CONTACT_URI = "sip:bob@192.0.2.4"
ONE, TWO = f"<{CONTACT_URI}>", "<sip:bob@192.0.2.5>"
AUTHORIZED = ("Authorization", "Test bob")
PROXY_VIA = f"SIP/2.0/UDP {PROXY}:5059;branch=z9hG4bKproxy"
NAT = "udp:198.51.100.7:33000"


class RegistrarCase(World):
    """
    A phone that registers as ``bob``.
    """

    def setUp(self) -> None:
        self.count = 0
        super().setUp()

    def request(
        self, *contacts: str, fields: Sequence[tuple[str, str]] = (), **how: object
    ) -> Request:
        """
        Make the next request of the phone.
        """
        self.count += 1
        via = f"SIP/2.0/UDP {PHONE}:5060;branch=z9hG4bK{self.count}"
        given = {"cseq": self.count, "vias": [via], **how}
        return make_request(*contacts, fields=[AUTHORIZED, *fields], **given)  # type: ignore[arg-type]  # as given

    def register(self, *contacts: str, **how: object) -> Response:
        """
        Let the phone register, and give the answer.
        """
        return self.phone.ask(self.request(*contacts, **how))  # type: ignore[arg-type]  # as given

    def by_proxy(
        self,
        *contacts: str,
        token: str = "flow",
        received: str = NAT,
        supported: str = "path",
        **how: object,
    ) -> Response:
        """
        Let a phone register by the proxy.
        """
        fields = [
            ("Proxy-ReceivedFrom", received),
            ("Proxy-ReceivedOn", "udp:203.0.113.1:5060"),
            ("Path", f"<sip:{token}@{PROXY}:5059;lr;ob>"),
            ("Supported", supported),
        ]
        vias = [f"{PROXY_VIA}{self.count}", VIA]
        given = {"fields": fields, "vias": vias, **how}
        return self.proxy.ask(self.request(*contacts, **given))  # type: ignore[arg-type]  # as given


class AnswerTests(RegistrarCase):
    """
    The answers that phones get.
    """

    def test_register(self) -> None:
        """
        An account that is who it says is registered, and who asks is told.
        """
        response = self.register(ONE, expires=600)
        self.assertEqual(response.status, 200)
        contact = response[CONTACT]
        self.assertEqual(str(contact), f"{ONE};expires=600")
        (binding,) = self.stored(AOR)
        self.assertEqual(binding.contact, CONTACT_URI)
        self.assertEqual(contacts(self.register()), [CONTACT_URI])

    def test_info(self) -> None:
        """
        Who is registered is shown that we know the password as well.
        """
        self.assertNotIn("Authentication-Info", self.register(ONE))
        self.door.info = AuthenticationInfo.parse('rspauth="1", qop=auth')
        response = self.register(ONE)
        self.assertEqual(
            response.all("Authentication-Info"), ('rspauth="1", qop=auth',)
        )
        refused = self.register(ONE, expires=5)
        self.assertEqual(refused.status, 423)
        self.assertNotIn("Authentication-Info", refused)

    def test_what_a_phone_can_do(self) -> None:
        """
        Features of a phone (RFC 3840), and what wakes it up (RFC 8599), are kept and
        given back as it has written them, and calls to it have the latter in their URI.
        """
        uri = "sip:bob@192.0.2.4;pn-provider=fcm;pn-param=p;pn-prid=00fc%3a13"
        features = ';audio;video="TRUE";methods="INVITE,BYE";+sip.rendering="no"'
        response = self.register(f"<{uri}>{features}", expires=600)
        self.assertEqual(response.all("Contact"), (f"<{uri}>{features};expires=600",))
        (binding,) = self.stored(AOR)
        self.assertEqual((binding.contact, binding.parameters), (uri, features))
        found = self.wait(Contacts(self.accounts, self.live, clock=lambda: NOW).of(AOR))
        self.assertEqual([str(each.uri) for each in found or ()], [uri])

    def test_challenge(self) -> None:
        """
        Whoever has not shown who they are is asked, alike whether there is such an
        account or not, and is told nothing else.
        """
        answers = []
        for name in ("bob", "nobody"):
            request = make_request(ONE, to=f"<sip:{name}@example.com>", call_id=name)
            response = self.phone.ask(request)
            lines = [
                line for line in response.items() if line[0] not in ("To", "Call-ID")
            ]
            answers.append((response.status, response.reason, lines))
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0][0], 401)
        self.assertEqual(len(self.stored(AOR)), 0)

    def test_domains(self) -> None:
        """
        Both the To and the Request-URI have to be of a domain that we serve, by
        whatever name; the bindings are those of its canonical name.
        """
        for status, how in (
            (403, {"to": "<sip:bob@elsewhere.example>"}),
            (403, {"uri": "sip:elsewhere.example"}),
            (200, {"to": "<sip:bob@Alias.example:5070>", "uri": "sip:example.com"}),
            (200, {"to": "<sip:%62ob@alias.example>", "uri": "sip:alias.example"}),
        ):
            self.assertEqual(self.register(ONE, **how).status, status, how)
        self.assertEqual(len(self.stored(AOR)), 1)

    def test_refusals(self) -> None:
        """
        What cannot be done is refused with what the client has to know.
        """
        for status, field, request in (
            (405, "Allow", self.request(method="INVITE")),
            (420, "Unsupported", self.request(fields=[("Require", "foo")])),
            (423, "Min-Expires", self.request(ONE, expires=5)),
            (400, None, self.request("*", expires=5)),
            (400, None, self.request("<<<")),
            (400, None, self.request(uri="sip:bob@example.com")),
            (
                439,
                None,
                self.request(
                    f'{ONE};reg-id=1;+sip.instance="<urn:a>"',
                    fields=[("Require", "outbound")],
                ),
            ),
        ):
            response = self.phone.ask(request)
            self.assertEqual(response.status, status, response)
            if field is not None:
                self.assertIn(field, response)
        self.assertEqual(len(self.stored(AOR)), 0)

    def test_options(self) -> None:
        """
        A probe is answered without credentials.
        """
        response = self.phone.ask(make_request(method="OPTIONS"))
        self.assertEqual(response.status, 200)
        self.assertEqual(response.get("Supported"), "path, outbound, gruu")

    def test_sips(self) -> None:
        """
        A sips address-of-record is the same user.
        """
        response = self.register("<sips:bob@192.0.2.4>", to="<sips:bob@example.com>")
        self.assertEqual(response.status, 200)
        self.assertEqual(len(self.stored(AOR)), 1)

    def test_user_agent_rule(self) -> None:
        """
        A phone that a rule is for gets what that says.
        """
        self.end()
        self.configuration = CONFIGURATION + (
            b"[[user_agent]]\npattern = 'old'\nmax_expires = 90\ncontact_list = false"
        )
        self.begin()
        self.register(TWO)
        response = self.register(ONE, fields=[("User-Agent", "Very Old Phone")])
        self.assertEqual(response.all("Contact"), (f"{ONE};expires=90",))

    def test_reconfigure(self) -> None:
        """
        Another configuration holds for the next request; what is registered stays.
        """
        self.register(TWO)
        extra = b"[[user_agent]]\npattern = 'old'\nmax_expires = 90\n"
        self.configuration = CONFIGURATION + extra
        self.service.reconfigure(self.config())
        response = self.register(ONE, fields=[("User-Agent", "Very Old Phone")])
        listed = response.all("Contact")
        self.assertIn(f"{ONE};expires=90", listed)
        self.assertTrue(any(each.startswith(TWO) for each in listed))

    def test_other_charsets(self) -> None:
        """
        A name in another charset than UTF-8 does no harm; an address in one is refused.
        """
        latin = "T\udce9l\udce9phone"  # as bytes that are no UTF-8 are read
        self.assertEqual(self.register(ONE, fields=[("User-Agent", latin)]).status, 200)
        for contact in (
            f"<sip:{latin}@192.0.2.4>",
            f'{ONE};name="{latin}"',
            f'{ONE};+sip.instance="{latin}"',
        ):
            self.assertEqual(self.register(contact).status, 400, contact)
        self.assertEqual(self.register(ONE, call_id=latin).status, 400)
        self.assertEqual(len(self.stored(AOR)), 1)
        self.assertEqual(self.register("<sip:t\u00e9l@192.0.2.4>").status, 200)

    def test_failure_of_ours(self) -> None:
        """
        What we have not foreseen is a 500 to one request, and no more than that.
        """
        self.accounts.accounts["bob"] = make_account("bob", owner=None)
        self.assertEqual(self.register(ONE).status, 500)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertIn(EventKind.BAD_MESSAGE, self.kinds())
        self.accounts.accounts["bob"] = make_account("bob")
        self.assertEqual(self.register(ONE).status, 200)


class ProxyTests(RegistrarCase):
    """
    Requests that come by a proxy.
    """

    def test_proxy_is_believed(self) -> None:
        """
        The proxy says where the phone is; that is stored with the way back, and is
        what access is decided by.
        """
        response = self.by_proxy("<sip:bob@10.0.0.9>")
        self.assertEqual(response.get("Path"), f"<sip:flow@{PROXY}:5059;lr;ob>")
        (binding,) = self.stored(AOR)
        self.assertEqual(binding.path, (f"sip:flow@{PROXY}:5059;lr;ob",))
        self.assertEqual(binding.received, NAT)
        self.assertEqual(binding.received_on, "udp:203.0.113.1:5060")
        self.assertEqual(self.door.sources, [NAT])

    def test_stranger_is_not(self) -> None:
        """
        Anybody else says so in vain.
        """
        self.register(ONE, fields=[("Proxy-ReceivedFrom", NAT)])
        (binding,) = self.stored(AOR)
        self.assertEqual(binding.received, f"udp:{PHONE}:5060")
        self.assertEqual(self.door.sources, [f"udp:{PHONE}:5060"])
        fields = [("Path", "<sip:p;lr>")]
        self.assertEqual(self.register(ONE, fields=fields).status, 420)

    def test_outbound(self) -> None:
        """
        A flow by an edge proxy that knows how is kept and confirmed.
        """
        instance = '+sip.instance="<urn:uuid:1>"'
        response = self.by_proxy(f"{ONE};reg-id=1;{instance}", supported="outbound")
        self.assertEqual(response.get("Require"), "outbound")
        self.assertEqual(response.get("Flow-Timer"), "90")
        self.by_proxy(f"{ONE};reg-id=2;{instance}", supported="outbound", token="b")
        self.assertEqual([each.reg_id for each in self.stored(AOR)], [1, 2])

    def test_gruu(self) -> None:
        """
        A phone that knows GRUUs gets two, another temporary one each time.
        """
        contact = f'{ONE};+sip.instance="<urn:uuid:1>"'
        first, second = (
            self.by_proxy(contact, supported="gruu")[CONTACT] for _ in range(2)
        )
        assert not isinstance(first, str) and not isinstance(second, str)
        for name, same in (("pub-gruu", True), ("temp-gruu", False)):
            values = first.parameters.get(name), second.parameters.get(name)
            self.assertIsNotNone(values[0])
            self.assertEqual(values[0] == values[1], same, name)


class FlowTests(RegistrarCase):
    """
    Connections that close.
    """

    TCP = "tcp:198.51.100.7:33000"

    def close(self, token: str) -> None:
        """
        Let the proxy tell that a connection is gone.
        """
        self.bus.emit(
            Event(
                time=self.reactor.seconds(),
                server="proxy",
                kind=EventKind.FLOW_CLOSED,
                detail={"token": token},
            )
        )
        self.settle()

    def test_binding_goes_with_its_connection(self) -> None:
        """
        The binding is removed at once, and only that one.
        """
        self.by_proxy(ONE, received=self.TCP, token="one")
        self.by_proxy(TWO, received=self.TCP, token="two")
        self.events.clear()
        self.close("one")
        self.assertEqual([each.contact for each in self.stored(AOR)], [TWO[1:-1]])
        self.assertEqual(
            self.kinds(), [EventKind.FLOW_CLOSED, EventKind.BINDING_REMOVED]
        )
        self.close("two")
        self.assertEqual(len(self.stored(AOR)), 0)

    def test_newer_binding_stays(self) -> None:
        """
        A phone that has come back on another connection before the first was missed
        keeps its binding.
        """
        self.by_proxy(ONE, received=self.TCP, token="old")
        self.by_proxy(ONE, received=self.TCP, token="new")
        self.close("old")
        self.assertEqual(len(self.stored(AOR)), 1)

    def test_after_a_restart(self) -> None:
        """
        A registrar that was restarted knows the connections of all its bindings.
        """
        self.by_proxy(ONE, received=self.TCP, token="one")
        self.end()
        self.begin()
        self.close("one")
        self.assertEqual(len(self.stored(AOR)), 0)

    def test_request_is_overtaken(self) -> None:
        """
        A request whose connection has closed meanwhile makes no binding.
        """
        self.close("one")
        response = self.by_proxy(ONE, received=self.TCP, token="one")
        self.assertEqual(response.status, 430)
        self.assertEqual(len(self.stored(AOR)), 0)


class KeepAliveTests(RegistrarCase):
    """
    Phones behind NATs.
    """

    def pings(self, seconds: float) -> list[Request]:
        """
        Let time pass; give what the proxy was to send to phones.
        """
        self.proxy.inbox.clear()
        self.settle(seconds)
        return [each for each in self.proxy.inbox if isinstance(each, Request)]

    def test_along_the_path(self) -> None:
        """
        The phone is sent an OPTIONS by the proxy that it came by, for its flow.
        """
        self.by_proxy("<sip:bob@10.0.0.9:5062>")
        ping, *_ = self.pings(25.2)
        self.assertEqual(ping.method, "OPTIONS")
        self.assertEqual(ping.request_uri, "sip:bob@10.0.0.9:5062")
        self.assertEqual(ping.get("Route"), f"<sip:flow@{PROXY}:5059;lr;ob>")
        ping.check()

    def test_reconfigure(self) -> None:
        """
        Nobody is sent anything any more where the configuration says so, from now on;
        who registers when it says otherwise is kept reachable again.
        """
        before = self.config()
        silent = replace(before.registrar, keep_alive=0)
        self.by_proxy("<sip:bob@10.0.0.9:5062>")
        self.service.reconfigure(replace(before, registrar=silent))
        self.assertEqual(self.pings(60), [])
        self.service.reconfigure(before)
        self.by_proxy("<sip:bob@10.0.0.9:5062>")
        self.assertNotEqual(self.pings(25.2), [])

    def test_of_ipv6(self) -> None:
        """
        A phone that a firewall keeps from being reached is sent it, too.
        """
        self.by_proxy(
            "<sip:bob@[2001:db8:1::9]:5062>", received="udp:[2001:db8:2::7]:33000"
        )
        ping, *_ = self.pings(25.2)
        self.assertEqual(ping.request_uri, "sip:bob@[2001:db8:1::9]:5062")
        self.assertEqual(ping.get("Route"), f"<sip:flow@{PROXY}:5059;lr;ob>")
        ping.check()
        self.by_proxy("*", expires=0)
        self.by_proxy(
            "<sip:bob@[2001:DB8:2::7]:33000>", received="udp:[2001:db8:2::7]:33000"
        )
        self.assertEqual(self.pings(60), [])

    def test_told(self) -> None:
        """
        The owner hears that the way is kept open, once for each phone; and once that
        nothing gets to one, here because no address is where its Path leads.
        """

        def told(kind: EventKind) -> list[tuple[str, str]]:
            found = [each for each in self.events if each.kind is kind]
            return [(each.owner, each.detail["contact"]) for each in found]

        self.by_proxy("<sip:bob@10.0.0.9:5062>", expires=600)
        self.by_proxy("<sip:bob@10.0.0.9:5062>", expires=600)
        self.pings(60)
        first = [("joe", "sip:bob@10.0.0.9:5062")]
        self.assertEqual(told(EventKind.KEEP_ALIVE_STARTED), first)
        self.assertEqual(told(EventKind.KEEP_ALIVE_LOST), [])
        self.settle_on_path("sip:flow@nowhere.test;lr")
        self.pings(60)
        self.assertEqual(told(EventKind.KEEP_ALIVE_LOST), first)

    def settle_on_path(self, path: str) -> None:
        """
        Let the one binding of Bob's have another Path.
        """
        (binding,) = self.stored(AOR)
        record = self.successResultOf(self.live.get(BINDINGS.name, AOR))
        assert record is not None  # it was asked for its binding
        moved = Bindings((msgspec.structs.replace(binding, path=(path,)),))
        self.wait(self.live.swap(make_record(AOR, moved, "joe", record.version)))

    def test_answer_is_dropped(self) -> None:
        """
        Whatever the phone answers, nothing comes of it.
        """
        self.by_proxy("<sip:bob@10.0.0.9:5062>")
        ping, *_ = self.pings(25.2)
        self.proxy.send(ping.respond(200))  # type: ignore[arg-type]  # goes the same way
        self.assertEqual(len(self.stored(AOR)), 1)

    def test_for_as_long_as_it_is_registered(self) -> None:
        """
        It goes on, 22 to 25 seconds apart, until the binding is gone.
        """
        self.by_proxy("<sip:bob@10.0.0.9:5062>", expires=600)
        self.assertIn(len(self.pings(250)), range(9, 13))
        self.by_proxy("*", expires=0)
        self.assertEqual(self.pings(100), [])

    def test_who_needs_none(self) -> None:
        """
        Without a NAT, over TCP, and where the account says so, there is none.
        """
        self.by_proxy("<sip:bob@198.51.100.7:33000>")
        self.by_proxy("<sip:bob@10.0.0.9>", received="tcp:198.51.100.7:33000")
        self.accounts.accounts["bob"] = make_account("bob", sends_keepalives=False)
        self.by_proxy("<sip:bob@10.0.0.8>")
        self.assertEqual(self.pings(60), [])

    def test_after_a_restart(self) -> None:
        """
        A registrar that was restarted goes on with it.
        """
        self.by_proxy("<sip:bob@10.0.0.9:5062>")
        self.end()
        self.begin()
        self.assertIn(len(self.pings(25.2)), (1, 2))

    def test_straight_to_us(self) -> None:
        """
        A phone without a proxy is sent it where it was heard, in place of its contact.
        """
        self.register("<sip:bob@10.0.0.9>")
        self.phone.inbox.clear()
        self.settle(25.2)
        ping, *_ = self.phone.inbox
        assert isinstance(ping, Request)
        self.assertEqual(ping.request_uri, f"sip:bob@{PHONE}:5060")


class ExpiryTests(RegistrarCase):
    """
    Bindings that end.
    """

    def test_sweep(self) -> None:
        """
        What has expired is removed, and said to be, once and soon.
        """
        self.register(ONE, expires=60)
        self.kinds()
        self.settle(60)
        self.assertEqual(self.kinds(), [])
        self.settle(GRACE + 2)
        self.assertEqual(self.kinds(), [EventKind.BINDING_EXPIRED])
        self.settle(100)
        self.assertEqual(self.kinds(), [])

    def test_one_of_two(self) -> None:
        """
        The other one stays.
        """
        self.register(f"{ONE};expires=60", f"{TWO};expires=300")
        self.kinds()
        self.settle(60 + GRACE + 2)
        (event,) = self.events
        self.assertEqual(event.kind, EventKind.BINDING_EXPIRED)
        self.assertEqual(event.detail, {"aor": AOR, "contact": CONTACT_URI})
        self.assertEqual(event.owner, "joe")
        self.assertEqual([each.contact for each in self.stored(AOR)], [TWO[1:-1]])

    def test_many(self) -> None:
        """
        They are removed in batches, and all of them.
        """
        names = [f"user{number}" for number in range(250)]
        self.accounts = KnownAccounts(*map(make_account, names))
        self.end()
        self.begin()
        for name in names:
            request = make_request(
                ONE,
                expires=60,
                to=f"<sip:{name}@example.com>",
                call_id=name,
                vias=[f"SIP/2.0/UDP {PHONE}:5060;branch=z9hG4bK{name}"],
                fields=[("Authorization", f"Test {name}")],
            )
            self.assertEqual(self.phone.ask(request).status, 200)
        self.kinds()
        self.settle(60 + GRACE + 5)
        self.assertEqual(self.kinds(), [EventKind.BINDING_EXPIRED] * 250)


class OrphanTests(RegistrarCase):
    """
    Accounts that are removed.
    """

    def remove(self, *names: str) -> None:
        """
        Remove accounts.
        """
        for name in names:
            del self.accounts.accounts[name]
        self.accounts.revision += 1

    def test_bindings_go(self) -> None:
        """
        The bindings of a removed account go soon, with an event each; others stay.
        """
        self.register(ONE, TWO)
        carol = {
            "to": "<sip:carol@example.com>",
            "call_id": "carol",
            "fields": [("Authorization", "Test carol")],
        }
        self.phone.ask(make_request(ONE, **carol))  # type: ignore[arg-type]  # as given
        self.settle(2)
        self.events.clear()
        self.remove("bob")
        self.settle(2)
        self.assertEqual(self.kinds_of_owner(), [EventKind.BINDING_REMOVED] * 2)
        self.assertEqual(len(self.stored(AOR)), 0)
        self.assertEqual(len(self.stored("sip:carol@example.com")), 1)

    def test_while_it_was_away(self) -> None:
        """
        So do those of an account that was removed while the registrar did not run.
        """
        self.register(ONE)
        self.end()
        self.remove("bob")
        self.begin()
        self.settle(2)
        self.assertEqual(len(self.stored(AOR)), 0)

    def test_many(self) -> None:
        """
        A long list is gone through a part at a time, to its end.
        """
        names = [f"user{number}" for number in range(250)]
        for name in names:
            self.store(f"sip:{name}@example.com", make_binding(ONE[1:-1]))
        self.settle(2)
        self.assertEqual(len(self.events), 100)
        self.settle(2)
        self.settle(2)
        self.assertEqual(self.kinds(), [EventKind.BINDING_REMOVED] * 250)

    def kinds_of_owner(self) -> list[EventKind]:
        """
        Give the kinds of the events so far, which all say why and whose.
        """
        for event in self.events:
            self.assertEqual(event.owner, "joe")
            self.assertEqual(event.detail["reason"], "account removed")
        return self.kinds()


class EventTests(RegistrarCase):
    """
    What the owner of an account hears.
    """

    def test_kinds(self) -> None:
        """
        Each change of a binding is an event of its owner; so is the success.
        """
        self.register(ONE)
        self.register(ONE)
        self.register(f"{ONE};expires=0")
        self.assertEqual({event.owner for event in self.events}, {"joe"})
        self.assertEqual(
            self.kinds(),
            [
                EventKind.OWNER_KNOWN,
                EventKind.BINDING_ADDED,
                EventKind.REGISTER_SUCCESS,
                EventKind.OWNER_KNOWN,
                EventKind.BINDING_UPDATED,
                EventKind.REGISTER_SUCCESS,
                EventKind.OWNER_KNOWN,
                EventKind.BINDING_REMOVED,
                EventKind.REGISTER_SUCCESS,
            ],
        )

    def test_owner_of_traces(self) -> None:
        """
        Once somebody has shown who they are, their request is theirs by the branch that
        the proxy has put on it; a challenged one is nobody's.
        """
        self.phone.ask(make_request(ONE))
        self.assertNotIn(EventKind.OWNER_KNOWN, self.kinds())
        self.by_proxy(ONE)
        known = self.events[0]
        self.assertEqual((known.kind, known.owner), (EventKind.OWNER_KNOWN, "joe"))
        branch = f"{PROXY_VIA}{self.count - 1}".partition("branch=")[2]
        self.assertEqual(known.detail, {"branch": branch})

    def test_failures(self) -> None:
        """
        Who has not shown who they are owns nothing: administrators see it alone.
        """
        self.phone.ask(make_request(ONE))
        self.register(ONE, uri="sip:elsewhere.example")
        challenged, refused = self.events
        self.assertEqual(challenged.kind, EventKind.REGISTER_IN_PROGRESS)
        self.assertEqual(refused.kind, EventKind.REGISTER_FAILURE)
        self.assertEqual(refused.detail, {"aor": AOR, "status": "403"})
        self.assertEqual((challenged.owner, refused.owner), ("", ""))
        self.assertEqual(str(refused.remote), f"udp:{PHONE}:5060")


class StoreTests(RegistrarCase):
    """
    A store that is slow or away.
    """

    def test_answer_waits_for_the_store(self) -> None:
        """
        There is no 200 before the binding is on the disk.
        """
        self.threads.waits = True
        self.phone.send(self.request(ONE))
        self.settle(1)
        self.assertEqual(self.phone.inbox, [])
        self.threads.step()
        self.settle()
        (response,) = self.phone.inbox
        assert isinstance(response, Response)
        self.assertEqual(response.status, 200)

    def test_store_is_away(self) -> None:
        """
        After two seconds the phone is told to come back, and it is an event.
        """
        self.threads.waits = True
        self.phone.send(self.request(ONE))
        self.settle(2.1)
        (response,) = self.phone.inbox
        assert isinstance(response, Response)
        self.assertEqual(response.status, 503)
        self.assertIn(response[RETRY_AFTER].seconds, range(5, 31))
        self.assertIn(EventKind.STORE_UNAVAILABLE, self.kinds())
        self.threads.step()

    def test_two_phones_at_a_time(self) -> None:
        """
        Two requests for one address-of-record are both kept, whoever is stored first.
        """
        self.threads.waits = True
        self.phone.send(self.request(ONE, call_id="a"))
        self.phone.send(self.request(TWO, call_id="b"))
        while self.threads.calls:
            self.threads.step()
            self.settle()
        self.assertEqual(
            [each.status for each in self.phone.inbox if isinstance(each, Response)],
            [200, 200],
        )
        self.assertEqual(len(self.stored(AOR)), 2)

    def test_repeated_request(self) -> None:
        """
        A request that comes again is answered again, and changes nothing.
        """
        request = self.request(ONE)
        first, second = self.phone.ask(request), self.phone.ask(request)
        self.assertEqual(first, second)
        self.assertEqual(self.kinds().count(EventKind.BINDING_ADDED), 1)

    def test_repeated_after_a_restart(self) -> None:
        """
        The binding that a request has made before we were restarted is told of again.
        """
        request = self.request(ONE)
        self.phone.send(request)
        self.phone.inbox.clear()
        self.end()
        self.begin()
        response = self.phone.ask(request)
        self.assertEqual((response.status, contacts(response)), (200, [CONTACT_URI]))


class LifeTests(RegistrarCase):
    """
    Start, stop and overload.
    """

    def test_overload(self) -> None:
        """
        While the reactor is behind, phones are told to come back; it is said once.
        """
        for _ in range(3):
            self.reactor.rightNow += 10  # something has held it for so long
            self.reactor.advance(0)
        for _ in range(3):
            response = self.register(ONE)
            self.assertEqual(response.status, 503)
            self.assertIn("Retry-After", response)
        self.assertEqual(self.kinds().count(EventKind.OVERLOAD), 1)
        self.settle(0.5)
        self.assertEqual(self.register(ONE).status, 200)

    def test_slow_start(self) -> None:
        """
        The time that the other servers take to start is no overload.
        """
        self.end()
        self.begin(delay=10)
        self.assertEqual(self.register(ONE).status, 200)

    def test_stop_refuses_what_waits(self) -> None:
        """
        Whoever waits for an answer at the end gets one, and nothing is left behind.
        """
        self.threads.waits = True
        self.phone.send(self.request(ONE))
        stopping = self.service.stopService()
        self.settle()
        self.assertIsNotNone(stopping)
        self.assertEqual(
            [each.status for each in self.phone.inbox if isinstance(each, Response)],
            [503],
        )
        self.assertEqual(self.service.listeners, ())
        self.threads.step()
        self.settle()
        self.wait(self.live.stop())
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.begin()
