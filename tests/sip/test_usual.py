"""
Tests for :mod:`sipsorcery.sip.usual`.

The short way must read and write what the long way does. An empty line in front, which
means nothing, makes any message go the long way.
"""

from __future__ import annotations

import re

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import MAX_FORWARDS, ROUTE, VIA, known_fields
from sipsorcery.sip.limits import MAX_MESSAGE
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.usual import UsualRequest, parse_usual
from tests.sip.samples import request_bytes

OWN_VIA = "SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bKown"
USUAL = request_bytes("Route: <sip:192.0.2.5;lr>", "Content-Length: 2", body=b"hi")

# What turns a usual request into an odd one, put anywhere.
oddities = st.sampled_from(
    [
        *(b"\n", b"\r", b"\r\n", b" ", b"\t", b"\r\n ", b"\n ", b"\r ", b"\n\n", b"\0"),
        *(b"\r\nRoute: <sip:x>", b"\nRoute: <sip:x>\r\n", b"\r\nroute : <sip:x>"),
        *(b"\r\nl: 2", b"\r\nContent-Length: 2", b"\nl:3\r\n", b"\r\nv: SIP/2.0/UDP x"),
        *(b"\nVia: SIP/2.0/UDP x\r\n", b"\r\nMax-Forwards: 1", b"\r\nMAX-FORWARDS:300"),
        *(b";rport", b";received=203.0.113.9", b";rport=1", b"\r\n ;rport", b":65536"),
        *(
            b"\xff",
            b"\xc3\xa9",
            b"0",
            b"7",
            b",",
            b";",
            b":",
            b"\r\nX",
            b"\r\nx:",
            b"%",
        ),
        *(b"\r\nI: other@call", b"\r\ni:x", b"\r\nCALL-id : x", b"\nCall-ID: x\r\n"),
    ]
)
cuts = st.integers(0, len(USUAL))


def long_way(data: bytes) -> Request:
    """
    Parse *data* in a way that the short way does not take.
    """
    request = parse(b"\r\n" + data)
    assert isinstance(request, Request)
    assert not isinstance(request, UsualRequest)
    return request


def outcome(data: bytes) -> list[object]:
    """
    Describe all that can be learned of a message and done to it.
    """
    try:
        message = parse(data)
    except ParseError as error:
        return ["refused", error.text, error.status]
    described: list[object] = [message.body]
    if isinstance(message, Request):
        described += [message.method, message.request_uri]
        described.append(_of(lambda: message.forwarded(OWN_VIA, 69)))
        described.append(_of(lambda: message.forwarded(OWN_VIA, 69, "X: y\r\n")))
        described.append(_of(lambda: _origin(message)))
        described.append(_of(message.to_tag))
        described.append(_of(message.call_id))
        described.append(_of(lambda: _checked_vias(message)))
        described.append(_of(lambda: message.forwarded(OWN_VIA, 7, "", "sip:other@x")))
        for step in (
            lambda: message.get(MAX_FORWARDS),
            lambda: message.get(ROUTE),
            lambda: message.note_source("192.0.2.77", 6000),
            lambda: message.forwarded(OWN_VIA, 69),
            lambda: message.head,
            lambda: message.note_source("192.0.2.78", 6001),
            lambda: message.forwarded(OWN_VIA, 68),
            lambda: message.copy().to_bytes(),
            lambda: _drop_routes(message),
            lambda: message.get(ROUTE),
            lambda: message.forwarded(OWN_VIA, 67),
            lambda: message.head,
        ):
            described.append(_of(step))
    for field in known_fields():
        described.append(_of(lambda field=field: message.get(field)))
        described.append(_of(lambda field=field: message.all(field)))
        described.append(field in message)
    described += [_of(message.items), _of(message.check), message.to_bytes()]
    return described


def _origin(message: Request) -> tuple[str, str]:
    """
    Give what a request has come by, whichever way that is found.
    """
    seen = message.origin()
    if seen is not None:
        return seen
    via = message[VIA]
    return via.branch or "", via.sent_by


def _checked_vias(message: Request) -> int:
    message.check()
    return message.count_vias()


def _drop_routes(message: Request) -> None:
    if isinstance(message, UsualRequest):
        message.drop_routes()
    else:
        message.remove(ROUTE)


def _of(step: object) -> object:
    assert callable(step)
    try:
        return step()
    except ParseError as error:
        return ("refused", error.text, error.status)


