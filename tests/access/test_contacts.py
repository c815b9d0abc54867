"""
Tests for `sipsorcery.access.contacts`.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.access.contacts import Contact, Contacts
from sipsorcery.access.gruu import GRUUs
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.bindings import GRACE
from tests.access.cases import (
    NOW,
    KnownAccounts,
    StoreCase,
    make_account,
    make_binding,
)

AOR = "sip:bob@example.com"
DESK = "<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"
LAPTOP = "<urn:uuid:00000000-0000-1000-8000-000a95a0e129>"


class ContactsCase(StoreCase):
    """
    The account ``bob`` and a disabled one, ``carol``.
    """

    def setUp(self) -> None:
        super().setUp()
        accounts = KnownAccounts(
            make_account("bob"), make_account("carol", user_disabled="moved away")
        )
        self.gruus = GRUUs(self.secrets)
        self.contacts = Contacts(
            accounts, self.live, self.gruus, clock=self.reactor.seconds
        )

    def find(self, uri: str) -> list[str] | None:
        """
        Give the URIs of the contacts found.
        """
        found = self.wait(self.contacts.of(uri))
        return None if found is None else [str(each.uri) for each in found]


class AddressTests(ContactsCase):
    """
    Contacts of an address-of-record.
    """

    def test_nobody(self) -> None:
        """
        No such account is something else than no binding; so is a foreign domain.
        """
        self.assertEqual(self.find(AOR), [])
        self.assertIsNone(self.find("sip:nobody@example.com"))
        self.assertIsNone(self.find("sip:bob@elsewhere.example"))
        self.assertIsNone(self.find("sip:example.com"))

    def test_disabled(self) -> None:
        """
        A disabled account is not reached, whatever is stored of it.
        """
        self.store("sip:carol@example.com", make_binding("sip:carol@192.0.2.1"))
        self.assertIsNone(self.find("sip:carol@example.com"))

    def test_other_names(self) -> None:
        """
        An alias of the domain, an escape and a sub-account lead to the same bindings.
        """
        self.store(AOR, make_binding("sip:bob@192.0.2.1"))
        for uri in (
            "sip:bob@EXAMPLE.com",
            "sip:bob@alias.example:5060;transport=tcp",
            "sip:%62ob@example.com",
            "sip:provider.bob@example.com",
        ):
            self.assertEqual(self.find(uri), ["sip:bob@192.0.2.1"], uri)

    def test_order(self) -> None:
        """
        The highest q comes first, none is as good as 1, and of equals the newest.
        """
        self.store(
            AOR,
            make_binding("sip:low@192.0.2.1", q=0.1),
            make_binding("sip:old@192.0.2.1", updated=NOW - 9),
            make_binding("sip:new@192.0.2.1", q=1.0),
        )
        self.assertEqual(
            self.find(AOR),
            ["sip:new@192.0.2.1", "sip:old@192.0.2.1", "sip:low@192.0.2.1"],
        )

    def test_path_and_target(self) -> None:
        """
        A request goes along the stored path, and to the target in place of the contact.
        """
        path = ("sip:token@127.0.0.1:5059;lr;ob", "sip:edge.example.com;lr")
        self.store(
            AOR,
            make_binding("sip:bob@10.0.0.5", path=path, q=0.5),
            make_binding("sip:bob@10.0.0.6", target="sip:bob@192.0.2.6:1024", q=0.4),
        )
        first, second = self.wait(self.contacts.of(SIPURI.parse(AOR))) or ()
        self.assertEqual(
            first,
            Contact(
                SIPURI.parse("sip:bob@10.0.0.5"), tuple(map(SIPURI.parse, path)), 0.5
            ),
        )
        self.assertEqual(str(second.uri), "sip:bob@192.0.2.6:1024")

    def test_expired(self) -> None:
        """
        A binding that has expired is not a contact, even while another one holds.
        """
        self.store(
            AOR,
            make_binding("sip:a@192.0.2.1", expiry=NOW + 60),
            make_binding("sip:b@192.0.2.1", expiry=NOW + 90),
        )
        self.reactor.advance(60 + GRACE)
        self.assertEqual(self.find(AOR), ["sip:b@192.0.2.1"])
        self.reactor.advance(30)
        self.assertEqual(self.find(AOR), [])

    def test_other_schemes(self) -> None:
        """
        What is no SIP URI is passed over: no request can be sent there.
        """
        self.store(
            AOR, make_binding("mailto:bob@example.com"), make_binding("tel:+15551234")
        )
        self.assertEqual(self.find(AOR), [])
        asked = Deferred.fromCoroutine(self.contacts.of("tel:+15551234"))
        self.failureResultOf(asked, ParseError)

    def test_request_uri(self) -> None:
        """
        What may not stand in a Request-URI is no part of the contact (RFC 3261, 16.6).
        """
        for uri in (
            "sip:bob@192.0.2.1?Route=%3Csip:elsewhere.example%3E&Subject=hi",
            "sip:bob@192.0.2.1;method=BYE",
        ):
            self.store(AOR, make_binding(uri))
            self.assertEqual(self.find(AOR), ["sip:bob@192.0.2.1"], uri)

    def test_sips(self) -> None:
        """
        A request for a sips URI goes to contacts that are sips, and to no others.
        """
        self.store(
            AOR,
            make_binding("sip:bob@192.0.2.1;transport=tls", q=0.9),
            make_binding("sips:bob@192.0.2.1", q=0.8),
        )
        self.assertEqual(self.find("sips:bob@example.com"), ["sips:bob@192.0.2.1"])
        self.assertEqual(len(self.find(AOR) or ()), 2)

    def test_flows_of_one_phone(self) -> None:
        """
        Of several flows of a phone the newest is tried, then the others, never both at
        a time; without reg-id there is no saying that two are the same phone.
        """
        self.store(
            AOR,
            make_binding("sip:a@192.0.2.1", instance=DESK, reg_id=1, updated=NOW - 2),
            make_binding("sip:b@192.0.2.1", instance=DESK, reg_id=2, updated=NOW - 1),
            make_binding("sip:c@192.0.2.1", instance=LAPTOP, reg_id=1, updated=NOW - 3),
            make_binding("sip:d@192.0.2.1", instance=LAPTOP, updated=NOW - 4),
        )
        found = self.wait(self.contacts.of(AOR)) or ()
        self.assertEqual(
            [
                (each.uri.user, [a.uri.user for a in each.alternatives])
                for each in found
            ],
            [("b", ["a"]), ("c", []), ("d", [])],
        )


class GRUUTests(ContactsCase):
    """
    Contacts of a GRUU.
    """

    def setUp(self) -> None:
        super().setUp()
        self.store(
            AOR,
            make_binding("sip:a@192.0.2.1", instance=DESK, call_id="call-1"),
            make_binding("sip:b@192.0.2.1", instance=LAPTOP, call_id="call-2"),
        )

    def test_public(self) -> None:
        """
        A public GRUU leads to its phone alone, and to nothing while that is away.
        """
        self.assertEqual(self.find(self.gruus.public(AOR, DESK)), ["sip:a@192.0.2.1"])
        away = self.gruus.public(AOR, "<urn:uuid:away>")
        self.assertEqual(self.find(away), [])
        self.assertIsNone(self.find(f"sip:nobody@example.com;gr={DESK[1:-1]}"))

    def test_phone_started_anew(self) -> None:
        """
        A GRUU means one phone: what it has left behind is tried after its newest
        contact, never beside it.
        """
        self.store(
            AOR,
            make_binding("sip:old@192.0.2.1", instance=DESK, updated=NOW - 9),
            make_binding("sip:new@192.0.2.1", instance=DESK, updated=NOW),
        )
        (found,) = self.wait(self.contacts.of(self.gruus.public(AOR, DESK))) or ()
        self.assertEqual(found.uri.user, "new")
        self.assertEqual([each.uri.user for each in found.alternatives], ["old"])

    def test_temporary(self) -> None:
        """
        Each temporary GRUU leads to its phone.
        """
        for _ in range(2):
            gruu = self.gruus.temporary(AOR, LAPTOP, "call-2")
            self.assertEqual(self.find(gruu), ["sip:b@192.0.2.1"])

    def test_temporary_of_an_earlier_registration(self) -> None:
        """
        When the phone registers with another Call-ID, its temporary GRUUs are void.
        """
        self.assertIsNone(self.find(self.gruus.temporary(AOR, LAPTOP, "call-1")))

    def test_forged(self) -> None:
        """
        A temporary GRUU that we have not made leads nowhere.
        """
        self.assertIsNone(self.find("sip:tgruu.AAAA@example.com;gr"))
        self.contacts = Contacts(KnownAccounts(make_account("bob")), self.live)
        self.assertIsNone(self.find(self.gruus.temporary(AOR, LAPTOP, "call-2")))
