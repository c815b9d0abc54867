"""
Tests for `sipsorcery.registrar.core`.
"""

from __future__ import annotations

from ipaddress import ip_network

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sipsorcery.endpoint import Endpoint
from sipsorcery.registrar.core import close_flow, expire
from sipsorcery.registrar.origin import Origin
from sipsorcery.registrar.rules import Rules
from sipsorcery.sip.fields import MIN_EXPIRES
from sipsorcery.store.bindings import GRACE, Bindings
from tests.access.cases import make_binding
from tests.registrar.cases import PROXY_VIA, SOURCE, VIA, CoreCase

ONE = "<sip:bob@192.0.2.4>"
TWO = "<sip:bob@192.0.2.5>"
INSTANCE = '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
PATH = ("Path", "<sip:token@127.0.0.1:5059;lr;ob>")
OUTBOUND = ("Supported", "path, outbound")


class BindTests(CoreCase):
    """
    Adding, refreshing and removing (RFC 3261, 10.2).
    """

    def test_first(self) -> None:
        """
        All that the request says of the contact is kept with it.
        """
        fields = [("User-Agent", "phone/1.0")]
        outcome = self.register(f'{ONE};q=0.5;methods="INVITE"', fields=fields)
        (binding,) = self.bindings
        self.assertEqual(self.fates(outcome), [("added", "sip:bob@192.0.2.4")])
        self.assertEqual(binding.q, 0.5)
        self.assertEqual(binding.parameters, ';methods="INVITE"')
        self.assertEqual(binding.user_agent, "phone/1.0")
        self.assertEqual(binding.received, "udp:192.0.2.4:5060")
        self.assertEqual(binding.cseq, 1)
        self.assertEqual(binding.expiry, self.now + 3600)
        self.assertEqual(outcome.own, (binding,))

    def test_fetch(self) -> None:
        """
        A request without contact changes nothing (10.2.3).
        """
        self.register(ONE)
        outcome = self.register()
        self.assertEqual(outcome.changes, ())
        self.assertEqual(self.contacts(), ["sip:bob@192.0.2.4"])

    def test_several(self) -> None:
        """
        Contacts of one request and of several are all kept (10.2.1).
        """
        self.register(ONE, TWO)
        self.register("<sip:bob@192.0.2.6>", "<mailto:bob@example.com>")
        self.assertEqual(
            self.contacts(),
            [
                "sip:bob@192.0.2.4",
                "sip:bob@192.0.2.5",
                "sip:bob@192.0.2.6",
                "mailto:bob@example.com",
            ],
        )

    def test_refresh(self) -> None:
        """
        A contact that is there is made to last longer, and stays in its place (10.2.4).
        """
        self.register(ONE, TWO)
        created = self.now
        self.now += 100
        outcome = self.register(ONE)
        self.assertEqual(self.fates(outcome), [("updated", "sip:bob@192.0.2.4")])
        first, second = self.bindings
        self.assertEqual(first.expiry, self.now + 3600)
        self.assertEqual((first.created, first.updated), (created, self.now))
        self.assertEqual(second.expiry, created + 3600)

    def test_remove(self) -> None:
        """
        Expires 0 removes the contact it goes with, and no other (10.2.2).
        """
        self.register(ONE, TWO)
        outcome = self.register(f"{ONE};expires=0")
        self.assertEqual(self.fates(outcome), [("removed", "sip:bob@192.0.2.4")])
        self.assertEqual(self.contacts(), ["sip:bob@192.0.2.5"])
        self.register(TWO, expires=0)
        self.assertEqual(self.contacts(), [])

    def test_remove_what_is_not_there(self) -> None:
        """
        To remove an unknown contact is no fault and changes nothing.
        """
        self.register(ONE)
        outcome = self.register(f"{TWO};expires=0")
        self.assertEqual(outcome.changes, ())
        self.assertEqual(self.contacts(), ["sip:bob@192.0.2.4"])

    def test_add_and_remove_at_once(self) -> None:
        """
        One request does all that it says.
        """
        self.register(ONE)
        outcome = self.register(f"{ONE};expires=0", TWO)
        self.assertEqual(
            self.fates(outcome),
            [("removed", "sip:bob@192.0.2.4"), ("added", "sip:bob@192.0.2.5")],
        )

    def test_twice_in_one_request(self) -> None:
        """
        A contact that comes twice is one binding, as it comes last.
        """
        outcome = self.register(f"{ONE};q=0.1", f"{ONE};q=0.9")
        (binding,) = self.bindings
        self.assertEqual(binding.q, 0.9)
        self.assertEqual(outcome.own, (binding,))
        outcome = self.register(ONE, f"{ONE};expires=0")
        self.assertEqual((self.contacts(), outcome.own), ([], ()))

    def test_comparison(self) -> None:
        """
        URIs are compared by their meaning (RFC 3261, 19.1.4), not by their spelling.
        """
        self.register("<sip:%62ob@EXAMPLE.net;transport=TCP;foo=bar>")
        self.register("<sip:bob@example.net;transport=tcp>")
        self.assertEqual(self.contacts(), ["sip:bob@example.net;transport=tcp"])
        for different in (
            "<sip:BOB@example.net;transport=tcp>",
            "<sip:bob@example.net>",
            "<sip:bob@example.net:5060;transport=tcp>",
            "<sips:bob@example.net;transport=tcp>",
        ):
            before = len(self.bindings)
            self.register(different)
            self.assertEqual(len(self.bindings), before + 1, different)


