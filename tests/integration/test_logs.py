"""
The log of a whole server, as its configuration says.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from signal import SIGHUP
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.integration.twistd import Twistd

CONFIGURATION = """
[server]
data_dir = "data"
[sip]
domains = ["example.com"]
[ssh]
listen = ""
[proxy]
listen = ["udp:127.0.0.1:0"]
[log]
format = "json"
file = "log/sip.log"
registrar = "warn"
"""
# Looks, with a fifth of a second between them, before a line is given up.
_LOOKS = 150


class LogTests(TestCase):
    """
    The file of a server.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "sipsorcery.toml").write_text(CONFIGURATION, "utf-8")
        self.file = self.folder / "log" / "sip.log"
        self.server = Twistd(self.folder, "--nodaemon", "sipsorcery")
        self.addCleanup(self.server.stop)

    def entries(self) -> list[dict[str, Any]]:
        """
        Read what has been written, every line of which is an object.
        """
        if not self.file.exists():
            return []
        lines = self.file.read_text("utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    async def until(self, text: str) -> None:
        """
        Wait for an entry.
        """
        for _ in range(_LOOKS):
            if any(each["text"] == text for each in self.entries()):
                return
            if self.server.ended.called:
                break
            await deferLater(reactor, 0.2)
        raise AssertionError(
            f"{text!r} never came: {self.entries()} {self.server.output}"
        )

    async def test_file(self) -> None:
        """
        The log is objects in the file; what is not grave enough for its server is not
        there. When the file was moved away and SIGHUP has come, a new one goes on.
        """
        await self.until("Ready")
        loggers = {
            each["logger"].split(".")[1]
            for each in self.entries()
            if "." in each["logger"]
        }
        self.assertIn("proxy", loggers)
        self.assertNotIn("registrar", loggers)
        moved = self.file.rename(self.file.with_suffix(".1"))
        before = moved.read_text("utf-8")
        pid = int((self.folder / "twistd.pid").read_text())
        os.kill(pid, SIGHUP)
        await self.server.stop()
        self.assertIn(
            "Main loop terminated.", [each["text"] for each in self.entries()]
        )
        self.assertTrue(moved.read_text("utf-8").startswith(before))
