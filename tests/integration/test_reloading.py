"""
A server that reads its configuration again while it runs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from signal import SIGHUP

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from sipsorcery.control import ask
from sipsorcery.endpoint import Transport
from sipsorcery.transport.target import Target
from tests import ROOT
from tests.integration.test_twistd import READY, Client
from tests.integration.twistd import Twistd

CONFIGURATION = """
[server]
data_dir = "data"
[proxy]
listen = ["udp:127.0.0.1:0"]
[ssh]
listen = ""
[web]
listen = ""
"""
OURS = '[sip]\ndomains = ["example.com"]\n'
OTHERS = '[sip]\ndomains = ["example.net"]\n'
_NOTHING: dict[str, list[str]] = {"at_once": [], "at_restart": [], "faults": []}


class ReloadingTests(TestCase):
    """
    All servers, in one process.
    """

    timeout = 180

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.write(OTHERS)
        self.server = Twistd(self.folder, "--nodaemon", "--pidfile=", "sipsorcery")
        self.addCleanup(self.server.stop)

    def write(self, text: str) -> None:
        """
        Change the file.
        """
        file = self.folder / "sipsorcery.toml"
        file.write_text(f"{CONFIGURATION}{text}", "utf-8")

    def client(self) -> Client:
        """
        Make somebody who asks.
        """
        client = Client("127.0.0.1")
        self.addCleanup(lambda: Deferred.fromCoroutine(client.layer.stop()))
        return client

    async def status(self, client: Client) -> int:
        """
        Ask for ``example.com``, which is only answered if that is served.
        """
        end = self.server.listeners()[Transport.UDP]
        return (await client.ask(Target(end))).status

    async def command(self, *arguments: str) -> tuple[str, str, int]:
        """
        Run ``sipsorcery``.

        :return: what it has written, its complaints, and its exit status.
        """
        out, error, status = await getProcessOutputAndValue(
            sys.executable,
            ["-m", "sipsorcery", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            path=str(self.folder),
        )
        return out.decode(), error.decode(), status

    async def test_signal_and_command(self) -> None:
        """
        After SIGHUP, and after the command, the next request meets the new domains; the
        faulty file between changes nothing, and all its faults are told.
        """
        await self.server.wait_for(READY)
        client = self.client()
        self.assertEqual(await self.status(client), 403)
        self.write(OURS + "t1 = 0.6\n")
        os.kill(self.server.pid, SIGHUP)
        await self.server.wait_for("by a restart: sip.t1")
        self.assertIn("Changed: sip.domains.", self.server.output)
        self.assertEqual(await self.status(client), 200)

        self.write(OTHERS + "t2 = 1\nudp_mtu = -1\n")
        answer = await ask(reactor, self.folder / "data", "registrar", "reload")
        self.assertEqual(
            [fault.split(": ")[1] for fault in answer["faults"]],
            ["sip.t2", "sip.udp_mtu"],
        )
        self.assertEqual({**answer, "faults": []}, _NOTHING)
        self.assertEqual(await self.status(client), 200)
        _, error, status = await self.command("reload")
        self.assertEqual(status, 1)
        self.assertIn("sip.t2: ", error)
        self.assertIn("sip.udp_mtu: ", error)

        self.write(OTHERS + "[limits]\nban = 7\n")
        out, error, status = await self.command("reload", "--json")
        self.assertEqual((error, status), ("", 0))
        (row,) = json.loads(out)  # they are one process
        self.assertEqual(row["changed"], ["sip.domains", "limits.ban"])
        self.assertEqual(row["to_be_changed_by_a_restart"], [])
        self.assertIn("proxy", row["servers"])
        self.assertEqual(await self.status(client), 403)
        out, error, status = await self.command("reload", "proxy")
        self.assertEqual((error, status), ("", 0))
        _, error, status = await self.command("reload", "notifier")
        self.assertIn("no notifier runs", error)

    async def test_refused(self) -> None:
        """
        A file that is right, with a proxy script that is not, changes nothing either.
        """
        await self.server.wait_for(READY)
        listen = 'listen = ["udp:127.0.0.1:0"]'
        text = CONFIGURATION.replace(listen, f'{listen}\nscript = "absent.py"')
        file = self.folder / "sipsorcery.toml"
        file.write_text(f"{text}{OURS}", "utf-8")
        _, error, status = await self.command("reload")
        self.assertEqual(status, 1)
        self.assertIn("nothing has changed", error)
        self.assertIn("proxy.script: cannot load 'absent.py'", error)
        client = self.client()
        self.assertEqual(await self.status(client), 403)
