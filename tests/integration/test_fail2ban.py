"""
The filter in ``etc/fail2ban``, as fail2ban itself applies it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.access.test_security_log import FILTER, HOSTILE, attempt, written
from tests.peers import require


def modules(program: Path) -> Path:
    """
    Give where the modules of a program of Debian's are, be it only unpacked.
    """
    return program.parent.parent / "lib/python3/dist-packages"


class Fail2banTests(SynchronousTestCase):
    """
    What ``fail2ban-regex`` finds in our log.
    """

    def test_filter(self) -> None:
        """
        Every attempt is found under the address that it came from, and none other.
        """
        program = require("fail2ban-regex", "fail2ban")
        attempts = [attempt(), *(attempt(text, text) for text in HOSTILE)]
        log = Path(self.mktemp())
        log.write_text(written(attempts) + "nothing\n", "ascii")
        run = subprocess.run(
            [sys.executable, program, "--out", "ip", str(log), str(FILTER)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=os.environ | {"PYTHONPATH": str(modules(Path(program)))},
        )
        self.assertEqual(run.stdout.split(), ["192.0.2.1"] * len(attempts))
