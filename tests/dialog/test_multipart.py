"""
Tests for `sipsorcery.dialog.multipart`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.bodies import description_in
from sipsorcery.dialog.multipart import Content, read_multipart
from sipsorcery.sdp import ParseError as SDPParseError
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CONTENT_TYPE
from sipsorcery.sip.multipart import Part, write_multipart
from sipsorcery.sip.parameterised import MediaType
from tests.dialog.messages import description, request

SDP = "".join(f"{line}\r\n" for line in description()).encode("ascii")
OTHER_SDP = SDP.replace(b"o=- 1 ", b"o=- 2 ")
UNKNOWN = Content(is_understood=False)


def part(type: str, body: bytes = b"x", *fields: tuple[str, str]) -> Part:
    """
    Make a part.
    """
    return Part.make(body, [("Content-Type", type), *fields])


def disposition(value: str) -> tuple[str, str]:
    """
    Say what a part is for.
    """
    return ("Content-Disposition", value)


def nested(subtype: str, *parts: Part) -> Part:
    """
    Make a part of parts.
    """
    type, body = write_multipart(parts, subtype)
    return part(str(type), body)


def read(subtype: str, *parts: Part) -> Content:
    """
    Write parts and read them.
    """
    return read_multipart(*write_multipart(parts, subtype))


class MixedTests(SynchronousTestCase):
    """
    Parts that are all to be acted upon (RFC 2046, 5.1.3).
    """

    def test_alone(self) -> None:
        """
        A description needs no Content-Disposition (RFC 3261, 20.11).
        """
        self.assertEqual(read("mixed", part("application/sdp", SDP)), Content(SDP))

    def test_beside_optional(self) -> None:
        """
        What is optional may be of a type that we do not know, before or behind.
        """
        isup = part("application/isup", b"\0", disposition("signal;handling=optional"))
        sdp = part("application/sdp", SDP, disposition("session"))
        self.assertEqual(read("mixed", isup, sdp), Content(SDP))
        self.assertEqual(read("mixed", sdp, isup), Content(SDP))

    def test_beside_required(self) -> None:
        """
        What is required may not be, nor what says nothing of it (RFC 5621, 5).
        """
        sdp = part("application/sdp", SDP)
        for fields in ([], [disposition("signal;handling=required")]):
            other = part("application/isup", b"\0", *fields)
            self.assertEqual(read("mixed", sdp, other), Content(SDP, False))

    def test_other_purpose(self) -> None:
        """
        A description that is not for the session is none (RFC 3959).
        """
        early = part(
            "application/sdp", OTHER_SDP, disposition("early-session;handling=optional")
        )
        sdp = part("application/sdp", SDP)
        self.assertEqual(read("mixed", early, sdp), Content(SDP))
        self.assertEqual(read("mixed", early), Content())

    def test_without_description(self) -> None:
        """
        There need be none.
        """
        note = part("text/plain", b"hello", disposition("render;handling=optional"))
        self.assertEqual(read("mixed", note), Content())

    def test_unknown_subtype(self) -> None:
        """
        A subtype that we do not know is read as mixed (RFC 2046, 5.1.7).
        """
        self.assertEqual(read("unheard-of", part("application/sdp", SDP)), Content(SDP))

    def test_encoded(self) -> None:
        """
        A part in another coding is one that we cannot read.
        """
        for field in ("Content-Encoding: gzip", "Content-Transfer-Encoding: base64"):
            name, value = field.split(": ")
            sdp = part("application/sdp", SDP, (name, value))
            self.assertEqual(read("mixed", sdp), UNKNOWN)
        plain = part("application/sdp", SDP, ("Content-Transfer-Encoding", "binary"))
        self.assertEqual(read("mixed", plain), Content(SDP))


class ChoiceTests(SynchronousTestCase):
    """
    Parts of which one counts.
    """

    def test_alternative(self) -> None:
        """
        The last alternative that is understood is the best (RFC 2046, 5.1.4).
        """
        first, second = (part("application/sdp", one) for one in (OTHER_SDP, SDP))
        other = part("application/isup")
        self.assertEqual(read("alternative", first, second), Content(SDP))
        self.assertEqual(read("alternative", first, other), Content(OTHER_SDP))
        self.assertEqual(read("alternative", other), UNKNOWN)

    def test_related(self) -> None:
        """
        Of related parts the root counts: the first, or the one that is named.
        """
        sdp = part("application/sdp", SDP)
        picture = part("image/png", b"\x89", ("Content-ID", "<icon>"))
        self.assertEqual(read("related", sdp, picture), Content(SDP))
        self.assertEqual(read("related", picture, sdp), UNKNOWN)
        named = part("application/sdp", SDP, ("Content-ID", "<it>"))
        type, body = write_multipart([picture, named], "related")
        started = MediaType(
            "multipart", "related", type.parameters.set("start", '"<it>"')
        )
        self.assertEqual(read_multipart(started, body), Content(SDP))

    def test_nested(self) -> None:
        """
        Parts have parts.
        """
        choice = nested("alternative", part("text/plain"), part("application/sdp", SDP))
        note = part("text/plain", b"x", disposition("render;handling=optional"))
        self.assertEqual(read("mixed", note, choice), Content(SDP))

    def test_too_deep(self) -> None:
        """
        But not without end.
        """
        inner = part("application/sdp", SDP)
        for _ in range(6):
            inner = nested("mixed", inner)
        with self.assertRaises(ParseError):
            read("mixed", inner)


class MessageTests(SynchronousTestCase):
    """
    Messages with such bodies.
    """

    def test_description(self) -> None:
        """
        The description in a message is found.
        """
        isup = part("application/isup", b"\0", disposition("signal;handling=optional"))
        type, body = write_multipart([isup, part("application/sdp", SDP)])
        message = request()
        message.set(CONTENT_TYPE, type)
        message.body = body
        found = description_in(message)
        assert found is not None
        self.assertEqual(bytes(found), SDP)

    def test_broken(self) -> None:
        """
        A body that breaks off is refused like a broken description.
        """
        type, body = write_multipart([part("application/sdp", SDP)])
        message = request()
        message.set(CONTENT_TYPE, type)
        message.body = body[:-10]
        with self.assertRaises(SDPParseError) as caught:
            description_in(message)
        self.assertEqual(caught.exception.status, 400)
