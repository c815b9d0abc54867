"""
Tests for :mod:`sipsorcery.stun.message`, ``wire``, ``attributes`` and ``address``.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.stun import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    FINGERPRINT,
    MAPPED_ADDRESS,
    MAX_MESSAGE,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    REALM,
    SOFTWARE,
    UNKNOWN_ATTRIBUTES,
    XOR_MAPPED_ADDRESS,
    Address,
    Attribute,
    ErrorCode,
    Kind,
    LocalProtocolError,
    Message,
    MessageClass,
    ParseError,
)

_ID = bytes(range(12))
_KINDS: tuple[Kind[Any], ...] = (
    MAPPED_ADDRESS,
    XOR_MAPPED_ADDRESS,
    ERROR_CODE,
    UNKNOWN_ATTRIBUTES,
    SOFTWARE,
    MESSAGE_INTEGRITY,
    FINGERPRINT,
)
_ADDRESSES = st.builds(
    lambda host, port: Address(str(host), port),
    st.ip_addresses(),
    st.integers(0, 65535),
)


def message(*attributes: Attribute) -> Message:
    """
    Make a Binding request.
    """
    return Message(MessageClass.REQUEST, _ID, attributes)


class RoundTripTests(SynchronousTestCase):
    """
    What is written can be read.
    """

    @given(
        st.sampled_from(MessageClass),
        st.binary(min_size=12, max_size=12),
        st.lists(
            st.builds(
                Attribute,
                # Those that end what counts are tested by themselves.
                st.integers(0, 0xFFFF).filter(lambda one: one not in (0x0008, 0x001C)),
                st.binary(max_size=40),
            ),
            max_size=20,
        ),
        st.integers(0, 2**12 - 1),
        st.binary(min_size=4, max_size=4),
    )
    def test_any_message(
        self,
        message_class: MessageClass,
        transaction_id: bytes,
        attributes: list[Attribute],
        method: int,
        cookie: bytes,
    ) -> None:
        """
        Class, method, cookie, ID and attributes of any length come back.
        """
        whole = Message(
            message_class, transaction_id, tuple(attributes), method, cookie
        )
        self.assertEqual(Message.parse(bytes(whole)), whole)

    @given(_ADDRESSES)
    def test_any_address(self, address: Address) -> None:
        """
        Addresses of both families come back, plain or hidden.
        """
        for kind in (MAPPED_ADDRESS, XOR_MAPPED_ADDRESS, ALTERNATE_SERVER):
            self.assertEqual(message().add(kind, address).get(kind), address)

    @given(_ADDRESSES)
    def test_hidden_address(self, address: Address) -> None:
        """
        The bytes of an address are not to be found in XOR-MAPPED-ADDRESS.
        """
        (attribute,) = message().add(XOR_MAPPED_ADDRESS, address).attributes
        packed = ipaddress.ip_address(address.host).packed
        self.assertNotIn(packed, attribute.value)

    def test_types(self) -> None:
        """
        The types are those of the RFC: 0x0001, 0x0011, 0x0101, 0x0111 for Binding.
        """
        types = [bytes(Message(one, _ID))[:2].hex() for one in MessageClass]
        self.assertEqual(types, ["0001", "0011", "0101", "0111"])

    def test_texts_and_errors(self) -> None:
        """
        Text is UTF-8, and an error code stands as hundreds and rest.
        """
        whole = (
            message()
            .add(REALM, "müller.example")
            .add(ERROR_CODE, ErrorCode(438, "Stale Nonce"))
            .add(UNKNOWN_ATTRIBUTES, (0x7FFF, 0x0024))
        )
        read = Message.parse(bytes(whole))
        self.assertEqual(read.get(REALM), "müller.example")
        self.assertEqual(read.get(ERROR_CODE), (438, "Stale Nonce"))
        self.assertEqual(read.get(UNKNOWN_ATTRIBUTES), (0x7FFF, 0x0024))
        self.assertNotIn(SOFTWARE.type, [one.type for one in read.attributes])
        missing = read.get(SOFTWARE)
        self.assertIsNone(missing)
        self.assertEqual(read.attributes[1].value[:4], b"\0\0\x04\x26")

    def test_the_first_counts(self) -> None:
        """
        Of several attributes of a kind the first is meant (RFC 8489, 14).
        """
        whole = message().add(SOFTWARE, "one").add(SOFTWARE, "other")
        self.assertEqual(whole.get(SOFTWARE), "one")


class HostileTests(SynchronousTestCase):
    """
    Bytes that are no message.
    """

    @given(st.binary(max_size=200))
    def test_any_bytes(self, data: bytes) -> None:
        """
        Any bytes are a message or a ParseError, and so is all that is read of one.
        """
        try:
            read = Message.parse(data)
        except ParseError:
            return
        for kind in _KINDS:
            try:
                read.get(kind)
            except ParseError:
                pass

    @given(st.binary(max_size=64), st.sampled_from([4, 8, 12, 20, 24]))
    def test_any_value(self, value: bytes, size: int) -> None:
        """
        No value of an attribute does worse than a ParseError.
        """
        value = value[:size]
        for kind in _KINDS:
            whole = message(Attribute(kind.type, value))
            try:
                whole.get(kind)
            except ParseError:
                pass

    def refuse(self, data: bytes) -> None:
        """
        Check that *data* is no message.
        """
        self.assertRaises(ParseError, Message.parse, data)

    def test_every_length(self) -> None:
        """
        A message that lacks bytes at the end, or has some more, is none.
        """
        whole = bytes(message().add(SOFTWARE, "nine char").add(REALM, "x"))
        for end in range(len(whole)):
            self.refuse(whole[:end])
        for more in range(1, 9):
            self.refuse(whole + bytes(more))

    def test_overstated_length(self) -> None:
        """
        A header that promises eight bytes, where nothing comes, is refused.
        """
        head = bytes(message())
        self.refuse(head[:2] + b"\0\x08" + head[4:])

    def test_attribute_past_the_end(self) -> None:
        """
        An attribute longer than the message is refused, by a byte or by far.
        """
        for length in (5, 6, 0xFFFF):
            value = length.to_bytes(2, "big") + bytes(4)
            data = bytes(message(Attribute(0x8022, bytes(4))))
            self.refuse(data[:22] + value)

    def test_length_of_odd_size(self) -> None:
        """
        The length is divisible by four, as all attributes are (RFC 8489, 5).
        """
        data = bytes(message())
        self.refuse(data[:2] + b"\0\x02" + data[4:] + bytes(2))

    def test_first_bits(self) -> None:
        """
        What begins with other bits than 00 is another protocol.
        """
        data = bytes(message())
        for first in (0x40, 0x80, 0xC0):
            self.refuse(bytes([first]) + data[1:])

    def test_longest(self) -> None:
        """
        A message fills a frame of Ethernet at most, read or written.
        """
        longest = message(Attribute(0x8022, bytes(MAX_MESSAGE - 24)))
        self.assertEqual(len(bytes(Message.parse(bytes(longest)))), MAX_MESSAGE)
        self.refuse(bytes(longest)[:2] + b"\x05\xcc" + bytes(longest)[4:] + bytes(4))
        longer = message(Attribute(0x8022, bytes(MAX_MESSAGE - 23)))
        self.assertRaises(LocalProtocolError, bytes, longer)

    def test_address_of_wrong_size(self) -> None:
        """
        An address has the size of its family.
        """
        for value in (
            b"",
            b"\0\x01",
            b"\0\x01\0\x01",
            b"\0\x01\0\x01\x7f\0\0",
            b"\0\x01\0\x01" + bytes(16),
            b"\0\x02\0\x01" + bytes(4),
            b"\0\x03\0\x01" + bytes(4),
        ):
            whole = message(Attribute(XOR_MAPPED_ADDRESS.type, value))
            self.assertRaises(ParseError, whole.get, XOR_MAPPED_ADDRESS)

    def test_error_code_out_of_range(self) -> None:
        """
        The hundreds are from 3 to 6, the rest is below 100.
        """
        for value in (b"\0\0\x02\0", b"\0\0\x07\0", b"\0\0\x04\x64", b"\0\0\x04"):
            whole = message(Attribute(ERROR_CODE.type, value))
            self.assertRaises(ParseError, whole.get, ERROR_CODE)

    def test_reason_that_is_no_text(self) -> None:
        """
        An error whose reason cannot be read is still that error.
        """
        whole = message(Attribute(ERROR_CODE.type, b"\0\0\x04\x14\xff"))
        self.assertEqual(whole.get(ERROR_CODE), (420, "\ufffd"))

    def test_text_that_is_none(self) -> None:
        """
        Text that is not UTF-8, or too long, is refused.
        """
        for value in (b"\xff\xfe", bytes(764)):
            whole = message(Attribute(SOFTWARE.type, value))
            self.assertRaises(ParseError, whole.get, SOFTWARE)

    def test_our_own_mistakes(self) -> None:
        """
        We write no text that is too long, no address that is none, no odd header.
        """
        for kind, value in (
            (SOFTWARE, "x" * 764),
            (ERROR_CODE, ErrorCode(200)),
            (ERROR_CODE, ErrorCode(400, "x" * 764)),
            (MAPPED_ADDRESS, Address("example.com", 1)),
            (MAPPED_ADDRESS, Address("192.0.2.1", 65536)),
        ):
            self.assertRaises(LocalProtocolError, message().add, kind, value)
        for arguments in ((bytes(11),), (_ID, (), 4096), (_ID, (), 1, bytes(3))):
            self.assertRaises(
                LocalProtocolError,
                Message,
                MessageClass.REQUEST,
                *arguments,
            )


class AfterIntegrityTests(SynchronousTestCase):
    """
    What stands behind an attribute that vouches for those before it.
    """

    def kept(self, *types: int) -> list[int]:
        """
        Give those types that are left of a message of these.
        """
        whole = message(*(Attribute(one, bytes(4)) for one in types))
        return [one.type for one in Message.parse(bytes(whole)).attributes]

    def test_is_ignored(self) -> None:
        """
        Anybody can have added it, so it is as if it were not there (14.5, 14.6).
        """
        sha1, sha256 = MESSAGE_INTEGRITY.type, MESSAGE_INTEGRITY_SHA256.type
        self.assertEqual(self.kept(0x24, sha1, 0x25), [0x24, sha1])
        self.assertEqual(self.kept(0x24, sha256, 0x25, sha1), [0x24, sha256])

    def test_what_counts_nevertheless(self) -> None:
        """
        The stronger check and the fingerprint do count.
        """
        all_three = [
            MESSAGE_INTEGRITY.type,
            MESSAGE_INTEGRITY_SHA256.type,
            FINGERPRINT.type,
        ]
        self.assertEqual(self.kept(*all_three), all_three)
