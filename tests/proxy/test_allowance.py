"""
Tests for `sipsorcery.proxy.allowance`.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import ListenAddress
from sipsorcery.proxy.allowance import Allowance
from sipsorcery.proxy.tracing import Tracing
from sipsorcery.testing.bus import RecordingBus
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.transport.counters import Counters
from sipsorcery.transport.udp import DatagramFlow, UDPChannel, listen_udp

WORK = 40e-6  # seconds of one piece of work


class AllowanceTests(SynchronousTestCase):
    """
    A share of the time.
    """

    def setUp(self) -> None:
        """
        Allow a twentieth of it, and 10 ms at once.
        """
        self.clock = Clock()
        self.allowance = Allowance(0.05, 0.01, self.clock.seconds)

    def work(self, seconds: float = WORK) -> bool:
        """
        Work, if there is time for it; tell whether there was.
        """
        began = self.allowance.begin()
        if began is None:
            return False
        self.clock.advance(seconds)
        self.allowance.end(began)
        return True

    def test_little_work(self) -> None:
        """
        Work that takes less than its share is always done.
        """
        for _ in range(2000):
            self.assertTrue(self.work())
            self.clock.advance(0.001)

    def test_too_much_work(self) -> None:
        """
        Of too much, so much is done as the share allows, in runs of many.
        """
        done, runs, was_done = 0, 0, True
        for _ in range(100_000):
            is_done = self.work()
            runs += is_done and not was_done
            done, was_done = done + is_done, is_done
            self.clock.advance(WORK)
        share = done * WORK / self.clock.seconds()
        self.assertTrue(0.04 < share < 0.06, share)
        self.assertTrue(done / runs > 100, (done, runs))

    def test_standstill(self) -> None:
        """
        A process that has to wait for others does not lose what it has.
        """
        self.assertTrue(self.work(5.0))
        for _ in range(100):
            self.assertTrue(self.work())


class TracingTests(SynchronousTestCase):
    """
    Traces for which there is no time.
    """

    def test_skipped(self) -> None:
        """
        They are counted, and there are traces again later.
        """
        clock, bus = Clock(), RecordingBus()
        allowance = Allowance(0.05, 0.01, clock.seconds)
        tracing = Tracing(bus, lambda: 0.0, allowance=allowance)
        listen = ListenAddress.parse("udp:127.0.0.1:5060")
        channel = UDPChannel(listen, lambda data, flow: None, Counters())
        listen_udp(MemoryReactor(), channel, "127.0.0.1", 5060)
        flow = DatagramFlow(channel, ("192.0.2.1", 5060))
        began = allowance.begin()
        assert began is not None
        for _ in range(1000):
            clock.advance(WORK)
            allowance.end(began)
        tracing.trace(b"OPTIONS", flow, received=True)
        self.assertEqual((len(bus.events), tracing.skipped), (0, 1))
        clock.advance(10)
        tracing.trace(b"OPTIONS", flow, received=True)
        self.assertEqual((len(bus.events), tracing.skipped), (1, 1))