class StarTests(CoreCase):
    """
    ``Contact: *`` (RFC 3261, 10.2.2).
    """

    def test_removes_all(self) -> None:
        """
        With Expires 0 nothing is left.
        """
        self.register(ONE, TWO)
        outcome = self.register("*", expires=0)
        self.assertEqual(self.contacts(), [])
        self.assertEqual([fate for fate, _ in self.fates(outcome)], ["removed"] * 2)
        self.assertEqual(self.register("*", expires=0).changes, ())

    def test_misuse(self) -> None:
        """
        Other contacts beside it, or an Expires that is not 0 or not there, are refused.
        """
        self.register(ONE)
        self.assert_refused(400, "*", expires=60)
        self.assert_refused(400, "*")
        self.assert_refused(400, "*", ONE, expires=0)
        self.assert_refused(400, "*", "*", expires=0)

    def test_order(self) -> None:
        """
        Bindings of the same Call-ID go only with a higher CSeq; else none goes.
        """
        self.register(TWO, call_id="other", cseq=50)
        self.register(ONE, cseq=7)
        self.assert_refused(500, "*", expires=0, cseq=7)
        self.register("*", expires=0, cseq=8)
        self.assertEqual(self.contacts(), [])


class ExpiryTests(CoreCase):
    """
    For how long (RFC 3261, 10.2.1.1 and 10.3 step 7).
    """

    def granted(self, *contacts: str, **how: object) -> list[float]:
        """
        Give the seconds that each contact got.
        """
        self.bindings = Bindings()
        self.register(*contacts, **how)
        return [each.expiry - self.now for each in self.bindings]

    def test_whose_word_counts(self) -> None:
        """
        The parameter of a contact goes before the Expires field, and that before ours.
        """
        self.assertEqual(
            self.granted(f"{ONE};expires=100", TWO, expires=200), [100, 200]
        )
        self.assertEqual(self.granted(ONE), [3600])

    def test_too_long(self) -> None:
        """
        Longer than we allow is cut to that; 2**32 seconds are no fault.
        """
        for expires in (3601, 2**32 - 1, 2**32, 10**40):
            self.assertEqual(self.granted(ONE, expires=expires), [3600])
            self.assertEqual(self.granted(f"{ONE};expires={expires}"), [3600])

    def test_malformed(self) -> None:
        """
        What is no number counts as 3600 (RFC 3261, 20.10).
        """
        self.rules = Rules(max_expires=7200)
        for expires in ("soon", "-1", "1.5"):
            self.assertEqual(self.granted(ONE, expires=expires), [3600])
            self.assertEqual(self.granted(f"{ONE};expires={expires}"), [3600])

    def test_too_brief(self) -> None:
        """
        Any contact that is too brief fails the request, which is told our minimum.
        """
        for contacts in ((f"{ONE};expires=59",), (ONE, f"{TWO};expires=1")):
            refused = self.assert_refused(423, *contacts)
            self.assertEqual(refused.fields, ((MIN_EXPIRES, 60),))
        self.assert_refused(423, ONE, expires=59)
        self.assertEqual(self.granted(ONE, expires=60), [60])

    def test_minimum_does_not_hold_back_what_phones_do_not_ask(self) -> None:
        """
        A kind of phone that is allowed less than it wants gets that, not more.
        """
        self.rules = Rules(min_expires=60, max_expires=90)
        self.assertEqual(self.granted(ONE, expires=3600), [90])

    def test_grace(self) -> None:
        """
        A binding is there for a moment longer, to be refreshed, and then is gone.
        """
        self.register(ONE, expires=60)
        self.now += 60 + GRACE - 1
        self.assertEqual(self.fates(self.register(ONE, expires=60))[0][0], "updated")
        self.now += 60 + GRACE
        outcome = self.register(ONE, expires=60)
        self.assertEqual(
            [fate for fate, _ in self.fates(outcome)], ["expired", "added"]
        )

    def test_expire(self) -> None:
        """
        The sweep lets go what has expired, and says so once.
        """
        self.register(f"{ONE};expires=60", f"{TWO};expires=120")
        outcome = expire(self.bindings, self.now + 60 + GRACE)
        self.assertEqual(self.fates(outcome), [("expired", "sip:bob@192.0.2.4")])
        self.assertEqual([each.contact for each in outcome.bindings], [TWO[1:-1]])
        again = expire(outcome.bindings, self.now + 60 + GRACE)
        self.assertEqual(again.changes, ())


