"""
Tests for `sipsorcery.access.guard`, `offences` and `scanners`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.guard import Guard
from sipsorcery.access.networks import Networks, source_of
from sipsorcery.access.offences import OFFENCES, Ban, Offence
from sipsorcery.access.scanners import is_scanner
from sipsorcery.access.trunks import Trunks
from sipsorcery.config import parse
from sipsorcery.config.tree import Trunk
from sipsorcery.endpoint import Endpoint, Transport
from tests.access.flows import flow

STRANGER = Endpoint.parse("udp:198.51.100.1:5060")
PHONE = Endpoint.parse("udp:192.0.2.1:5060")
DAY = 86_400.0


class GuardCase(SynchronousTestCase):
    """
    A guard as it is by default, but for the allowed networks.
    """

    def setUp(self) -> None:
        self.banned: list[Ban] = []
        self.guard = self.make()

    def make(self, **options: Any) -> Guard:
        """
        Make a guard whose bans are noted.
        """
        return Guard(banned=self.banned.append, **options)

    def send(
        self, count: int, remote: Endpoint | str = STRANGER, now: float = 0.0
    ) -> int:
        """
        Send packets at one moment; give how many are admitted.
        """
        sender = flow(remote)
        return sum(self.guard.admit(sender, now) for _ in range(count))

    def misbehave(
        self,
        times: int,
        offence: Offence,
        remote: Endpoint = STRANGER,
        now: float = 0.0,
    ) -> bool:
        """
        Do something wrong; tell whether there was a ban for it.
        """
        return (
            sum(self.guard.note_failure(remote, offence, now) for _ in range(times)) > 0
        )


class PacketsTests(GuardCase):
    """
    How many packets a stranger may send.
    """

    def test_rate(self) -> None:
        """
        A stranger's sixty packets in two seconds are admitted; what is more is dropped,
        until the next two seconds.
        """
        self.assertEqual(self.send(100), 60)
        self.assertEqual(self.send(10, now=1.9), 0)
        self.assertEqual(self.send(100, now=2.0), 60)
        self.assertEqual(self.guard.dropped, 90)
        self.assertEqual(self.banned, [])

    def test_by_source(self) -> None:
        """
        Ports of one address count together, and so do addresses of one IPv6 network;
        other sources do not.
        """
        self.send(60)
        self.assertEqual(self.send(1, "udp:198.51.100.1:9"), 0)
        self.assertEqual(self.send(1, "tcp:198.51.100.1:9"), 0)
        self.assertEqual(self.send(1, "udp:198.51.100.2:5060"), 1)
        for number in range(60):
            self.send(1, f"udp:[2001:db8::{number:x}]:5060")
        self.assertEqual(self.send(1, "udp:[2001:db8::ffff]:5060"), 0)
        self.assertEqual(self.send(1, "udp:[2001:db8:0:1::1]:5060"), 1)

    def test_flood(self) -> None:
        """
        Ten times as many as are allowed are a flood: the source is banned for five
        minutes, and told of once. 5,000 packets a second do it in an eighth of one.
        """
        admitted = 0
        for number in range(50_000):
            admitted += self.send(1, now=number / 5000)
        self.assertEqual(admitted, 60)
        [ban] = self.banned
        self.assertEqual((ban.source, ban.offence), ("198.51.100.1", Offence.FLOOD))
        self.assertLess(ban.since, 0.125)
        self.assertEqual(ban.until - ban.since, 300.0)
        self.assertEqual(self.send(1, now=ban.until - 1), 0)
        self.assertEqual(self.send(1, now=ban.until), 1)

    def test_persistence(self) -> None:
        """
        Too many packets in five periods after each other are a flood, too; with a
        period of peace between them they are not.
        """
        for second in range(0, 20, 2):
            if second != 8:
                self.send(70, now=float(second))
        self.assertEqual(self.banned, [])
        self.send(70, now=20.0)
        self.assertEqual(len(self.banned), 1)

    def test_office(self) -> None:
        """
        A source with a phone that has authenticated may send ten times as much from new
        flows: it may be an office with many phones behind one address.
        """
        self.guard.note_authenticated(PHONE, 0.0)
        self.assertEqual(self.send(1000, "udp:192.0.2.1:40000"), 600)
        self.assertEqual(self.banned, [])

    def test_no_limit(self) -> None:
        """
        Without a rate in the configuration nobody sends too much.
        """
        self.guard = self.make(packets=None)
        self.assertEqual(self.send(100_000), 100_000)
        self.assertEqual(self.banned, [])

    def test_known_flow(self) -> None:
        """
        A flow that has authenticated sends what it likes, for two hours; the same port
        by another transport is another flow.
        """
        self.guard.note_authenticated(PHONE, 0.0)
        self.assertEqual(self.send(10_000, PHONE), 10_000)
        self.assertEqual(self.send(10_000, PHONE, now=7199.0), 10_000)
        self.assertEqual(self.send(1000, "tcp:192.0.2.1:5060", now=7199.0), 600)
        self.assertEqual(self.send(100, PHONE, now=7202.0), 60)

    def test_closed_connection(self) -> None:
        """
        A connection that is closed is known no longer: another's may have its port.
        """
        remote = Endpoint.parse("tls:192.0.2.1:40000")
        self.guard.note_authenticated(remote, 0.0)
        self.assertEqual(self.send(1000, remote), 1000)
        self.guard.forget(remote)
        self.assertEqual(self.send(1000, remote), 600)  # still of an office


class BansTests(GuardCase):
    """
    Who is banned, for how long, and who never.
    """

    def test_offences(self) -> None:
        """
        Each offence has a measure that is full at its count, not one before.
        """
        for number, offence in enumerate(set(Offence) - {Offence.FLOOD}):
            remote = Endpoint.parse(f"udp:203.0.113.{number}:5060")
            count = OFFENCES[offence].count
            self.assertFalse(self.misbehave(count - 1, offence, remote))
            self.assertEqual(self.send(1, remote), 1)
            self.assertTrue(self.misbehave(1, offence, remote))
            self.assertEqual(self.send(1, remote), 0)
            self.assertEqual(self.banned[-1].offence, offence)

    def test_slow_offences(self) -> None:
        """
        What is spread over a longer time is no offence: a phone that sends something
        odd every fifteen seconds is not banned.
        """
        for number in range(1000):
            self.assertFalse(
                self.misbehave(1, Offence.GARBAGE, STRANGER, number * 15.0)
            )

    def test_scanner(self) -> None:
        """
        A scanner is banned for its first packet.
        """
        self.assertTrue(self.misbehave(1, Offence.SCANNER))
        self.assertEqual(self.send(1), 0)
        self.assertEqual(self.send(1, "udp:198.51.100.2:5060"), 1)

    def test_known_flow_goes_on(self) -> None:
        """
        A ban keeps out what is new of a source, and no flow that has authenticated: a
        stranger who forges a phone's address cannot silence it.
        """
        self.guard.note_authenticated(PHONE, 0.0)
        forged = Endpoint.parse("udp:192.0.2.1:666")
        self.assertTrue(self.misbehave(10, Offence.SCANNER, forged))
        self.assertEqual(self.send(1, forged), 0)
        self.assertEqual(self.send(1, PHONE), 1)
        self.assertIn("but for its authenticated flows", self.explain("192.0.2.1"))

    def explain(self, host: str) -> str:
        """
        Explain what becomes of a host.
        """
        return self.guard.explain(host, 0.0)

    def test_known_flow_does_no_wrong(self) -> None:
        """
        What comes from the very flow of a phone is not counted against its source.
        """
        self.guard.note_authenticated(PHONE, 0.0)
        self.assertFalse(self.misbehave(1000, Offence.GARBAGE, PHONE))
        self.assertEqual(self.banned, [])

    def test_office(self) -> None:
        """
        A source with an authenticated phone may fail ten times as often.
        """
        self.guard.note_authenticated(PHONE, 0.0)
        beside = Endpoint.parse("udp:192.0.2.1:40000")
        self.assertFalse(self.misbehave(299, Offence.CREDENTIALS, beside))
        self.assertTrue(self.misbehave(1, Offence.CREDENTIALS, beside))

    def test_allowed(self) -> None:
        """
        An allowed network is never limited nor banned.
        """
        allow = Networks([ipaddress.ip_network("198.51.100.0/24")])
        self.guard = self.make(allow=allow)
        self.assertEqual(self.send(10_000), 10_000)
        for offence in Offence:
            self.assertFalse(self.misbehave(1000, offence))
        self.assertEqual(self.banned, [])
        self.assertIn("never banned", self.explain("198.51.100.1"))

    def test_trunk(self) -> None:
        """
        A trunk is neither limited nor kept out, by whatever it is known.
        """
        trunks = Trunks(
            [
                Trunk(name="a", networks=(ipaddress.ip_network("198.51.100.1"),)),
                Trunk(name="b", tls_domains=("b.example",)),
            ]
        )
        self.guard = self.make(trunks=trunks)
        remote = Endpoint.parse("tls:203.0.113.1:40000")
        shown = flow(remote, "b.example")
        self.misbehave(1, Offence.SCANNER)
        self.misbehave(1, Offence.SCANNER, remote)
        self.assertEqual(self.send(10_000), 10_000)
        self.assertTrue(all(self.guard.admit(shown, 0.0) for _ in range(1000)))
        self.assertFalse(self.guard.admit(flow("tls:203.0.113.1:40001"), 0.0))

    def test_growing(self) -> None:
        """
        A ban for what cannot be forged is twice as long each time, up to a day; after a
        day of peace it is short again.
        """
        now, lengths = 0.0, []
        for _ in range(11):
            self.misbehave(30, Offence.CREDENTIALS, now=now)
            lengths.append(self.banned[-1].until - now)
            now = self.banned[-1].until
        self.assertEqual(lengths[:4], [300.0, 600.0, 1200.0, 2400.0])
        self.assertEqual(lengths[-2:], [DAY, DAY])
        self.misbehave(30, Offence.CREDENTIALS, now=now + DAY)
        self.assertEqual(self.banned[-1].until - now - DAY, 300.0)

    def test_forgeable_does_not_grow(self) -> None:
        """
        A ban for what anybody can send in another's name by UDP stays short; over a
        connection nobody can, and it grows.
        """
        for remote, expected in (
            (STRANGER, [300.0, 300.0, 300.0]),
            (Endpoint.parse("tcp:203.0.113.1:40000"), [300.0, 600.0, 1200.0]),
        ):
            now, lengths = 0.0, []
            for _ in range(3):
                self.misbehave(20, Offence.GARBAGE, remote, now)
                lengths.append(self.banned[-1].until - now)
                now = self.banned[-1].until
            self.assertEqual(lengths, expected)

    def test_forged_after_proven(self) -> None:
        """
        Nor does a forged packet shorten what was earned: it is not even counted while
        there is a ban.
        """
        self.misbehave(30, Offence.CREDENTIALS)
        self.misbehave(30, Offence.CREDENTIALS, now=300.0)
        self.assertFalse(self.misbehave(100, Offence.SCANNER, now=301.0))
        self.assertEqual([ban.until for ban in self.guard.bans(301.0)], [900.0])

    def test_no_bans(self) -> None:
        """
        With ``limits.ban`` 0 nobody is banned; what is too much is still dropped.
        """
        self.guard = self.make(ban=0.0)
        self.assertEqual(self.send(10_000), 60)
        self.misbehave(1000, Offence.SCANNER)
        self.assertEqual(self.send(1, now=2.0), 1)
        self.assertEqual((self.banned, self.guard.bans(0.0)), ([], []))

    def test_list_and_unban(self) -> None:
        """
        Bans can be listed, explained and lifted; whoever is let in begins anew.
        """
        self.misbehave(1, Offence.SCANNER, Endpoint.parse("udp:[2001:db8::1]:5060"))
        self.misbehave(1, Offence.SCANNER)
        self.misbehave(19, Offence.GARBAGE, PHONE)
        self.assertEqual(
            [ban.source for ban in self.guard.bans(1.0)],
            ["2001:db8::/64", "198.51.100.1"],
        )
        self.assertIn("banned for 300 s", self.explain("2001:db8::77"))
        self.assertEqual(self.explain("192.0.2.1"), "192.0.2.1 is a stranger")
        self.assertTrue(self.guard.unban("2001:db8::/64"))
        self.assertTrue(self.guard.unban("198.51.100.1"))
        self.assertFalse(self.guard.unban("192.0.2.1"))
        self.assertEqual(self.guard.bans(1.0), [])
        self.assertEqual(self.send(1), 1)
        self.assertFalse(self.misbehave(19, Offence.GARBAGE, PHONE))
        self.assertEqual(self.guard.bans(301.0), [])

    def test_of_config(self) -> None:
        """
        The configuration says how many packets, for how long, and who never.
        """
        config = parse(
            b'[limits]\npackets = "2/1s"\nban = 7\nallow = ["203.0.113.0/24"]\n'
            b'[[trunk]]\nname = "a"\nnetworks = ["192.0.2.1"]\n'
        )
        self.guard = Guard.of_config(config, banned=self.banned.append)
        self.assertEqual(self.send(3), 2)
        self.assertEqual(self.send(3, PHONE), 3)
        self.assertEqual(self.send(3, "udp:203.0.113.9:1"), 3)
        self.misbehave(1, Offence.SCANNER)
        self.assertEqual(self.banned[0].until, 7.0)
        self.assertEqual(self.send(3), 0)

    def test_other_config(self) -> None:
        """
        Another configuration holds for the next packet, and lets nobody out but those
        that it never bans.
        """
        self.guard = Guard.of_config(parse(b"limits.ban = 50"))
        for remote in (STRANGER, PHONE):
            self.misbehave(1, Offence.SCANNER, remote)
            self.assertEqual(self.send(1, remote), 0)
        self.guard.reconfigure(
            parse(b"[limits]\nban = 7\npackets = '2/1s'\nallow = ['192.0.2.1']")
        )
        self.assertEqual([ban.until for ban in self.guard.bans(0.0)], [50.0, 50.0])
        self.assertEqual(self.send(5), 0)
        self.assertEqual(self.send(5, PHONE), 5)
        self.assertEqual(self.send(3, Endpoint.parse("udp:203.0.113.77:5060")), 2)

    def test_unlimited(self) -> None:
        """
        Without a rate there may be any number of packets.
        """
        unlimited = Guard.of_config(parse(b'[limits]\npackets = ""\n'))
        self.assertTrue(all(unlimited.admit(flow(STRANGER), 0.0) for _ in range(500)))

    def test_bounds(self) -> None:
        """
        No table grows beyond its bound, whoever comes.
        """
        self.guard = self.make(flows=10, strangers=10, bans=10)
        for number in range(200):
            remote = Endpoint.parse(f"udp:203.0.113.{number}:5060")
            self.send(2, remote)
            self.misbehave(1, Offence.GARBAGE, remote)
            self.misbehave(1, Offence.SCANNER, remote)
            self.guard.note_authenticated(remote, 0.0)
        self.assertEqual(len(self.guard.bans(1.0)), 10)
        for table in vars(self.guard).values():
            if isinstance(table, dict):
                self.assertLessEqual(len(table), 10)


_HOSTS = ("192.0.2.1", "198.51.100.1", "2001:db8::1", "2001:db8::2")
_REMOTES = st.builds(
    Endpoint,
    st.sampled_from([Transport.UDP, Transport.TCP]),
    st.sampled_from(_HOSTS),
    st.sampled_from([5060, 40_000]),
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "authenticate", "unban", *Offence]),
        _REMOTES,
        st.integers(1, 700),
        st.floats(0, 4000),
    ),
    max_size=10,
)


class HistoryTests(SynchronousTestCase):
    """
    What holds whatever has happened before.
    """

    @given(_STEPS)
    def test_history(
        self, steps: list[tuple[Offence | str, Endpoint, int, float]]
    ) -> None:
        """
        Who has authenticated, is allowed or is a trunk is admitted; no ban is shorter
        than the first nor longer than a day, and who is banned is admitted only by
        these rights.
        """
        allowed = ipaddress.ip_network("203.0.113.0/24")
        trunk = Trunk(name="a", networks=(ipaddress.ip_network("203.0.114.0/24"),))
        bans: list[Ban] = []
        guard = Guard(
            allow=Networks([allowed]), trunks=Trunks([trunk]), banned=bans.append
        )
        known: dict[Endpoint, float] = {}
        now = 0.0
        for step, remote, times, passed in steps:
            now += passed
            match step:
                case "authenticate":
                    guard.note_authenticated(remote, now)
                    known[remote] = now
                case "unban":
                    guard.unban(remote.host)
                case "send":
                    for _ in range(times):
                        guard.admit(flow(remote), now)
                case Offence():
                    for _ in range(times):
                        guard.note_failure(remote, step, now)
            for phone, then in known.items():
                if now - then < 7200:
                    self.assertTrue(guard.admit(flow(phone), now))
            for host in ("203.0.113.1", "203.0.114.1"):
                self.assertTrue(guard.admit(flow(f"udp:{host}:5060"), now))
            banned = {ban.source for ban in guard.bans(now)}
            stranger = Endpoint(Transport.UDP, remote.host, 9)
            if source_of(remote.host) in banned:
                self.assertFalse(guard.admit(flow(stranger), now))
        for ban in bans:
            self.assertTrue(299.9 < ban.until - ban.since < DAY + 0.1, ban)


class ScannersTests(SynchronousTestCase):
    """
    Who is a scanner by its own word.
    """

    def test_scanners(self) -> None:
        """
        The well-known tools are known in any case, with a version and in a sentence.
        """
        for product in (
            "friendly-scanner",
            "Friendly-Scanner/0.3",
            "sipvicious",
            "sipcli/v1.8",
            "sundayddr",
            "VaxSIPUserAgent/3.1",
            "pplsip",
            "Mozilla/5.0 (zgrab/0.x)",
            "smap 0.6.0",
        ):
            self.assertTrue(is_scanner(product), product)

    def test_phones(self) -> None:
        """
        Phones and servers are not, also where their name has one of a tool within it.
        """
        for product in (
            None,
            "",
            "baresip v1.0.0 (x86_64/linux)",
            "kamailio (5.6.3 (x86_64/linux))",
            "Linphone Desktop/5.0",
            "Yealink SIP-T46S 66.85.0.5",
            "sipsak 0.9.8.1",
            "SIPp",
            "sipclient",
            "Smappee",
            "myiwar",
            "x" * 200 + " friendly-scanner",
        ):
            self.assertFalse(is_scanner(product), product)


class OrderTests(SynchronousTestCase):
    """
    What an administrator orders.
    """

    def setUp(self) -> None:
        self.told: list[Ban] = []
        allow = Networks([ipaddress.ip_network("192.0.2.0/24")])
        self.guard = Guard(allow=allow, banned=self.told.append)

    def test_ban(self) -> None:
        """
        A source is banned at once, for as long as is said, and can be let in again.
        """
        self.assertEqual(self.guard.ban("198.51.100.1", 10.0, 5.0), "198.51.100.1")
        self.assertTrue(self.guard.is_banned("198.51.100.1", 14.9))
        self.assertFalse(self.guard.is_banned("198.51.100.1", 15.0))
        self.assertEqual([ban.offence for ban in self.told], [Offence.ORDER])
        self.guard.unban("198.51.100.1")
        self.assertFalse(self.guard.is_banned("198.51.100.1", 6.0))

    def test_as_long_as_others(self) -> None:
        """
        Without a length it is that of a first ban.
        """
        self.guard.ban("198.51.100.1", None, 0.0)
        self.assertTrue(self.guard.is_banned("198.51.100.1", 299.0))
        self.assertFalse(self.guard.is_banned("198.51.100.1", 300.0))

    def test_network(self) -> None:
        """
        Of IPv6 it is the network of a household.
        """
        self.guard.ban("2001:db8::1", None, 0.0)
        self.assertTrue(self.guard.is_banned("2001:db8::2", 1.0))

    def test_allowed(self) -> None:
        """
        Who is never banned is not banned by order either.
        """
        self.assertIsNone(self.guard.ban("192.0.2.1", None, 0.0))
        self.assertFalse(self.guard.is_banned("192.0.2.1", 1.0))
