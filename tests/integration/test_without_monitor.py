"""
``twistd sipsorcery`` without a monitor.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import TestCase

from sipsorcery.tap.sipsorcery import WITHOUT_MONITOR
from tests.integration.ports import free_port
from tests.integration.twistd import Twistd

_CONFIGURATION = """
[server]
data_dir = "data"
[sip]
domains = ["example.com"]
[proxy]
listen = ["udp:127.0.0.1:0"]
[monitor]
enabled = {enabled}
[ssh]
listen = "127.0.0.1:{port}"
[web]
listen = ""
"""
_CONSOLE = "The console listens on"


class WithoutMonitorTests(TestCase):
    """
    The whole server, in a process of its own.
    """

    timeout = 120

    async def log(self, enabled: str) -> str:
        """
        Start it with a console, and end it; give what it has written.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        text = _CONFIGURATION.format(enabled=enabled, port=free_port())
        (folder / "sipsorcery.toml").write_text(text, "utf-8")
        server = Twistd(folder, "--nodaemon", "sipsorcery")
        self.addCleanup(server.stop)
        await server.wait_for("MainService#info] Ready")
        await server.stop()
        return server.output

    async def test_told(self) -> None:
        """
        Without a monitor there is no console, which the log says once and clearly.
        """
        log = await self.log("false")
        self.assertEqual(log.count(WITHOUT_MONITOR), 1, log)
        self.assertNotIn(_CONSOLE, log)

    async def test_nothing_to_tell(self) -> None:
        """
        With one there is nothing to say.
        """
        log = await self.log("true")
        self.assertNotIn(WITHOUT_MONITOR, log)
        self.assertIn(_CONSOLE, log)