class OrderTests(CoreCase):
    """
    Requests that arrive in another order than they were sent (RFC 3261, 10.3 step 7).
    """

    def test_older_request(self) -> None:
        """
        A lower CSeq of the same Call-ID fails, for a refresh as for a removal.
        """
        self.register(ONE, cseq=5)
        self.assert_refused(500, ONE, cseq=4)
        self.assert_refused(500, ONE, cseq=4, expires=0)
        self.assert_refused(500, TWO, ONE, cseq=4)

    def test_another_call_id(self) -> None:
        """
        A phone that has been started anew begins with any CSeq.
        """
        self.register(ONE, cseq=500)
        outcome = self.register(ONE, cseq=1, call_id="another-call")
        self.assertEqual(self.fates(outcome)[0][0], "updated")

    def test_repeated_request(self) -> None:
        """
        The very request that made the binding is answered again and changes nothing:
        our answer was lost, maybe because we were restarted.
        """
        self.register(ONE, cseq=5)
        (binding,) = self.bindings
        self.now += 3
        outcome = self.register(ONE, cseq=5)
        self.assertEqual((outcome.changes, outcome.own), ((), (binding,)))
        self.assert_refused(500, ONE, cseq=5, expires=0)
        self.assert_refused(500, "<sip:%62ob@192.0.2.4>", cseq=5)

    def test_order_is_that_of_each_binding(self) -> None:
        """
        A contact of another Call-ID is not held to the CSeq of the first.
        """
        self.register(ONE, cseq=5)
        self.register(TWO, cseq=1)
        self.assertEqual(len(self.bindings), 2)

    @given(st.permutations(range(1, 6)))
    def test_highest_wins(self, order: list[int]) -> None:
        """
        Whatever the order of arrival, what was sent last holds.
        """
        self.bindings = Bindings()
        for cseq in order:
            request = {"cseq": cseq, "expires": 60 + cseq}
            if self.bindings and self.bindings.all[0].cseq > cseq:
                self.assert_refused(500, ONE, **request)
            else:
                self.register(ONE, **request)
        (binding,) = self.bindings
        self.assertEqual((binding.cseq, binding.expiry), (5, self.now + 65))


