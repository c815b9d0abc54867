"""
The filter in ``etc/fail2ban``, as fail2ban itself applies it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.access.test_security_log import FILTER, HOSTILE, attempt, written


class Fail2banTests(SynchronousTestCase):
    """
    What ``fail2ban-regex`` finds in our log.
    """

    def test_filter(self) -> None:
        """
        Every attempt is found under the address that it came from, and none other.
        """
        # It is no package that tests install: on a Debian it begins to ban at once.
        program = shutil.which("fail2ban-regex")
        if program is None:
            raise SkipTest("fail2ban-regex is missing")
        attempts = [attempt(), *(attempt(text, text) for text in HOSTILE)]
        log = Path(self.mktemp())
        log.write_text(written(attempts) + "nothing\n", "ascii")
        run = subprocess.run(
            [program, "--out", "ip", str(log), str(FILTER)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        self.assertEqual(run.stdout.split(), ["192.0.2.1"] * len(attempts))
