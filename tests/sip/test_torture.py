"""
The torture tests of RFC 4475, every file of them.

The table says of each file whether a server accepts it, or at which stage it is refused
and with which status; a method of its own says what is read of each accepted one. What
happens to an accepted message further on (405, 415, 416, 420, 483 and so on) is decided
by roles, from the values that are checked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import grammar
from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    ACCEPT,
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    DATE,
    EXPIRES,
    FROM,
    MAX_FORWARDS,
    PROXY_REQUIRE,
    RECORD_ROUTE,
    REQUIRE,
    RETRY_AFTER,
    ROUTE,
    SUBJECT,
    TO,
    VIA,
    WARNING,
    Field,
)
from sipsorcery.sip.framing import Framer
from sipsorcery.sip.message import Message
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI, OtherURI, parse_uri
from tests.vectors import vectors


@dataclass(frozen=True)
class Accepted:
    """
    A message that passes ``parse`` and the ``check`` of whoever *uses* these fields.
    """

    section: str
    uses: tuple[Field[Any], ...] = (CONTACT,)


@dataclass(frozen=True)
class Refused:
    """
    A message that ``parse`` refuses, or the ``check`` of whoever *uses* these fields.
    """

    section: str
    stage: str
    uses: tuple[Field[Any], ...] = ()
    status: int = 400


TABLE: dict[str, Accepted | Refused] = {
    "wsinv": Accepted("3.1.1.1", (CONTACT, ROUTE, CONTENT_TYPE, SUBJECT)),
    "intmeth": Accepted("3.1.1.2"),
    "esc01": Accepted("3.1.1.3"),
    "escnull": Accepted("3.1.1.4"),
    "esc02": Accepted("3.1.1.5"),
    "lwsdisp": Accepted("3.1.1.6"),
    "longreq": Accepted("3.1.1.7"),
    "dblreq": Accepted("3.1.1.8"),
    "semiuri": Accepted("3.1.1.9", (ACCEPT,)),
    "transports": Accepted("3.1.1.10"),
    "mpart01": Accepted("3.1.1.11", (CONTACT, ROUTE, DATE, CONTENT_TYPE)),
    "unreason": Accepted("3.1.1.12"),
    "noreason": Accepted("3.1.1.13"),
    "badinv01": Refused("3.1.2.1", "check"),
    "clerr": Refused("3.1.2.2", "parse"),
    "ncl": Refused("3.1.2.3", "parse"),
    "scalar02": Refused("3.1.2.4", "check"),
    "scalarlg": Refused("3.1.2.5", "check"),
    "quotbal": Refused("3.1.2.6", "check"),
    "ltgtruri": Refused("3.1.2.7", "check"),
    "lwsruri": Refused("3.1.2.8", "parse"),
    # To mend the next two is allowed, too; but then proxies on the way may disagree
    # about what the Request-URI is.
    "lwsstart": Refused("3.1.2.9", "parse"),
    "trws": Refused("3.1.2.10", "parse"),
    "escruri": Refused("3.1.2.11", "check"),
    "baddate": Refused("3.1.2.12", "check", (DATE,)),
    "regbadct": Refused("3.1.2.13", "check", (CONTACT,)),
    # Here the RFC leaves it free to drop the blanks, which nothing else can mean.
    "badaspec": Accepted("3.1.2.14"),
    "baddn": Refused("3.1.2.15", "check"),
    "badvers": Refused("3.1.2.16", "parse", status=505),
    "mismatch01": Refused("3.1.2.17", "check"),
    "mismatch02": Refused("3.1.2.18", "check"),
    "bigcode": Refused("3.1.2.19", "parse"),
    "badbranch": Accepted("3.2.1"),
    "insuf": Refused("3.3.1", "check"),
    "unkscm": Accepted("3.3.2"),
    "novelsc": Accepted("3.3.3"),
    "unksm2": Accepted("3.3.4"),
    "bext01": Accepted("3.3.5", (REQUIRE, PROXY_REQUIRE)),
    "invut": Accepted("3.3.6", (CONTACT, CONTENT_TYPE)),
    "regaut01": Accepted("3.3.7", (CONTACT, AUTHORIZATION)),
    "multi01": Refused("3.3.8", "check"),
    "mcl01": Refused("3.3.9", "parse"),
    "bcast": Accepted("3.3.10"),
    "zeromf": Accepted("3.3.11"),
    "cparam01": Accepted("3.3.12"),
    "cparam02": Accepted("3.3.13"),
    "regescrt": Accepted("3.3.14"),
    "sdp01": Accepted("3.3.15", (CONTACT, ACCEPT)),
    "inv2543": Accepted("3.4.1", (CONTACT, RECORD_ROUTE)),
    # In the archive, but of no section: a request line without version, no CSeq, no
    # Via, a line without colon.
    "test": Refused("-", "parse"),
}

_COPIED = {"v": "via", "f": "from", "t": "to", "i": "call-id", "cseq": "cseq"}


def load(name: str) -> bytes:
    """
    Read one file of the archive.
    """
    return (vectors() / "rfc4475" / f"{name}.dat").read_bytes()


def refuse(data: bytes, stage: Refused) -> ParseError:
    """
    Return the error that *data* is refused with, at the *stage* at which it must be.
    """
    try:
        message = parse(data)
    except ParseError as error:
        assert stage.stage == "parse", error
        return error
    assert stage.stage == "check", "not refused by parse"
    try:
        message.check(*stage.uses)
    except ParseError as error:
        return error
    raise AssertionError("not refused at all")


class TableTests(SynchronousTestCase):
    """
    What holds for all files.
    """

    def test_every_file_is_named(self) -> None:
        """
        The table names the files that there are, and all of them.
        """
        files = {path.stem for path in (vectors() / "rfc4475").glob("*.dat")}
        self.assertEqual(set(TABLE), files)
        self.assertEqual(len(files), 50)

    def test_every_accepted_file_has_values(self) -> None:
        """
        What is read of an accepted file is said by a test of its name.
        """
        named = {name.removeprefix("test_") for name in dir(AcceptedTests)}
        accepted = {name for name, case in TABLE.items() if isinstance(case, Accepted)}
        self.assertEqual(accepted - named, set())

    def test_accepted(self) -> None:
        """
        Whoever ends an accepted message finds all that it uses in order.
        """
        for name, case in TABLE.items():
            if isinstance(case, Accepted):
                parse(load(name)).check(*case.uses)

    def test_refused(self) -> None:
        """
        All others are refused at their stage with their status.
        """
        for name, case in TABLE.items():
            if isinstance(case, Refused):
                error = refuse(load(name), case)
                self.assertEqual(error.status, case.status, name)

    def test_octets_survive(self) -> None:
        """
        What was parsed is written byte for byte as it came.
        """
        for name, case in TABLE.items():
            if isinstance(case, Refused) and case.stage == "parse":
                continue
            data = load(name)
            written = parse(data).to_bytes()
            if name == "dblreq":
                data = data[: data.index(b"\r\n\r\n") + 4]
            elif name == "baddn":  # no blank line in the archive
                data = data.rstrip(b"\r\n") + b"\r\n\r\n"
            elif name == "inv2543":
                head, _, body = data.partition(b"\r\n\r\n")
                length = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
                data = head + length + body
            elif name == "multi01":  # whose archive has an empty line too many
                data = data[: data.index(b"v=0") + 154]
            self.assertEqual(written, data, name)

    def test_answers(self) -> None:
        """
        A refused request is answered with its own Via, From, To, Call-ID and CSeq, as
        far as it has them; what it has twice is answered once.
        """
        for name, case in TABLE.items():
            if isinstance(case, Accepted) or name in ("scalarlg", "bigcode", "test"):
                continue
            answer = error_response(refuse(load(name), case))
            assert answer is not None, name
            self.assertEqual(answer.status, case.status)
            copied = answer.head.split("\r\n")[1:-2]
            self.assertEqual(copied, self._to_copy(load(name)), name)
            self.assertEqual(parse(answer.to_bytes()).body, b"")

    def _to_copy(self, data: bytes) -> list[str]:
        found: dict[str, str] = {}
        for line in data.decode().partition("\r\n\r\n")[0].split("\r\n")[1:]:
            name = line.partition(":")[0].strip().lower()
            found.setdefault(_COPIED.get(name, name), line)
        return [found[name] for name in _COPIED.values() if name in found]

    def test_no_answers(self) -> None:
        """
        A refused response is not answered, nor a request without Via.
        """
        for name in ("scalarlg", "bigcode", "test"):
            case = TABLE[name]
            assert isinstance(case, Refused)
            self.assertIsNone(error_response(refuse(load(name), case)), name)


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
        self.assertEqual(len(message[FROM].tag or ""), 181)
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


class RefusedTests(SynchronousTestCase):
    """
    What is refused for several reasons, or only by some.
    """

    def test_scalar02(self) -> None:
        """
        Every one of the overlarge numbers is refused.
        """
        message = parse(load("scalar02"))
        fields: tuple[Field[Any], ...] = (CSEQ, MAX_FORWARDS, EXPIRES)
        for field in fields:
            with self.assertRaises(ParseError):
                message.get(field)
        contact = message[CONTACT]
        assert isinstance(contact, Address)
        with self.assertRaises(ParseError):
            _ = contact.expires

    def test_scalarlg(self) -> None:
        """
        So is every one in a response.
        """
        message = parse(load("scalarlg"))
        fields: tuple[Field[Any], ...] = (CSEQ, RETRY_AFTER, WARNING)
        for field in fields:
            with self.assertRaises(ParseError):
                message.get(field)

    def test_badinv01(self) -> None:
        """
        Stray separators are refused in Via and in Contact.
        """
        message = parse(load("badinv01"))
        fields: tuple[Field[Any], ...] = (VIA, CONTACT)
        for field in fields:
            with self.assertRaises(ParseError):
                message.all(field)

    def test_baddate(self) -> None:
        """
        A bad Date is no fault to who does not look at it.
        """
        parse(load("baddate")).check(CONTACT, CONTENT_TYPE)

    def test_escruri(self) -> None:
        """
        A header of the Request-URI never becomes one of the message.
        """
        message = parse(load("escruri"))
        self.assertNotIn(ROUTE, message)
        self.assertEqual(message.all(ROUTE), ())

    def test_baddn(self) -> None:
        """
        The file of the archive lacks its blank line, and is read all the same.
        """
        self.assertEqual(parse(load("baddn"))[CALL_ID], "baddn.31415@c.example.com")

    def test_multi01(self) -> None:
        """
        Each field that may not be doubled is a reason of its own.
        """
        data = load("multi01")
        for name in (b"From", b"To", b"Call-ID", b"CSeq", b"Max-Forwards"):
            lines = data.split(b"\r\n")
            seen: set[bytes] = set()
            kept = []
            for line in lines:
                start = line.partition(b":")[0]
                if start != name and start in seen and line:
                    continue
                seen.add(start)
                kept.append(line)
            with self.assertRaises(ParseError, msg=name):
                parse(b"\r\n".join(kept).replace(b"l: 154\r\n", b"")).check()

    def test_lengths_on_a_stream(self) -> None:
        """
        A body that is too short is waited for on a stream; a length that is none, or
        two, ends it.
        """
        framer = Framer()
        self.assertEqual(framer.receive(load("clerr"), 0.0), [])
        self.assertFalse(framer.broken)
        for name in ("ncl", "mcl01"):
            framer = Framer()
            (error,) = framer.receive(load(name), 0.0)
            self.assertIsInstance(error, ParseError)
            self.assertTrue(framer.broken)
