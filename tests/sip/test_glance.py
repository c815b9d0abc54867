"""
Tests for :mod:`sipsorcery.sip.glance`.

What is seen at a glance must be what the values of the fields say. A field whose name
begins with a small letter means nothing and makes any request ask for a longer look.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import example, given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, MAX_FORWARDS, TO, VIA
from sipsorcery.sip.glance import Glance
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from tests.sip.samples import message, request, request_bytes

LONGER_LOOK = "nothing: here\r\n"
USUAL = request_bytes(
    "Contact: <sip:alice@192.0.2.1:5060>", "Expires: 60", "Content-Length: 0"
)
WHOLE = message(
    "INVITE sips:bob:5061;x=y SIP/2.0",
    "Via: SIP/2.0/TLS proxy.example.com;alias;branch=z9hG4bKabove;rport=1",
    "Via: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKbelow;received=192.0.2.8",
    "Record-Route: <sip:192.0.2.9;lr>",
    "Record-Route: <sip:192.0.2.8;lr>",
    "CSeq: 0 INVITE",
    "Call-ID: <a>@'b'",
    "To: Bob B. <sips:bob@example.net:64999>;tag=1",
    "From: <sip:+4420%20@example.com;user=phone>",
    "Max-Forwards: 0",
    "Subject: \x00\udcff",
    "Timestamp: 54",
)
# What may stand in a request, is odd, or breaks it, put anywhere.
oddities = st.sampled_from(
    [
        *(
            b"",
            b" ",
            b"\t",
            b"\r\n",
            b"\r\n ",
            b"\r\n\t",
            b" \r\n",
            b"\r",
            b"\0",
            b"\xff",
        ),
        *(b";", b",", b":", b"=", b"?", b"@", b'"', b"<", b">", b"%", b"&", b"0", b"x"),
        *(b";tag=2", b";tag", b";TAG=3", b";x=y", b"?a=b", b":65536", b":05060", b":0"),
        *(b";branch=z9hG4bKother", b";Branch=1", b"z9hG4bK", b";received=192.0.2.7"),
        *(b"\r\nFrom: <sip:c@d>", b"\r\nFROM: <sip:c@d>", b"\r\nf: <sip:c@d>"),
        *(b"\r\nTo: <sip:c@d>;tag=3", b"\r\nt: <sip:c@d>", b"\r\nT : <sip:c@d>"),
        *(b"\r\nCall-ID: 2", b"\r\ni: 2", b"\r\nCall-Id:2", b"\r\nI: a84b4c76e66710"),
        *(b"\r\nCSeq: 2 BYE", b"\r\nCSEQ: x", b"\r\nCSeq : 314159 OPTIONS"),
        *(b"\r\nVia: x", b"\r\nv: SIP/2.0/UDP 192.0.2.3", b"\r\nVIA: SIP/2.0/UDP y"),
        *(b"\r\nMax-Forwards: 71", b"\r\nMAX-FORWARDS: 256", b"\r\nMax-Forwards: 70"),
        *(b"\r\nExpires: 61", b"\r\nExpires: 60", b"\r\nExpires: x", b"\r\nX"),
        *(b"\r\nTimestamp: 54", b"\r\nl: 0", b"\r\nContent-Length:  0", b"4294967296"),
    ]
)
cuts = st.integers(0, max(len(USUAL), len(WHOLE)))


def both(data: bytes) -> tuple[Request, Request] | None:
    """
    Read a request, and make another of it that nobody sees at a glance.
    """
    try:
        one = parse(data)
    except ParseError:
        return None
    if not isinstance(one, Request):
        return None
    other = Request.from_head(one.head + LONGER_LOOK, one.body)
    assert other.glance() is None
    return one, other


def checked(request: Request) -> object:
    """
    Tell what checking a request says.
    """
    try:
        request.check()
    except ParseError as error:
        return (error.text, error.status)
    return None


def seen_in(request: Request) -> tuple[object, ...]:
    """
    Give by the values of the fields what is seen at a glance.
    """
    via, to = request[VIA], request[TO]
    return (
        request.method,
        (via.branch, via.sent_by, via.is_rfc3261),
        (request[FROM].tag, to.tag, request[CALL_ID]),
        (request[CSEQ].number, request[CSEQ].method, request[MAX_FORWARDS]),
    )


def at_a_glance(seen: Glance) -> tuple[object, ...]:
    """
    Give the same of a glance.
    """
    return (
        seen.method,
        (seen.branch, seen.sent_by, True),
        (seen.from_tag, seen.to_tag, seen.call_id),
        (int(seen.sequence), seen.method, int(seen.max_forwards)),
    )


class GlanceTests(SynchronousTestCase):
    """
    The glance and the longer look.
    """

    def assert_alike(self, data: bytes) -> None:
        """
        Check that it makes no difference how a request is looked at.
        """
        requests = both(data)
        if requests is None:
            return
        one, other = requests
        self.assertEqual(checked(one), checked(other), data)
        for status, tag in ((100, None), (200, "a"), (404, "b")):
            self.assertEqual(
                one.respond(status, to_tag=tag), other.respond(status, to_tag=tag), data
            )
        seen = one.glance()
        if seen is not None:
            self.assertEqual(at_a_glance(seen), seen_in(other), data)
            self.assertEqual(seen_in(one), seen_in(other), data)

    def test_usual(self) -> None:
        """
        Usual requests are seen at a glance, and so are those that came by TCP.
        """
        for data in (USUAL, WHOLE, b"\r\n" + USUAL):
            requests = both(data)
            assert requests is not None
            seen = requests[0].glance()
            assert seen is not None
            self.assertEqual(at_a_glance(seen), seen_in(requests[1]))
            self.assert_alike(data)

    @given(st.sampled_from([USUAL, WHOLE]), cuts, oddities, cuts)
    @example(USUAL, USUAL.index(b"\r\nFrom"), b"\r\nFROM: <sip:c@d>", 0)
    @example(USUAL, USUAL.index(b"\r\nMax-F"), b"\r\nMAX-FORWARDS: 256", 0)
    @example(USUAL, USUAL.index(b"\r\nTo"), b"\r\nExpires: 61", 0)
    @example(USUAL, USUAL.index(b"\r\nTo"), b"\r\nVIA: SIP/2.0/UDP", 0)
    def test_same_outcome(
        self, usual: bytes, at: int, oddity: bytes, skip: int
    ) -> None:
        """
        Whatever is put into a request, or in the place of a part of it, the glance and
        the longer look see the same.
        """
        for rest in (usual[at:], usual[max(at, skip) :]):
            self.assert_alike(usual[:at] + oddity + rest)

    def test_any_order(self) -> None:
        """
        The Via comes first; below it fields may come in any order.
        """
        lines = USUAL.decode().split("\r\n")[:-2]
        for turn in range(len(lines) - 2):
            fields = [*lines[2 + turn :], *lines[2 : 2 + turn]]
            data = message(*lines[:2], *fields)
            requests = both(data)
            assert requests is not None
            self.assertIsNotNone(requests[0].glance())
            self.assert_alike(data)

    def test_odd(self) -> None:
        """
        What is odd, though not wrong, takes a longer look, with the same outcome.
        """
        for old, new in (
            ("OPTIONS sip:bob@", "OPTIONS tel:+1@"),
            ("OPTIONS sip:bob@example.net", "OPTIONS sip:bob@example.net?a=b"),
            ("OPTIONS sip:bob@", "OPTIONS sip:bob:secret@"),
            ("192.0.2.1:5060;", "[2001:db8::1]:5060;"),
            ("192.0.2.1:5060;", "192.0.2.1:05060;"),
            ("192.0.2.1:5060;", "192.0.2.1:0506;"),
            ("192.0.2.1:5060;", "192.0.2.1 : 5060;"),
            (";branch=z9hG4bK776asdhds", ""),
            (";branch=z9hG4bK776asdhds", ";branch=776asdhds"),
            (";branch=z9hG4bK776asdhds", ";branch=z9hG4bK"),
            (";branch=", ";Branch="),
            (";rport", ", SIP/2.0/UDP 192.0.2.2"),
            ("From: ", "f: "),
            ("From: ", "From:"),
            ("From: ", "From: \r\n "),
            ('"Alice"', '"Al\\"ice"'),
            (";tag=19", ";x=y;tag=19"),
            (";tag=1928301774", ";tag=1928301774;x=y"),
            ("CSeq: 314159", "CSeq: 0314159"),
            ("CSeq: 314159", "CSeq:  314159"),
            ("CSeq: 314159", "CSeq: 2147483647"),
            ("Max-Forwards: 70\r\n", ""),
            ("Expires: 60", "Expires: 60\r\nExpires: 60"),
        ):
            data = USUAL.replace(old.encode(), new.encode(), 1)
            self.assertNotEqual(data, USUAL)
            made = parse(data)
            assert isinstance(made, Request)
            self.assertIsNone(made.glance(), data)
            self.assert_alike(data)

    def test_refused(self) -> None:
        """
        What the longer look refuses is not overlooked.
        """
        for old, new in (
            ("sip:bob@example.net SIP", "sip:bob@example.net?Subject=x SIP"),
            ("sip:bob@example.net SIP", "sip:bob@example.net:65536 SIP"),
            ("OPTIONS\r\nContact", "INVITE\r\nContact"),
            ("To: <sip:bob", "To: <bob"),
            ("Call-ID: ", "Call-ID: a b"),
            ("Max-Forwards: 70", "Max-Forwards: 256"),
            ("Expires: 60", "Expires: 60\r\nExpires: 61"),
            ("Expires: 60", "Expires: 60\r\nMAX-FORWARDS: 9"),
            ("Expires: 60", "Expires: 60\r\nT: <sip:other@example.net>"),
            ("Expires: 60", "Expires: 60\r\nVia: x"),
            ("Expires: 60", "Expires"),
        ):
            data = USUAL.replace(old.encode(), new.encode(), 1)
            made = parse(data)
            assert isinstance(made, Request)
            self.assertIsNone(made.glance(), data)
            self.assertRaises(ParseError, made.check)

    def test_after_a_change(self) -> None:
        """
        A request that was changed is looked at again; its copy is not what it was.
        """
        made = request()
        copy = made.copy()
        made.set(CALL_ID, "other")
        made.note_source("192.0.2.99", 33000)
        for one, call_id in ((made, "other"), (copy, "a84b4c76e66710@192.0.2.1")):
            seen = one.glance()
            assert seen is not None
            self.assertEqual(seen.call_id, call_id)
        self.assertIn(b"rport=33000;received=192.0.2.99", made.respond(200).to_bytes())
        made.remove(TO)
        self.assertIsNone(made.glance())
        self.assertRaises(ParseError, made.check)
