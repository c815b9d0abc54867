"""
Tests for `sipsorcery.access.throttle`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.throttle import Throttle, ThrottleLimits
from sipsorcery.endpoint import Endpoint

NAME = "100@example.com"
PHONE = Endpoint.parse("udp:192.0.2.1:5060")
LIMITS = ThrottleLimits()


def at(number: int, port: int = 5060) -> Endpoint:
    """
    Give an address of a stranger.
    """
    return Endpoint.parse(f"udp:198.51.{number // 256}.{number % 256}:{port}")


class ThrottleTests(SynchronousTestCase):
    """
    What follows on failures.
    """

    def setUp(self) -> None:
        self.throttle = Throttle()

    def fail_often(
        self, times: int, remote: Endpoint = PHONE, name: str = NAME, now: float = 0.0
    ) -> list[float]:
        """
        Fail, and give how long each answer waits.
        """
        return [self.throttle.failed(remote, name, now) for _ in range(times)]

    def locked(self, remote: Endpoint = PHONE, now: float = 0.0) -> float:
        """
        Tell for how long somebody is locked out.
        """
        return self.throttle.locked_for(remote, NAME, now)

    def test_patience(self) -> None:
        """
        Nine failures in five minutes cost nothing; from the tenth on answers wait.
        """
        self.assertEqual(self.fail_often(11), [0.0] * 9 + [1.0] * 2)
        self.assertEqual(self.locked(), 0.0)

    def test_lock(self) -> None:
        """
        The thirtieth failure in five minutes locks the source for that name, and for
        no other, for five minutes.
        """
        self.fail_often(29)
        self.assertEqual(self.locked(), 0.0)
        self.fail_often(1)
        self.assertEqual(self.locked(), 300.0)
        self.assertTrue(self.throttle.is_locked(PHONE, NAME, 0.0))
        self.assertEqual(self.throttle.locked_for(PHONE, "101@example.com", 0.0), 0.0)
        self.assertEqual(self.locked(at(1)), 0.0)
        self.assertEqual(self.locked(now=299.0), 1.0)
        self.assertEqual(self.locked(now=300.0), 0.0)
        self.assertFalse(self.throttle.is_locked(PHONE, NAME, 300.0))

    def test_slow_failures(self) -> None:
        """
        Failures more than five minutes ago do not count: a phone with a wrong password
        that tries once a minute is not locked.
        """
        for minute in range(1000):
            self.assertEqual(self.fail_often(1, now=minute * 60.0), [0.0])
            self.assertEqual(self.locked(now=minute * 60.0), 0.0)

    def test_lock_grows(self) -> None:
        """
        Each further lock is twice as long, up to a day; after a day without one the
        first is short again.
        """
        now = 0.0
        lengths = []
        for _ in range(11):
            self.fail_often(30, now=now)
            lengths.append(self.locked(now=now))
            now += lengths[-1]
        self.assertEqual(lengths[:4], [300.0, 600.0, 1200.0, 2400.0])
        self.assertEqual(lengths[-2:], [86_400.0, 86_400.0])
        now += 86_400.0
        self.fail_often(30, now=now)
        self.assertEqual(self.locked(now=now), 300.0)

    def test_phone_goes_on(self) -> None:
        """
        A flow that got in stays free when its own source is locked; another port of
        that source does not.
        """
        self.throttle.succeeded(PHONE, NAME, 0.0)
        beside = Endpoint.parse("udp:192.0.2.1:40000")
        self.fail_often(30, beside)
        self.assertEqual(self.locked(beside), 300.0)
        self.assertEqual(self.locked(PHONE), 0.0)
        self.throttle.succeeded(PHONE, NAME, 1.0)
        self.assertEqual(self.locked(beside, 1.0), 299.0)

    def test_many_sources(self) -> None:
        """
        Three hundred failures of strangers with one name lock it for strangers, and not
        for a source that got in, whatever its port.
        """
        self.throttle.succeeded(PHONE, NAME, 0.0)
        for number in range(299):
            self.fail_often(1, at(number))
        self.assertEqual(self.locked(at(1000)), 0.0)
        self.fail_often(1, at(299))
        self.assertEqual(self.locked(at(1000)), 300.0)
        self.assertEqual(self.locked(PHONE), 0.0)
        self.assertEqual(self.locked(Endpoint.parse("tcp:192.0.2.1:40000")), 0.0)
        self.assertEqual(self.throttle.locked_for(at(1), "101@example.com", 0.0), 0.0)
        self.assertEqual(self.locked(at(1000), 300.0), 0.0)

    def test_strangers_do_not_grow(self) -> None:
        """
        The lock against strangers stays short: its owner's new phone is one.
        """
        for start in (0.0, 1000.0, 2000.0):
            for number in range(300):
                self.fail_often(1, at(number), now=start)
            self.assertEqual(self.locked(at(1000), start), 300.0)

    def test_known_source_fails(self) -> None:
        """
        Failures of a source that got in do not count against strangers.
        """
        self.throttle.succeeded(PHONE, NAME, 0.0)
        self.fail_often(1000)
        self.assertEqual(self.locked(at(1)), 0.0)

    def test_known_for_a_day(self) -> None:
        """
        Who got in more than a day ago is a stranger again.
        """
        self.throttle.succeeded(PHONE, NAME, 0.0)
        now = LIMITS.known
        self.fail_often(30, now=now)
        self.assertEqual(self.locked(now=now), 300.0)

    def test_success_forgets(self) -> None:
        """
        The right password in the end takes the failures before it away.
        """
        self.fail_often(29)
        self.throttle.succeeded(PHONE, NAME, 0.0)
        self.assertEqual(self.fail_often(9), [0.0] * 9)

    def test_networks(self) -> None:
        """
        The addresses of one IPv6 network are one source.
        """
        for number in range(30):
            remote = Endpoint.parse(f"udp:[2001:db8::{number:x}]:5060")
            self.fail_often(1, remote)
        self.assertEqual(self.locked(Endpoint.parse("udp:[2001:db8::ffff]:1")), 300.0)
        self.assertEqual(self.locked(Endpoint.parse("udp:[2001:db8:0:1::]:1")), 0.0)

    def test_bounds(self) -> None:
        """
        No table grows beyond its bound; what was touched longest ago goes first.
        """
        self.throttle = Throttle(pairs=10, known=10)
        self.fail_often(30)
        for number in range(9):
            self.fail_often(1, at(number), f"{number}@example.com")
        self.assertEqual(self.locked(), 300.0)
        self.fail_often(1, at(10), "x@example.com")
        self.assertEqual(self.locked(), 0.0)
        for number in range(30):
            self.throttle.succeeded(at(number), NAME, 0.0)
        self.fail_often(30, at(0, 1))
        self.fail_often(30, at(29, 1))
        self.assertGreater(self.locked(at(0)), 0.0)
        self.assertEqual(self.locked(at(29)), 0.0)
