"""
Tests for the small parts of the registrar: rules, trust, flows, keep-alives, load.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.config import parse
from sipsorcery.endpoint import Endpoint
from sipsorcery.registrar.errors import Refused
from sipsorcery.registrar.flows import FlowIndex
from sipsorcery.registrar.keepalive import KeepAlives
from sipsorcery.registrar.origin import Origin
from sipsorcery.registrar.overload import Load
from sipsorcery.registrar.rules import RuleBook, Rules
from sipsorcery.registrar.trust import Trust
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.store.bindings import Bindings
from tests.access.cases import NOW, make_binding
from tests.registrar.cases import make_request

PROXY = Endpoint.parse("udp:127.0.0.1:5059")
STRANGER = Endpoint.parse("udp:127.0.0.1:5060")


class RuleTests(SynchronousTestCase):
    """
    Rules for phones by what they call themselves.
    """

    book = RuleBook(
        parse(
            b"""
            [registrar]
            min_expires = 30
            max_expires = 900
            max_contacts = 4
            [[user_agent]]
            pattern = "fring"
            [[user_agent]]
            pattern = "^Nokia"
            max_expires = 600
            contact_list = false
            [[user_agent]]
            pattern = "Cisco-CP7960G/8.0"
            max_expires = 60
            [[user_agent]]
            pattern = "."
            max_expires = 113
            """
        )
    )

    def test_first_that_fits(self) -> None:
        """
        The first pattern that is found counts, wherever in the text, without case.
        """
        for agent, expires, lists in (
            ("XX FRING yy", 900, True),
            ("NOKIA N97", 600, False),
            ("not a Nokia", 113, True),
            ("Cisco-CP7960G/8.0", 60, True),
            ("anything", 113, True),
        ):
            rules = Rules(30, expires, 4, lists)
            self.assertEqual(self.book.of(agent), rules, agent)

    def test_unknown(self) -> None:
        """
        A phone that does not say what it is has the common rules.
        """
        self.assertEqual(self.book.of(""), Rules(30, 900, 4))


class TrustTests(SynchronousTestCase):
    """
    What proxies say of phones.
    """

    FIELDS = (
        ("Proxy-ReceivedFrom", "tls:198.51.100.9:5555"),
        ("Proxy-ReceivedOn", "tls:203.0.113.1:5061"),
    )

    def origin(self, toml: str, remote: Endpoint) -> Origin:
        """
        Give the origin of a request that says that it came by a proxy.
        """
        trust = Trust(parse(toml.encode()))
        return trust.origin(make_request(fields=self.FIELDS), remote)

    def test_proxy(self) -> None:
        """
        A proxy of the configuration, or else that of this service, is believed.
        """
        for toml in (
            "sip.proxies = ['udp:127.0.0.1:5059']",
            "proxy.inside = 'udp:127.0.0.1:5059'",
        ):
            origin = self.origin(toml, PROXY)
            self.assertTrue(origin.is_trusted)
            self.assertEqual(origin.received, "tls:198.51.100.9:5555")
            self.assertEqual(origin.received_on, "tls:203.0.113.1:5061")

    def test_stranger(self) -> None:
        """
        Nobody else is: not from another port, nor where other proxies are named.
        """
        for toml, remote in (
            ("proxy.inside = 'udp:127.0.0.1:5059'", STRANGER),
            ("", PROXY),
            (
                "proxy.inside = 'udp:127.0.0.1:5059'\n"
                "sip.proxies = ['udp:127.0.0.1:5058']",
                PROXY,
            ),
        ):
            origin = self.origin(toml, remote)
            self.assertFalse(origin.is_trusted)
            self.assertEqual(origin.received, str(remote))
            self.assertEqual(origin.received_on, "")

    def test_proxy_says_nothing(self) -> None:
        """
        Where a proxy of ours says nothing that can be read, it is the source itself.
        """
        trust = Trust(parse(b"sip.proxies = ['udp:127.0.0.1:5059']"))
        for fields in ((), [("Proxy-ReceivedFrom", "nonsense")]):
            origin = trust.origin(make_request(fields=fields), PROXY)
            self.assertEqual(origin.source, PROXY)

    def test_local_networks(self) -> None:
        """
        The networks without NAT are those of the configuration.
        """
        origin = self.origin("sip.local_networks = ['10.0.0.0/8']", STRANGER)
        self.assertEqual([str(each) for each in origin.local_networks], ["10.0.0.0/8"])


def on_connection(*tokens: str, received: str = "tcp:192.0.2.4:5060") -> Bindings:
    """
    Make bindings, each on a connection of its own.
    """
    return Bindings(
        tuple(
            make_binding(f"sip:{t}@h", path=(f"sip:{t}@p;lr",), received=received)
            for t in tokens
        )
    )


class FlowIndexTests(SynchronousTestCase):
    """
    Which addresses-of-record rest on a connection.
    """

    def setUp(self) -> None:
        self.index = FlowIndex()

    def test_close(self) -> None:
        """
        All who rest on a connection are given, once.
        """
        self.index.add("sip:a@h", on_connection("1", "2"))
        self.index.add("sip:b@h", on_connection("1"))
        self.assertEqual(sorted(self.index.close("1")), ["sip:a@h", "sip:b@h"])
        self.assertEqual(list(self.index.close("1")), [])
        self.assertEqual(list(self.index.close("2")), ["sip:a@h"])

    def test_settle(self) -> None:
        """
        What has been replaced is forgotten; what still holds is not.
        """
        before, after = on_connection("1", "2"), on_connection("2", "3")
        for aor in ("sip:a@h", "sip:b@h"):
            self.index.add(aor, before)
        self.index.add("sip:a@h", after)
        self.index.settle("sip:a@h", before, after)
        self.assertEqual(list(self.index.close("1")), ["sip:b@h"])
        self.assertEqual(sorted(self.index.close("2")), ["sip:a@h", "sip:b@h"])
        self.index.settle("sip:a@h", after, Bindings())
        self.assertEqual(len(self.index), 0)

    def test_datagrams(self) -> None:
        """
        UDP has no connections, and takes no room.
        """
        self.index.add("sip:a@h", on_connection("1", received="udp:192.0.2.4:5060"))
        self.assertEqual(len(self.index), 0)

    def test_closed(self) -> None:
        """
        A connection that has closed is remembered for a while, the last ones of many.
        """
        self.assertFalse(self.index.has_closed(["0"]))
        for number in range(5000):
            self.index.close(str(number))
        self.assertTrue(self.index.has_closed(["x", "4999"]))
        self.assertFalse(self.index.has_closed(["0"]))


class KeepAliveTests(SynchronousTestCase):
    """
    When whom.
    """

    BEHIND_NAT = Bindings((make_binding("sip:a@10.0.0.5", keeps_alive=True),))
    PUBLIC = Bindings((make_binding("sip:a@192.0.2.5"),))

    @given(st.floats(1, 3600), st.integers(1, 50))
    def test_regularly(self, interval: float, count: int) -> None:
        """
        Nobody is silent for longer than the interval, and nobody is a nuisance.
        """
        due = KeepAlives(interval)
        due.note("sip:a@h", self.BEHIND_NAT, NOW)
        now, last = NOW, NOW
        for turn in range(count):
            while not due.take(now, 10):
                now += interval / 50
            self.assertLessEqual(now - last, interval * 1.03)
            if turn:
                self.assertGreaterEqual(now - last, interval * 0.89)
            last = now

    def test_who(self) -> None:
        """
        Only who needs it, and only as long as they need it.
        """
        due = KeepAlives(25)
        due.note("sip:a@h", self.PUBLIC, NOW)
        self.assertEqual(len(due), 0)
        due.note("sip:a@h", self.BEHIND_NAT, NOW)
        due.note("sip:a@h", self.BEHIND_NAT, NOW)
        self.assertEqual(len(due), 1)
        due.note("sip:a@h", Bindings(), NOW)
        self.assertEqual(due.take(NOW + 100, 10), [])
        self.assertEqual(len(due), 0)

    def test_off(self) -> None:
        """
        An interval of 0 is never.
        """
        due = KeepAlives(0)
        due.note("sip:a@h", self.BEHIND_NAT, NOW)
        self.assertEqual(len(due), 0)

    def test_spread_and_bounded(self) -> None:
        """
        After a start they are spread over one interval, and no more than the limit are
        given at a time; the others are given next.
        """
        due = KeepAlives(25)
        for number in range(1000):
            due.note(f"sip:{number}@h", self.BEHIND_NAT, NOW)
        first = due.take(NOW + 5, 1000)
        self.assertTrue(120 < len(first) < 280, len(first))
        rest = [due.take(NOW + 25, 300) for _ in range(5)]
        self.assertTrue(all(len(taken) <= 300 for taken in rest))
        everyone = {aor for taken in (first, *rest) for aor in taken}
        self.assertEqual(len(everyone), 1000)


class LoadTests(SynchronousTestCase):
    """
    Overload.
    """

    def test_lag(self) -> None:
        """
        A reactor that is behind takes nothing more until it has caught up, and who is
        refused is told when to come back, not all at once.
        """
        load = Load()
        load.check()
        load.note_lag(1.5)
        refusals: list[Refused] = [
            self.assertRaises(Refused, load.check) for _ in range(20)
        ]
        self.assertEqual({each.status for each in refusals}, {503})
        waits = {seconds.seconds for each in refusals for _, seconds in each.fields}
        self.assertGreater(len(waits), 3)
        self.assertEqual(refusals[0].fields[0][0], RETRY_AFTER)
        load.note_lag(0.0)
        load.check()

    def test_waiting(self) -> None:
        """
        No more requests wait than there is room for.
        """
        load = Load()
        load.waiting = 12_000
        self.assertRaises(Refused, load.check)
