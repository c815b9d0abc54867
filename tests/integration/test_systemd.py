"""
With systemd: the units that come with us, and what a server tells it.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests import ROOT
from tests.integration.killed import wait_for
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.integration.twistd import Twistd
from tests.peers import require

UNITS = sorted((ROOT / "etc" / "systemd").glob("*.service"))


class UnitTests(TestCase):
    """
    What lies in ``etc/systemd``.
    """

    timeout = 120

    async def test_verify(self) -> None:
        """
        systemd finds nothing wrong with any unit, with our own paths filled in.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        twistd = Path(sys.executable).with_name("twistd")
        for unit in UNITS:
            text = unit.read_text("utf-8")
            self.assertIn(f"/bin/twistd --nodaemon --pidfile= {unit.stem} ", text)
            for a, b in (
                ("/opt/sipsorcery/bin/twistd", str(twistd)),
                ("User=sipsorcery", "User=daemon"),
                ("Group=sipsorcery", "Group=daemon"),
            ):
                text = text.replace(a, b)
            (folder / unit.name).write_text(text, "utf-8")
        program = require("systemd-analyze", "systemd")
        files = [str((folder / unit.name).absolute()) for unit in UNITS]
        verify = Program(folder, program, "verify", "--man=no", *files)
        status = await verify.ended()
        complaints = [line for line in verify.output.splitlines() if "sip" in line]
        self.assertEqual((status, complaints), (0, []), verify.output)

    def test_commands(self) -> None:
        """
        There is one for each server, and for all of them in one process.
        """
        names = {unit.stem for unit in UNITS}
        self.assertLess({"sipsorcery", "sipproxy", "sipwatchtower"}, names)


class NotifyTests(TestCase):
    """
    A server that systemd has started.
    """

    timeout = 120

    async def test_life(self) -> None:
        """
        It says when it is ready, that it lives, as often as it is wanted, and that it
        ends.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        listen = f'registrar.listen = "udp:127.0.0.1:{free_port()}"'
        (folder / "sipsorcery.toml").write_text(listen)
        # The name of a socket has to be short; that of a folder of tests need not be.
        short = TemporaryDirectory()
        self.addCleanup(short.cleanup)
        where = f"{short.name}/notify"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(where)
        manager.setblocking(False)
        told: list[str] = []

        def listens() -> list[str]:
            try:
                told.append(manager.recv(4096).decode())
            except BlockingIOError:
                pass
            return told

        asked = {"NOTIFY_SOCKET": where, "WATCHDOG_USEC": "300000"}
        with patch.dict(os.environ, asked):
            server = Twistd(folder, "-n", "--pidfile=", "sipregistrar")
        self.addCleanup(lambda: Deferred.fromCoroutine(_end(server)))
        await wait_for(lambda: listens().count("WATCHDOG=1") > 2)
        self.assertEqual(told[0], f"READY=1\nMAINPID={server.pid}")
        await server.stop()
        await wait_for(lambda: "STOPPING=1" in listens())


async def _end(server: Twistd) -> None:
    await server.stop()
