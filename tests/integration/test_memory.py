"""
Tests that the watch over the memory of processes sees what grows.
"""

from __future__ import annotations

import os
import subprocess
from mmap import mmap

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.memory import Growth, Memory

_LOOKS = 20
_MB = 1 << 20
# Has a child, which it ends when it is told to, as it ends itself at the next line.
_PARENT = "sleep 60 & echo; read line; kill $!; wait; echo; read line"


def take(size: int) -> mmap:
    """
    Take memory which is not what somebody has given back before.
    """
    taken = mmap(-1, size + 1)
    taken.write(b"x" * size)
    return taken


class GrowthTests(SynchronousTestCase):
    """
    What counts as growth.
    """

    def test_tolerance(self) -> None:
        """
        A small process may take four megabytes more, a large one three per cent.
        """
        for early, late, is_flat in (
            (50, 54, True),
            (50, 55, False),
            (50, 30, True),
            (1000, 1030, True),
            (1000, 1031, False),
        ):
            growth = Growth("it", early * _MB, late * _MB)
            self.assertIs(growth.is_flat, is_flat, growth)


class MemoryTests(SynchronousTestCase):
    """
    Processes that are watched.
    """

    def watch(self, size: int) -> Growth:
        """
        Watch this process, which takes so much a little at a time.
        """
        memory, taken = Memory({"it": os.getpid()}), []
        for _ in range(_LOOKS):
            memory.note()
            taken.append(take(size // _LOOKS))
        return memory.growths()[0]

    def test_leak(self) -> None:
        """
        What takes more all the time is not flat; what takes nothing is.
        """
        self.assertFalse(self.watch(40 * _MB).is_flat)
        self.assertTrue(self.watch(0).is_flat)

    def test_begin(self) -> None:
        """
        What a process takes at first does not count.
        """
        memory = Memory({"it": os.getpid()})
        memory.note()
        taken = take(40 * _MB)
        for _ in range(_LOOKS):
            memory.note()
        self.assertTrue(memory.growths()[0].is_flat, len(taken))

    def test_children(self) -> None:
        """
        Those that a process has started are watched as well, and have to stay.
        """
        with subprocess.Popen(
            ["sh", "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as parent:
            assert parent.stdin is not None and parent.stdout is not None
            parent.stdout.readline()
            memory = Memory({"it": parent.pid})
            for _ in range(_LOOKS):
                memory.note()
            names = [growth.name for growth in memory.growths()]
            parent.stdin.write(b"\n")
            parent.stdin.flush()
            parent.stdout.readline()
            error = self.assertRaises(AssertionError, memory.note)
        self.assertEqual((names, str(error)), (["it", "it.1"], "it.1 has ended"))