class RoomTests(CoreCase):
    """
    The limit of contacts.
    """

    rules = Rules(max_contacts=3)

    def test_oldest_goes(self) -> None:
        """
        Of too many, the one goes that was silent for longest; never the new one.
        """
        for number in (1, 2, 3):
            self.register(f"<sip:{number}@192.0.2.4>")
            self.now += 1
        self.register("<sip:1@192.0.2.4>")
        outcome = self.register("<sip:4@192.0.2.4>")
        self.assertEqual(
            self.fates(outcome),
            [("added", "sip:4@192.0.2.4"), ("removed", "sip:2@192.0.2.4")],
        )
        self.assertEqual(outcome.changes[1].reason, "too many contacts")
        self.assertEqual(
            self.contacts(), ["sip:1@192.0.2.4", "sip:3@192.0.2.4", "sip:4@192.0.2.4"]
        )

    def test_too_many_at_once(self) -> None:
        """
        A request that has too many by itself is refused.
        """
        self.register(ONE)
        self.assert_refused(403, *(f"<sip:{n}@192.0.2.4>" for n in range(4)))
        self.register(*(f"<sip:{n}@192.0.2.4>" for n in range(3)))
        self.assertEqual(len(self.bindings), 3)


class OutboundTests(CoreCase):
    """
    Flows of a phone (RFC 5626, section 6).
    """

    def flow(self, reg_id: int, uri: str = "sip:bob@10.0.0.5", **how: object) -> None:
        """
        Register one flow by an edge proxy that knows outbound.
        """
        contact = f"<{uri}>;reg-id={reg_id};+sip.instance={INSTANCE}"
        given = {"fields": [PATH, OUTBOUND], "vias": [PROXY_VIA, VIA], **how}
        self.register(contact, **given)

    def test_several_flows(self) -> None:
        """
        Each reg-id is a binding of its own, also where the URI is the same.
        """
        self.flow(1)
        self.flow(2)
        self.assertEqual([each.reg_id for each in self.bindings], [1, 2])
        self.assertEqual(
            {each.instance for each in self.bindings}, {INSTANCE.strip('"')}
        )

    def test_flow_is_replaced(self) -> None:
        """
        The same reg-id of the same instance takes the place of the flow before it,
        whatever URI and Call-ID it comes with.
        """
        self.flow(1)
        self.flow(1, "sip:bob@10.0.0.6", call_id="another-call", cseq=1)
        (binding,) = self.bindings
        self.assertEqual(binding.contact, "sip:bob@10.0.0.6")

    def test_outbound_takes_over(self) -> None:
        """
        A contact that was registered without a flow is not left beside it.
        """
        self.register("<sip:bob@10.0.0.5>")
        self.flow(1)
        (binding,) = self.bindings
        self.assertEqual(binding.reg_id, 1)

    def test_not_kept_alive(self) -> None:
        """
        Who keeps its flow alive itself is not kept alive by us.
        """
        self.origin = Origin(SOURCE, is_trusted=True)
        self.flow(1)
        self.register(
            "<sip:bob@10.0.0.9>", fields=[PATH, OUTBOUND], vias=[PROXY_VIA, VIA]
        )
        self.assertEqual([each.keeps_alive for each in self.bindings], [False, True])