class ShortWayTests(SynchronousTestCase):
    """
    The short way and the long way.
    """

    def test_usual(self) -> None:
        """
        A plain request goes the short way.
        """
        self.assertIsInstance(parse(USUAL), UsualRequest)
        self.assertEqual(outcome(USUAL), outcome(b"\r\n" + USUAL))

    @given(cuts, oddities, cuts)
    def test_same_outcome(self, at: int, oddity: bytes, skip: int) -> None:
        """
        Whatever is put into a request, or in the place of a part of it, both ways tell
        and write the same.
        """
        for rest in (USUAL[at:], USUAL[max(at, skip) :]):
            data = USUAL[:at] + oddity + rest
            if data[:1] not in (b"\r", b"\n"):
                self.assertEqual(outcome(data), outcome(b"\r\n" + data), data)

    def test_recorded(self) -> None:
        """
        A request that has passed a proxy is usual.
        """
        lines = b"Record-Route: <sip:192.0.2.9;lr>\r\n"
        data = USUAL.replace(b"Max-Forwards", 2 * lines + b"Max-Forwards")
        self.assertIsInstance(parse(data), UsualRequest)
        self.assertEqual(outcome(data), outcome(b"\r\n" + data))

    def test_dropped_at_once(self) -> None:
        """
        Routes that are taken away before anybody looks are gone from all that follows.
        """
        request, other = parse_usual(USUAL), long_way(USUAL)
        assert request is not None
        self.assertIn(b"Route: ", request.routes)
        self.assertIn("\nRoute: ", request.head)
        self.assertEqual(len(request.all("Route")), 1)
        request.drop_routes()
        self.assertNotIn("\nRoute: ", request.head)
        other.remove(ROUTE)
        self.assertTrue(request.is_untouched)
        self.assertNotIn(ROUTE, request)
        self.assertEqual(list(request.all("Route")), [])
        self.assertEqual(request.forwarded(OWN_VIA, 5), other.forwarded(OWN_VIA, 5))
        request.note_source("192.0.2.77", 6000)
        other.note_source("192.0.2.77", 6000)
        self.assertEqual(request.to_bytes(), other.to_bytes())

    def test_finds(self) -> None:
        """
        A pattern is looked for in the header section, not in the body.
        """
        data = request_bytes("Content-Length: 8", body=b"\nBody: x")
        request = parse_usual(data)
        assert request is not None
        self.assertTrue(request.finds(re.compile(rb"\nCall-ID: ")))
        self.assertFalse(request.finds(re.compile(rb"\nBody: ")))

    def test_bare_line_end(self) -> None:
        """
        A field behind a bare LF is not passed on unseen.
        """
        for field in ("Route: <sip:203.0.113.9>", "Content-Length: 0", "X: y", ""):
            data = request_bytes(f"Subject: x\n{field}", "Content-Length: 0")
            self.assertIsNone(parse_usual(data))
        data = request_bytes("Subject: x\nRoute: <sip:a>", "Content-Length: 0")
        self.assertEqual(str(parse(data).all(ROUTE)[0]), "<sip:a>")

    def test_odd_requests(self) -> None:
        """
        Whatever is not usual goes the long way.
        """
        for old, new in (
            (b"OPTIONS sip:", b"options sip:"),
            (b"SIP/2.0\r\nVia", b"sip/2.0\r\nVia"),
            (b"Via:", b"v:"),
            (b";rport", b";rport=1"),
            (b";rport", b";rport;received=192.0.2.9"),
            (b";rport", b";rport\r\n ;received=192.0.2.9"),
            (b"192.0.2.1:5060;", b"192.0.2.1:65536;"),
            (b"192.0.2.1:5060;", b"[::1]:5060;"),
            (b"Max-Forwards: 70", b"Max-Forwards: 7\r\n 0"),
            (b"Max-Forwards: 70\r\n", b""),
            (b"Route: <", b"route: <"),
            (b"Route: <", b"Route : <"),
            (b"Call-ID", b"Route: <sip:b>\r\nCall-ID"),
            (b"Content-Length: 2", b"l: 2"),
            (b"Content-Length: 2", b"l: 2\r\nContent-Length: 2"),
            (b"Content-Length: 2", b"Content-Length: 2\r\nl: 2"),
            (b"Content-Length: 2", b"Content-Length: 1"),
            (b"Content-Length: 2", b"Content-Length: 2\r\n "),
        ):
            data = USUAL.replace(old, new, 1)
            self.assertNotEqual(data, USUAL)
            self.assertEqual(outcome(data), outcome(b"\r\n" + data), data)

    def test_too_large(self) -> None:
        """
        The limit of a message holds on the short way as well.
        """
        data = request_bytes(f"Content-Length: {MAX_MESSAGE}", body=b"x" * MAX_MESSAGE)
        self.assertIsNone(parse_usual(data))


