"""
Tests for `sipsorcery.proxy.core`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.core import ProxyCore
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.sip import ParseError, Request, Response, parse
from sipsorcery.sip.fields import CSEQ, SUPPORTED, TO, UNSUPPORTED


def make_request(
    method: str = "OPTIONS",
    uri: str = "sip:example.com",
    *lines: str,
    via: str = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1",
) -> Request:
    """
    Make a request as a peer would send it.
    """
    text = "\r\n".join(
        [
            f"{method} {uri} SIP/2.0",
            f"Via: {via}",
            "From: <sip:alice@example.org>;tag=a",
            "To: <sip:example.com>",
            "Call-ID: call",
            f"CSeq: 1 {method}",
            *lines,
            "\r\n",
        ]
    )
    request = parse(text.encode())
    assert isinstance(request, Request)
    return request


class AnswerTests(SynchronousTestCase):
    """
    Which request gets which answer.
    """

    def setUp(self) -> None:
        self.core = ProxyCore(OwnAddresses(["example.com"], []), b"secret")

    def answer(self, request: Request) -> Response:
        """
        Let the core answer, and check what every answer has.
        """
        response = self.core.answer(request)
        assert response is not None
        for name in ("Via", "From", "Call-ID", "CSeq"):
            self.assertEqual(response.get(name), request.get(name))
        self.assertIn("tag", response[TO].parameters)
        return response

    def assert_status(self, status: int, *request: str) -> None:
        """
        Check how a request of this method and URI, with these fields, is answered.
        """
        self.assertEqual(self.answer(make_request(*request)).status, status)

    def test_options(self) -> None:
        """
        OPTIONS to us is answered with what we can do (RFC 3261, 11.2).
        """
        response = self.answer(make_request())
        self.assertEqual(response.status, 200)
        self.assertEqual(response.get("Allow"), "OPTIONS")
        self.assertEqual(response.get("Accept"), "application/sdp")
        self.assertEqual(response.all(SUPPORTED), ())
        self.assertIn(SUPPORTED, response)

    def test_options_to_a_user(self) -> None:
        """
        So is OPTIONS to a user of ours: nobody else is there yet to answer it.
        """
        self.assert_status(200, "OPTIONS", "sip:100@example.com;transport=tcp")

    def test_options_to_others(self) -> None:
        """
        OPTIONS to somebody else is refused: we relay nothing.
        """
        self.assert_status(403, "OPTIONS", "sip:example.org", "Max-Forwards: 70")

    def test_last_hop(self) -> None:
        """
        With Max-Forwards 0 we answer OPTIONS in the place of whom it is for, and
        refuse the rest (RFC 3261, 16.3).
        """
        self.assert_status(200, "OPTIONS", "sip:example.org", "Max-Forwards: 0")
        self.assert_status(483, "MESSAGE", "sip:example.org", "Max-Forwards: 0")
        self.assert_status(200, "OPTIONS", "sip:example.com", "Max-Forwards: 0")

    def test_extensions(self) -> None:
        """
        What is required of us and is no part of plain SIP is named in a 420.
        """
        response = self.answer(
            make_request(
                "OPTIONS",
                "sip:example.com",
                "Require: 100rel, gruu",
                "Proxy-Require: sec-agree",
                "Require: gruu",
            )
        )
        self.assertEqual(response.status, 420)
        self.assertEqual(response.all(UNSUPPORTED), ("100rel", "gruu", "sec-agree"))

    def test_long_answer(self) -> None:
        """
        A list of many extensions makes no answer that is much longer: an answer goes
        to whatever address the request names.
        """
        required = ",".join(f"{i:x}" for i in range(1000))
        request = make_request("OPTIONS", "sip:example.com", f"Require: {required}")
        self.assertLess(
            len(self.answer(request).to_bytes()), 1.5 * len(request.to_bytes())
        )

    def test_known_methods(self) -> None:
        """
        Methods that we know and do not do are not allowed, and Allow says which are.
        """
        for method in (
            *("REGISTER", "INVITE", "BYE", "CANCEL", "SUBSCRIBE", "NOTIFY", "MESSAGE"),
            *("PUBLISH", "REFER", "PRACK", "UPDATE", "INFO"),
        ):
            response = self.answer(make_request(method))
            self.assertEqual(response.status, 405, method)
            self.assertEqual(response.get("Allow"), "OPTIONS")

    def test_unknown_methods(self) -> None:
        """
        Methods that nobody knows are not implemented; case counts (RFC 3261, 7.1).
        """
        self.assert_status(501, "NEWMETHOD")
        self.assert_status(501, "options")

    def test_unknown_scheme(self) -> None:
        """
        A scheme that we cannot serve is told before anything else (RFC 3261, 16.3).
        """
        for uri in ("tel:+4930123456", "urn:service:sos", "nobodyKnows:me"):
            self.assert_status(416, "OPTIONS", uri)
            self.assert_status(416, "NEWMETHOD", uri)

    def test_ack(self) -> None:
        """
        An ACK is never answered, be it right or wrong.
        """
        for uri in ("sip:example.com", "sip:example.org", "tel:1"):
            self.assertIsNone(self.core.answer(make_request("ACK", uri)))
        broken = make_request("ACK", "sip:example.com", "Max-Forwards: many")
        self.assertIsNone(self.core.answer(broken))

    def test_malformed(self) -> None:
        """
        A broken field is answered with 400, whatever was asked for and of whom.
        """
        for line in ("Max-Forwards: many", "Require: a b", "CSeq: 2 OPTIONS"):
            for uri in ("sip:example.com", "sip:example.org"):
                self.assert_status(400, "OPTIONS", uri, line)
        self.assert_status(400, "OPTIONS", "sip:exam_ple.com:port")

    def test_missing_field(self) -> None:
        """
        A missing field is answered with 400, as far as it can be copied.
        """
        request = make_request()
        request.remove(CSEQ)
        response = self.core.answer(request)
        assert response is not None
        self.assertEqual(response.status, 400)
        self.assertEqual(response.get("Call-ID"), "call")

    def test_no_way_back(self) -> None:
        """
        Without a Via nobody would know where an answer goes.
        """
        request = make_request()
        request.remove("Via")
        self.assertIsNone(self.core.answer(request))

    @given(st.text(max_size=80), st.sampled_from(["OPTIONS", "INVITE", "X"]))
    def test_any_line(self, line: str, method: str) -> None:
        """
        Whatever else a request holds, it gets one answer and raises nothing.
        """
        try:
            request = make_request(method, "sip:example.com", line)
        except ParseError:
            return  # the transport layer has answered that
        response = self.core.answer(request)
        if response is not None:
            self.assertGreaterEqual(response.status, 200)
            parse(response.to_bytes())


class TagTests(SynchronousTestCase):
    """
    The To tag of a server that remembers nothing (RFC 3261, 8.2.7).
    """

    def tag(self, request: Request, secret: bytes = b"secret") -> str | None:
        """
        Give the tag of the answer.
        """
        core = ProxyCore(OwnAddresses(["example.com"], []), secret)
        response = core.answer(request)
        assert response is not None
        return response[TO].tag

    def test_same_for_the_same(self) -> None:
        """
        A request that is sent again gets the same tag.
        """
        self.assertEqual(self.tag(make_request()), self.tag(make_request()))

    def test_different_for_another(self) -> None:
        """
        Another request, and another server, has another tag.
        """
        tags = [
            self.tag(make_request()),
            self.tag(make_request(via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2")),
            self.tag(make_request(), secret=b"other"),
        ]
        self.assertEqual(len(set(tags)), 3)

    def test_own_tag_is_kept(self) -> None:
        """
        A request within a dialog has its tag already.
        """
        request = make_request("BYE")
        request.set("To", "<sip:example.com>;tag=theirs")
        self.assertEqual(self.tag(request), "theirs")
