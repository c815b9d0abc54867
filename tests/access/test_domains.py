"""
Tests for `sipsorcery.access.domains` and `own`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.domains import Domains
from sipsorcery.access.own import own_hosts
from sipsorcery.config import DigestAlgorithm, parse
from sipsorcery.store.directory import Domain


def domain(name: str, *aliases: str) -> Domain:
    """
    Make a domain as the directory has it.
    """
    return Domain(name=name, aliases=aliases, created=datetime.now(UTC))


class DomainsTests(SynchronousTestCase):
    """
    Which host is which domain.
    """

    def find(self, domains: Domains, host: str, **options: bool) -> str | None:
        """
        Find the name of a domain.
        """
        served = domains.find(host, **options)
        return None if served is None else served.name

    def test_names(self) -> None:
        """
        A domain is known by its name and its aliases, however a URI spells them.
        """
        domains = Domains(
            ["example.net", "2001:db8::1"], [domain("example.com", "sip.example.com")]
        )
        for host in ("example.com", "Example.COM.", "SIP.example.com"):
            self.assertEqual(self.find(domains, host), "example.com")
        self.assertEqual(self.find(domains, "example.net"), "example.net")
        self.assertEqual(self.find(domains, "[2001:DB8:0::1]"), "2001:db8::1")
        for host in ("example.org", "com", "", "x.example.com"):
            self.assertIsNone(self.find(domains, host))

    def test_wildcard(self) -> None:
        """
        The domain with the alias ``*`` stands for what nobody has, unless told not to.
        """
        domains = Domains([], [domain("a.example", "*"), domain("b.example")])
        self.assertEqual(self.find(domains, "203.0.113.9"), "a.example")
        self.assertEqual(self.find(domains, "b.example"), "b.example")
        self.assertEqual(self.find(domains, "*"), "a.example")
        self.assertIsNone(self.find(domains, "203.0.113.9", wildcard=False))
        self.assertIsNone(self.find(domains, "*", wildcard=False))

    def test_local(self) -> None:
        """
        The domain with the alias ``local`` stands for our own addresses, where those
        are not names of a domain themselves.
        """
        domains = Domains(
            ["192.0.2.2"],
            [domain("example.com", "local")],
            ["192.0.2.1", "192.0.2.2", "::1"],
        )
        self.assertEqual(self.find(domains, "192.0.2.1"), "example.com")
        self.assertEqual(self.find(domains, "192.0.2.2"), "192.0.2.2")
        self.assertEqual(self.find(domains, "[::1]"), "example.com")
        self.assertIsNone(self.find(domains, "local"))
        self.assertIsNone(self.find(Domains([], [], ["192.0.2.1"]), "192.0.2.1"))

    def test_order(self) -> None:
        """
        A name of its own beats the alias of another domain.
        """
        domains = Domains(["b.example"], [domain("a.example", "b.example")])
        self.assertEqual(self.find(domains, "b.example"), "b.example")

    def test_algorithms(self) -> None:
        """
        A domain of the directory can have algorithms of its own.
        """
        stored = Domain(
            name="a.example",
            algorithms=(DigestAlgorithm.SHA_256,),
            created=datetime.now(UTC),
        )
        domains = Domains(["b.example"], [stored])
        one, other = domains.called("a.example"), domains.called("b.example")
        assert one is not None and other is not None
        self.assertEqual(one.algorithms, (DigestAlgorithm.SHA_256,))
        self.assertIsNone(other.algorithms)
        self.assertEqual({one, other}, set(domains))
        self.assertEqual(len(domains), 2)


class OwnHostsTests(SynchronousTestCase):
    """
    What is this service without being a domain.
    """

    def test_hosts(self) -> None:
        """
        It is where we listen, what we advertise, the public address, the loopback.
        """
        config = parse(
            b'[sip]\npublic_address = "203.0.113.1"\n[proxy]\nlisten = '
            b'["udp:192.0.2.1:5060 advertise sip.example.com:5060", "udp:[::1]:5060"]'
        )
        expected = {"localhost", "127.0.0.1", "::1", "192.0.2.1", "203.0.113.1"}
        self.assertEqual(own_hosts(config), expected | {"sip.example.com"})

    def test_wildcard(self) -> None:
        """
        A wildcard is each address of its family that the machine has, and no host.
        """
        hosts = own_hosts(parse(b'[proxy]\nlisten = ["udp:0.0.0.0:5060"]'))
        self.assertIn("127.0.0.1", hosts)
        self.assertNotIn("0.0.0.0", hosts)
