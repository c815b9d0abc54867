"""
Calls that ring all at once, each with a dialplan in Python that waits.

There are 5,000 with ``SIPSORCERY_LONG`` set.
"""

from __future__ import annotations

import json
import sys

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from tests import LONG, ROOT

CALLS = 5000 if LONG else 150
# Bytes of all processes with 5,000 calls that ring.
_LIMIT = 1024**3


class ManyRingingTests(TestCase):
    """
    What `benchmarks.many_ringing` sees.
    """

    timeout = 600

    def test_memory(self) -> Deferred[None]:
        """
        5,000 calls that ring take less than 1 GiB, and no worker more than there are.
        """
        return Deferred.fromCoroutine(self.measure())

    async def measure(self) -> None:
        """
        Let calls ring, and compare what they take.
        """
        words = ("-m", "benchmarks.many_ringing", str(CALLS))
        output, errors, status = await getProcessOutputAndValue(
            sys.executable, words, env=None, path=str(ROOT), reactor=reactor
        )
        self.assertEqual(status, 0, errors.decode())
        seen = json.loads(output)
        self.assertEqual(seen["ringing"], CALLS)
        self.assertEqual(seen["ended"], CALLS)
        self.assertEqual(seen["workers"], seen["sandbox_workers"])
        self.assertLess(seen["bytes"], _LIMIT)
        self.assertLess(seen["bytes_before"] + 5000 * seen["bytes_each"], _LIMIT)
