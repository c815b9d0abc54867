"""
Tests for `sipsorcery.transport.location.naptr`.
"""

from __future__ import annotations

from collections.abc import Collection

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Transport
from sipsorcery.transport.location.naptr import Service, services
from sipsorcery.transport.location.records import NAPTR

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS


def rule(
    service: str,
    order: int = 10,
    preference: int = 10,
    *,
    flags: str = "s",
    regexp: str = "",
    replacement: str | None = None,
) -> NAPTR:
    """
    Make a record; it leads to a name like the service.
    """
    if replacement is None:
        replacement = service.lower()
    return NAPTR(order, preference, flags, service, regexp, replacement)


# The example of RFC 3263, 4.1.
EXAMPLE = [
    NAPTR(100, 50, "s", "SIP+D2U", "", "_sip._udp.example.com"),
    NAPTR(90, 50, "s", "SIP+D2T", "", "_sip._tcp.example.com"),
    NAPTR(50, 50, "s", "SIPS+D2T", "", "_sips._tcp.example.com"),
]


class ServicesTests(SynchronousTestCase):
    """
    The choice among what a domain offers.
    """

    def chosen(
        self,
        records: Collection[NAPTR],
        transports: Collection[Transport] = (UDP, TCP, TLS),
        *,
        secure: bool = False,
        reliable: bool = False,
        limit: int = 6,
    ) -> list[list[Transport]]:
        """
        Give the transports of the services that are chosen.
        """
        found = services(
            records, transports, secure=secure, reliable=reliable, limit=limit
        )
        return [[service.transport for service in group] for group in found]

    def test_order(self) -> None:
        """
        The example of RFC 3263: lower orders first, each for itself.
        """
        self.assertEqual(
            services(EXAMPLE, (UDP, TCP, TLS), secure=False, reliable=False, limit=6),
            [
                [Service(TLS, "_sips._tcp.example.com")],
                [Service(TCP, "_sip._tcp.example.com")],
                [Service(UDP, "_sip._udp.example.com")],
            ],
        )

    def test_unsupported_transport(self) -> None:
        """
        "Since the client supports TCP and UDP, TCP will be used": what we cannot send
        by is discarded.
        """
        self.assertEqual(self.chosen(EXAMPLE, (UDP, TCP)), [[TCP], [UDP]])

    def test_sips(self) -> None:
        """
        "A client resolving a SIPS URI MUST discard any services that do not contain
        'SIPS'".
        """
        self.assertEqual(self.chosen(EXAMPLE, secure=True), [[TLS]])

    def test_preference(self) -> None:
        """
        Within one order the lower preference comes first, in one group.
        """
        records = [rule("SIP+D2T", 1, 2), rule("SIP+D2U", 1, 1), rule("SIPS+D2T", 2, 0)]
        self.assertEqual(self.chosen(records), [[UDP, TCP], [TLS]])

    def test_reliable(self) -> None:
        """
        What a long request can go by comes before UDP, whatever the domain prefers.
        """
        records = [rule("SIP+D2U", 1), rule("SIPS+D2T", 2), rule("SIP+D2T", 3)]
        self.assertEqual(self.chosen(records, reliable=True), [[TLS], [TCP], [UDP]])

    def test_case(self) -> None:
        """
        Flags and services have no case (RFC 3403, 4.1; RFC 3958, 6.5).
        """
        self.assertEqual(self.chosen([rule("sip+d2u", flags="S")]), [[UDP]])

    def test_websocket(self) -> None:
        """
        The services of RFC 7118 count once we have that transport.
        """
        records = [rule("SIP+D2W"), rule("SIPS+D2W", 20)]
        self.assertEqual(self.chosen(records), [])
        both = (Transport.WS, Transport.WSS)
        self.assertEqual(self.chosen(records, both), [[both[0]], [both[1]]])

    def test_not_for_us(self) -> None:
        """
        Other services, other flags, rules with a regular expression or without a
        replacement lead nowhere.
        """
        for record in (
            rule("E2U+sip", flags="u", regexp="!^.*$!sip:a@example.com!"),
            rule("SIP+D2S"),
            rule("SIPS+D2U"),
            rule("SIP"),
            rule(""),
            rule("SIP+D2U", flags="a"),
            rule("SIP+D2U", flags=""),
            rule("SIP+D2U", flags="su"),
            rule("SIP+D2U", regexp="!.*!b!"),
            rule("SIP+D2U", replacement=""),
        ):
            self.assertEqual(self.chosen([record]), [], record)

    def test_limit(self) -> None:
        """
        No more services are looked at than the limit says; those for others do not
        count.
        """
        many = [rule("SIP+D2U", replacement=f"{number}") for number in range(9)]
        others = [rule("E2U+sip", 0) for _ in range(9)]
        self.assertEqual(self.chosen(others + many, limit=2), [[UDP, UDP]])

    def test_doubled(self) -> None:
        """
        The same service twice is one.
        """
        self.assertEqual(
            self.chosen([rule("SIP+D2U"), rule("SIP+D2U", 10, 20)]), [[UDP]]
        )
