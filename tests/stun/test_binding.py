"""
Tests for :mod:`sipsorcery.stun.binding`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.stun import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    FINGERPRINT,
    MAPPED_ADDRESS,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Address,
    Attribute,
    ErrorCode,
    ErrorResponse,
    Message,
    MessageClass,
    ParseError,
    add_fingerprint,
    alternate_server,
    answer,
    check_fingerprint,
    mapped_address,
)

_ID = bytes(range(12))
_SOURCE = ("198.51.100.7", 33000)
_REQUEST = Message(MessageClass.REQUEST, _ID)
# A client of RFC 3489 has sixteen random bytes where others have cookie and ID.
_CLASSIC = Message(MessageClass.REQUEST, _ID, cookie=b"old!")
_PRIORITY = Attribute(0x0024, bytes(4))
_CHANGE = 0x0003


def ask(request: Message, source: tuple[str, int] = _SOURCE) -> Message:
    """
    Give the answer to a request.
    """
    response = answer(bytes(request), source)
    assert response is not None
    return Message.parse(response)


class ServerTests(SynchronousTestCase):
    """
    What the server answers.
    """

    def test_both_addresses(self) -> None:
        """
        The source of a request is told twice: hidden, and plain for old clients.
        """
        for source in (_SOURCE, ("2001:db8::7", 1)):
            response = ask(_REQUEST, source)
            self.assertIs(response.message_class, MessageClass.SUCCESS)
            self.assertEqual(response.transaction_id, _ID)
            self.assertEqual(response.get(XOR_MAPPED_ADDRESS), source)
            self.assertEqual(response.get(MAPPED_ADDRESS), source)

    def test_classic_client(self) -> None:
        """
        A client of RFC 3489 gets MAPPED-ADDRESS alone (RFC 5389, 12.2), and its own
        sixteen bytes.
        """
        response = ask(_CLASSIC)
        self.assertEqual([one.type for one in response.attributes], [0x0001])
        self.assertEqual(response.get(MAPPED_ADDRESS), _SOURCE)
        self.assertEqual(bytes(response)[4:20], b"old!" + _ID)

    def test_user_of_asterisk(self) -> None:
        """
        A USERNAME, which Asterisk sends, asks for nothing here.
        """
        response = ask(_CLASSIC.add(USERNAME, "100"))
        self.assertEqual(mapped_address(response), _SOURCE)

    def test_unknown_attributes(self) -> None:
        """
        A request with attributes that have to be understood gets 420 and their types,
        each once (RFC 8489, 6.3.1); others are passed over.
        """
        chrome = _REQUEST.add(SOFTWARE, "x")
        attributes = (Attribute(0xC057, b"net0"), _PRIORITY, _PRIORITY)
        chrome = Message(MessageClass.REQUEST, _ID, chrome.attributes + attributes)
        response = ask(chrome)
        self.assertIs(response.message_class, MessageClass.ERROR)
        self.assertEqual(response.get(ERROR_CODE), (420, "Unknown Attribute"))
        self.assertEqual(response.get(UNKNOWN_ATTRIBUTES), (0x0024,))
        self.assertNotIn(MAPPED_ADDRESS.type, [one.type for one in response.attributes])

    def test_unknown_attributes_of_classic_client(self) -> None:
        """
        An odd number of types is made even for a client of RFC 3489 (11.2.10).
        """
        asked = Message(MessageClass.REQUEST, _ID, (_PRIORITY,), cookie=b"old!")
        self.assertEqual(ask(asked).get(UNKNOWN_ATTRIBUTES), (0x0024, 0x0024))

    def test_change_request(self) -> None:
        """
        One who wants the answer from elsewhere gets 420; one who wants no change, as
        the client of stund says it, gets his address.
        """
        for flags, refused in ((0, False), (2, True), (4, True), (6, True)):
            attribute = Attribute(_CHANGE, bytes([0, 0, 0, flags]))
            asked = Message(MessageClass.REQUEST, _ID, (attribute,), cookie=b"old!")
            self.assertIs(ask(asked).message_class is MessageClass.ERROR, refused)

    def test_no_amplification(self) -> None:
        """
        An answer is never more than three times as long as what asked for it.
        """
        for count in (0, 1, 10, 31, 32, 33, 370):
            unknown = tuple(Attribute(one, b"") for one in range(0x100, 0x100 + count))
            data = bytes(Message(MessageClass.REQUEST, _ID, unknown))
            for source in (_SOURCE, ("2001:db8::7", 1)):
                response = answer(data, source) or b""
                self.assertLess(len(response), 3.9 * len(data))
                self.assertLess(len(response), 130)

    def test_fingerprint(self) -> None:
        """
        Who shows a fingerprint gets one; who shows a wrong one gets no answer.
        """
        data = add_fingerprint(bytes(_REQUEST))
        self.assertIs(check_fingerprint(answer(data, _SOURCE) or b""), True)
        self.assertIsNone(check_fingerprint(answer(bytes(_REQUEST), _SOURCE) or b""))
        wrong = Message(
            MessageClass.REQUEST, _ID, (Attribute(FINGERPRINT.type, bytes(4)),)
        )
        self.assertIsNone(answer(bytes(wrong), _SOURCE))

    def test_software(self) -> None:
        """
        The server says its name only if it is given one.
        """
        response = Message.parse(answer(bytes(_REQUEST), _SOURCE, "us") or b"")
        self.assertEqual(response.get(SOFTWARE), "us")
        nameless = ask(_REQUEST)
        self.assertNotIn(SOFTWARE.type, [one.type for one in nameless.attributes])

    def test_what_gets_no_answer(self) -> None:
        """
        Indications, responses, other methods and broken bytes get none.
        """
        for asked in (
            Message(MessageClass.INDICATION, _ID),
            Message(MessageClass.SUCCESS, _ID),
            Message(MessageClass.ERROR, _ID),
            Message(MessageClass.REQUEST, _ID, method=3),
        ):
            self.assertIsNone(answer(bytes(asked), _SOURCE))
        self.assertIsNone(answer(bytes(_REQUEST)[:-1], _SOURCE))

    @given(st.binary(max_size=300))
    def test_hostile_bytes(self, tail: bytes) -> None:
        """
        Whatever comes gets a response or none, and never anything else.
        """
        for data in (tail, bytes(_REQUEST)[:2] + _length(tail) + _REST + tail):
            response = answer(data, _SOURCE)
            if response is not None:
                self.assertIn(
                    Message.parse(response).message_class,
                    (MessageClass.SUCCESS, MessageClass.ERROR),
                )


_REST = bytes(_REQUEST)[4:]


def _length(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big")


class ClientTests(SynchronousTestCase):
    """
    What a client reads from a response.
    """

    response = Message(MessageClass.SUCCESS, _ID)

    def test_hidden_address_counts(self) -> None:
        """
        Where both are told, a NAT may have changed the plain one.
        """
        response = self.response.add(MAPPED_ADDRESS, Address("10.0.0.1", 5060))
        self.assertEqual(mapped_address(response), ("10.0.0.1", 5060))
        response = response.add(XOR_MAPPED_ADDRESS, Address(*_SOURCE))
        self.assertEqual(mapped_address(response), _SOURCE)

    def test_coturn(self) -> None:
        """
        The response that coturn once gave to 59.167.172.177 is read.
        """
        hidden = Attribute(0x0020, bytes.fromhex("0001e0dae1ba853f"))
        response = Message(MessageClass.SUCCESS, _ID, (hidden,))
        # 0xe0da and 0xe1ba853f, less the cookie.
        self.assertEqual(mapped_address(response), ("192.168.33.125", 49608))

    def test_no_address(self) -> None:
        """
        A response that tells none, or none that anybody has, is of no use.
        """
        self.assertRaises(ParseError, mapped_address, self.response)
        for host, port in (("0.0.0.0", 1), ("::", 1), ("224.0.0.1", 1), ("1.1.1.1", 0)):
            response = self.response.add(XOR_MAPPED_ADDRESS, Address(host, port))
            self.assertRaises(ParseError, mapped_address, response)

    def test_unknown_attribute(self) -> None:
        """
        A response with one that has to be understood is not used (6.3.3).
        """
        response = self.response.add(XOR_MAPPED_ADDRESS, Address(*_SOURCE))
        attributes = (*response.attributes, _PRIORITY)
        response = Message(MessageClass.SUCCESS, _ID, attributes)
        self.assertRaises(ParseError, mapped_address, response)

    def test_refusal(self) -> None:
        """
        An error is raised with its code and reason.
        """
        response = Message(MessageClass.ERROR, _ID)
        self.assertRaises(ParseError, mapped_address, response)
        response = response.add(ERROR_CODE, ErrorCode(401, "Unauthorized"))
        error = self.assertRaises(ErrorResponse, mapped_address, response)
        self.assertEqual((error.code, error.reason), (401, "Unauthorized"))

    def test_alternate_server(self) -> None:
        """
        Only a 300 sends to another server.
        """
        other = Address("192.0.2.9", 3479)
        for code, expected in ((300, other), (400, None)):
            response = Message(MessageClass.ERROR, _ID)
            self.assertIsNone(alternate_server(response))
            response = response.add(ERROR_CODE, ErrorCode(code))
            self.assertIsNone(alternate_server(response))
            response = response.add(ALTERNATE_SERVER, other)
            self.assertEqual(alternate_server(response), expected)
