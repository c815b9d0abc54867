"""
Tests for :mod:`sipsorcery.sip.fields`.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import fields
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import Field, ListField, key_of, known_fields, text_field
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse_head

#: The compact forms of the registry (iana.org/assignments/sip-parameters).
COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}

A = "<sip:a@example.com>"
B = '"B, C" <sip:b@example.com;lr>;x="1,2"'
URI = "<http://www.example.com/a>;purpose=icon"
DIGEST = 'Digest realm="a", nonce="b"'

#: For every field: how many values each of these texts has.
SAMPLES: dict[str, dict[str, int]] = {
    "Accept": {"application/sdp;level=1, */*": 2, "": 0},
    "Accept-Contact": {"*;audio;require": 1, "*;mobility=fixed, *;q=1": 2},
    "Accept-Encoding": {"gzip": 1, "": 0},
    "Accept-Language": {"da, en-gb;q=0.8, *": 3, "": 0},
    "Alert-Info": {URI: 1, f"{URI}, <urn:alert:source:internal>": 2},
    "Allow": {"INVITE, ACK,,BYE,": 3, "": 0},
    "Allow-Events": {"presence, dialog": 2},
    "Authentication-Info": {'nextnonce="47364c23432d2e131a5fb210812c"': 1},
    "Authorization": {'Digest username="a", realm="b", nonce="c"': 1, DIGEST: 1},
    "CRM-CompanyName": {"Example": 1},
    "CRM-PersonName": {"Alice": 1},
    "CRM-PictureURL": {"http://example.com/alice.png": 1},
    "CSeq": {"4711 INVITE": 1},
    "Call-ID": {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com": 1},
    "Call-Info": {f"{URI},{URI}": 2},
    "Contact": {"*": 1, f"{A};expires=3600, {B};q=0.7": 2},
    "Content-Disposition": {"session;handling=optional": 1},
    "Content-Encoding": {"gzip, deflate": 2},
    "Content-Language": {"fr, en-US": 2},
    "Content-Length": {"0": 1, "349": 1},
    "Content-Type": {"text/html; charset=ISO-8859-4": 1},
    "Date": {"Sat, 13 Nov 2010 23:29:00 GMT": 1},
    "Diversion": {f"{A};reason=user-busy, {B};privacy=off": 2},
    "Error-Info": {URI: 1},
    "Event": {"presence.winfo;id=1": 1},
    "Expires": {"5": 1},
    "Feature-Caps": {'*;+g.3gpp.srvcc="<x>", *;+sip.fid': 2},
    "Flow-Timer": {"126": 1},
    "From": {A: 1, B: 1, "sip:a@example.com;tag=1": 1},
    "Geolocation": {"<cid:target123@atlanta.example.com>": 1, f"{URI},{A}": 2},
    "History-Info": {
        "<sip:a@b?Reason=SIP%3Bcause%3D302>;index=1,<sip:c@d>;index=1.1": 2
    },
    "Identity": {"eyJhbGci.eyJhdHRlc3Qi.sign;info=<https://a/b.crt>;alg=ES256": 1},
    "Identity-Info": {"<https://atlanta.example.com/atlanta.cer>;alg=rsa-sha1": 1},
    "In-Reply-To": {"70710@saturn.example.com, 17320@saturn.example.com": 2},
    "Info-Package": {"foo;bar=1": 1},
    "Join": {"12adf2f34456gs5;to-tag=12345;from-tag=54321": 1},
    "MIME-Version": {"1.0": 1},
    "Max-Breadth": {"69": 1},
    "Max-Forwards": {"70": 1},
    "Min-Expires": {"60": 1},
    "Min-SE": {"90;x=y": 1},
    "Organization": {"Boxes, by Bob": 1},
    "P-Asserted-Identity": {f'"A" {A}, tel:+14085264000': 2},
    "P-Associated-URI": {f"{A}, {B}": 2},
    "P-Preferred-Identity": {A: 1},
    "Path": {f"<sip:P1.EXAMPLEVISITED.COM;lr>,{A}": 2},
    "Priority": {"emergency": 1},
    "Privacy": {"id;critical": 1},
    "Proxy-Authenticate": {DIGEST: 1},
    "Proxy-Authentication-Info": {'rspauth="a", nc=00000001': 1},
    "Proxy-Authorization": {DIGEST: 1},
    "Proxy-ReceivedFrom": {"udp:192.0.2.1:5060": 1},
    "Proxy-ReceivedOn": {"udp:192.0.2.2:5060": 1},
    "Proxy-ReceivedTrunk": {"yes": 1},
    "Proxy-Require": {"foo": 1},
    "Proxy-SendFrom": {"udp:192.0.2.3:5060": 1},
    "RAck": {"776656 1 INVITE": 1},
    "RSeq": {"988789": 1},
    "Reason": {'SIP ;cause=200 ;text="a, b", Q.850;cause=16': 2},
    "Record-Route": {f"<sip:a;lr>, {B}, <sip:c;lr=on;ftag=1>": 3},
    "Recv-Info": {"foo, bar;x=1": 2, "": 0},
    "Refer-Sub": {"false": 1},
    "Refer-To": {"<sip:a@b?Replaces=1%40c%3Bto-tag%3D2%3Bfrom-tag%3D3>;m=x": 1},
    "Referred-By": {f"{A};cid=1": 1},
    "Reject-Contact": {"*;actor=msg-taker;video": 1},
    "Remote-Party-ID": {f"{A};party=calling;id-type=subscriber;privacy=full": 1},
    "Replaces": {"425928@bobster.example.org;to-tag=7743;from-tag=6472": 1},
    "Reply-To": {f"Bob {A}": 1},
    "Request-Disposition": {"proxy, recurse, parallel": 3},
    "Require": {"100rel": 1},
    "Retry-After": {"18000;duration=3600": 1, "120 (I'm in a meeting)": 1},
    "Route": {"<sip:a;lr>,<sip:b>, <sip:c;lr=on>": 3, "sip:a": 1},
    "SIP-ETag": {"dx200xyz": 1},
    "SIP-If-Match": {"dx200xyz": 1},
    "Security-Client": {"ipsec-3gpp;alg=hmac-sha-1-96, tls;q=0.1": 2},
    "Security-Server": {"tls;q=0.2": 1},
    "Security-Verify": {"tls;q=0.2": 1},
    "Server": {"HomeServer v2 (x, y)": 1},
    "Service-Route": {"<sip:P2.HOME.EXAMPLE.COM;lr>, <sip:HSP.HOME.EXAMPLE.COM;lr>": 2},
    "Session-Expires": {"4000;refresher=uac": 1},
    "Session-ID": {"ab30317f1a784dc48ff824d0d3715d86;remote=0": 1},
    "Subject": {"Need more boxes, now": 1, "": 1},
    "Subscription-State": {"active;expires=60": 1},
    "Supported": {"replaces, 100rel,": 2, "": 0, ",": 0},
    "Switchboard-LineName": {"Sales": 1},
    "Switchboard-OriginalCallID": {"1@2": 1},
    "Switchboard-Owner": {"alice": 1},
    "Switchboard-Terminate": {"both": 1},
    "Target-Dialog": {"fa77as7dad8-sd98ajzz@host;local-tag=kkaz-;remote-tag=6544": 1},
    "Timestamp": {"54": 1, "54 0.5": 1},
    "To": {A: 1, "sip:a@example.com": 1},
    "Unsupported": {"foo": 1},
    "User-Agent": {"Softphone, Beta1.5 (x; y)": 1},
    "User-to-User": {"56a390f3d2b7310023a2;encoding=hex": 1},
    "Via": {"SIP/2.0/UDP a, SIP / 2.0 / TCP b:5061;branch=z9hG4bK1": 2},
    "WWW-Authenticate": {DIGEST: 1},
    "Warning": {'307 isi.edu "a, b", 301 isi.edu "c"': 2},
}

#: For fields that have a grammar: what breaks it.
BROKEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("From", "To", "Reply-To", "Refer-To"), ("", "x", "<sip:a", f"{A},{A}")
    ),
    **dict.fromkeys(("Contact", "Route", "Path"), (f"{A},", f",{A}", '"', "<sip:a")),
    **dict.fromkeys(
        ("Expires", "Max-Forwards", "RSeq", "Content-Length"), ("", "-1", "x")
    ),
    **dict.fromkeys(("Supported", "Require", "Allow"), ("a b", "a;b", "a, <b>")),
    **dict.fromkeys(("Authorization", "WWW-Authenticate"), ("",)),
    **dict.fromkeys(("Event", "Replaces", "Recv-Info"), (";a", "a;")),
    "Accept": ("text", "text/plain,,"),
    "CSeq": ("1", "INVITE"),
    "Call-ID": ("", "a b"),
    "Content-Type": ("", "text"),
    "Date": ("", "today"),
    "RAck": ("1 INVITE",),
    "Via": ("SIP/2.0/UDP a,", ",", "SIP/2.0/UDP"),
    "Warning": ("307 a b",),
}


def request_of(*lines: str) -> Message:
    """
    Make a request of nothing but these *lines*; its body is not looked at.
    """
    head = "".join(f"{line}\r\n" for line in ("OPTIONS sip:a SIP/2.0", *lines))
    return parse_head(head)


class TableTests(SynchronousTestCase):
    """
    The table of fields.
    """

    def values(self, field: Field[Any], *lines: str) -> tuple[Any, ...]:
        """
        Return all values of *field* in a message of these *lines*.
        """
        return request_of(*lines).all(field)

    def test_every_field_has_a_sample(self) -> None:
        """
        Every field of the table is tested here, and no other.
        """
        self.assertEqual({field.name for field in known_fields()}, set(SAMPLES))

    def test_every_field_is_public(self) -> None:
        """
        Every field has a constant, named as the field is.
        """
        for field in known_fields():
            name = field.name.replace("-", "_").upper()
            constants = {key.replace("_", "") for key in vars(fields) if key.isupper()}
            self.assertIn(name.replace("_", ""), constants)

    def test_samples(self) -> None:
        """
        Every value is read, by lines and by commas, and read again when written.
        """
        for field in known_fields():
            for text, count in SAMPLES[field.name].items():
                values = self.values(field, f"{field.name}: {text}")
                self.assertEqual(len(values), count, f"{field.name}: {text}")
                for value in values:
                    again = self.values(field, f"{field.name}: {field.write(value)}")
                    self.assertEqual(again, (value,))

    def test_spellings(self) -> None:
        """
        A name is read long and compact, in any case, with blanks before the colon,
        with and without a blank behind it, folded at its front.
        """
        for field in known_fields():
            text = next(iter(SAMPLES[field.name]))
            expected = self.values(field, f"{field.name}: {text}")
            for name in filter(None, (field.name, field.compact)):
                for line in (
                    f"{name.upper()}: {text}",
                    f"{name.lower()}:{text}",
                    f"{name.swapcase()} \t:\t{text} ",
                    f"{name}:\r\n {text}",
                    f"{name}:\r\n\t{text}\r\n ",
                ):
                    self.assertEqual(self.values(field, line), expected, line)
                    self.assertEqual(self.values(field, f"X-Y: z\r\n{line}"), expected)

    def test_several_lines(self) -> None:
        """
        Values in several lines, in whatever spelling, come from the top down.
        """
        for field in known_fields():
            if not isinstance(field, ListField):
                continue
            (one, *_) = (text for text, count in SAMPLES[field.name].items() if count)
            values = self.values(field, f"{field.name}: {one}")
            name = field.compact or field.name
            lines = (f"{field.name}: {one}", f"{name} : {one}", f"{name.upper()}:{one}")
            self.assertEqual(self.values(field, *lines), values * 3)

    def test_broken(self) -> None:
        """
        What breaks the grammar of a field is a 400, with the message it came in.
        """
        for field in known_fields():
            for text in BROKEN.get(field.name, ()):
                request = request_of(f"{field.name}: {text}")
                with self.assertRaises(
                    ParseError, msg=f"{field.name}: {text}"
                ) as caught:
                    request.all(field)
                self.assertEqual(caught.exception.status, 400)
                self.assertIs(caught.exception.partial, request)
                self.assertTrue(str(caught.exception).startswith(f"{field.name}: "))

    def test_broken_names_fields(self) -> None:
        """
        The table of broken values names fields that there are.
        """
        self.assertEqual(set(BROKEN) - set(SAMPLES), set())


class RememberedTests(SynchronousTestCase):
    def test_same_as_read_anew(self) -> None:
        """
        What is remembered of short texts is what a long look gives, time after time.
        """
        for field, text in (
            (fields.ALLOW, "INVITE, ACK,,BYE,"),
            (fields.CSEQ, "1 INVITE"),
            (fields.CONTENT_TYPE, "application/sdp;charset=utf-8"),
            (fields.SESSION_EXPIRES, "1800;refresher=uac"),
        ):
            each = tuple(field.parse(value) for value in field.split(text))
            with self.subTest(field=field.name):
                self.assertEqual([field.read(text), field.read(text)], [each, each])

    def test_long(self) -> None:
        """
        A long text is read as well as a short one.
        """
        methods = tuple(f"M{number}" for number in range(200))
        self.assertEqual(fields.ALLOW.read(",".join(methods)), methods)

    def test_broken(self) -> None:
        """
        A broken text is broken each time.
        """
        for _ in range(2):
            self.assertRaises(ParseError, fields.CSEQ.read, "1")
            self.assertRaises(ParseError, fields.ALLOW.read, "INVITE, <b>")


class NameTests(SynchronousTestCase):
    """
    The names of fields.
    """

    def test_compact_forms(self) -> None:
        """
        The compact forms are all those of the registry.
        """
        found = {field.compact: field.name for field in known_fields() if field.compact}
        self.assertEqual(found, COMPACT)

    def test_keys(self) -> None:
        """
        The key of a name is the long name in lower case, for any spelling.
        """
        for spelling in ("Via", "VIA", "v", "V ", "vIa\t"):
            self.assertEqual(key_of(spelling), "via")
        self.assertEqual(key_of("X-Foo "), "x-foo")
        self.assertEqual(key_of("X" * 100), "x" * 100)

    def test_no_name(self) -> None:
        """
        A name is a token.
        """
        for spelling in ("", " ", "a b", " Via", "a@b", "a\0", "\u00e9", "a\x0b"):
            with self.assertRaises(ParseError, msg=spelling):
                key_of(spelling)

    def test_what_is_remembered(self) -> None:
        """
        However many names are invented, few are remembered, and no long ones.
        """
        key_of("X" * 64)
        for number in range(fields._REMEMBERED + 100):
            self.assertEqual(key_of(f"X-{number}"), f"x-{number}")
        self.assertEqual(len(fields._remembered), fields._REMEMBERED)
        self.assertNotIn("X" * 64, fields._remembered)
        self.assertEqual(key_of("vIA"), "via")

    def test_rare_name(self) -> None:
        """
        An escape in a name is no escape: ``C%6Fntact`` is no Contact
        (RFC 4475, 3.1.1.5).
        """
        self.assertEqual(key_of("C%6Fntact"), "c%6fntact")

    def test_text_field(self) -> None:
        """
        A field of a name has the forms of the one that the table knows.
        """
        for name in ("Call-ID", "call-id", "I", "i"):
            field = text_field(name)
            self.assertEqual((field.name, field.key), ("Call-ID", "call-id"))
            self.assertEqual(field.compact, "i")
        self.assertEqual(text_field("X-Foo").key, "x-foo")
        self.assertIsNone(text_field("X-Foo").compact)

    def test_no_text_field(self) -> None:
        """
        A name that could not be written is refused.
        """
        for name in ("", "a b", "a:b", "a\r\nb", "X-Foo "):
            with self.assertRaises(LocalProtocolError):
                text_field(name)

    def test_single(self) -> None:
        """
        What a message holds at most once: not lists, free text or what several
        schemes may ask.
        """
        for field in (fields.FROM, fields.CSEQ, fields.EXPIRES, fields.REFER_TO):
            self.assertIn(field.key, fields.SINGLE)
        for other in (
            fields.VIA,
            fields.SUPPORTED,
            fields.SUBJECT,
            fields.AUTHORIZATION,
        ):
            self.assertNotIn(other.key, fields.SINGLE)

    def test_repr(self) -> None:
        """
        A field says which it is.
        """
        self.assertEqual(repr(fields.VIA), "<ListField Via>")
