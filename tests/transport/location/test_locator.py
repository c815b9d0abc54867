"""
Tests for `sipsorcery.transport.location.locator`.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.names import error, hosts
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.identity import Expectation, TLSVerify
from sipsorcery.transport.location.errors import LocationError
from sipsorcery.transport.location.limits import LocationLimits
from sipsorcery.transport.location.locator import Finding, Locator
from sipsorcery.transport.location.policy import TLSPolicy, TLSRule
from sipsorcery.transport.target import Target
from tests.transport.location.zones import Zones, records

UDP4, UDP6 = "udp:192.0.2.200:5060", "udp:[2001:db8::200]:5060"
# That of RFC 3263, 4.1, with the other SRV records that it demands, and addresses.
EXAMPLE = """
    example.com             NAPTR  50 50 s SIPS+D2T - _sips._tcp.example.com
    example.com             NAPTR  90 50 s SIP+D2T  - _sip._tcp.example.com
    example.com             NAPTR 100 50 s SIP+D2U  - _sip._udp.example.com
    _sips._tcp.example.com  SRV 0 1 5061 server1.example.com
    _sips._tcp.example.com  SRV 1 1 5061 server2.example.com
    _sip._tcp.example.com   SRV 0 0 5060 server1.example.com
    _sip._tcp.example.com   SRV 1 0 5060 server2.example.com
    _sip._udp.example.com   SRV 0 0 5060 server1.example.com
    _sip._udp.example.com   SRV 1 0 5070 server2.example.com
    server1.example.com     A 192.0.2.1
    server2.example.com     A 192.0.2.2
    example.com             A 192.0.2.80
