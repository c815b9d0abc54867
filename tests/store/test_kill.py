"""
What is left of the live state when its process is killed.
"""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.live import LocalStore
from sipsorcery.testing.threads import SteppedThreads
from tests import LONG, ROOT
from tests.store.killed_writer import KEYS, expected

ROUNDS = 200 if LONG else 3


class KillTests(SynchronousTestCase):
    """
    A process that is killed with SIGKILL while it writes as much as it can.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.acknowledged: dict[str, int] = {}

    def test_nothing_acknowledged_is_lost(self) -> None:
        """
        Whenever it is killed, every change that was acknowledged is there, and of each
        record at most the one change more that was under way.
        """
        chance = random.Random()  # another moment in each run
        for turn in range(ROUNDS):
            self.kill_writer(f"{turn}", chance.randrange(1, 4000))
            self.check()
        self.assertEqual(len(self.acknowledged), ROUNDS * KEYS)

    def kill_writer(self, prefix: str, changes: int) -> None:
        """
        Start a process, and kill it after so many changes and one of each record.
        """
        command = [sys.executable, "-m", "tests.store.killed_writer"]
        with subprocess.Popen(
            [*command, str(self.folder), prefix], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            lines = (line.split() for line in process.stdout)
            try:
                for key, number in islice(lines, KEYS + changes):
                    self.acknowledged[key.decode()] = int(number)
            finally:
                process.kill()
            for key, number in lines:
                self.acknowledged[key.decode()] = int(number)

    def check(self) -> None:
        """
        Open the store as the next process does, and look at every record.
        """
        threads = SteppedThreads(waits=False)
        store = LocalStore(Clock(), self.folder, threads=threads, clock=lambda: 0)
        store.start()
        for key, number in self.acknowledged.items():
            record = self.successResultOf(store.get("call", key))
            data = None if record is None else record.data
            self.assertIn(data, (expected(number), expected(number + 1)), key)
        self.successResultOf(Deferred.fromCoroutine(store.stop()))
