"""
Proxy, registrar, watchtower with its workers, monitor and console, each a process of
its own: whoever looks sees one service.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from sipsorcery.config import parse
from sipsorcery.endpoint import HostPort
from sipsorcery.tap.stores import WritableStores
from sipsorcery.ua import Session
from tests.integration.consoles import Console, adding, in_thread
from tests.integration.killed import wait_for, wait_until
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.integration.suite_process import ROLES, RunningSuite, SuiteCase
from tests.integration.test_health import get
from tests.peers import require

# So many calls find their way to all servers: once in 10**10 times they
# do not.
_CALLS = 60


class Whole(RunningSuite):
    """
    A suite whose processes have pages for whoever collects figures.

    :ivar pages: where the first of them has its pages.
    :ivar key: lets the administrator root in.
    """

    def __init__(self, folder: Path) -> None:
        self.pages = HostPort("127.0.0.1", free_port())
        self.key = folder / "key"
        super().__init__(folder, f'[metrics]\nlisten = "{self.pages}"')

    @property
    def names(self) -> list[str]:
        """
        Give the names of all processes.
        """
        return sorted([*self.appservers, *ROLES])

    @property
    def appservers(self) -> list[str]:
        """
        Give the names of those that have calls.
        """
        return [f"appserver-{end.port}" for end in self.ends]

    async def prepare(self) -> None:
        """
        Make the administrator, too.
        """
        await super().prepare()
        generate = require("ssh-keygen", "openssh-client")
        command = [generate, "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)]
        await in_thread(subprocess.check_call, command)
        stores = WritableStores(reactor, parse(self.text.encode()))
        stores.startService()
        await adding("root")(stores.directory)
        line = self.key.with_name("key.pub").read_text("ascii")
        await stores.directory.of("root").keys.add(line)
        await stores.stopService()

    async def say(self, *arguments: str, status: int = 0) -> list[str]:
        """
        Run the ``sipsorcery`` command for people; give its lines.
        """
        name = str(Path(sys.executable).with_name("sipsorcery"))
        program = Program(self.folder, name, *arguments)
        assert await program.ended() == status, program.output
        return program.output.splitlines()


class SeveralProcessesTests(SuiteCase):
    """
    Two phones with calls at all servers, and an administrator.
    """

    server: Whole

    def make_server(self) -> Whole:
        return Whole(Path(self.mktemp()))

    async def console(self, *command: str) -> str:
        """
        Run a command of the console; give what it writes.
        """
        console = Console(
            self.server.folder, self.server.ssh, "root", *command, key=self.server.key
        )
        try:
            text, status = await console.end()
        finally:
            await console.close()
        self.assertEqual(status, 0, text)
        return text

    async def rows(self, *command: str) -> Any:
        """
        Run a command of the console; give its JSON.
        """
        return json.loads(await self.console(*command, "--json"))

    async def test_whole(self) -> None:
        """
        Commands and console show the calls, events and states of all processes, and
        reach the server that has a call; each process has pages of its own.
        """
        sessions = await self._calls()
        await self._look()
        await self._trace()
        await self._pages()
        await self._hang()
        await self._hang_up(sessions)

    async def _calls(self) -> list[Session]:
        """
        Make calls, until each server has one.
        """
        sessions: list[Session] = []
        for _ in range(_CALLS):
            sessions.append(await self.alice.call("101"))
            names = self.server.appservers
            each = [await self.server.ask(name, "calls") for name in names]
            if all(each):
                break
        else:
            self.fail(f"one of them never got a call: {each}")
        shown = await self.server.command("calls")
        listed = {row["id"] for calls in each for row in calls}
        self.assertEqual({row["id"] for row in shown}, listed)
        self.assertEqual({row["state"] for row in shown}, {"established"})
        self.assertEqual({row["id"] for row in await self.rows("calls")}, listed)
        self.assertEqual(len(listed), len(sessions))
        return sessions

    async def _look(self) -> None:
        """
        Look at the servers.
        """
        status = await self.server.command("status")
        self.assertEqual([row["role"] for row in status], self.server.names)
        self.assertEqual(len({row["pid"] for row in status}), len(status))
        tables = await self.server.command("status", "--tables")
        self.assertEqual({row["server"] for row in tables}, {*self.server.names})
        numbers = await self.rows("stats")
        self.assertEqual([row["role"] for row in numbers["servers"]], self.server.names)
        ends = [str(end) for end in self.server.ends]
        listed = await self.server.command("dispatch")
        self.assertTrue(all(isinstance(row["for"], float) for row in listed))
        for shown in (listed, await self.rows("dispatch")):
            self.assertEqual([row["server"] for row in shown], ends)
            self.assertEqual({row["state"] for row in shown}, {"up"})
        for shown in (
            await self.server.command("workers", "list"),
            await self.rows("workers"),
        ):
            self.assertEqual([row["server"] for row in shown], ends)
            self.assertEqual({row["phase"] for row in shown}, {"up"})

    async def _trace(self) -> None:
        """
        Look at a call of each server, as monitor and console have heard of it.
        """
        calls = await self.server.command("calls")

        async def heard() -> bool:
            lines = await self.server.say("events", "event call_answered", "--json")
            answered = {json.loads(line)["dialogue"] for line in lines}
            return answered == {row["id"] for row in calls}

        await wait_until(heard)
        for name in self.server.appservers:
            first, *_ = await self.server.ask(name, "calls")
            ladder = await self.console("ladder", first["id"])
            for text in ("INVITE", "200 OK", "ACK"):
                self.assertIn(text, ladder)
        self.assertIn("INVITE", "".join(await self.server.say("trace", first["id"])))

    async def _pages(self) -> None:
        """
        Be led to the pages of all processes by any of them, and find all well.
        """
        status, _, text = await get(self.server.pages, "/targets")
        self.assertEqual(status, 200)
        groups = {
            each["labels"]["process"]: each["targets"] for each in json.loads(text)
        }
        self.assertEqual([*groups], self.server.names)
        pages = {name: HostPort.parse(ends[0]) for name, ends in groups.items()}
        self.assertIn(self.server.pages, pages.values())
        ready = await gatherResults([get(each, "/readyz") for each in pages.values()])
        self.assertEqual([each[::2] for each in ready], [(200, "ok\n")] * len(pages))
        for name, page in pages.items():
            _, _, text = await get(page, "/metrics")
            families = {
                each.name: each for each in text_string_to_metric_families(text)
            }
            servers = {
                sample.labels["server"]
                for sample in families["sipsorcery_table_entries"].samples
            }
            self.assertIn(name.partition("-")[0], servers)
        _, _, text = await get(pages["watchtower"], "/metrics")
        self.assertIn('sipsorcery_workers{phase="up",server="watchtower"} 3.0', text)

    async def _hang(self) -> None:
        """
        Pause a server: it is named, and the others are shown.
        """
        pid = await self.server.pid("registrar")
        os.kill(pid, signal.SIGSTOP)
        try:
            _, *rows, complaint = await self.server.say("status", status=1)
        finally:
            os.kill(pid, signal.SIGCONT)
        shown = {row.split()[0] for row in rows}
        self.assertNotIn("registrar", shown)
        for name in self.server.names:
            # On a machine that has too much to do there may be others.
            is_named = f"the {name} does not answer" in complaint
            self.assertNotEqual(is_named, name in shown, complaint)

    async def _hang_up(self, sessions: list[Session]) -> None:
        """
        End a call at each server.
        """
        left = {row["id"] for row in await self.server.command("calls")}
        for name in self.server.appservers:
            first, *_ = await self.server.ask(name, "calls")
            self.assertIn("hung up", await self.console("hangup", first["id"]))
            left.remove(first["id"])
            self.assertEqual({row["id"] for row in await self.rows("calls")}, left)
        await wait_for(lambda: sum(not each.is_over for each in sessions) == len(left))
        for each in sessions:
            if not each.is_over:
                await each.bye()
