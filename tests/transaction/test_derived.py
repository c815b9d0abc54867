"""
Tests for `sipsorcery.transaction.derived`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import FROM
from sipsorcery.transaction.derived import make_ack, make_cancel
from tests.transaction.messages import make_request, make_response

INVITE = make_request(
    "INVITE",
    uri="sip:bob@192.0.2.4:5070;x=%20",
    more=[
        "v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK0",
        "route: <sip:a.example.com;lr>, <sip:b.example.com;lr>",
        "Route: <sip:c.example.com;lr>",
        "Require: 100rel",
        "Proxy-Require: sec-agree",
        "Contact: <sip:alice@192.0.2.2>",
        "Content-Type: application/sdp",
    ],
)


class AckTests(SynchronousTestCase):
    """
    The ACK to a failure (RFC 3261, 17.1.1.3).
    """

    def test_fields(self) -> None:
        """
        Request-URI, From, Call-ID, CSeq number and the Routes are those of the INVITE,
        To that of the response; there is one Via, the top one; and nothing else.
        """
        response = make_response(INVITE, 486)
        self.assertEqual(
            make_ack(INVITE, response).to_bytes().decode().split("\r\n"),
            [
                "ACK sip:bob@192.0.2.4:5070;x=%20 SIP/2.0",
                "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1",
                "Route: <sip:a.example.com;lr>, <sip:b.example.com;lr>",
                "Route: <sip:c.example.com;lr>",
                "Max-Forwards: 70",
                "From: Alice <sip:alice@example.com>;tag=a",
                "To: <sip:bob@example.com>;tag=b",
                "Call-ID: 1@there",
                "CSeq: 7 ACK",
                "Content-Length: 0",
                "",
                "",
            ],
        )

    def test_spelling(self) -> None:
        """
        From, To and Call-ID are copied as they were spelled.
        """
        odd = 'To: "B\\"ob"<sip:bob@example.com> ;TAG=b;x'
        invite = make_request("INVITE", from_="sip:alice@example.com ; tag=a")
        response = make_response(invite, 404)
        response.set("To", odd.removeprefix("To: "))
        lines = make_ack(invite, response).to_bytes().decode().split("\r\n")
        self.assertIn("From: sip:alice@example.com ; tag=a", lines)
        self.assertIn(odd, lines)

    def test_missing_field(self) -> None:
        """
        What is not there cannot be copied.
        """
        broken = INVITE.copy()
        broken.remove(FROM)
        error = self.assertRaises(
            ParseError, make_ack, broken, make_response(INVITE, 486)
        )
        self.assertIn("From", str(error))


class CancelTests(SynchronousTestCase):
    """
    The CANCEL (RFC 3261, 9.1).
    """

    def test_fields(self) -> None:
        """
        All but the method is that of the INVITE; there is no Require or Proxy-Require.
        """
        self.assertEqual(
            make_cancel(INVITE).to_bytes().decode().split("\r\n"),
            [
                "CANCEL sip:bob@192.0.2.4:5070;x=%20 SIP/2.0",
                "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1",
                "Route: <sip:a.example.com;lr>, <sip:b.example.com;lr>",
                "Route: <sip:c.example.com;lr>",
                "Max-Forwards: 70",
                "From: Alice <sip:alice@example.com>;tag=a",
                "To: <sip:bob@example.com>",
                "Call-ID: 1@there",
                "CSeq: 7 CANCEL",
                "Content-Length: 0",
                "",
                "",
            ],
        )

    def test_in_dialog(self) -> None:
        """
        The CANCEL of a re-INVITE has its To tag.
        """
        invite = make_request("INVITE", to="<sip:bob@example.com>;tag=b")
        text = make_cancel(invite).to_bytes().decode()
        self.assertIn("\r\nTo: <sip:bob@example.com>;tag=b\r\n", text)
