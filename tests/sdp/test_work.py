"""
Reading a description costs no more than in proportion to its length.

Work is counted in executed lines of Python, so that the result is the same on every
machine; ``benchmarks/sdp.py`` says what it is in milliseconds.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import SDPError
from tests.sdp.hostile import SHAPES, read_everything

KIB = 1024


def work(body: bytes) -> int:
    """
    Count the lines of Python that reading everything in a body takes.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read_everything(body)
    except SDPError:
        pass
    finally:
        sys.settrace(before)
    return count


class WorkTests(SynchronousTestCase):
    def test_linear(self) -> None:
        """
        Of each hostile shape 64 KiB cost at most five times what 16 KiB do.

        A shape comes in whole pieces, so what is compared is the cost of an octet.
        """
        for name, shape in SHAPES.items():
            with self.subTest(name=name):
                small, large = shape(16 * KIB), shape(64 * KIB)
                self.assertGreater(len(large), 3.5 * len(small))
                allowed = 5 / 4 * work(small) / len(small)
                self.assertLess(work(large) / len(large), allowed)

    def test_some_are_read(self) -> None:
        """
        Of the shapes enough are read to the end for the test above to mean something.
        """
        accepted = set()
        for name, shape in SHAPES.items():
            try:
                read_everything(shape(60 * KIB))
            except SDPError:
                continue
            accepted.add(name)
        self.assertGreaterEqual(len(accepted), 10, accepted)
