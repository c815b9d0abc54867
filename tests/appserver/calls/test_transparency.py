"""
Tests for `sipsorcery.appserver.calls.transparency`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.calls import transparency
from sipsorcery.dialog.bodies import description_in
from sipsorcery.sdp import Connection, SessionDescription
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request

MESSAGE = (
    "{method} sip:100@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    "Route: <sip:192.0.2.9;lr>\r\n"
    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:100@example.com>\r\n"
    "Contact: <sip:a@192.0.2.1>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n"
    "Max-Forwards: 70\r\nAllow: INVITE, FOO\r\nSupported: foo\r\n"
    "Session-Expires: 90\r\nUser-Agent: them\r\nAuthorization: Digest realm=x\r\n"
    "Proxy-ReceivedFrom: udp:192.0.2.1:5060\r\n"
    "{fields}Content-Length: {length}\r\n\r\n"
)


def message(*fields: str, method: str = "INVITE", body: str = "") -> Request:
    """
    Make a request with everything that must not pass, and some fields.
    """
    lines = "".join(f"{one}\r\n" for one in fields)
    head = MESSAGE.format(method=method, fields=lines, length=len(body))
    read = parse((head + body).encode())
    assert isinstance(read, Request)
    return read


class FieldTests(SynchronousTestCase):
    """
    Fields that pass, and that do not.
    """

    def test_nothing_of_ours(self) -> None:
        """
        What makes the dialog, the route or the transaction never passes; nor does what
        the sender can do, or how it proves who it is.
        """
        for pick in (
            transparency.of_call,
            transparency.of_bye,
            transparency.within,
        ):
            self.assertEqual(pick(message()), [])

    def test_of_call(self) -> None:
        """
        What is said about the call passes as it is spelled, every line, in order, and
        under compact names, too.
        """
        fields = [
            ("Diversion", "<sip:x@y>;reason=busy"),
            ("History-Info", "<sip:x@y>;index=1"),
            ("diversion", "<sip:z@y>"),
            ("Privacy", "none"),
            ("Alert-Info", "<urn:alert:tone:internal>"),
            ("Call-Info", "<http://y/photo.jpg>;purpose=icon"),
            ("User-to-User", "56a3;encoding=hex"),
            ("s", "about you"),
        ]
        lines = [f"{name}: {value}" for name, value in fields]
        self.assertEqual(transparency.of_call(message(*lines)), fields)

    def test_identity(self) -> None:
        """
        Who calls is believed of those we trust alone, and of who wants to be anonymous
        it is told only to those (RFC 3325, 5 and 7).
        """
        asserted = ("P-Asserted-Identity", "<sip:boss@y>")
        line = ": ".join(asserted)
        invite, private = message(line), message(line, "Privacy: user ; ID")
        self.assertEqual(transparency.of_call(invite), [])
        self.assertEqual(transparency.of_call(invite, from_trusted=True), [asserted])
        privacy = ("Privacy", "user ; ID")
        hidden = transparency.of_call(private, from_trusted=True)
        self.assertEqual(hidden, [privacy])
        told = transparency.of_call(private, from_trusted=True, to_trusted=True)
        self.assertEqual(told, [asserted, privacy])

    def test_of_answer(self) -> None:
        """
        Of responses the same goes.
        """
        response = message().respond(
            180,
            fields=[
                ("Alert-Info", "<urn:alert:tone:internal>"),
                ("P-Asserted-Identity", "<sip:b@y>"),
                ("Server", "them"),
                ("Require", "foo"),
            ],
        )
        alert = ("Alert-Info", "<urn:alert:tone:internal>")
        self.assertEqual(transparency.of_answer(response), [alert])
        known = transparency.of_answer(response, from_trusted=True)
        self.assertEqual(known, [alert, ("P-Asserted-Identity", "<sip:b@y>")])

    def test_of_bye(self) -> None:
        """
        The reason passes; without a BYE there is none.
        """
        bye = message('Reason: Q.850;cause=16;text="Normal"', "X-It: 1", method="BYE")
        reason = ("Reason", 'Q.850;cause=16;text="Normal"')
        self.assertEqual(transparency.of_bye(bye), [reason])
        self.assertEqual(transparency.of_bye(None), [])


class BodyTests(SynchronousTestCase):
    """
    Bodies that pass.
    """

    sdp = (
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 0\r\n"
    )

    def test_alone(self) -> None:
        """
        A description that came alone goes on alone.
        """
        plain = message("Content-Type: application/sdp", body=self.sdp)
        description = description_in(plain)
        assert description is not None
        fields, body = transparency.enclosed_as(plain)(description)
        self.assertEqual([str(value) for _, value in fields], ["application/sdp"])
        self.assertEqual(body, self.sdp.encode())

    def test_among_parts(self) -> None:
        """
        One among parts goes on among them, whatever its length is now.
        """
        parts = (
            f"--b\r\nContent-Type: application/sdp\r\n\r\n{self.sdp}\r\n"
            "--b\r\nContent-Type: application/pidf+xml\r\n\r\n<x/>\r\n--b--\r\n"
        )
        type = "multipart/mixed;boundary=b"
        whole = message(f"Content-Type: {type}", "MIME-Version: 1.0", body=parts)
        description = description_in(whole)
        assert description is not None
        moved = description.with_connection(Connection("203.0.113.200"))
        fields, body = transparency.enclosed_as(whole)(moved)
        self.assertEqual(fields, [("Content-Type", type), ("MIME-Version", "1.0")])
        self.assertEqual(body, parts.encode().replace(self.sdp.encode(), bytes(moved)))

    def test_unreadable(self) -> None:
        """
        What cannot be read, or describes nothing, leaves a description alone.
        """
        description = SessionDescription.parse(self.sdp.encode())
        for type, body in (
            ("multipart/mixed;boundary=b", "--b\r\n\r\ntext\r\n--b--\r\n"),
            ("multipart/mixed;boundary=b", "no part at all"),
            ("text/plain", "text"),
        ):
            enclose = transparency.enclosed_as(
                message(f"Content-Type: {type}", body=body)
            )
            self.assertEqual(enclose(description)[1], self.sdp.encode())

    def test_verbatim(self) -> None:
        """
        Another body passes with the fields that say what it is.
        """
        other = message(
            "Content-Type: text/x", "Content-Disposition: render", body="hello"
        )
        fields, body = transparency.verbatim(other)
        self.assertEqual(body, b"hello")
        self.assertEqual(
            fields, [("Content-Type", "text/x"), ("Content-Disposition", "render")]
        )
        self.assertEqual(transparency.verbatim(message()), ([], b""))