class LimitTests(SynchronousTestCase):
    """
    The limits are the same on the hot path.
    """

    def test_many_short_fields(self) -> None:
        """
        However short the fields are, 201 of them are too many.
        """
        for line in ("A:", "A: b", "Abc: d", "Abcde: f"):
            with self.assertRaises(ParseError, msg=line) as caught:
                parse(request_bytes(*[line] * 201, "Content-Length: 0"))
            self.assertEqual(caught.exception.status, 513)

    def test_octets_count(self) -> None:
        """
        A field is measured in bytes.
        """
        with self.assertRaises(ParseError) as caught:
            parse(request_bytes("Subject: " + "é" * 5000))
        self.assertEqual(caught.exception.status, 513)


class ForwardTests(SynchronousTestCase):
    """
    What a proxy does to a usual request.
    """

    def test_forwarded(self) -> None:
        """
        Our Via comes on top, the source is noted in the one below, Max-Forwards is
        counted down, all else stays byte for byte.
        """
        request = parse(USUAL)
        assert isinstance(request, UsualRequest)
        request.note_source("198.51.100.7", 33000)
        expected = USUAL.replace(b"Max-Forwards: 70", b"Max-Forwards: 69").replace(
            b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport\r\n",
            b"Via: %s\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds"
            b";rport=33000;received=198.51.100.7\r\n" % OWN_VIA.encode(),
        )
        self.assertEqual(request.forwarded(OWN_VIA, 69), expected)

    def test_source_that_nobody_asked_for(self) -> None:
        """
        Without rport, ``received`` is noted where sent-by is another host, and nothing
        where it is right; on both ways.
        """
        data = USUAL.replace(b";rport", b"")
        for request in (parse(data), long_way(data)):
            assert isinstance(request, Request)
            request.note_source("192.0.2.1", 6000)
            self.assertEqual(request.to_bytes(), data)
            request.note_source("198.51.100.7", 6000)
            self.assertEqual(request[VIA].received, "198.51.100.7")
            self.assertNotIn("rport", request[VIA].parameters)

    def test_forwarding_changes_nothing(self) -> None:
        """
        The request itself stays as it was.
        """
        request = parse(USUAL)
        assert isinstance(request, UsualRequest)
        request.forwarded(OWN_VIA, 69)
        self.assertEqual(request.to_bytes(), USUAL)
        self.assertEqual(request.get(MAX_FORWARDS), 70)

    def test_after_a_change(self) -> None:
        """
        What was changed or removed before is so in what is forwarded.
        """
        for request in (parse(USUAL), long_way(USUAL)):
            assert isinstance(request, Request)
            request.note_source("198.51.100.7", 33000)
            request.remove(ROUTE)
            request.body = b"longer"
            forwarded = parse(request.forwarded(OWN_VIA, 69))
            self.assertEqual(forwarded.get(ROUTE), None)
            self.assertEqual(forwarded.body, b"longer")
            self.assertEqual(len(forwarded.all(VIA)), 2)
            self.assertEqual(forwarded.all(VIA)[1].received, "198.51.100.7")

    def test_source_noted_twice(self) -> None:
        """
        The last source that is noted counts, and is noted once.
        """
        request = parse(USUAL)
        assert isinstance(request, Request)
        request.note_source("198.51.100.7", 33000)
        request.note_source("198.51.100.8", 33001)
        via = request[VIA]
        self.assertEqual((via.received, via.rport), ("198.51.100.8", 33001))
        self.assertEqual(str(via).count("received"), 1)

    def test_copy(self) -> None:
        """
        A copy has what was noted, and is changed alone.
        """
        request = parse(USUAL)
        assert isinstance(request, Request)
        request.note_source("198.51.100.7", 33000)
        copy = request.copy()
        self.assertEqual(copy, request)
        copy.remove(VIA)
        self.assertEqual(request[VIA].rport, 33000)

    def test_compact(self) -> None:
        """
        What lets go of all that was found out in it is the same message, whether or not
        anybody has looked before.
        """
        for look in (False, True):
            request, plain = parse(USUAL), long_way(USUAL)
            assert isinstance(request, UsualRequest)
            for each in (request, plain):
                each.note_source("198.51.100.7", 33000)
                if look:
                    each.check()
                    each.glance()
                each.compact()
            self.assertEqual(request.to_bytes(), plain.to_bytes())
            self.assertEqual(request[VIA].rport, 33000)
            self.assertEqual(request.glance(), plain.glance())
            request.compact(keep_body=False)
            self.assertEqual(request[VIA].rport, 33000)
            self.assertEqual(request.size, len(request.head))
