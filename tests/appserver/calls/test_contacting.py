"""
Tests for `sipsorcery.appserver.calls.contacting`.
"""

from __future__ import annotations

from sipsorcery.access.dialogue_names import DialogueName, DialogueNames
from sipsorcery.appserver.calls.contacting import Contacts
from sipsorcery.config import Config
from sipsorcery.config.tree import SIP, Proxy
from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.sip.address import Address
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from tests.access.cases import StoreCase

SERVER = Endpoint.parse("udp:127.0.0.1:5065")
DIALOGUE = "0123456789abcdef"
INSIDE = "<sip:token@127.0.0.1:5059;lr>"


def invite(*routes: str, uri: str = "sip:bob@example.com") -> Request:
    """
    Make an INVITE that came by proxies, the nearest to us first.
    """
    return Request("INVITE", uri, [("Record-Route", route) for route in routes])


class ContactsTests(StoreCase):
    """
    What phones are told to send to.
    """

    def setUp(self) -> None:
        super().setUp()
        self.names = DialogueNames(self.secrets)

    def contacts(self, *listen: str, public: str | None = None) -> Contacts:
        """
        Make the Contacts of a server behind a proxy with these listeners.
        """
        config = Config(
            proxy=Proxy(listen=tuple(map(ListenAddress.parse, listen))),
            sip=SIP(public_address=public),
        )
        return Contacts(
            config, self.names, SERVER, source_address=lambda peer: "10.0.0.9"
        )

    def place(self, contact: Address) -> str:
        """
        Give where a Contact leads, having seen that it names the dialogue.
        """
        assert isinstance(contact.uri, SIPURI)
        named = self.names.read(contact.uri.user)
        self.assertEqual(named, DialogueName(SERVER, DIALOGUE))
        return str(contact.uri._replace(user=None))

    def test_of_call(self) -> None:
        """
        A caller is told where he has reached the proxy: in its outer Record-Route.
        """
        contacts = self.contacts("udp:0.0.0.0:5060")
        for outer, place in (
            ("<sip:t@203.0.113.1:5060;lr>", "sip:203.0.113.1:5060"),
            (
                "<sip:t@203.0.113.1:5061;transport=tls;lr>",
                "sip:203.0.113.1:5061;transport=tls",
            ),
            ("<sip:t@[2001:db8::1]:5060;lr>", "sip:[2001:db8::1]:5060"),
        ):
            contact = contacts.of_call(invite(INSIDE, outer), DIALOGUE)
            self.assertEqual(self.place(contact), place)

    def test_of_sips_call(self) -> None:
        """
        The Contact in a call to a sips URI is one (RFC 3261, 12.1.1).
        """
        contacts = self.contacts("tls:0.0.0.0:5061")
        request = invite(
            INSIDE, "<sip:t@203.0.113.1:5061;lr>", uri="sips:b@example.com"
        )
        contact = contacts.of_call(request, DIALOGUE)
        self.assertEqual(self.place(contact), "sips:203.0.113.1:5061")

    def test_without_proxy(self) -> None:
        """
        Who has come without a proxy of ours is told where we listen ourselves.
        """
        for request in (invite(), invite("<sip:other.example;lr>")):
            contact = self.contacts("udp:0.0.0.0:5060").of_call(request, DIALOGUE)
            self.assertEqual(self.place(contact), "sip:127.0.0.1:5065")

    def test_towards(self) -> None:
        """
        Whom we call is told a listener of the proxy for his transport: the address that
        it advertises, the public one, its own, or the one that leads there.
        """
        phone = SIPURI.parse("sip:bob@198.51.100.9")
        for listen, public, place in (
            ("udp:10.0.0.1:5060 advertise sip.example:5080", None, "sip.example:5080"),
            ("udp:0.0.0.0:5060", "203.0.113.1", "203.0.113.1:5060"),
            ("udp:10.0.0.1:5070", None, "10.0.0.1:5070"),
            ("udp:0.0.0.0:5060", None, "10.0.0.9:5060"),
        ):
            contact = self.contacts(listen, public=public).towards(phone, DIALOGUE)
            self.assertEqual(self.place(contact), f"sip:{place}")

    def test_towards_by_transport(self) -> None:
        """
        The transport is that of whom we call; for what the proxy has not, UDP.
        """
        contacts = self.contacts("udp:10.0.0.1:5060", "tls:10.0.0.1:5061")
        for uri, place in (
            ("sip:bob@192.0.2.1;transport=tls", "sip:10.0.0.1:5061;transport=tls"),
            ("sips:bob@192.0.2.1", "sips:10.0.0.1:5061;transport=tls"),
            ("sip:bob@192.0.2.1;transport=ws", "sip:10.0.0.1:5060"),
            ("sip:bob@192.0.2.1;transport=pigeon", "sip:10.0.0.1:5060"),
        ):
            contact = contacts.towards(SIPURI.parse(uri), DIALOGUE)
            self.assertEqual(self.place(contact), place)

    def test_way_is_remembered(self) -> None:
        """
        The system is asked for the way to a peer once in ten seconds.
        """
        asked: list[str] = []

        def source_address(peer: str) -> str:
            asked.append(peer)
            return "10.0.0.9"

        wildcard = (ListenAddress.parse("udp:0.0.0.0:5060"),)
        contacts = Contacts(
            Config(proxy=Proxy(listen=wildcard)),
            self.names,
            SERVER,
            source_address=source_address,
            seconds=self.reactor.seconds,
        )
        one, other = "sip:bob@198.51.100.9", "sip:bob@198.51.100.8"
        for uri in (one, one, other, one):
            contacts.towards(SIPURI.parse(uri), DIALOGUE)
        self.assertEqual(asked, ["198.51.100.9", "198.51.100.8"])
        self.reactor.advance(10)
        contacts.towards(SIPURI.parse(one), DIALOGUE)
        self.assertEqual(asked[2:], ["198.51.100.9"])

    def test_towards_loopback(self) -> None:
        """
        A phone on this machine is not sent around by the public address.
        """
        contacts = self.contacts("udp:127.0.0.1:5060", public="203.0.113.1")
        contact = contacts.towards(SIPURI.parse("sip:bob@127.0.0.1:5090"), DIALOGUE)
        self.assertEqual(self.place(contact), "sip:127.0.0.1:5060")
