"""
Tests for `sipsorcery.store.directory.domains`.
"""

from __future__ import annotations

from sipsorcery.config import DigestAlgorithm
from sipsorcery.store.errors import NotFound, Refused
from tests.store.directory.cases import DirectoryCase


class DomainsTests(DirectoryCase):
    """
    The table of domains.
    """

    def setUp(self) -> None:
        super().setUp()
        self.domains = self.everyone.domains

    def test_add(self) -> None:
        """
        A domain is found by each of its names, in upper or lower case.
        """
        domain = self.do(
            self.domains.add("Example.NET", ["sip.example.net", "192.0.2.1"])
        )
        self.assertEqual(domain.name, "example.net")
        self.assertEqual(domain.aliases, ("192.0.2.1", "sip.example.net"))
        for name in ("example.net", "EXAMPLE.net", "sip.example.net", "192.0.2.1"):
            self.assertEqual(self.do(self.domains.find(name)), domain)
        self.assertIsNone(self.do(self.domains.find("net")))
        names = [each.name for each in self.do(self.domains.all())]
        self.assertEqual(names, ["example.com", "example.net"])
        self.assertEqual(self.do(self.domains.all())[1], domain)

    def test_taken(self) -> None:
        """
        A name belongs to one domain, be it its own or an alias.
        """
        for name, aliases in (
            ("example.com", []),
            ("sip.example.com", []),
            ("example.net", ["example.com"]),
            ("example.net", ["LOCAL"]),
            ("example.net", ["sip.example.com"]),
            ("example.net", ["example.net"]),
        ):
            reason = self.refuse(Refused, self.domains.add(name, aliases))
            self.assertIn("already", reason)
        self.assertEqual(len(self.do(self.domains.all())), 1)
        self.refuse(Refused, self.domains.add_alias("example.com", "example.com"))

    def test_any_host(self) -> None:
        """
        One domain can have the alias for any host, by which it is not found.
        """
        self.do(self.domains.add_alias("example.com", "*"))
        self.refuse(Refused, self.domains.add("example.net", ["*"]))
        self.assertIsNone(self.do(self.domains.find("*")))
        self.assertIsNone(self.do(self.domains.find("example.org")))

    def test_names(self) -> None:
        """
        A name is a host name or an IP address, without a port.
        """
        for name in ("", "a b", "example.com:5060", "*", "local", "a/b", "x" * 256):
            self.refuse(Refused, self.domains.add(name))
        for name, stored in (
            ("2001:DB8::1", "2001:db8::1"),
            ("localhost", "localhost"),
        ):
            self.assertEqual(self.do(self.domains.add(name)).name, stored)

    def test_aliases(self) -> None:
        """
        Aliases come and go.
        """
        domain = self.do(self.domains.add_alias("example.com", "voip.example.com"))
        self.assertIn("voip.example.com", domain.aliases)
        domain = self.do(self.domains.remove_alias("example.com", "voip.example.com"))
        self.assertNotIn("voip.example.com", domain.aliases)
        self.refuse(
            NotFound, self.domains.remove_alias("example.com", "voip.example.com")
        )
        self.refuse(NotFound, self.domains.add_alias("example.net", "x.example.net"))

    def test_algorithms(self) -> None:
        """
        A domain says what its challenges offer, or leaves it to the configuration.
        """
        both = (DigestAlgorithm.SHA_256, DigestAlgorithm.MD5)
        domain = self.do(self.domains.set_algorithms("example.com", both))
        self.assertEqual(domain.algorithms, both)
        self.assertEqual(self.do(self.domains.find("example.com")), domain)
        domain = self.do(self.domains.set_algorithms("example.com", None))
        self.assertIsNone(domain.algorithms)

    def test_owner(self) -> None:
        """
        A domain can belong to a user; without them it is everybody's.
        """
        self.refuse(NotFound, self.domains.add("example.net", owner="nobody"))
        domain = self.do(self.domains.add("example.net", owner="joe"))
        self.assertEqual(domain.owner, "joe")
        self.do(self.everyone.users.remove("joe"))
        found = self.do(self.domains.find("example.net"))
        assert found is not None
        self.assertIsNone(found.owner)

    def test_remove(self) -> None:
        """
        A domain goes with its aliases, unless it has accounts.
        """
        self.do(self.joe.accounts.add("100"))
        reason = self.refuse(Refused, self.domains.remove("example.com"))
        self.assertIn("has 1 accounts", reason)
        self.do(self.joe.accounts.remove("100", "example.com"))
        self.do(self.domains.remove("example.com"))
        self.assertIsNone(self.do(self.domains.find("local")))
        self.refuse(NotFound, self.domains.remove("example.com"))
        self.do(self.domains.add("example.net", ["sip.example.com"]))
