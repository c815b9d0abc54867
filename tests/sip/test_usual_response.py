"""
Tests for :mod:`sipsorcery.sip.usual_response`.

The short way must read and write what the long way does. An empty line in front, which
means nothing, makes any message go the long way.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import TO, VIA, known_fields
from sipsorcery.sip.parser import parse
from sipsorcery.sip.response import Response
from sipsorcery.sip.usual_response import UsualResponse, parse_usual_response
from sipsorcery.sip.via import Via

_OWN = "SIP/2.0/UDP 203.0.113.1:5060;rport;branch=z9hG4bKf12;flow=AQ_-"
_BELOW = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.1;rport=6000"


def response_bytes(*lines: str, start: str = "SIP/2.0 200 OK") -> bytes:
    """
    Write a response with these lines between others.
    """
    return "\r\n".join(
        [
            start,
            f"Via: {_OWN}",
            f"Via: {_BELOW}",
            "Via: SIP/2.0/TCP pc.example.com;branch=z9hG4bKb",
            "From: <sip:a@example.com>;tag=1",
            *lines,
            "To: <sip:b@example.com>;tag=2",
            "Call-ID: 1@192.0.2.1",
            "CSeq: 1 OPTIONS",
            "Proxy-Authenticate: Digest realm=x, nonce=y",
            "Content-Length: 2",
            "Record-Route: <sip:203.0.113.1;lr>",
            "\r\nhi",
        ]
    ).encode()


_USUAL = response_bytes("Contact: <sip:b@192.0.2.7>")

# What turns a usual response into an odd one, put anywhere.
_ODDITIES = st.sampled_from(
    [
        *(b"\n", b"\r", b"\r\n", b" ", b"\t", b"\r\n ", b"\n ", b"\r ", b"\n\n", b"\0"),
        *(b"\r\nl: 2", b"\r\nContent-Length: 2", b"\nl:3\r\n", b"\r\nv: SIP/2.0/UDP x"),
        *(b"\nVia: SIP/2.0/UDP x\r\n", b"\r\nVia: SIP/2.0/UDP x", b", SIP/2.0/UDP x"),
        *(b"\r\nProxy-Received-From: x", b"\r\nP-Asserted-Identity: <sip:a@b>"),
        *(b"\r\nPROXY-SENDFROM: x", b"\r\nProxy-ReceivedOn : x", b":65536", b'"'),
        *(b";received=1.2.3.4", b";maddr=1.2.3.4", b";rport=1", b";branch=z9hG4bKx"),
        *(b"\xff", b"\xc3\xa9", b"0", b"7", b",", b";", b":", b"\r\nX", b"\r\nx:"),
    ]
)
_CUTS = st.integers(0, len(_USUAL))


def outcome(data: bytes) -> list[object]:
    """
    Describe all that can be learned of a response and done to it.
    """
    try:
        message = parse(data)
    except ParseError as error:
        return ["refused", error.text, error.status]
    described: list[object] = [message.body]
    if isinstance(message, Response):
        described += [message.status, message.reason, message.copy()]
        described += [_of(message.method), _of(message.check)]
        described.append(_of(lambda: _checked_vias(message)))
        described.append(_of(lambda: message.without_top_via().to_bytes()))
        described.append(_of(lambda: _branch(message)))
    for field in known_fields():
        described.append(_of(lambda field=field: message.get(field)))
        described.append(_of(lambda field=field: message.all(field)))
    described += [_of(message.items), _of(message.check), message.to_bytes()]
    described += [_of(lambda: message.pop_first(VIA)), message.to_bytes()]
    return described


def _branch(message: Response) -> str | None:
    origin = message.origin()
    return message[VIA].branch if origin is None else origin[0]


def _checked_vias(message: Response) -> int:
    message.check()
    return message.count_vias()


def _of(step: object) -> object:
    assert callable(step)
    try:
        return step()
    except (ParseError, AssertionError) as error:
        return ("refused", str(error))
    except Exception as error:  # such as that there is no Via
        return type(error).__name__


class ShortWayTests(SynchronousTestCase):
    """
    The short way and the long way.
    """

    def test_usual(self) -> None:
        """
        A plain response goes the short way.
        """
        self.assertIsInstance(parse(_USUAL), UsualResponse)
        self.assertEqual(outcome(_USUAL), outcome(b"\r\n" + _USUAL))

    @given(_CUTS, _ODDITIES, _CUTS)
    def test_same_outcome(self, at: int, oddity: bytes, skip: int) -> None:
        """
        Whatever is put into a response, or in the place of a part of it, both ways
        tell and write the same.
        """
        for rest in (_USUAL[at:], _USUAL[max(at, skip) :]):
            data = _USUAL[:at] + oddity + rest
            if data[:1] not in (b"\r", b"\n"):
                self.assertEqual(outcome(data), outcome(b"\r\n" + data), data)

    @given(_CUTS, _ODDITIES)
    def test_passed_back(self, at: int, oddity: bytes) -> None:
        """
        What is passed back is what is left when the first Via is taken away; it and the
        next one are those that the long way finds, and can be read.
        """
        data = _USUAL[:at] + oddity + _USUAL[at:]
        usual = parse_usual_response(data)
        if usual is None:
            return
        other = parse(b"\r\n" + data)
        self.assertEqual(usual.vias, other.all("Via")[:2])
        for via in usual.vias:
            Via.parse(via)  # it is one
        other.pop_first(VIA)
        self.assertEqual(usual.passed_back(), other.to_bytes())

    def test_odd_responses(self) -> None:
        """
        Whatever is not usual goes the long way.
        """
        for line in (
            "Proxy-ReceivedFrom: udp:192.0.2.1:5060",
            "PROXY-RECEIVEDON: udp:192.0.2.1:5060",
            "Proxy-SendFrom: x",
            "P-Asserted-Identity: <sip:a@example.com>",
            "p-asserted-identity: <sip:a@example.com>",
            "P-Preferred-Identity: <sip:a@example.com>",
            "l: 2",
            "Content-Length: 2",
            "Subject: a\nb: c",
            " folded",
        ):
            self.assertIsNone(parse_usual_response(response_bytes(line)), line)
        for old, new in (
            (b"SIP/2.0 200", b"sip/2.0 200"),
            (b"SIP/2.0 200 OK", b"SIP/2.0 700 OK"),
            (b"Via: SIP/2.0/TCP", b"v: SIP/2.0/TCP"),
            (b"\r\nhi", b"\r\nh"),
            (_OWN.encode(), f"{_OWN}, {_OWN}".encode()),
            (_BELOW.encode(), f"{_BELOW}, {_OWN}".encode()),
            (b"192.0.2.1;branch", b"[2001:db8::1];branch"),
            (b"192.0.2.1;branch", b"192.0.2.1:65536;branch"),
        ):
            self.assertIn(old, _USUAL)
            self.assertIsNone(parse_usual_response(_USUAL.replace(old, new)), new)

    def test_checked_at_once(self) -> None:
        """
        A usual response is checked without a look at each field, an odd one is not.
        """
        two = _USUAL.replace(
            b"Via: SIP/2.0/TCP pc.example.com;branch=z9hG4bKb\r\n", b""
        )
        for data, at_once in (
            (two, True),
            (_USUAL, False),
            (two.replace(b"To: ", b"To:\t"), False),
        ):
            response = parse_usual_response(data)
            assert response is not None
            response.check()
            self.assertEqual(not response._values, at_once)
        for old, new in (
            (b"CSeq: 1 OPTIONS", b"CSeq: x OPTIONS"),
            (b"Call-ID: 1", b"Subject: 1"),
            (b"To: <sip:b@", b"To: <sip:b@[/"),
            (b"To: <sip:b", b"FROM: <sip:c@d>;tag=5\r\nTo: <sip:b"),
        ):
            self.assertIn(old, two)
            response = parse_usual_response(two.replace(old, new))
            assert response is not None
            self.assertRaises(ParseError, response.check)

    def test_one_via(self) -> None:
        """
        A response that is not to be passed on is none.
        """
        lines = _USUAL.decode().split("\r\n")
        alone = [line for line in lines if not line.startswith("Via: ")]
        alone.insert(1, f"Via: {_OWN}")
        self.assertIsNone(parse_usual_response("\r\n".join(alone).encode()))

    def test_changed(self) -> None:
        """
        Once it has been changed it is what the change made of it.
        """
        response = parse_usual_response(_USUAL)
        assert response is not None
        self.assertTrue(response.is_untouched)
        self.assertIn("tag=2", response.head)
        self.assertTrue(response.is_untouched)
        response.set(TO, response[TO])
        self.assertFalse(response.is_untouched)
        self.assertEqual(response.to_bytes(), _USUAL)
