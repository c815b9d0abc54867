"""
The examples do what they say.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.trial.unittest import TestCase

from tests import ROOT
from tests.integration.ports import free_port
from tests.integration.program import Program


class ExamplesTests(TestCase):
    """
    Tests of ``examples/``, each in a process of its own.
    """

    timeout = 120

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        os.environ["PYTHONPATH"] = str(ROOT)
        self.addCleanup(os.environ.pop, "PYTHONPATH")

    def example(self, name: str, *arguments: str) -> Program:
        """
        Start an example.
        """
        command = (sys.executable, "-u", "-m", f"examples.{name}", *arguments)
        return Program(self.folder, *command)

    async def test_call(self) -> None:
        """
        One example calls the other: it rings, they talk, the caller hangs up.
        """
        port = free_port()
        answer = self.example("answer", f"udp:127.0.0.1:{port}")
        try:
            await answer.says("ready")
            call = self.example("call", f"sip:anybody@127.0.0.1:{port}", "0.2")
            await call.says("180 Ringing")
            await call.says("talking to")
            await call.says("hung up")
            await answer.says("talking to")
            await call.ended()
        finally:
            await answer.stop()

    def test_length(self) -> None:
        """
        An example is read in one look: 40 lines at most.
        """
        for example in (ROOT / "examples").glob("*.py"):
            lines = example.read_text().splitlines()
            self.assertLessEqual(len(lines), 40, example.name)