"""


class LocatorCase(SynchronousTestCase):
    """
    A locator with zones in memory, an own hosts file and a clock that is moved.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.zones = Zones()
        self.locator = self.make()

    def make(
        self, *listen: str, hosts_file: str = "", sources: str = "46", **others: Any
    ) -> Locator:
        """
        Make a locator.

        :param listen: its listeners; without any, one for UDP over IPv4.
        :param sources: the families in which we have addresses.
        """
        path = self.mktemp()
        with open(path, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(hosts_file)
        configured = [ListenAddress.parse(one) for one in listen or (UDP4,)]
        listeners = [Listener(one, one.endpoint) for one in configured]

        def source_address(remote: str) -> str | None:
            if remote in ("127.0.0.1", "::1"):
                return remote
            family, ours = (
                ("6", "2001:db8::200") if ":" in remote else ("4", "192.0.2.200")
            )
            return ours if family in sources else None

        others.setdefault("chance", lambda: 0.0)
        return Locator(
            self.zones,
            self.clock,
            listeners=lambda: listeners,
            local_names=hosts.Resolver(path.encode(), ttl=5),
            source_address=source_address,
            **others,
        )

    def locate(self, uri: str, *, reliable: bool = False) -> list[str]:
        """
        Locate a URI; give the targets as text.
        """
        found = self.locator.locate(SIPURI.parse(uri), reliable=reliable)
        return [str(target) for target in self.successResultOf(found)]

    def targets(self, uri: str) -> list[Target]:
        """
        Locate a URI.
        """
        return self.successResultOf(self.locator.locate(SIPURI.parse(uri)))

    def error(self, uri: str) -> str:
        """
        Locate a URI in vain; give what the error says.
        """
        failure = self.failureResultOf(self.locator.locate(SIPURI.parse(uri)))
        self.assertIsInstance(failure.value, LocationError)
        return str(failure.value)


class WithoutDNSTests(LocatorCase):
    """
    URIs that say everything themselves: nothing is asked.
    """

    def tearDown(self) -> None:
        self.assertEqual(self.zones.asked, [])

    def test_address(self) -> None:
        """
        "If TARGET is a numeric IP address, the client uses that address", and the port
        of the URI or else of the transport; over UDP, or TLS for sips.
        """
        for uri, target in (
            ("sip:192.0.2.1", "udp:192.0.2.1:5060"),
            ("sip:192.0.2.1:5070", "udp:192.0.2.1:5070"),
            ("sip:a@192.0.2.1;transport=tcp", "tcp:192.0.2.1:5060"),
            ("sip:192.0.2.1;transport=tls", "tls:192.0.2.1:5061"),
            ("sips:192.0.2.1", "tls:192.0.2.1:5061"),
            ("sips:192.0.2.1:5060", "tls:192.0.2.1:5060"),
            ("sips:192.0.2.1;transport=tcp", "tls:192.0.2.1:5061"),
            ("sip:[2001:DB8::1]", "udp:[2001:db8::1]:5060"),
            ("sip:[2001:db8::1]:5070;transport=tcp", "tcp:[2001:db8::1]:5070"),
            ("sip:example.com;maddr=192.0.2.7", "udp:192.0.2.7:5060"),
        ):
            self.assertEqual(self.locate(uri), [target], uri)

    def test_long_request(self) -> None:
        """
        A request that is too long for UDP goes over TCP, and over UDP only if that
        fails (RFC 3261, 18.1.1); what the URI says counts more.
        """
        self.assertEqual(
            self.locate("sip:192.0.2.1", reliable=True),
            ["tcp:192.0.2.1:5060", "udp:192.0.2.1:5060"],
        )
        self.assertEqual(
            self.locate("sip:192.0.2.1;transport=udp", reliable=True),
            ["udp:192.0.2.1:5060"],
        )

    def test_refused(self) -> None:
        """
        What cannot be is refused at once, with an error of the transport's kind.
        """
        self.assertIn("no transport is called", self.error("sip:a.b;transport=carrier"))
        self.assertIn("does not go over UDP", self.error("sips:a.b;transport=udp"))
        self.assertIn("nothing can be sent over ws", self.error("sip:a.b;transport=ws"))
        self.assertIn("no name that DNS could know", self.error("sip:a..b"))
        self.assertTrue(issubclass(LocationError, TransportError))

    def test_certificate(self) -> None:
        """
        Over TLS an address proves that it is that address.
        """
        (target,) = self.targets("sips:192.0.2.1")
        self.assertEqual(target.expectation, Expectation("192.0.2.1", TLSVerify.TARGET))


class AddressTests(LocatorCase):
    """
    URIs with a port: A and AAAA records, and nothing else (4.2).
    """

    def test_port(self) -> None:
        """
        "If the TARGET was not a numeric IP address, but a port is present in the URI,
        the client performs an A or AAAA record lookup of the domain name."
        """
        self.zones.add("example.com A 192.0.2.1")
        self.assertEqual(self.locate("sip:example.com:5070"), ["udp:192.0.2.1:5070"])
        self.assertEqual(self.zones.asked, ["A example.com"])
        self.assertEqual(self.locate("sip:example.com:5060"), ["udp:192.0.2.1:5060"])

    def test_default_transport(self) -> None:
        """
        Over UDP, or TLS for sips, if there is no transport parameter.
        """
        self.zones.add("example.com A 192.0.2.1")
        self.assertEqual(self.locate("sips:example.com:5070"), ["tls:192.0.2.1:5070"])
        uri = "sip:example.com:5070;transport=tcp"
        self.assertEqual(self.locate(uri), ["tcp:192.0.2.1:5070"])

    def test_both_families(self) -> None:
        """
        IPv6 comes first if it leads anywhere (RFC 6724); IPv4 is there, too (RFC 7984).
        """
        self.zones.add("example.com A 192.0.2.1\nexample.com AAAA 2001:db8::1")
        four, six = "tcp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060"
        uri = "sip:example.com:5060;transport=tcp"
        self.assertEqual(self.locate(uri), [six, four])
        self.locator = self.make(sources="4")
        self.assertEqual(self.locate(uri), [four, six])

    def test_families_of_the_sockets(self) -> None:
        """
        Over UDP only those families are asked for that a socket can send to.
        """
        self.zones.add("example.com A 192.0.2.1\nexample.com AAAA 2001:db8::1")
        four, six = "udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060"
        for listen, targets, asked in (
            ([UDP4], [four], ["A example.com"]),
            ([UDP6], [six], ["AAAA example.com"]),
            ([UDP4, UDP6], [six, four], ["AAAA example.com", "A example.com"]),
        ):
            self.zones.asked.clear()
            self.locator = self.make(*listen)
            self.assertEqual(self.locate("sip:example.com:5060"), targets)
            self.assertEqual(self.zones.asked, asked)

    def test_several(self) -> None:
        """
        Each address is a target; where to begin is chance, so that all get their share.
        """
        self.zones.add("a.example A 192.0.2.1\na.example A 192.0.2.2")
        self.locator = self.make(chance=random.Random(5).random)
        firsts = Counter(self.locate("sip:a.example:5060")[0] for _ in range(1000))
        self.assertEqual(len(firsts), 2)
        self.assertGreater(min(firsts.values()), 400)
        self.assertEqual(len(self.locate("sip:a.example:5060")), 2)

    def test_alias(self) -> None:
        """
        A CNAME is followed.
        """
        self.zones.add("www.example CNAME a.example\na.example A 192.0.2.1")
        self.assertEqual(self.locate("sip:www.example:5060"), ["udp:192.0.2.1:5060"])

    def test_one_family_fails(self) -> None:
        """
        What one family lacks, or what asking for it failed with, leaves the other.
        """
        self.zones.add("example.com A 192.0.2.1")
        self.zones.fail(error.DNSServerError(), "AAAA example.com")
        uri = "sip:example.com:5060;transport=tcp"
        self.assertEqual(self.locate(uri), ["tcp:192.0.2.1:5060"])

    def test_maddr(self) -> None:
        """
        A maddr is what is looked for; the host is what a certificate has to prove.
        """
        self.zones.add("edge.example A 192.0.2.1")
        (target,) = self.targets("sips:example.com:5061;maddr=edge.example")
        self.assertEqual(str(target), "tls:192.0.2.1:5061")
        self.assertEqual(target.expectation, Expectation("example.com"))


class ServiceTests(LocatorCase):
    """
    URIs without a port: NAPTR, SRV, and addresses (4.1, 4.2).
    """

    def test_naptr(self) -> None:
        """
        The domain's favourite service that we have is taken, its servers in their
        order. Other services are not: "MUST NOT consider any NAPTRs with a different
        order" once there is a match.
        """
        self.zones.add(EXAMPLE)
        servers = ["tls:192.0.2.1:5061", "tls:192.0.2.2:5061"]
        self.assertEqual(self.locate("sip:example.com"), servers)
        self.assertEqual(self.locate("sips:example.com"), servers)

    def test_naptr_for_udp(self) -> None:
        """
        With UDP as the favourite a sip URI goes there, a sips URI never.
        """
        self.zones.add(
            EXAMPLE.replace("NAPTR 100", "NAPTR 10"),
        )
        self.assertEqual(
            self.locate("sip:example.com"), ["udp:192.0.2.1:5060", "udp:192.0.2.2:5070"]
        )
        self.assertEqual(self.locate("sips:example.com")[0], "tls:192.0.2.1:5061")

    def test_naptr_elsewhere(self) -> None:
        """
        "It is not necessary for the domain suffixes in the NAPTR replacement field to
        match the domain"; what is to be proved over TLS is the domain nevertheless.
        """
        self.zones.add(
            """
            example.com             NAPTR 0 0 S sips+d2t - _sips._tcp.hosting.example
            _sips._tcp.hosting.example SRV 0 0 5099 a.hosting.example
            a.hosting.example       A 192.0.2.9
            """
        )
        (target,) = self.targets("sip:example.com")
        self.assertEqual(str(target), "tls:192.0.2.9:5099")
        self.assertEqual(target.expectation, Expectation("example.com"))

    def test_naptr_preference(self) -> None:
        """
        Services of one order follow each other by preference.
        """
        self.zones.add(
            """
            example.com            NAPTR 1 2 s SIP+D2U - _sip._udp.example.com
            example.com            NAPTR 1 1 s SIP+D2T - _sip._tcp.example.com
            _sip._tcp.example.com  SRV 0 0 5060 a.example.com
            _sip._udp.example.com  SRV 0 0 5060 a.example.com
            a.example.com          A 192.0.2.1
            """
        )
        both = ["tcp:192.0.2.1:5060", "udp:192.0.2.1:5060"]
        self.assertEqual(self.locate("sip:example.com"), both)

    def test_naptr_without_servers(self) -> None:
        """
        A service whose servers are withheld, or not there, leaves room for the next
        one; if none has any, the address of the domain is tried the way they say.
        """
        self.zones.add(EXAMPLE)
        self.zones.remove("_sips._tcp.example.com")
        self.zones.add("_sips._tcp.example.com SRV 0 0 0 .")
        self.assertEqual(self.locate("sip:example.com")[0], "tcp:192.0.2.1:5060")
        self.zones = Zones(
            "b.example NAPTR 0 0 s SIP+D2T - _x.b\nb.example A 192.0.2.3"
        )
        self.locator = self.make()
        self.assertEqual(self.locate("sip:b.example"), ["tcp:192.0.2.3:5060"])

    def test_naptr_not_for_sip(self) -> None:
        """
        NAPTR records of others, or broken ones, are as good as none.
        """
        self.zones.add(
            """
            example.com  NAPTR 0 0 u E2U+sip !^.*$!sip:info@example.com! .
            example.com  NAPTR 0 0 s SIP+D2U !x!y! _sip._udp.example.com
            example.com  NAPTR 0 0 s SIP+D2U - .
            example.com  NAPTR 0 0 - SIP+D2U - _sip._udp.example.com
            example.com  NAPTR 0 0 s SIP+D2S - _sip._sctp.example.com
            _sip._tcp.example.com SRV 0 0 5060 192.0.2.1
            """
        )
        self.assertEqual(self.locate("sip:example.com"), ["tcp:192.0.2.1:5060"])

    def test_naptr_fails(self) -> None:
        """
        A DNS server that does not know NAPTR records knows SRV records all the same.
        """
        self.zones.add(EXAMPLE)
        for failure in (error.DNSNotImplementedError(), error.DNSServerError()):
            self.zones.fail(failure, "NAPTR example.com")
            self.locator = self.make()
            self.assertEqual(self.locate("sip:example.com")[0], "udp:192.0.2.1:5060")

    def test_srv(self) -> None:
        """
        Without NAPTR records the SRV records of each transport are asked for, "_sip"
        for sip; UDP comes first, then TCP.
        """
        self.zones.add(EXAMPLE)
        self.zones.fail(error.DNSNameError(), "NAPTR example.com")
        self.assertEqual(
            self.locate("sip:example.com"),
            [
                "udp:192.0.2.1:5060",
                "udp:192.0.2.2:5070",
                "tcp:192.0.2.1:5060",
                "tcp:192.0.2.2:5060",
            ],
        )
        self.assertNotIn("SRV _sips._tcp.example.com", self.zones.asked)

    def test_srv_for_sips(self) -> None:
        """
        For sips there is nothing but "_sips._tcp".
        """
        self.zones.add(EXAMPLE)
        self.zones.fail(error.DNSNameError(), "NAPTR example.com")
        self.assertEqual(self.locate("sips:example.com")[0], "tls:192.0.2.1:5061")
        asked = [one for one in self.zones.asked if one.startswith("SRV")]
        self.assertEqual(asked, ["SRV _sips._tcp.example.com"])

    def test_srv_for_one_transport(self) -> None:
        """
        With a transport parameter only its SRV records are asked for.
        """
        self.zones.add(EXAMPLE)
        for transport, first, name in (
            ("udp", "udp:192.0.2.1:5060", "_sip._udp"),
            ("tcp", "tcp:192.0.2.1:5060", "_sip._tcp"),
            ("tls", "tls:192.0.2.1:5061", "_sips._tcp"),
        ):
            self.zones.asked.clear()
            uri = f"sip:example.com;transport={transport}"
            self.assertEqual(self.locate(uri)[0], first)
            self.assertEqual(self.zones.asked[0], f"SRV {name}.example.com")
            self.assertNotIn("NAPTR example.com", self.zones.asked)

    def test_srv_weights(self) -> None:
        """
        Servers of one priority get requests by their weights, each time anew.
        """
        self.zones.add(
            """
            _sip._udp.a.example SRV 0 30 5060 192.0.2.1
            _sip._udp.a.example SRV 0 10 5060 192.0.2.2
            _sip._udp.a.example SRV 9 99 5060 192.0.2.3
            """
        )
        self.locator = self.make(chance=random.Random(1).random)
        orders = Counter(tuple(self.locate("sip:a.example")) for _ in range(1000))
        shares = {order[0][-6]: count for order, count in orders.items()}
        self.assertEqual(len(orders), 2)
        self.assertLess(abs(shares["1"] - 750), 60)
        self.assertEqual({order[2] for order in orders}, {"udp:192.0.2.3:5060"})

    def test_srv_of_alias(self) -> None:
        """
        SRV records may be found through a CNAME, and hosts of SRV records be one.
        """
        self.zones.add(
            """
            _sip._udp.a.example CNAME _sip._udp.b.example
            _sip._udp.b.example SRV 0 0 5066 c.example
            c.example CNAME d.example
            d.example A 192.0.2.4
            """
        )
        self.assertEqual(self.locate("sip:a.example"), ["udp:192.0.2.4:5066"])

    def test_srv_additional(self) -> None:
        """
        Addresses that come along with SRV records are not asked for again; the family
        that is missing is.
        """
        self.zones.add("_sip._tcp.a.example SRV 0 0 5060 b.example")
        self.zones.add("b.example AAAA 2001:db8::1")
        self.zones.additional = records("b.example A 192.0.2.1\nc.example A 192.0.2.2")
        uri = "sip:a.example;transport=tcp"
        self.assertEqual(
            self.locate(uri), ["tcp:[2001:db8::1]:5060", "tcp:192.0.2.1:5060"]
        )
        self.assertEqual(
            self.zones.asked, ["SRV _sip._tcp.a.example", "AAAA b.example"]
        )

    def test_srv_additional_of_other_family(self) -> None:
        """
        What came along is left out if no socket can send there.
        """
        self.zones.add("_sip._udp.a.example SRV 0 0 5060 b.example")
        self.zones.additional = records(
            "b.example A 192.0.2.1\nb.example AAAA 2001:db8::1"
        )
        uri = "sip:a.example;transport=udp"
        self.assertEqual(self.locate(uri), ["udp:192.0.2.1:5060"])

    def test_srv_withheld(self) -> None:
        """
        A domain whose SRV record says "." is not called over that transport, whatever
        its address; another transport may be offered.
        """
        self.zones.add("_sip._udp.a.example SRV 0 0 0 .\na.example A 192.0.2.1")
        self.assertIn(
            "SRV _sip._udp.a.example: the service is not offered",
            self.error("sip:a.example"),
        )
        self.zones.add("_sip._tcp.b.example SRV 0 0 5060 a.example")
        self.zones.add("_sip._udp.b.example SRV 0 0 0 .")
        self.assertEqual(self.locate("sip:b.example"), ["tcp:192.0.2.1:5060"])

    def test_srv_unusable(self) -> None:
        """
        Of several servers those without an address, a port or a proper name are passed
        over.
        """
        self.zones.add(
            """
            _sip._udp.a.example SRV 0 0 5060 nowhere.example
            _sip._udp.a.example SRV 1 0 0 b.example
            _sip._udp.a.example SRV 2 0 5060 b.example
            b.example A 192.0.2.1
            """
        )
        self.assertEqual(self.locate("sip:a.example"), ["udp:192.0.2.1:5060"])

    def test_nothing_usable(self) -> None:
        """
        Records that nothing can be made of are an error that says so.
        """
        header = records("a.example A 192.0.2.1")[0]
        header.payload = None
        self.zones.add("a.example SOA 60")
        self.zones.answers["A a.example"] = [header]
        self.assertEqual(
            self.error("sip:a.example:5060"),
            "nothing leads to a.example: its records are of no use",
        )

    def test_no_services(self) -> None:
        """
        Without NAPTR and SRV records it is the domain's own address and the default
        port: "TCP for a SIPS URI, and UDP for a SIP URI".
        """
        self.zones.add("a.example A 192.0.2.1")
        self.assertEqual(self.locate("sip:a.example"), ["udp:192.0.2.1:5060"])
        self.assertEqual(self.locate("sips:a.example"), ["tls:192.0.2.1:5061"])
        uri = "sip:a.example;transport=tcp"
        self.assertEqual(self.locate(uri), ["tcp:192.0.2.1:5060"])

    def test_no_udp(self) -> None:
        """
        Without a UDP socket TCP is the default, and UDP is not asked for.
        """
        self.locator = self.make("tcp:192.0.2.200:5060")
        self.zones.add("a.example A 192.0.2.1")
        self.assertEqual(self.locate("sip:a.example"), ["tcp:192.0.2.1:5060"])
        self.assertNotIn("SRV _sip._udp.a.example", self.zones.asked)

    def test_long_request(self) -> None:
        """
        For a long request TCP is preferred among what the domain has.
        """
        self.zones.add(EXAMPLE.replace("NAPTR 100", "NAPTR 10"))
        found = self.locate("sip:example.com", reliable=True)
        self.assertEqual(found[0], "tls:192.0.2.1:5061")
        self.zones.add("_sip._udp.a.example SRV 0 0 5070 server1.example.com")
        found = self.locate("sip:a.example", reliable=True)
        self.assertEqual(found, ["udp:192.0.2.1:5070"])
        self.zones.add("_sip._tcp.a.example SRV 0 0 5080 server1.example.com")
        self.locator = self.make()
        found = self.locate("sip:a.example", reliable=True)
        self.assertEqual(found, ["tcp:192.0.2.1:5080", "udp:192.0.2.1:5070"])

    def test_same_target_twice(self) -> None:
        """
        Two names of one server are one target.
        """
        self.zones.add(
            """
            _sip._udp.a.example SRV 0 0 5060 b.example
            _sip._udp.a.example SRV 1 0 5060 c.example
            b.example A 192.0.2.1
            c.example A 192.0.2.1
            """
        )
        self.assertEqual(self.locate("sip:a.example"), ["udp:192.0.2.1:5060"])


class ToldTests(LocatorCase):
    """
    What is told of searches.
    """

    def setUp(self) -> None:
        super().setUp()
        self.findings: list[Finding] = []
        self.locator = self.make(told=self.findings.append)

    def test_found(self) -> None:
        """
        A name is told with all that it leads to.
        """
        self.zones.add("example.com A 192.0.2.1")
        targets = self.targets("sip:example.com:5070")
        self.assertEqual(self.findings, [Finding("example.com", tuple(targets))])

    def test_failed(self) -> None:
        """
        So is one that leads nowhere, with the reason, be it that nobody answers.
        """
        error = self.error("sip:nowhere.example")
        self.assertEqual(self.findings.pop(), Finding("nowhere.example", problem=error))
        self.zones.hold()
        found = self.locator.locate(SIPURI.parse("sip:silent.example"))
        self.clock.pump([1.0] * 60)
        self.failureResultOf(found, LocationError)
        (finding,) = self.findings
        self.assertEqual(finding.host, "silent.example")
        self.assertTrue(finding.problem)

    def test_addresses(self) -> None:
        """
        Of an address, which nobody is asked for, nothing is told.
        """
        self.targets("sip:192.0.2.1;transport=udp")
        self.assertEqual(self.findings, [])


class CertificateTests(LocatorCase):
    """
    What the targets have to prove over TLS.
    """

    def expectation(self, **rules: TLSRule) -> Expectation | None:
        """
        Locate a domain by rules; give what its first target has to prove.
        """
        self.zones.add(EXAMPLE)
        exceptions = {"example.com": rules["own"]} if "own" in rules else {}
        policy = TLSPolicy(rules.get("default", TLSRule()), exceptions)
        self.locator = self.make(policy=policy)
        return self.targets("sip:example.com")[0].expectation

    def test_domain(self) -> None:
        """
        The domain of the URI, by default.
        """
        self.assertEqual(self.expectation(), Expectation("example.com"))

    def test_target(self) -> None:
        """
        The host in the SRV record, if the operator trusts DNS.
        """
        self.assertEqual(
            self.expectation(default=TLSRule(TLSVerify.TARGET)),
            Expectation("server1.example.com", TLSVerify.TARGET),
        )

    def test_own_rule(self) -> None:
        """
        What the operator says of that domain.
        """
        rule = TLSRule(TLSVerify.PIN, pins=frozenset({"ab"}))
        self.assertEqual(
            self.expectation(own=rule),
            Expectation("example.com", TLSVerify.PIN, frozenset({"ab"})),
        )

    def test_without_tls(self) -> None:
        """
        Nothing without TLS: targets of different domains are the same target.
        """
        (target,) = self.targets("sip:192.0.2.1;transport=tcp")
        self.assertEqual(target, Target(Endpoint.parse("tcp:192.0.2.1:5060")))


class LocalNameTests(LocatorCase):
    """
    Names that are not those of domains.
    """

    def test_hosts_file(self) -> None:
        """
        A name in the hosts file has the address that stands there, and no services.
        """
        self.locator = self.make(hosts_file="192.0.2.5 sip.example.com other\n")
        self.assertEqual(self.locate("sip:SIP.example.com"), ["udp:192.0.2.5:5060"])
        self.assertEqual(self.locate("sip:sip.example.com:5"), ["udp:192.0.2.5:5"])
        self.assertEqual(self.zones.asked, [])

    def test_host_of_service_in_hosts_file(self) -> None:
        """
        The hosts file knows better where the servers of a domain are, too.
        """
        self.zones.add(EXAMPLE)
        self.locator = self.make(hosts_file="192.0.2.5 server1.example.com\n")
        self.assertEqual(self.locate("sip:example.com")[0], "tls:192.0.2.5:5061")

    def test_changed_hosts_file(self) -> None:
        """
        A changed hosts file counts after a few seconds.
        """
        path = self.mktemp()

        def write(text: str) -> None:
            with open(path, "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(text)

        write("192.0.2.5 pbx\n")
        local_names = hosts.Resolver(path.encode(), ttl=5)
        self.locator = Locator(
            self.zones,
            self.clock,
            listeners=list,
            local_names=local_names,
            source_address=lambda remote: remote,
        )
        self.assertEqual(self.locate("sip:pbx"), ["tcp:192.0.2.5:5060"])
        write("192.0.2.6 pbx\n")
        self.assertEqual(self.locate("sip:pbx"), ["tcp:192.0.2.5:5060"])
        self.clock.advance(5)
        self.assertEqual(self.locate("sip:pbx"), ["tcp:192.0.2.6:5060"])

    def test_localhost(self) -> None:
        """
        localhost is this machine, in the family that we can send in; DNS is never
        asked for it (RFC 6761, 6.3).
        """
        self.assertEqual(self.locate("sip:localhost"), ["udp:127.0.0.1:5060"])
        self.assertEqual(
            self.locate("sip:a.localhost:99;transport=tcp"),
            ["tcp:[::1]:99", "tcp:127.0.0.1:99"],
        )
        self.locator = self.make(hosts_file="127.0.0.7 localhost")
        self.assertEqual(self.locate("sip:localhost"), ["udp:127.0.0.7:5060"])
        self.assertEqual(self.zones.asked, [])

    def test_bare_name(self) -> None:
        """
        A name without dots, or below .local, that the hosts file does not have may be
        known to the DNS server of the network; it has no services there.
        """
        self.zones.add("pbx A 192.0.2.1\npbx.local A 192.0.2.2")
        self.assertEqual(self.locate("sip:pbx"), ["udp:192.0.2.1:5060"])
        self.assertEqual(self.locate("sips:pbx.local"), ["tls:192.0.2.2:5061"])
        self.assertEqual(self.zones.asked, ["A pbx", "AAAA pbx.local", "A pbx.local"])
        self.assertEqual(
            self.error("sip:other"), "nothing leads to other: A other: no such name"
        )


class FailureTests(LocatorCase):
    """
    When DNS has nothing, or says nothing.
    """

    def test_no_such_domain(self) -> None:
        """
        The error names the host, what was asked and what came of it.
        """
        self.assertEqual(
            self.error("sip:a.example"),
            "nothing leads to a.example: NAPTR a.example: no such name; "
            "SRV _sip._udp.a.example: no such name; "
            "SRV _sip._tcp.a.example: no such name; A a.example: no such name",
        )

    def test_empty(self) -> None:
        """
        A name that has other records only is no server either.
        """
        self.zones.add("a.example SOA 60")
        self.assertIn("A a.example: no such records", self.error("sip:a.example:5060"))

    def test_failing_server(self) -> None:
        """
        If nobody knows whether there are SRV records, the address of the domain, which
        is its web server's, is no substitute.
        """
        self.zones.add("a.example A 192.0.2.80")
        self.zones.fail(error.DNSServerError(), "SRV _sip._udp.a.example")
        self.assertIn(
            "SRV _sip._udp.a.example: the DNS server failed",
            self.error("sip:a.example"),
        )
        self.assertNotIn("A a.example", self.zones.asked)

    def test_refusing_server(self) -> None:
        """
        A DNS server that does not do SRV records at all has none.
        """
        self.zones.add("a.example A 192.0.2.80")
        for question in ("SRV _sip._udp.a.example", "SRV _sip._tcp.a.example"):
            self.zones.fail(error.DNSNotImplementedError(), question)
        self.assertEqual(self.locate("sip:a.example"), ["udp:192.0.2.80:5060"])

    def test_dead_server(self) -> None:
        """
        A dead DNS server is an error after three seconds; while it is dead, at once.
        """
        self.zones.hold()
        found = self.locator.locate(SIPURI.parse("sip:a.example"))
        self.clock.advance(2.9)
        self.assertNoResult(found)
        self.clock.advance(0.1)
        failure = self.failureResultOf(found, LocationError)
        self.assertIn("SRV _sip._udp.a.example: no answer", str(failure.value))
        self.assertIn("no answer", self.error("sip:a.example"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_server(self) -> None:
        """
        Everything together takes no longer than the caller's patience.
        """
        self.locator = self.make(limits=LocationLimits(patience=4, question=(1, 2)))
        self.zones.add("_sip._udp.a.example SRV 0 0 5060 b.example")
        self.zones.hold()
        found = self.locator.locate(SIPURI.parse("sip:a.example"))
        self.clock.advance(2.5)
        self.zones.release(hold=True)
        self.assertEqual(self.zones.asked[-1], "A b.example")
        self.clock.advance(1.5)
        failure = self.failureResultOf(found, LocationError)
        self.assertIn("no end after 4 s", str(failure.value))

    def test_cancelled(self) -> None:
        """
        Who no longer needs the targets can say so; nothing is left of it.
        """
        self.zones.hold()
        found = self.locator.locate(SIPURI.parse("sip:a.example"))
        found.cancel()
        self.failureResultOf(found, CancelledError)
        self.clock.advance(3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_absurd_zone(self) -> None:
        """
        A zone with a thousand of everything costs no more than the limits say.
        """
        lines = [f"a.example NAPTR 0 0 s SIP+D2U - _{n}.a.example" for n in range(1000)]
        for n in range(6):
            lines += [
                f"_{n}.a.example SRV {m} 0 5060 {n}-{m}.a.example" for m in range(1000)
            ]
            lines += [
                f"{n}-{m}.a.example A 192.0.{n}.{m}"
                for m in range(250)
                for _ in range(3)
            ]
        self.zones.add("\n".join(lines))
        limits = LocationLimits()
        found = self.locate("sip:a.example")
        self.assertLessEqual(len(found), limits.targets)
        self.assertGreater(len(found), 10)
        kinds = Counter(question.split()[0] for question in self.zones.asked)
        self.assertLessEqual(kinds["SRV"], limits.services + 2)
        self.assertLessEqual(kinds["A"], limits.hosts)

    def test_many_addresses(self) -> None:
        """
        No more targets come than the limit.
        """
        self.zones.add("\n".join(f"a.example A 192.0.2.{n}" for n in range(200)))
        self.locator = self.make(limits=LocationLimits(targets=5))
        self.assertEqual(len(self.locate("sip:a.example:5060")), 5)

    def test_service_that_names_itself(self) -> None:
        """
        Records that point at each other end.
        """
        self.zones.add(
            """
            a.example NAPTR 0 0 s SIP+D2U - a.example
            a.example SRV 0 0 5060 a.example
            _sip._udp.a.example SRV 0 0 5060 _sip._udp.a.example
            _sip._tcp.a.example CNAME _sip._tcp.a.example
            """
        )
        self.assertIn("no such records", self.error("sip:a.example"))


class FailOverTests(LocatorCase):
    """
    The memory of targets that failed (4.3).
    """

    def setUp(self) -> None:
        super().setUp()
        self.zones.add(
            """
            _sip._udp.a.example SRV 0 0 5060 192.0.2.1
            _sip._udp.a.example SRV 1 0 5060 192.0.2.2
            _sip._udp.a.example SRV 2 0 5060 192.0.2.3
            """
        )

    def order(self) -> str:
        """
        Give the last digits of the targets, in order.
        """
        return "".join(one[-6] for one in self.locate("sip:a.example"))

    def test_failed(self) -> None:
        """
        A failed target comes last for 45 s, and then in its place again.
        """
        first = self.targets("sip:a.example")[0]
        self.assertEqual(self.order(), "123")
        self.locator.failed(first)
        self.assertEqual(self.order(), "231")
        self.clock.advance(44.9)
        self.assertEqual(self.order(), "231")
        self.clock.advance(0.1)
        self.assertEqual(self.order(), "123")

    def test_all_failed(self) -> None:
        """
        If all have failed, all are tried again.
        """
        for target in self.targets("sip:a.example"):
            self.locator.failed(target)
        self.assertEqual(self.order(), "123")

    def test_retry_after(self) -> None:
        """
        A 503 with Retry-After says itself for how long; five minutes at most.
        """
        first = self.targets("sip:a.example")[0]
        for said, kept in ((10, 10), (86400, 300)):
            self.locator.failed(first, retry_after=said)
            self.clock.advance(kept - 1)
            self.assertEqual(self.order(), "231")
            self.clock.advance(1)
            self.assertEqual(self.order(), "123")


class PickTests(LocatorCase):
    """
    The choice of a proxy without state (4.4).
    """

    def setUp(self) -> None:
        super().setUp()
        self.lines = [
            "_sip._udp.a.example SRV 0 10 5060 b.example",
            "_sip._udp.a.example SRV 0 10 5060 c.example",
            "_sip._udp.a.example SRV 0 20 5060 d.example",
            "_sip._udp.a.example SRV 9 50 5060 e.example",
            "b.example A 192.0.2.1",
            "c.example A 192.0.2.2",
            "d.example A 192.0.2.3",
            "d.example A 192.0.2.4",
            "e.example A 192.0.2.5",
        ]
        self.zones.add("\n".join(self.lines))

    def pick(self, call_id: str) -> Target:
        """
        Pick the target for a call.
        """
        found = self.locator.pick(SIPURI.parse("sip:a.example"), call_id)
        return self.successResultOf(found)

    def test_same_for_a_call(self) -> None:
        """
        A call goes to one server: in every process, in whatever order the records come,
        also after it failed.
        """
        calls = [f"{number}@host" for number in range(50)]
        picked = {call_id: self.pick(call_id) for call_id in calls}
        for target in picked.values():
            self.locator.failed(target)
        self.assertEqual({one: self.pick(one) for one in calls}, picked)
        self.zones = Zones("\n".join(reversed(self.lines)))
        self.locator = self.make(chance=random.Random(7).random)
        self.assertEqual({one: self.pick(one) for one in calls}, picked)

    def test_same_however_dns_answers(self) -> None:
        """
        Nor does it count in which order the answers come, or that they are known by
        the time of the retransmission.
        """
        self.zones.add("a.example NAPTR 0 0 s SIP+D2U - _sip._udp.a.example")
        for call_id in map(str, range(30)):
            self.locator = self.make()
            self.zones.hold()
            found = self.locator.pick(SIPURI.parse("sip:a.example"), call_id)
            self.zones.release(hold=True)
            self.zones.release()
            first = self.successResultOf(found)
            self.assertEqual(self.pick(call_id), first)

    def test_shares(self) -> None:
        """
        Calls are shared by weight, and among the addresses of one server.
        """
        shares = Counter(
            self.pick(f"{number}@host").endpoint.host[-1] for number in range(2000)
        )
        self.assertEqual(set(shares), set("1234"))
        for count in shares.values():
            self.assertLess(abs(count - 500), 100)

    def test_stays_the_same(self) -> None:
        """
        The choice is the same with another version of us, for its parts may run beside
        each other.
        """
        picked = [self.pick(call_id).endpoint.host[-1] for call_id in "abcdefgh"]
        self.assertEqual("".join(picked), "31242122")

    def test_nothing(self) -> None:
        """
        Without any server it fails like `locate`.
        """
        found = self.locator.pick(SIPURI.parse("sip:nowhere.example"), "1@host")
        self.failureResultOf(found, LocationError)
        found = self.locator.pick(SIPURI.parse("sip:a;transport=x"), "1@host")
        self.failureResultOf(found, LocationError)


class ResponseTests(LocatorCase):
    """
    Responses that cannot go back the way the request came (5).
    """

    def found(self, via: str) -> list[str]:
        """
        Locate the sent-by of a Via.
        """
        found = self.locator.locate_response(Via.parse(via))
        return [str(target) for target in self.successResultOf(found)]

    def test_port(self) -> None:
        """
        "If the sent-by field contained a domain name and a port number, the server
        queries for A or AAAA records with that name."
        """
        self.zones.add("a.example A 192.0.2.1")
        via = "SIP/2.0/UDP a.example:5070;branch=z9hG4bK1"
        self.assertEqual(self.found(via), ["udp:192.0.2.1:5070"])
        self.assertEqual(self.zones.asked, ["A a.example"])

    def test_no_port(self) -> None:
        """
        Without a port SRV records are asked for, "_sips" if the transport is TLS, and
        never NAPTR; without those it is the address.
        """
        self.zones.add(EXAMPLE)
        for transport, first in (
            ("UDP", "udp:192.0.2.1:5060"),
            ("tcp", "tcp:192.0.2.1:5060"),
            ("TLS", "tls:192.0.2.1:5061"),
        ):
            found = self.found(f"SIP/2.0/{transport} example.com;branch=z9hG4bK1")
            self.assertEqual((found[0], len(found)), (first, 2))
        self.assertNotIn("NAPTR example.com", self.zones.asked)
        self.zones.add("b.example A 192.0.2.7")
        self.assertEqual(self.found("SIP/2.0/TCP b.example"), ["tcp:192.0.2.7:5060"])

    def test_address(self) -> None:
        """
        A numeric sent-by is taken as it is.
        """
        self.assertEqual(self.found("SIP/2.0/TCP 192.0.2.1"), ["tcp:192.0.2.1:5060"])
        self.assertEqual(
            self.found("SIP/2.0/TLS [2001:db8::1]:5062"), ["tls:[2001:db8::1]:5062"]
        )

    def test_refused(self) -> None:
        """
        What leads nowhere is a `TransportError`, as the layer wants it.
        """
        for via in ("SIP/2.0/SCTP a.example", "SIP/2.0/UDP nowhere.example"):
            found: Deferred[Any] = self.locator.locate_response(Via.parse(via))
            self.failureResultOf(found, LocationError)
