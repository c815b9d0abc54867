"""
``twistd sipsorcery`` without a monitor.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from sipsorcery.tap.sipsorcery import WITHOUT_MONITOR
from tests.integration.ports import free_port
from tests.integration.server import Server


class WithoutMonitorTests(TestCase):
    """
    The whole server, with and without it.
    """

    timeout = 60

    async def start(self, enabled: bool) -> tuple[set[str | None], list[str]]:
        """
        Start it with a console; give the names of its services and all warnings.
        """
        text = f"""
            [monitor]
            enabled = {str(enabled).lower()}
            [ssh]
            listen = "127.0.0.1:{free_port()}"
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        server = Server(folder, text)
        with capturedLogs() as logs:
            await server.start()
        names = {service.name for service in server.services}
        await server.stop()
        # What the threads have still done is on its way to this one.
        await deferLater(reactor, 0)
        return names, [str(each["sentence"]) for each in logs if "sentence" in each]

    async def test_told(self) -> None:
        """
        Without a monitor there is no console, which the log says once and clearly.
        """
        names, told = await self.start(enabled=False)
        self.assertFalse({"monitor", "ssh", "control of ssh"} & names)
        self.assertEqual(told, [WITHOUT_MONITOR])

    async def test_nothing_to_tell(self) -> None:
        """
        With one there is nothing to say.
        """
        names, told = await self.start(enabled=True)
        self.assertLessEqual({"monitor", "ssh", "control of ssh"}, names)
        self.assertEqual(told, [])
