"""
Messages as devices and servers send them, correct and otherwise.

They are composed for these tests, each in the shape that its product is known for.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    DIVERSION,
    EVENT,
    EXPIRES,
    FROM,
    HISTORY_INFO,
    P_ASSERTED_IDENTITY,
    RECORD_ROUTE,
    REMOTE_PARTY_ID,
    ROUTE,
    SUPPORTED,
    TO,
    USER_AGENT,
    VIA,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from tests.sip.samples import message

SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nt=0 0\r\nm=audio 8000 RTP/AVP 0\r\n"


def contacts(made: Message) -> list[Address]:
    """
    Return the addresses of all Contact values.
    """
    return [value for value in made.all(CONTACT) if isinstance(value, Address)]


class RequestTests(SynchronousTestCase):
    """
    Requests.
    """

    def read(self, *lines: str, body: bytes = b"") -> Request:
        """
        Read and check a request.
        """
        made = parse(message(*lines, body=body))
        assert isinstance(made, Request)
        made.check(CONTACT, ROUTE, SUPPORTED)
        return made

    def test_x_lite_invite(self) -> None:
        """
        X-Lite: everything in order, with a body and an unknown field.
        """
        made = self.read(
            "INVITE sip:303@sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.5:5061;rport;branch=z9hG4bK47AAB2C1D88C4FDE",
            "From: Joe <sip:joe@sip.example.com:5061>;tag=2065414503",
            "To: <sip:303@sip.example.com>",
            "Contact: <sip:joe@10.0.0.5:5061>",
            "Call-ID: 4C3A1F76-3B2E-4D30-A5E1-3C7E0C1D1B5A@10.0.0.5",
            "CSeq: 49429 INVITE",
            "Max-Forwards: 70",
            "Content-Type: application/sdp",
            "User-Agent: X-Lite release 1103m",
            f"Content-Length: {len(SDP)}",
            body=SDP,
        )
        self.assertEqual(made[USER_AGENT], "X-Lite release 1103m")
        self.assertIsNone(made[VIA].rport)
        self.assertIn("rport", made[VIA].parameters)
        self.assertEqual(made[CONTENT_TYPE].subtype, "sdp")
        self.assertEqual(made.body, SDP)

    def test_x_lite_via(self) -> None:
        """
        X-Lite has sent a Via without the semicolon before ``branch``.
        """
        made = self.read(
            "REGISTER sip:sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.5:1234branch=z9hG4bK47AAB2C1D88C",
            *IDENTITY,
            "CSeq: 1 REGISTER",
        )
        self.assertEqual(made[VIA].sent_by, "10.0.0.5:1234")
        self.assertEqual(made[VIA].branch, "z9hG4bK47AAB2C1D88C")

    def test_cisco_ack(self) -> None:
        """
        A Cisco 7960 says in an ACK who it is, in Remote-Party-ID.
        """
        made = self.read(
            "ACK sip:303@10.0.0.9:5060 SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK4d8b3c5e",
            *IDENTITY,
            "CSeq: 102 ACK",
            "User-Agent: Cisco-CP7960G/8.0",
            'Remote-Party-ID: "J" <sip:j@10.0.0.7>;party=calling;id-type=subscriber'
            ";privacy=off;screen=yes",
        )
        self.assertEqual(made[REMOTE_PARTY_ID].parameters.get("party"), "calling")

    def test_cisco_register(self) -> None:
        """
        Cisco registers with user=phone, an instance and a model, which are kept.
        """
        contact = (
            "<sip:2002@10.0.0.7:5060;user=phone;transport=udp>"
            ';+sip.instance="<urn:uuid:00000000-0000-0000-0000-001193aa11bb>"'
            ';+u.sip!model.ccm.cisco.com="7"'
        )
        made = self.read(
            "REGISTER sip:sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK5a",
            *IDENTITY,
            "CSeq: 101 REGISTER",
            f"Contact: {contact}",
            "expires: 3600",
        )
        (found,) = contacts(made)
        self.assertEqual(str(found), contact)
        assert isinstance(found.uri, SIPURI)
        self.assertEqual(found.uri.parameters.get("user"), "phone")
        self.assertEqual(made[EXPIRES], 3600)

    def test_ms_rtc_subscribe(self) -> None:
        """
        Microsoft's RTC client sends Vias without branch and several Supported lines.
        """
        made = self.read(
            "SUBSCRIBE sip:bob@sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.8:10304",
            "Max-Forwards: 70",
            'From: "a" <sip:a@sip.example.com>;tag=6c;epid=6f7d1a4f1c',
            "To: <sip:bob@sip.example.com>",
            "Call-ID: 0fd3e1c41f7c43e1b6a3a6a1d7b5f111@10.0.0.8",
            "CSeq: 1 SUBSCRIBE",
            "Contact: <sip:10.0.0.8:10304>",
            "User-Agent: RTC/1.2",
            "Event: presence",
            "Accept: application/xpidf+xml, text/xml+msrtc.pidf",
            "Supported: com.microsoft.autoextend",
            "Supported: ms-benotify",
            "Content-Length: 0",
        )
        self.assertIsNone(made[VIA].branch)
        self.assertEqual(
            made.all(SUPPORTED), ("com.microsoft.autoextend", "ms-benotify")
        )
        self.assertEqual(made[EVENT].package, "presence")

    def test_ms_rtc_register(self) -> None:
        """
        Microsoft's RTC client quotes a list of methods in its Contact.
        """
        methods = '"INVITE, MESSAGE, INFO, SUBSCRIBE, OPTIONS, BYE, CANCEL, NOTIFY"'
        made = self.read(
            "REGISTER sip:sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.8:10304",
            *IDENTITY,
            "CSeq: 1 REGISTER",
            f"Contact: <sip:10.0.0.8:10304>;methods={methods}",
        )
        (contact,) = contacts(made)
        self.assertEqual(contact.parameters.get("methods"), methods)

    def test_messenger_register(self) -> None:
        """
        Windows Messenger registers at a bare host name.
        """
        made = self.read(
            "REGISTER sip:aaronxp SIP/2.0",
            "Via: SIP/2.0/TCP 10.0.0.8:16222",
            *IDENTITY,
            "CSeq: 1 REGISTER",
        )
        self.assertEqual(made.uri, SIPURI("sip", None, "aaronxp"))

    def test_service(self) -> None:
        """
        Microsoft's clients use the method SERVICE.
        """
        made = self.read(
            "SERVICE sip:a@b SIP/2.0",
            "Via: SIP/2.0/TCP c",
            *IDENTITY,
            "CSeq: 1 SERVICE",
        )
        self.assertEqual(made.method, "SERVICE")

    def test_pa168s(self) -> None:
        """
        The PA168S leaves a blank in the domain, in URIs and request line.
        """
        made = self.read(
            "REGISTER sip:Blue Face SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK10",
            "From: <sip:303@Blue Face>;tag=1",
            "To: <sip:303@Blue Face>",
            "Call-ID: 1@10.0.0.9",
            "CSeq: 1 REGISTER",
        )
        self.assertEqual(str(made.uri), "sip:Blue Face")
        self.assertEqual(str(made[FROM].uri), "sip:303@Blue Face")
        answer = made.respond(200, to_tag="2")
        self.assertEqual(str(answer[TO]), "<sip:303@Blue Face>;tag=2")

    def test_netgear(self) -> None:
        """
        Netgear puts a flag with a dash into its URIs.
        """
        made = self.read(
            "INVITE sip:303@sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK10",
            *IDENTITY,
            "CSeq: 1 INVITE",
            "Contact: <sip:joe@10.0.0.9:5060;TCID-0>",
        )
        (contact,) = contacts(made)
        assert isinstance(contact.uri, SIPURI)
        self.assertEqual(str(contact.uri.parameters), ";TCID-0")

    def test_avaya(self) -> None:
        """
        Avaya quotes names with apostrophes, and routes strictly without meaning to.
        """
        made = self.read(
            "INVITE sip:303@10.0.0.9 SIP/2.0",
            "Via: SIP/2.0/TCP 10.0.0.10;branch=z9hG4bKavaya",
            *IDENTITY,
            "CSeq: 1 INVITE",
            "Route: <sip:10.0.0.1:5060;lr>,<sip:10.0.0.2:5060>",
            "Contact: 'Joe' <sip:joe@10.0.0.10>",
        )
        self.assertEqual(contacts(made)[0].display_name, "'Joe'")
        loose = [
            route.uri.is_loose
            for route in made.all(ROUTE)
            if isinstance(route.uri, SIPURI)
        ]
        self.assertEqual(loose, [True, False])

    def test_localphone(self) -> None:
        """
        Localphone's branches have no cookie; its identity comes without a blank.
        """
        made = self.read(
            "INVITE sip:303@sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.8;branch=3f7ab2",
            *IDENTITY,
            "CSeq: 1 INVITE",
            "P-Asserted-Identity:<sip:+441234@192.0.2.8>",
        )
        self.assertFalse(made[VIA].is_rfc3261)
        self.assertEqual(str(made[P_ASSERTED_IDENTITY].uri), "sip:+441234@192.0.2.8")

    def test_ekiga(self) -> None:
        """
        Ekiga quotes credentials with apostrophes, which is read, and has sent a Contact
        that is none, which is refused.
        """
        lines = (
            "REGISTER sip:sip.example.com SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK10",
            *IDENTITY,
            "CSeq: 1 REGISTER",
            "Authorization: Digest username='joe', realm='example', nonce='1a', "
            "uri='sip:sip.example.com', response='08881d1d56c0b21f11d19f4067da7045'",
        )
        self.assertEqual(self.read(*lines)[AUTHORIZATION].get("username"), "joe")
        made = parse(message(*lines, "Contact: <sip:joe@10.0.0.9, sip:5060>"))
        made.check()
        with self.assertRaises(ParseError):
            made.check(CONTACT)

    def test_aastra_contact(self) -> None:
        """
        Aastra has sent a Contact without its closing bracket, the next line glued on
        with a bare LF.
        """
        made = parse(
            message(
                "REGISTER sip:sip.example.com SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK10",
                *IDENTITY,
                "CSeq: 1 REGISTER",
                "Contact: <sip:joe@10.0.0.9:5060\nUser-Agent: Aastra",
            )
        )
        self.assertEqual(made[USER_AGENT], "Aastra")
        with self.assertRaises(ParseError):
            made.check(CONTACT)

    def test_aastra_via(self) -> None:
        """
        Aastra has sent a Via with two ports in one.
        """
        made = parse(
            message(
                "REGISTER sip:sip.example.com SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.9:50605060;branch=z9hG4bK10",
                *IDENTITY,
                "CSeq: 1 REGISTER",
            )
        )
        with self.assertRaises(ParseError):
            made.check()

    def test_sinologic(self) -> None:
        """
        Sinologic has sent an INVITE that declares 232 bytes and has none.
        """
        with self.assertRaises(ParseError) as caught:
            parse(
                message(
                    "INVITE sip:303@sip.example.com SIP/2.0",
                    "Via: SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK1",
                    *IDENTITY,
                    "CSeq: 1 INVITE",
                    "Content-Type: application/sdp",
                    "Content-Length: 232",
                )
            )
        self.assertEqual(caught.exception.status, 400)
        assert caught.exception.partial is not None
        self.assertEqual(caught.exception.partial[CSEQ].method, "INVITE")

    def test_asterisk_ack(self) -> None:
        """
        Asterisk's ACK has no body and a host name in its Via.
        """
        made = self.read(
            "ACK sip:303@10.0.0.9 SIP/2.0",
            "Via: SIP/2.0/UDP pbx.example.com:5060;branch=z9hG4bK7f2a;rport",
            *IDENTITY,
            "CSeq: 102 ACK",
            "User-Agent: Asterisk PBX",
            "Content-Length: 0",
        )
        self.assertEqual(made[VIA].host, "pbx.example.com")

    def test_seven_routes(self) -> None:
        """
        Seven routes in three lines come in order.
        """
        made = self.read(
            "BYE sip:303@10.0.0.9 SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1",
            *IDENTITY,
            "CSeq: 2 BYE",
            "Route: <sip:1;lr>,<sip:2;lr=on>",
            'Route: <sip:3> , "x, y" <sip:u@4:5061;lr;ftag=1>,',
            "  <sip:5;lr>",
            "Route: <sip:6;lr>,\t<sip:7>",
        )
        hosts = [
            route.uri.host for route in made.all(ROUTE) if isinstance(route.uri, SIPURI)
        ]
        self.assertEqual(hosts, ["1", "2", "3", "4", "5", "6", "7"])
        self.assertEqual(made.all(ROUTE)[3].display_name, "x, y")

    def test_mixed_case_and_tabs(self) -> None:
        """
        Names in any case, folds with tabs, CR and SP for an end of line.
        """
        data = message(
            "OPTIONS sip:a SIP/2.0",
            "vIa: SIP/2.0/UDP 10.0.0.9",
            "\t;branch=z9hG4bK1",
            "FROM: <sip:a>;tag=1",
            "tO: <sip:b>",
            "CALL-ID: 1",
            "cSEQ: 1 OPTIONS",
        )
        made = parse(data.replace(b"\r\ntO", b"\r tO"))
        made.check()
        self.assertEqual(made[VIA].branch, "z9hG4bK1")
        self.assertEqual(str(made[TO]), "<sip:b>")

    def test_zero_expiry(self) -> None:
        """
        An expiry of 0 is a value, in the field and in the Contact.
        """
        made = self.read(
            "REGISTER sip:a SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.9",
            *IDENTITY,
            "CSeq: 1 REGISTER",
            "Expires: 0",
            "Contact: <sip:a@b>; expires=0",
        )
        self.assertEqual(made.get(EXPIRES), 0)
        self.assertEqual(contacts(made)[0].expires, 0)

    def test_identities(self) -> None:
        """
        P-Asserted-Identity, History-Info and Diversion in two lines or in one.
        """
        for field, one, other in (
            (P_ASSERTED_IDENTITY, '"A, B" <sip:a@b>', "<tel:+1>"),
            (HISTORY_INFO, "<sip:a@b?Reason=SIP>;index=1", "<sip:c@d>;index=1.1"),
            (DIVERSION, "<sip:a@b>;reason=no-answer", "<sip:c@d>;reason=user-busy"),
        ):
            lines = (
                "INVITE sip:a SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.9",
                *IDENTITY,
                "CSeq: 1 INVITE",
            )
            apart = self.read(*lines, f"{field.name}: {one}", f"{field.name}:{other}")
            together = self.read(*lines, f"{field.name}: {one},{other}")
            self.assertEqual(apart.all(field), together.all(field))
            self.assertEqual([str(value) for value in apart.all(field)], [one, other])


IDENTITY = (
    "From: Joe <sip:joe@sip.example.com>;tag=2065414503",
    "To: <sip:joe@sip.example.com>",
    "Call-ID: 1a2b3c@10.0.0.5",
)


class ResponseTests(SynchronousTestCase):
    """
    Responses.
    """

    def test_asterisk(self) -> None:
        """
        Asterisk lists several Record-Routes in one line; its 200 has a body.
        """
        made = parse(
            message(
                "SIP/2.0 200 OK",
                "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;received=10.0.0.5;rport=506",
                "Record-Route: <sip:10.0.0.1;lr=on;ftag=1>,<sip:10.0.0.2:5061;lr>,"
                "<sip:10.0.0.3;lr>",
                *IDENTITY,
                "CSeq: 102 INVITE",
                "User-Agent: Asterisk PBX",
                f"Content-Length: {len(SDP)}",
                body=SDP,
            )
        )
        made.check(RECORD_ROUTE)
        self.assertEqual(len(made.all(RECORD_ROUTE)), 3)
        self.assertEqual((made[VIA].received, made[VIA].rport), ("10.0.0.5", 506))
        self.assertEqual(made.body, SDP)

    def test_folded_record_route(self) -> None:
        """
        A folded Record-Route is one list.
        """
        made = parse(
            message(
                "SIP/2.0 180 Ringing",
                "Via: SIP/2.0/UDP 10.0.0.5, SIP/2.0/UDP 10.0.0.6",
                "Record-Route: <sip:10.0.0.1;lr=on;ftag=7>",
                "  ,<sip:10.0.0.2;lr=on;ftag=7>",
                *IDENTITY,
                "CSeq: 0 INVITE",
            )
        )
        made.check(RECORD_ROUTE)
        self.assertEqual(len(made.all(RECORD_ROUTE)), 2)
        self.assertEqual([via.host for via in made.all(VIA)], ["10.0.0.5", "10.0.0.6"])
        self.assertEqual(made[CSEQ].number, 0)

    def test_msc(self) -> None:
        """
        The MSC leaves out the brackets of a To that has a tag, and the blank behind a
        name.
        """
        made = parse(
            message(
                "SIP/2.0 200 OK",
                "Via: SIP/2.0/UDP 127.0.110.30;branch=z9hG4bK1",
                "From: UNAVAILABLE<sip:127.0.110.30>;tag=1",
                "To: sip:xxx@127.0.110.30;tag=AZHf2-ZMfDX0",
                "Call-ID: 1",
                "CSeq: 1 INVITE",
            )
        )
        made.check()
        self.assertEqual(made[TO].tag, "AZHf2-ZMfDX0")
        self.assertEqual(made[FROM].display_name, "UNAVAILABLE")

    def test_huawei(self) -> None:
        """
        Huawei folds its challenge over three lines.
        """
        made = parse(
            message(
                "SIP/2.0 401 Unauthorized",
                "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1",
                *IDENTITY,
                "CSeq: 1 REGISTER",
                'WWW-Authenticate: Digest realm="huawei",',
                ' nonce="248e4bd9bcd1ef8b",',
                '\topaque="5ccc069c403ebaf9", stale=false, algorithm=MD5',
            )
        )
        challenge = made[WWW_AUTHENTICATE]
        self.assertEqual(challenge.realm, "huawei")
        self.assertEqual(challenge.nonce, "248e4bd9bcd1ef8b")
        self.assertEqual(challenge.get("opaque"), "5ccc069c403ebaf9")

    def test_two_contacts(self) -> None:
        """
        Contacts come apart or in one line, with quoted dots and commas, q and expires.
        """
        one = '"J. Doe, Jr." <sip:j@10.0.0.5:5060>;q=0.7;expires=3600'
        other = "<sip:j@10.0.0.6;ob>;expires=0;q=1"
        for lines in (
            [f"Contact: {one}", f"m: {other}"],
            [f"Contact: {one},{other}"],
            [f"Contact: {one} ,", f" {other}"],
        ):
            made = parse(
                message(
                    "SIP/2.0 200 OK",
                    "Via: SIP/2.0/UDP a",
                    *IDENTITY,
                    "CSeq: 1 X",
                    *lines,
                )
            )
            made.check(CONTACT)
            self.assertEqual(
                [(x.display_name, x.q, x.expires) for x in contacts(made)],
                [("J. Doe, Jr.", 0.7, 3600), (None, 1.0, 0)],
            )

    def test_missing_cseq(self) -> None:
        """
        A response without CSeq can be read, but matches nothing.
        """
        made = parse(message("SIP/2.0 403 Forbidden", "Via: SIP/2.0/UDP a", *IDENTITY))
        self.assertEqual(made[CALL_ID], "1a2b3c@10.0.0.5")
        with self.assertRaises(ParseError):
            made.check()

    def test_glued_to_a_number(self) -> None:
        """
        A gateway has sent ``16394SIP/2.0 200 OK``, which is no message at all.
        """
        with self.assertRaises(ParseError) as caught:
            parse(message("16394SIP/2.0 200 OK", "Via: SIP/2.0/UDP a", *IDENTITY))
        self.assertIsNone(caught.exception.partial)

    def test_names_in_other_scripts(self) -> None:
        """
        Display names are UTF-8, quoted or not.
        """
        name = "\u5f20\u4e09"
        for text in (f'"{name}" <sip:a@b>', f"{name} <sip:a@b>", f"{name}<sip:a@b>"):
            made = parse(message("SIP/2.0 200 OK", f"From: {text};tag=1"))
            self.assertEqual(made[FROM].display_name, name)
            self.assertIn(text.encode(), made.to_bytes())
