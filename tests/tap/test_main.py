"""
Tests for `sipsorcery.tap.main`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactor
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.control import ControlError
from sipsorcery.proxy.errors import ScriptError
from sipsorcery.store.errors import StoreInUse
from sipsorcery.tap.main import CannotStart, MainService
from sipsorcery.transport.errors import CertificateError, ListenError
from tests.transport.test_clock import Reactor


class FailingService(Service):
    """
    A service that cannot start.
    """

    def __init__(self, error: Exception) -> None:
        self.error = error

    def startService(self) -> None:
        """
        Fail.
        """
        raise self.error


class SlowService(Service):
    """
    A service that takes its time to stop.
    """

    name = "slow"

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def stopService(self) -> Deferred[None]:
        """
        Stop when the test says so.
        """
        super().stopService()
        return self.ended


class MainServiceTests(SynchronousTestCase):
    """
    What happens when a command starts.
    """

    def start(self, *services: Service) -> MainService:
        """
        Start a command that has these services.
        """
        self.reactor = MemoryReactor()
        main = MainService(self.reactor, lambda: services)
        main.startService()
        return main

    def test_good_start(self) -> None:
        """
        Every service is started; that it is ready is told once the reactor runs.
        """
        services = [Service(), Service()]
        with capturedLogs() as events:
            self.start(*services)
            self.assertEqual([each.running for each in services], [1, 1])
            self.assertEqual(events, [])
            self.reactor.run()
        self.assertEqual([formatEvent(each) for each in events], ["Ready"])

    def test_clock(self) -> None:
        """
        The reactor counts by a clock that nobody sets before any service starts.
        """
        reactor = Reactor()
        seconds: list[float] = []

        class LookingService(Service):
            def startService(self) -> None:
                seconds.append(reactor.seconds())

        main = MainService(reactor, lambda: [LookingService()])
        before = time.monotonic()
        main.startService()
        self.assertTrue(before <= seconds[0] <= time.monotonic())

    def test_bad_start(self) -> None:
        """
        What an operator can mend ends the process with status 1 and a sentence.
        """
        for error, sentence in (
            (ListenError("port 5060 is taken"), "port 5060 is taken"),
            (CertificateError("cert.pem is empty"), "cert.pem is empty"),
            (StoreInUse("another process has it"), "another process has it"),
            (ScriptError("line 1"), "line 1"),
            (ControlError("too long"), "too long"),
            (
                PermissionError(13, "Permission denied", "/srv/x"),
                "/srv/x: Permission denied",
            ),
            (OSError("the network is gone"), "the network is gone"),
        ):
            ended = self.assertRaises(CannotStart, self.start, FailingService(error))
            self.assertEqual(ended.code, 1)
            self.assertEqual(str(ended), sentence)

    def test_one_after_the_other(self) -> None:
        """
        Each service runs before the next one is made.
        """
        running: list[int] = []

        def make() -> Iterator[Service]:
            for _ in range(2):
                service = Service()
                yield service
                running.append(service.running)

        MainService(MemoryReactor(), make).startService()
        self.assertEqual(running, [1, 1])

    def test_bad_start_ends_the_others(self) -> None:
        """
        What runs already is stopped: its threads would keep the process alive.
        """
        first = Service()
        error = ListenError("port 5060 is taken")
        self.assertRaises(CannotStart, self.start, first, FailingService(error))
        self.assertFalse(first.running)

    def test_end(self) -> None:
        """
        The last one is stopped first, and the one before it when that has ended.
        """
        first, last = Service(), SlowService()
        main = self.start(first, last)
        ended = main.stopService()
        self.assertEqual((first.running, last.running), (1, 0))
        last.ended.callback(None)
        self.successResultOf(ended)
        self.assertEqual(first.running, 0)

    def test_bad_end(self) -> None:
        """
        A service that does not end well does not keep the others from it.
        """
        first, last = Service(), SlowService()
        ended = self.start(first, last).stopService()
        last.ended.errback(ZeroDivisionError())
        self.successResultOf(ended)
        self.assertEqual(first.running, 0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_kind_of_exit(self) -> None:
        """
        Python exits without a traceback, and twistd, which looks for an Exception,
        cleans up behind itself.
        """
        self.assertTrue(issubclass(CannotStart, SystemExit))
        self.assertTrue(issubclass(CannotStart, Exception))

    def test_fault_of_ours(self) -> None:
        """
        Any other exception is a fault of ours, and keeps its traceback.
        """
        first = Service()
        failing = FailingService(ZeroDivisionError())
        self.assertRaises(ZeroDivisionError, self.start, first, failing)
        self.assertFalse(first.running)
