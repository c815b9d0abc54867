"""
Tests for :mod:`sipsorcery.appserver.python.confinement`, in processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from sipsorcery.appserver.python.workers import LAUNCHER, Workers
from sipsorcery.testing.threads import SteppedThreads

_TRY = """
import ctypes, os, resource, socket, sys
from sipsorcery.appserver.python.confinement import confine
held = confine(sys.executable)
print("\\n".join(held))
print("--")
def socket_opened():
    socket.socket()
def file_written():
    open(sys.argv[1] + "/new", "w")
def file_read():
    open(sys.argv[1] + "/secret").read()
def memory_taken():
    bytearray(4 * 1024 ** 3)
def parent_traced():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0):
        raise OSError(ctypes.get_errno())
for each in (socket_opened, file_written, file_read, memory_taken, parent_traced):
    try:
        each()
    except (OSError, MemoryError):
        continue
    print(each.__name__)
print(len(os.environ), "variables", os.getuid())
"""

# What each measure makes impossible.
_KEEPS = {
    "seccomp": ("socket_opened", "parent_traced"),
    "landlock": ("file_written", "file_read"),
    "resource limits": ("memory_taken",),
}


class ConfinementTests(SynchronousTestCase):
    def test_what_is_told_holds(self) -> None:
        """
        Each measure that is said to have taken hold makes impossible what it is for.
        """
        folder = Path(self.mktemp())
        folder.mkdir(mode=0o777)
        (folder / "secret").write_text("secret")
        tried = subprocess.run(
            [sys.executable, "-c", _TRY, str(folder.absolute())],
            capture_output=True,
            check=True,
            text=True,
            timeout=30,
        )
        held, _, done = tried.stdout.partition("--\n")
        measures = held.splitlines()
        self.assertIn("nothing inherited", measures)
        self.assertIn("resource limits", measures)
        self.assertIn("0 variables", done)
        for measure, impossible in _KEEPS.items():
            if measure in measures:
                for each in impossible:
                    self.assertNotIn(each, done)
        if "an unprivileged user" in measures:
            self.assertNotIn("variables 0", done)

    def test_kernel(self) -> None:
        """
        Where the kernel has them, landlock and seccomp take hold.
        """
        workers = Workers(None, threads=SteppedThreads(waits=False))
        workers.start()
        self.addCleanup(workers.stop)
        held = self.successResultOf(workers.confinement())
        if sys.platform != "linux":
            raise SkipTest("there is no seccomp but in Linux")
        self.assertIn("no new privileges", held)
        self.assertIn("seccomp", held)

    def test_worker(self) -> None:
        """
        A worker runs confined.
        """
        workers = Workers(None, size=1, threads=SteppedThreads(waits=False))
        workers.start()
        self.addCleanup(workers.stop)

        def look(pool: object) -> str:
            with pool.checkout() as session:  # type: ignore[attr-defined]  # Monty
                status = Path(f"/proc/{session.worker_pid}/status")
                return status.read_text()

        status = self.successResultOf(workers.run("joe", look))
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertTrue(LAUNCHER.is_file())
