"""
Tests for `sipsorcery.proxy.own`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import HostPort
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.sip.uri import SIPURI


class OwnAddressesTests(SynchronousTestCase):
    """
    What means this server.
    """

    def setUp(self) -> None:
        self.own = OwnAddresses(
            domains=["example.com", "2001:db8::5"],
            addresses=[
                HostPort("192.0.2.1", 5060),
                HostPort("2001:db8::1", 5061),
                HostPort("SIP.example.net", 443),
            ],
        )

    def assert_ours(self, *texts: str) -> None:
        """
        Check that each of the URIs means us.
        """
        for text in texts:
            self.assertTrue(self.own.include(SIPURI.parse(text)), text)

    def assert_foreign(self, *texts: str) -> None:
        """
        Check that none of the URIs means us.
        """
        for text in texts:
            self.assertFalse(self.own.include(SIPURI.parse(text)), text)

    def test_domains(self) -> None:
        """
        A served domain is ours in any spelling, with any user and any port.
        """
        self.assert_ours(
            "sip:example.com",
            "sips:EXAMPLE.com",
            "sip:example.com.",
            "sip:100@example.com:5090;transport=tcp",
            "sip:[2001:DB8:0::5]",
        )

    def test_addresses(self) -> None:
        """
        An address is ours with a port that we listen on, or without a port.
        """
        self.assert_ours(
            "sip:192.0.2.1",
            "sip:100@192.0.2.1:5060",
            "sips:[2001:db8:0:0::1]:5061",
            "sip:sip.example.net:443",
        )
        self.assert_foreign("sip:192.0.2.1:5061", "sip:sip.example.net:5060")

    def test_loopback(self) -> None:
        """
        Nobody but us can be meant by an address that is everybody's own.
        """
        self.assert_ours(
            "sip:127.0.0.1", "sip:127.9.9.9:99", "sip:[::1]:5060", "sip:LOCALHOST:1"
        )

    def test_foreign(self) -> None:
        """
        Other names and addresses are not ours, however alike.
        """
        self.assert_foreign(
            "sip:example.org",
            "sip:sip.example.com",
            "sip:example.com.example.org",
            "sip:192.0.2.10",
            "sip:[2001:db8::2]",
            "sip:localhost.example.org",
        )

    def test_learned(self) -> None:
        """
        An address that we are told of is ours; of very many, those told of last.
        """
        own = OwnAddresses([], [HostPort("192.0.2.1", 5060)])
        for port in range(1, 200):
            own.add(HostPort("203.0.113.9", port))
            own.add(HostPort("192.0.2.1", 5060))
        for uri, expected in (
            ("sip:203.0.113.9:199", True),
            ("sip:203.0.113.9", True),
            ("sip:203.0.113.9:1", False),
            ("sip:192.0.2.1", True),
        ):
            self.assertIs(own.name_us(SIPURI.parse(uri)), expected, uri)