class FlowTests(CoreCase):
    """
    Connections that close.
    """

    def test_only_that_of_the_token(self) -> None:
        """
        Bindings whose path holds the token go, at whatever place; newer ones stay.
        """
        old = make_binding("sip:a@192.0.2.4", path=("sip:edge@p;lr", "sip:old@q;lr"))
        new = make_binding("sip:a@192.0.2.4", path=("sip:new@127.0.0.1;lr",))
        outcome = close_flow(Bindings((old, new)), "old")
        self.assertEqual(outcome.bindings.all, (new,))
        self.assertEqual(outcome.changes[0].reason, "connection closed")
        self.assertEqual(close_flow(Bindings((new,)), "old").changes, ())


class MangleTests(CoreCase):
    """
    Contacts that are not where the phone is.
    """

    def bound(self, origin: Origin, contact: str, **how: object) -> tuple[str, bool]:
        """
        Give the target, and whether it is kept alive.
        """
        self.bindings = Bindings()
        self.origin = origin
        self.register(contact, **how)
        (binding,) = self.bindings
        return binding.target, binding.keeps_alive

    def test_behind_a_nat(self) -> None:
        """
        Without a proxy the NAT's own address is what requests are for, be the contact
        private or public; the contact itself stays as it is.
        """
        nat = Origin(Endpoint.parse("udp:198.51.100.7:33000"))
        for contact in ("sip:bob@10.0.0.5:4444", "sip:bob@192.0.2.9", "sip:bob@[::1]"):
            self.assertEqual(
                self.bound(nat, f"<{contact};ob>"),
                ("sip:bob@198.51.100.7:33000;ob", True),
                contact,
            )
            self.assertEqual(self.contacts(), [f"{contact};ob"])

    def test_over_a_connection(self) -> None:
        """
        The transport of the request is that of the way back; nothing keeps it alive.
        """
        nat = Origin(Endpoint.parse("tcp:[2001:db8::1]:33000"))
        self.assertEqual(
            self.bound(nat, "<sip:bob@[2001:db8::2]>"),
            ("sip:bob@[2001:db8::1]:33000;transport=tcp", False),
        )

    def test_no_nat(self) -> None:
        """
        A contact that is where the request came from is left alone.
        """
        here = Origin(Endpoint.parse("udp:[2001:db8::1]:5060"))
        self.assertEqual(self.bound(here, "<sip:b@[2001:DB8:0::1]>"), ("", False))
        self.assertEqual(self.bound(Origin(SOURCE), ONE), ("", False))

    def test_name(self) -> None:
        """
        A name is meant to be found, though it may look like an address in part.
        """
        for host in ("client.example.com", "1.2.3.4.example.com", "host-1.2.3.4"):
            self.assertEqual(
                self.bound(Origin(SOURCE), f"<sip:bob@{host}>"), ("", False)
            )

    def test_with_path(self) -> None:
        """
        A proxy of ours knows the flow: requests have the contact in them as it is.
        """
        origin = Origin(SOURCE, "udp:203.0.113.1:5060", is_trusted=True)
        fields = [PATH, ("Supported", "path")]
        self.assertEqual(
            self.bound(origin, "<sip:bob@10.0.0.5>", fields=fields), ("", True)
        )
        self.assertEqual(
            self.bound(
                msgspec.structs.replace(origin, is_trusted=False),
                "<sip:b@10.0.0.5>",
                fields=fields,
            ),
            ("", False),
        )

    def test_switches(self) -> None:
        """
        The account says whether its contacts are mangled and kept alive, and the
        configuration where no NAT is.
        """
        self.assertEqual(
            self.bound(Origin(SOURCE, mangles_contact=False), "<sip:bob@10.0.0.5>"),
            ("", True),
        )
        target = "sip:bob@192.0.2.4:5060"
        for origin in (
            Origin(SOURCE, keeps_alive=False),
            Origin(SOURCE, local_networks=[ip_network("192.0.2.0/24")]),
        ):
            self.assertEqual(self.bound(origin, "<sip:bob@10.0.0.5>"), (target, False))
        elsewhere = Origin(SOURCE, local_networks=[ip_network("10.0.0.0/8")])
        self.assertEqual(self.bound(elsewhere, "<sip:bob@10.0.0.5>"), (target, True))
