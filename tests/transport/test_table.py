"""
Tests for `sipsorcery.transport.table`.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.transport.identity import Expectation, TLSVerify, sip_identities
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.table import ConnectionTable
from sipsorcery.transport.target import Target
from tests.transport.certificates import certificate

REMOTE = Endpoint.parse("tls:192.0.2.2:33000")
OWN = Endpoint.parse("tls:192.0.2.2:5061")  # where the same peer listens


@dataclass(eq=False)
class FakeConnection:
    """
    What a table looks at of a connection.
    """

    number: int
    remote: Endpoint = REMOTE
    certificate: x509.Certificate | None = None
    listener: object | None = None
    is_open: bool = True

    @property
    def kind(self) -> Transport:
        """
        Give the transport.
        """
        return self.remote.transport

    @property
    def identities(self) -> tuple[str, ...]:
        """
        Give the names that are proved.
        """
        return sip_identities(self.certificate) if self.certificate else ()


class PlaceTests(SynchronousTestCase):
    """
    Who may connect.
    """

    def table(self, total: int, each: int) -> ConnectionTable:
        """
        Make a table with these caps.
        """
        return ConnectionTable(
            TransportLimits(connections=total, connections_per_address=each)
        )

    def test_numbers(self) -> None:
        """
        No number is given twice, also not that of a place that is free again.
        """
        table = self.table(2, 2)
        first = table.take_place("192.0.2.1")
        assert first is not None
        table.give_place(first)
        self.assertNotEqual(table.take_place("192.0.2.1"), first)

    def test_caps(self) -> None:
        """
        Each address has its share, and all together have theirs.
        """
        table = self.table(3, 2)
        taken = [table.take_place("192.0.2.1") for _ in range(3)]
        self.assertEqual([one is None for one in taken], [False, False, True])
        self.assertIsNotNone(table.take_place("192.0.2.2"))
        self.assertIsNone(table.take_place("192.0.2.3"))
        assert taken[0] is not None
        table.give_place(taken[0])
        self.assertIsNotNone(table.take_place("192.0.2.3"))

    def test_network_of_ipv6(self) -> None:
        """
        All addresses of one IPv6 network of 64 bits share one share.
        """
        table = self.table(9, 1)
        self.assertIsNotNone(table.take_place("2001:db8:0:1::1"))
        self.assertIsNone(table.take_place("2001:db8:0:1:ffff::2"))
        self.assertIsNotNone(table.take_place("2001:db8:0:2::1"))

    def test_refusals_leave_nothing(self) -> None:
        """
        However many are refused, the table does not grow.
        """
        table = self.table(0, 2)
        for number in range(100):
            table.take_place(f"192.0.2.{number}")
        self.assertEqual(len(table._places), 0)


class TableCase(SynchronousTestCase):
    """
    A table without caps that matter.
    """

    def setUp(self) -> None:
        self.table = ConnectionTable(TransportLimits())

    def enter(
        self, connection: FakeConnection, expectation: Expectation | None = None
    ) -> FakeConnection:
        """
        Enter a connection that has opened.
        """
        self.table.opened(connection, expectation)  # type: ignore[arg-type]  # a double
        return connection

    def leave(self, connection: FakeConnection) -> None:
        """
        Take a connection out.
        """
        self.table.remove(connection)  # type: ignore[arg-type]  # a double


class ReuseTests(TableCase):
    """
    Which connection serves a target.
    """

    def test_tcp(self) -> None:
        """
        Over TCP the address alone decides, whoever opened the connection.
        """
        end = Endpoint.parse("tcp:192.0.2.2:5060")
        connection = self.enter(FakeConnection(1, end, listener="ours"))
        self.assertIs(self.table.find(Target(end)), connection)
        self.assertIsNone(self.table.find(Target(Endpoint.parse("tcp:192.0.2.2:5061"))))

    def test_tls(self) -> None:
        """
        Over TLS what was proved has to be what is expected, to the letter.
        """
        proved = Expectation("example.com")
        connection = self.enter(FakeConnection(1, OWN), proved)
        self.assertIs(self.table.find(Target(OWN, proved)), connection)
        for other in (
            Expectation("example.net"),
            Expectation("example.com", TLSVerify.TARGET),
            Expectation("example.com", wildcards=True),
        ):
            self.assertIsNone(self.table.find(Target(OWN, other)))

    def test_tls_that_came_in(self) -> None:
        """
        One that came in over TLS serves nobody, unless by an alias.
        """
        self.enter(FakeConnection(1, listener="ours"))
        for expected in (None, Expectation("any", TLSVerify.NONE)):
            self.assertIsNone(self.table.find(Target(REMOTE, expected)))

    def test_closing(self) -> None:
        """
        A connection that is closing serves nobody; its successor does.
        """
        end = Endpoint.parse("tcp:192.0.2.2:5060")
        old = self.enter(FakeConnection(1, end))
        old.is_open = False
        self.assertIsNone(self.table.find(Target(end)))
        new = self.enter(FakeConnection(2, end))
        self.leave(old)
        self.assertIs(self.table.find(Target(end)), new)

    def test_in_any_order(self) -> None:
        """
        Connections that followed each other may leave in any order.
        """
        end = Endpoint.parse("tcp:192.0.2.2:5060")
        old, new = (self.enter(FakeConnection(number, end)) for number in (1, 2))
        self.leave(new)
        self.leave(old)
        self.leave(old)
        self.assertEqual((len(self.table), self.table._by_key), (0, {}))


class AliasTests(TableCase):
    """
    RFC 5923.
    """

    def came(self, number: int, *names: str) -> FakeConnection:
        """
        Enter a connection that came in, from a peer that has proved these names.
        """
        held = certificate(dns=names) if names else None
        made = FakeConnection(number, certificate=held, listener="ours")
        return self.enter(made)

    def alias(self, connection: FakeConnection, port: int = OWN.port) -> None:
        """
        Ask for an alias.
        """
        self.table.add_alias(connection, port)  # type: ignore[arg-type]  # a double

    def find(self, name: str, end: Endpoint = OWN) -> object:
        """
        Look for a way to a name.
        """
        return self.table.find(Target(end, Expectation(name)))

    def test_alias(self) -> None:
        """
        It serves the names that were proved, at the address and port of sent-by.
        """
        connection = self.came(1, "a.example", "b.example")
        self.alias(connection)
        self.assertIs(self.find("a.example"), connection)
        self.assertIs(self.find("b.example"), connection)
        self.assertIsNone(self.find("c.example"))
        elsewhere = Endpoint.parse("tls:192.0.2.3:5061")
        self.assertIsNone(self.find("a.example", elsewhere))

    def test_nothing_proved(self) -> None:
        """
        Without a certificate there is none.
        """
        self.alias(self.came(1))
        self.assertIsNone(self.find("a.example"))
        self.assertIsNone(
            self.table.find(Target(OWN, Expectation("any", TLSVerify.NONE)))
        )

    def test_opened_by_us(self) -> None:
        """
        A connection of ours needs none, and gets none.
        """
        connection = self.came(1, "a.example")
        connection.listener = None
        self.alias(connection)
        self.assertIsNone(self.find("a.example"))

    def test_one_each(self) -> None:
        """
        A connection has one alias, the last one, however many it asks for.
        """
        connection = self.came(1, "a.example")
        for port in range(1, 100):
            self.alias(connection, port)
        self.assertEqual(len(self.table._by_alias), 1)

    def test_successor(self) -> None:
        """
        The connection that asked last has it; both may leave in any order.
        """
        old, new = self.came(1, "a.example"), self.came(2, "a.example")
        self.alias(old)
        self.alias(new)
        self.assertIs(self.find("a.example"), new)
        self.leave(new)
        self.assertIsNone(self.find("a.example"))
        self.leave(old)
        self.assertEqual((self.table._by_alias, self.table._aliases), ({}, {}))
