"""
Tests for `sipsorcery.store.files` and `sipsorcery.store.threads`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from sipsorcery.store.errors import StoreInUse, StoreOverloaded
from sipsorcery.store.files import FileLock, replace_private
from sipsorcery.store.threads import PooledThreads

_HOLD = """
import sys, time
from pathlib import Path
from sipsorcery.store.files import FileLock
FileLock(Path(sys.argv[1])).take()
print("taken", flush=True)
time.sleep(600)
"""


class ReplacePrivateTests(SynchronousTestCase):
    """
    Files that are written whole.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "secrets"

    def test_replace(self) -> None:
        """
        The file is made or replaced, for its owner alone, and nothing else is left.
        """
        for content in (b"one", b"two"):
            replace_private(self.file, content)
            self.assertEqual(self.file.read_bytes(), content)
            self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list(self.folder.iterdir()), [self.file])

    def test_failure(self) -> None:
        """
        Where the file cannot be replaced, the old one stays, and nothing beside it.
        """
        self.file.mkdir()
        self.assertRaises(OSError, replace_private, self.file, b"new")
        self.assertEqual(list(self.folder.iterdir()), [self.file])


class FileLockTests(SynchronousTestCase):
    """
    A lock between processes.
    """

    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def test_exclusive(self) -> None:
        """
        One holder at a time; the other is told who it is.
        """
        first, second = FileLock(self.file), FileLock(self.file)
        first.take()
        error = self.assertRaises(StoreInUse, second.take)
        self.assertRegex(str(error), r"by another process \(its id: \d+\)")
        first.release()
        first.release()
        second.take()
        second.release()

    def test_killed_holder(self) -> None:
        """
        When its holder is killed, the lock is free, and nothing has to be cleaned up.
        """
        command = [sys.executable, "-c", _HOLD, str(self.file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                self.assertEqual(process.stdout.readline(), b"taken\n")
                error = self.assertRaises(StoreInUse, FileLock(self.file).take)
                self.assertIn(str(process.pid), str(error))
            finally:
                process.kill()
        with FileLock(self.file):
            self.assertRaises(StoreInUse, FileLock(self.file).take)


class PooledThreadsTests(TestCase):
    """
    Threads that do something.
    """

    def setUp(self) -> None:
        self.threads = PooledThreads(reactor, "test", size=2, waiting=3)
        self.threads.start()
        self.addCleanup(self.threads.stop)

    async def test_results(self) -> None:
        """
        What the function returns or raises comes back, in the thread of the reactor.
        """
        self.assertEqual(await self.threads.run(divmod, 7, 2), (3, 1))
        await self.assertFailure(self.threads.run(divmod, 7, 0), ZeroDivisionError)
        inside = await self.threads.run(threading.get_ident)
        self.assertNotEqual(inside, threading.get_ident())

    async def test_again(self) -> None:
        """
        Threads that were stopped can be started again.
        """
        self.threads.stop()
        self.threads.start()
        self.assertEqual(await self.threads.run(divmod, 7, 2), (3, 1))

    def test_reactor_without_threads(self) -> None:
        """
        A reactor that no thread could tell anything is refused before there is one.
        """
        threads = PooledThreads(MemoryReactorClock(), "test", size=1, waiting=1)
        threads.start()
        self.addCleanup(threads.stop)
        self.assertRaises(TypeError, threads.run, self.fail)

    async def test_bound(self) -> None:
        """
        As many calls run and wait as may; one more is refused, until some are done.
        """
        gate, lock = threading.Event(), threading.Lock()
        running = most = 0

        def work() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            gate.wait(60)
            with lock:
                running -= 1

        waiting = [self.threads.run(work) for _ in range(5)]
        await self.assertFailure(self.threads.run(work), StoreOverloaded)
        gate.set()
        await gatherResults(waiting)
        self.assertLessEqual(most, 2)
        await self.threads.run(work)
