"""
The messages of RFC 5769 and of RFC 8489, appendix B.1.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.stun import (
    NONCE,
    REALM,
    SOFTWARE,
    USERHASH,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Integrity,
    Message,
    MessageClass,
    check_fingerprint,
    has_integrity,
    long_term_key,
    short_term_key,
)
from tests.vectors import vectors

_REQUEST = "rfc5769-2.1-request"
_IPV4 = "rfc5769-2.2-ipv4-response"
_IPV6 = "rfc5769-2.3-ipv6-response"
_LONG_TERM = "rfc5769-2.4-long-term"
_SHA256 = "rfc8489-B.1-long-term-sha256"


class PublishedTests(SynchronousTestCase):
    """
    What others have published, byte for byte.
    """

    def setUp(self) -> None:
        folder = vectors() / "rfc5769"
        listed = json.loads((folder / "vectors.json").read_text("utf-8"))
        self.facts: dict[str, dict[str, Any]] = {one["name"]: one for one in listed}
        self.data = {one.stem: one.read_bytes() for one in folder.glob("*.bin")}

    def test_every_vector_is_tested(self) -> None:
        """
        The names in this module are all that there are.
        """
        names = {_REQUEST, _IPV4, _IPV6, _LONG_TERM, _SHA256}
        self.assertEqual(set(self.data), names)
        self.assertEqual(set(self.facts), names)

    def test_request(self) -> None:
        """
        The request of 2.1 has a fingerprint, a user, and a check by its password.
        """
        data, facts = self.data[_REQUEST], self.facts[_REQUEST]
        message = Message.parse(data)
        self.assertIs(message.message_class, MessageClass.REQUEST)
        self.assertEqual(message.get(SOFTWARE), facts["software"])
        self.assertEqual(message.get(USERNAME), facts["username"])
        # PRIORITY of ICE is one to be understood, ICE-CONTROLLED is not.
        self.assertEqual(message.not_understood(), (0x0024,))
        self.assertIs(check_fingerprint(data), True)
        self.assertTrue(has_integrity(data, short_term_key(facts["password"])))
        self.assertFalse(has_integrity(data, short_term_key("another")))

    def test_responses(self) -> None:
        """
        The responses of 2.2 and 2.3 hold an address of IPv4, and one of IPv6.
        """
        for name, host in ((_IPV4, "192.0.2.1"), (_IPV6, _IPV6_HOST)):
            data, facts = self.data[name], self.facts[name]
            message = Message.parse(data)
            self.assertIs(message.message_class, MessageClass.SUCCESS)
            self.assertEqual(message.get(XOR_MAPPED_ADDRESS), (host, 32853))
            self.assertEqual(message.get(SOFTWARE), facts["software"])
            self.assertIs(check_fingerprint(data), True)
            self.assertTrue(has_integrity(data, short_term_key(facts["password"])))

    def test_long_term_credentials(self) -> None:
        """
        The request of 2.4 is checked with the key of user, realm and password.
        """
        data, facts = self.data[_LONG_TERM], self.facts[_LONG_TERM]
        message = Message.parse(data)
        self.assertEqual(message.get(USERNAME), facts["username"])
        self.assertEqual(message.get(REALM), facts["realm"])
        self.assertEqual(message.get(NONCE), facts["nonce"])
        self.assertTrue(has_integrity(data, self._key(facts)))

    def test_sha256(self) -> None:
        """
        The request of RFC 8489, B.1 is protected by HMAC-SHA256 alone.
        """
        data, facts = self.data[_SHA256], self.facts[_SHA256]
        message = Message.parse(data)
        userhash = message.get(USERHASH)
        self.assertEqual(len(userhash or b""), 32)
        self.assertEqual(message.get(NONCE), facts["nonce"])
        key = self._key(facts)
        self.assertTrue(has_integrity(data, key, Integrity.SHA256))
        self.assertFalse(has_integrity(data, key, Integrity.SHA1))

    def test_any_changed_bit_is_seen(self) -> None:
        """
        A message of which any byte before its check differs does not pass.
        """
        for name in (_REQUEST, _IPV4, _IPV6):
            data = self.data[name]
            key = short_term_key(self.facts[name]["password"])
            # Type and length apart: without these it is another message altogether.
            for i in range(4, 24):
                changed = data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :]
                if i not in (20, 21, 22, 23):  # those of the first attribute's header
                    self.assertFalse(has_integrity(changed, key), (name, i))
                    self.assertIs(check_fingerprint(changed), False, (name, i))

    def _key(self, facts: dict[str, Any]) -> bytes:
        return long_term_key(facts["username"], facts["realm"], facts["password"])


_IPV6_HOST = "2001:db8:1234:5678:11:2233:4455:6677"
