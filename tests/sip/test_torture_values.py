"""
What is read of the torture messages of RFC 4475 that are accepted.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import grammar
from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.fields import (
    ACCEPT,
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    FROM,
    MAX_FORWARDS,
    PROXY_REQUIRE,
    RECORD_ROUTE,
    REQUIRE,
    ROUTE,
    SUBJECT,
    TO,
    VIA,
    Field,
)
from sipsorcery.sip.framing import Framer
from sipsorcery.sip.message import Message
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, OtherURI, parse_uri
from tests.vectors import vectors


def load(name: str) -> bytes:
    """
    Read one file of the archive.
    """
    return (vectors() / "rfc4475" / f"{name}.dat").read_bytes()


class AcceptedTests(SynchronousTestCase):
    """
    What is read of the files that are accepted.
    """

    def request(self, name: str) -> Request:
        """
        Read a file that holds a request.
        """
        message = parse(load(name))
        assert isinstance(message, Request)
        return message

    def response(self, name: str) -> Response:
        """
        Read a file that holds a response.
        """
        message = parse(load(name))
        assert isinstance(message, Response)
        return message

    def uris(self, message: Message, field: Field[Any]) -> list[SIPURI]:
        """
        Return all URIs of an address field, which are SIP URIs.
        """
        uris = [address.uri for address in message.all(field)]
        self.assertEqual({type(uri) for uri in uris}, {SIPURI})
        return uris

    def uri(self, message: Message, field: Field[Any]) -> SIPURI:
        """
        Return the first URI of an address field, which is a SIP URI.
        """
        return self.uris(message, field)[0]

    def test_wsinv(self) -> None:
        """
        A short tortuous INVITE: folds, blanks, compact forms, leading zeros.
        """
        message = self.request("wsinv")
        self.assertEqual(
            str(message.uri), "sip:vivekg@chair-dnrc.example.com;unknownparam"
        )
        self.assertEqual(message[TO].tag, "1918181833n")
        self.assertIsNone(message[TO].display_name)
        self.assertEqual(message[FROM].display_name, 'J Rosenberg \\"')
        self.assertEqual(message[FROM].tag, "98asjd8")
        self.assertEqual(message[MAX_FORWARDS], 68)
        self.assertEqual(message[CALL_ID], "wsinv.ndaksdj@192.0.2.1")
        self.assertEqual(message[CSEQ], CSeq(9, "INVITE"))
        vias = message.all(VIA)
        self.assertEqual(
            [(via.transport, via.host, via.branch) for via in vias],
            [
                ("UDP", "192.0.2.2", "390skdjuw"),
                ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
                ("UDP", "192.168.255.111", "z9hG4bK30239"),
            ],
        )
        self.assertEqual({via.protocol for via in vias}, {"SIP/2.0"})
        self.assertEqual(message[SUBJECT], "")
        self.assertEqual(
            message.get("NewFangledHeader"),
            "newfangled value continued newfangled value",
        )
        self.assertEqual(message.get("UnknownHeaderWithUnusualValue"), ";;,,;;,;")
        self.assertEqual(message[CONTENT_TYPE], MediaType("application", "sdp"))
        route = self.uri(message, ROUTE)
        self.assertTrue(route.is_loose)
        self.assertEqual(route.parameters.get("unknownwith"), "value")
        self.assertIn("unknown-no-value", route.parameters)
        contact = message[CONTACT]
        assert isinstance(contact, Address)
        self.assertEqual(contact.display_name, 'Quoted string ""')
        self.assertEqual(contact.parameters.get("newparam"), "newvalue")
        self.assertIn("secondparam", contact.parameters)
        self.assertEqual(contact.q, 0.33)
        self.assertEqual(len(message.body), 150)

    def test_intmeth(self) -> None:
        """
        A wide range of valid characters, in all places.
        """
        message = self.request("intmeth")
        method = "!interesting-Method0123456789_*+`.%indeed'~"
        self.assertEqual(message.method, method)
        self.assertEqual(message[CSEQ], CSeq(139122385, method))
        uri = message.uri
        assert isinstance(uri, SIPURI)
        self.assertEqual(uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        self.assertEqual(uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        self.assertEqual(uri.host, "example.com")
        self.assertEqual(message[TO].display_name, "BEL:\x07 NUL:\x00 DEL:\x7f")
        self.assertEqual(self.uri(message, TO).user, uri.user)
        self.assertEqual(message[FROM].display_name, "token1~` token2'+_ token3*%!.-")
        self.assertEqual(
            message[FROM].parameters.get("fromParam''~+*_!.-%"),
            '"\u0440\u0430\u0431\u043e\u0442\u0430\u044e\u0449\u0438\u0439"',
        )
        self.assertEqual(message[FROM].tag, "_token~1'+`*%!-.")
        self.assertEqual(message[MAX_FORWARDS], 255)
        self.assertEqual(message[VIA].branch, "z9hG4bK-.!%66*_+`'~")
        self.assertEqual(
            message[CALL_ID], "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
        )
        self.assertEqual(
            message.get("extensionHeader-!.%*+_`'~"), "\ufeff\u5927\u505c\u96fb"
        )

    def test_esc01(self) -> None:
        """
        Escapes in URIs: the user of the Request-URI holds an ``@``, the To is that of
        user, and parameters are compared without their escapes.
        """
        message = self.request("esc01")
        uri = message.uri
        assert isinstance(uri, SIPURI)
        assert uri.user is not None
        self.assertEqual(uri.host, "example.net")
        self.assertEqual(grammar.unescape(uri.user), "sips:user@example.com")
        self.assertTrue(
            message[TO].uri.is_equivalent(parse_uri("sip:user@example.com"))
        )
        self.assertEqual(
            grammar.unescape(self.uri(message, FROM).user or ""), "I have spaces"
        )
        self.assertTrue(
            self.uri(message, CONTACT).is_equivalent(
                parse_uri("sip:caller@host5.example.net;lr;name=value%2541")
            )
        )

    def test_escnull(self) -> None:
        """
        NULs in user parts end nothing: there are two distinct contacts.
        """
        message = self.request("escnull")
        self.assertEqual(self.uri(message, TO).user, "null-%00-null")
        self.assertEqual(self.uri(message, FROM).aor, "sip:null-%00-null@example.com")
        one, other = self.uris(message, CONTACT)
        self.assertFalse(one.is_equivalent(other))
        self.assertFalse(other.is_equivalent(one))
        self.assertNotEqual(one.aor, other.aor)

    def test_esc02(self) -> None:
        """
        Where a percent sign is no escape: the method is no REGISTER, and only two of
        three lines are Contacts.
        """
        message = self.request("esc02")
        self.assertEqual(message.method, "RE%47IST%45R")
        self.assertEqual(message[CSEQ].method, "RE%47IST%45R")
        self.assertEqual(message[TO].display_name, "%Z%45")
        self.assertEqual(
            [uri.user for uri in self.uris(message, CONTACT)], ["alias1", "alias3"]
        )
        self.assertEqual(message.get("C%6Fntact"), "<sip:alias2@host2.example.com>")

    def test_lwsdisp(self) -> None:
        """
        No blank between display name and bracket.
        """
        message = self.request("lwsdisp")
        self.assertEqual(message[FROM].display_name, "caller")
        self.assertEqual(str(message[FROM].uri), "sip:caller@example.com")
        self.assertEqual(message[FROM].tag, "323")

    def test_longreq(self) -> None:
        """
        Long values: nothing is cut.
        """
        message = self.request("longreq")
        hosts = [f"sip{number}.example.com" for number in range(33, 0, -1)]
        vias = message.all(VIA)
        self.assertEqual([via.host for via in vias], [*hosts, "host.example.com"])
        self.assertEqual(vias[-1].received, "192.0.2.5")
        self.assertEqual(vias[-1].branch, "very" + "long" * 50 + "branchvalue")
        to = message[TO]
        self.assertEqual(
            to.display_name,
            "I have a user name of " + "extreme" * 10 + " proportion",
        )
        uri = self.uri(message, TO)
        self.assertEqual(uri.port, 6000)
        self.assertEqual(
            [name for name, _ in uri.parameters],
            [
                "unknownparam1",
                "longparam" + "name" * 25,
                "very" + "long" * 25 + "ParameterNameWithNoValue",
            ],
        )
        self.assertEqual(message[FROM].tag, "12" + "982" * 50 + "424")
        self.assertEqual(self.uri(message, FROM).user, "amazinglylongcallername" * 5)
        self.assertEqual(message[CALL_ID], "longreq.one" + "really" * 20 + "longcallid")
        self.assertEqual(
            message.get("Unknown-" + "Long" * 20 + "-Name"),
            "unknown-"
            + "long" * 20
            + "-value; unknown-"
            + "long" * 20
            + "-parameter-name = unknown-"
            + "long" * 20
            + "-parameter-value",
        )
        self.assertEqual(len(message.body), 150)

    def test_dblreq(self) -> None:
        """
        Two requests in one datagram: the second is dropped. On a stream there are two.
        """
        message = self.request("dblreq")
        self.assertEqual(message.method, "REGISTER")
        self.assertEqual(message.body, b"")
        first, second = Framer().receive(load("dblreq"), 0.0)[:3:2]
        self.assertEqual(first, message)
        assert isinstance(second, Request)
        self.assertEqual(second.method, "INVITE")
        self.assertEqual(len(second.body), 150)

    def test_semiuri(self) -> None:
        """
        A semicolon before the ``@`` belongs to the user.
        """
        message = self.request("semiuri")
        uri = message.uri
        assert isinstance(uri, SIPURI)
        self.assertEqual(uri.user, "user;par=u%40example.net")
        self.assertEqual(uri.host, "example.com")
        self.assertEqual(len(uri.parameters), 0)
        self.assertEqual(
            list(map(str, message.all(ACCEPT))),
            [
                "application/sdp",
                "application/pkcs7-mime",
                "multipart/mixed",
                "multipart/signed",
                "message/sip",
                "message/sipfrag",
            ],
        )

    def test_transports(self) -> None:
        """
        Vias of transports that we know and do not know.
        """
        vias = self.request("transports").all(VIA)
        self.assertEqual(
            [via.transport for via in vias], ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
        )
        self.assertEqual(vias[4].branch, "z9hG4bK0a9idfnee")

    def test_mpart01(self) -> None:
        """
        A binary multipart body stays octet by octet as it is.
        """
        data = load("mpart01")
        message = self.request("mpart01")
        self.assertEqual(message.body, data[-553:])
        self.assertEqual(len(message.body), 553)
        self.assertEqual(
            message[CONTENT_TYPE].parameters.get("boundary"), "7a9cbec02ceef655"
        )
        self.assertEqual(
            message[CALL_ID], "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA.."
        )

    def test_unreason(self) -> None:
        """
        A reason phrase of rare characters.
        """
        message = self.response("unreason")
        self.assertEqual(message.status, 200)
        self.assertEqual(
            message.reason,
            "= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e "
            "\u0434\u0435\u0432\u044f\u043d\u043e\u0441\u0442\u043e "
            "\u0434\u0435\u0432\u044f\u0442\u044c - "
            "\u043f\u0440\u043e\u0441\u0442\u043e\u0435",
        )

    def test_noreason(self) -> None:
        """
        An empty reason phrase.
        """
        message = self.response("noreason")
        self.assertEqual((message.status, message.reason), (100, ""))
        self.assertTrue(message.is_provisional)

    def test_badaspec(self) -> None:
        """
        Blanks inside the brackets are dropped.
        """
        message = self.request("badaspec")
        self.assertEqual(message[TO].display_name, "Watson, Thomas")
        self.assertEqual(str(message[TO].uri), "sip:t.watson@example.org")

    def test_badbranch(self) -> None:
        """
        A branch that is the cookie and no more identifies no transaction.
        """
        via = self.request("badbranch")[VIA]
        self.assertEqual(via.branch, "z9hG4bK")
        self.assertFalse(via.is_rfc3261)

    def test_unkscm(self) -> None:
        """
        An unknown scheme of the Request-URI can be told from a broken URI.
        """
        self.assertEqual(
            self.request("unkscm").uri,
            OtherURI("nobodyKnowsThisScheme", "totallyopaquecontent"),
        )

    def test_novelsc(self) -> None:
        """
        So can one that exists elsewhere.
        """
        self.assertEqual(
            self.request("novelsc").uri, OtherURI("soap.beep", "//192.0.2.103:3002")
        )

    def test_unksm2(self) -> None:
        """
        Unknown schemes in To, From and Contact are values like any other.
        """
        message = self.request("unksm2")
        self.assertEqual(message[TO].uri, OtherURI("isbn", "2983792873"))
        self.assertEqual(message[FROM].uri, OtherURI("http", "//www.example.com"))
        self.assertEqual(message[FROM].tag, "3234233")
        contact = message[CONTACT]
        assert isinstance(contact, Address)
        self.assertEqual(contact.uri, OtherURI("name", "John_Smith"))

    def test_bext01(self) -> None:
        """
        The extensions that are asked for are known by name, for the 420.
        """
        message = self.request("bext01")
        self.assertEqual(
            message.all(REQUIRE), ("nothingSupportsThis", "nothingSupportsThisEither")
        )
        self.assertEqual(
            message.all(PROXY_REQUIRE),
            ("noProxiesSupportThis", "norDoAnyProxiesSupportThis"),
        )

    def test_invut(self) -> None:
        """
        An unknown type of body is known by name, for the 415.
        """
        message = self.request("invut")
        self.assertEqual(str(message[CONTENT_TYPE]), "application/unknownformat")
        self.assertEqual(len(message.body), 40)

    def test_regaut01(self) -> None:
        """
        An unknown scheme of credentials is none that we ask for: challenge again.
        """
        credentials = self.request("regaut01")[AUTHORIZATION]
        self.assertEqual(credentials.scheme, "NoOneKnowsThisScheme")
        self.assertFalse(credentials.is_digest)

    def test_bcast(self) -> None:
        """
        The second Via, to which a proxy must not send, can be seen.
        """
        vias = self.response("bcast").all(VIA)
        self.assertEqual([via.host for via in vias], ["192.0.2.198", "255.255.255.255"])

    def test_zeromf(self) -> None:
        """
        Max-Forwards 0 is a value, not absence.
        """
        self.assertEqual(self.request("zeromf").get(MAX_FORWARDS), 0)

    def test_cparam01(self) -> None:
        """
        A parameter without brackets is the field's.
        """
        contact = self.request("cparam01")[CONTACT]
        assert isinstance(contact, Address)
        self.assertIn("unknownparam", contact.parameters)
        self.assertEqual(str(contact.uri), "sip:+19725552222@gw1.example.net")

    def test_cparam02(self) -> None:
        """
        A parameter inside brackets is the URI's.
        """
        contact = self.request("cparam02")[CONTACT]
        assert isinstance(contact, Address)
        self.assertEqual(len(contact.parameters), 0)
        self.assertEqual(
            str(contact.uri), "sip:+19725552222@gw1.example.net;unknownparam"
        )

    def test_regescrt(self) -> None:
        """
        A header inside a Contact's URI stays there.
        """
        message = self.request("regescrt")
        uri = self.uri(message, CONTACT)
        self.assertEqual(uri.headers, (("Route", "%3Csip:sip.example.com%3E"),))
        self.assertNotIn(ROUTE, message)

    def test_sdp01(self) -> None:
        """
        What the caller accepts is known, for the 406.
        """
        (accept,) = self.request("sdp01").all(ACCEPT)
        self.assertEqual(accept, MediaType("text", "nobodyknowsthis"))
        self.assertFalse(accept.includes(MediaType("application", "sdp")))

    def test_inv2543(self) -> None:
        """
        A client of RFC 2543: no tag, no branch, no Max-Forwards, no Content-Length; the
        rest of the datagram is the body.
        """
        message = self.request("inv2543")
        self.assertIsNone(message[FROM].tag)
        self.assertIsNone(message[VIA].branch)
        self.assertNotIn(MAX_FORWARDS, message)
        self.assertNotIn(CONTACT, message)
        self.assertTrue(message.body.startswith(b"v=0\r\n"))
        self.assertTrue(message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n"))
        self.assertEqual(
            str(message[RECORD_ROUTE].uri),
            "sip:UserB@example.com;maddr=ss1.example.com",
        )
