"""
The console, by the ``ssh`` of OpenSSH.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from sipsorcery.monitor.event import EventKind
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.service import MonitorService
from sipsorcery.store.directory import Directory
from tests.integration.consoles import Console, adding, in_thread
from tests.integration.ports import free_port
from tests.integration.test_calls import CallCase
from tests.peers import require

_PASSWORD = "a long password"  # of joe, to whom the accounts belong


class ConsoleTests(CallCase):
    """
    A whole server; joe, ann and the administrator root can log in.
    """

    def setUp(self) -> object:  # type: ignore[override]  # trial waits
        self.port = free_port()
        self.consoles: list[Console] = []
        self.key = Path(self.mktemp())
        generate = require("ssh-keygen", "openssh-client")
        command = [generate, "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)]
        subprocess.run(command, check=True, capture_output=True)
        return super().setUp()

    def text(self) -> str:
        """
        Let the console listen.
        """
        return f'{super().text()}\n[ssh]\nlisten = "127.0.0.1:{self.port}"'

    async def prepare(self, directory: Directory) -> None:
        """
        Add users, and a key of joe.
        """
        await adding("ann", "root")(directory)
        line = self.key.with_name(f"{self.key.name}.pub").read_text("ascii")
        await directory.of("joe").keys.add(line)

    async def stop(self) -> None:
        """
        Stop everything.
        """
        for console in self.consoles:
            await console.close()
        await super().stop()

    def console(
        self,
        user: str,
        *command: str,
        key: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> Console:
        """
        Start an ``ssh``.
        """
        console = Console(
            self.folder, self.port, user, *command, key=key, options=options
        )
        self.consoles.append(console)
        return console

    async def logged_in(self, user: str, password: str) -> Console:
        """
        Start one, and log in by password.
        """
        console = self.console(user)
        await console.log_in(password)
        await console.expect(f"{user}> ")
        return console

    async def ran(self, *command: str, user: str = "joe") -> tuple[str, int | None]:
        """
        Run a command of the console with the key, and give its output and status.
        """
        return await self.console(user, *command, key=self.key).end()

    async def call_id(self) -> str:
        """
        Give the identifier of a call that was made.
        """
        (monitor,) = (
            each for each in self.server.services if isinstance(each, MonitorService)
        )
        wanted = Filter.parse("event *", Viewer("joe"), now=0.0)
        page = await monitor.view.read(wanted, limit=1000)
        kind = EventKind.CALL_ENDED
        return next(each.dialogue for each in page.events if each.kind is kind)

    async def test_call(self) -> None:
        """
        Who types a filter at the prompt sees the events of their call as they come,
        and its ladder; to another user there is no such call.
        """
        joe = await self.logged_in("joe", _PASSWORD)
        ann = await self.logged_in("ann", "ann has a password")
        root = await self.logged_in("root", "root has a password")
        for console in (joe, ann, root):
            console.send("\r")
            await console.expect("q ends it")
        await self.call("caller", "callee")
        shown = await joe.expect(r"call_ended[^\n]*\n")
        self.assertRegex(shown, r"call_started\S* +sip:100@example\.com ")
        self.assertIn("register_success", shown)
        self.assertRegex(await root.expect("call_ended"), "call_started +joe sip:100@")
        for console in (joe, ann, root):
            console.send("q")
            await console.expect(r"\?2004h.*> ")
        # What she has seen is what is hers.
        self.assertNotIn("100@", ann.seen)
        self.assertNotIn("call_", ann.seen)
        call = await self.call_id()
        ladder = await joe.enter(f"ladder {call}", "joe> ")
        for text in ("INVITE", "180 Ringing", "200 OK", "ACK", "BYE"):
            self.assertIn(text, ladder)
        # On both legs.
        self.assertGreaterEqual(ladder.count(" INVITE (SDP) "), 2, ladder)
        refused = await ann.enter(f"ladder {call}", "ann> ")
        self.assertIn("there is no call", refused)
        # An administrator can, and joe can see that.
        self.assertIn("BYE", await root.enter(f"ladder {call}", "root> "))
        joe.send("tail since 10m and event admin_action\r")
        await joe.expect("administrator root looked at call")

    async def test_passwords(self) -> None:
        """
        A wrong password gets nobody in, nor does a name that nobody has.
        """
        for user in ("joe", "nobody"):
            console = self.console(user, options=("-o", "NumberOfPasswordPrompts=1"))
            await console.log_in("a wrong password")
            text, status = await console.end()
            self.assertIn("Permission denied (publickey,password)", text)
            self.assertEqual(status, 255)

    async def test_keys(self) -> None:
        """
        A key gets its owner in, and nobody else, nor does another key.
        """
        self.assertEqual(await self.ran("calls", "--json"), ("[]\n", 0))
        text, status = await self.ran("calls", user="ann")
        self.assertIn("Permission denied", text)
        self.assertEqual(status, 255)
        await self.server.directory.of("joe").keys.remove(await self.fingerprint())
        text, status = await self.ran("calls")
        self.assertIn("Permission denied", text)

    async def fingerprint(self) -> str:
        """
        Give that of the key of joe.
        """
        (key,) = await self.server.directory.of("joe").keys.all()
        return key.fingerprint

    async def test_status(self) -> None:
        """
        A command tells by its status how it went.
        """
        self.assertEqual((await self.ran("users"))[1], 1)
        text, status = await self.ran("event", "nonsense")
        self.assertIn("there is no event 'nonsense'", text)
        self.assertEqual(status, 2)
        text, status = await self.ran("who", "--json")
        self.assertEqual([row["user"] for row in json.loads(text)], ["joe"])
        self.assertEqual(status, 0)

    async def test_colours(self) -> None:
        """
        A terminal gets colours, unless somebody wants none.
        """
        bold = "\x1b[1mSESSION"
        for options, is_bold in (
            (("-tt",), True),
            (("-tt", "-o", "SetEnv=NO_COLOR=1"), False),
            (("-T",), False),
        ):
            console = self.console("joe", "who", key=self.key, options=options)
            text, _ = await console.end(plain=False)
            self.assertIn("SESSION", text)
            self.assertEqual(bold in text, is_bold, options)

    async def test_tail_as_a_command(self) -> None:
        """
        A command without a terminal runs until its client leaves.
        """
        console = self.console("joe", "tail", "event", "session_started", key=self.key)
        await self.seated(1)
        other = self.console("joe", "tail", "--json", key=self.key)
        await console.expect("session_started")
        await self.seated(2)
        await console.close()
        await other.expect('"kind": "session_ended"')

    async def seated(self, count: int) -> None:
        """
        Wait until a tail runs.
        """
        for _ in range(300):
            text, _ = await self.ran("who", "--json")
            if (
                sum(row["doing"].startswith("tail") for row in json.loads(text))
                == count
            ):
                return
        raise AssertionError(f"there are never {count}: {text}")

    async def test_nothing_else(self) -> None:
        """
        There are no other programs, files or ways through.
        """
        console = self.console("joe", "sftp", key=self.key, options=("-s",))
        text, status = await console.end()
        self.assertIn("subsystem request failed", text)
        port = free_port()
        options = ("-o", "ExitOnForwardFailure=yes", "-R", f"{port}:127.0.0.1:1")
        text, status = await self.console(
            "joe", "-N", key=self.key, options=options
        ).end()
        self.assertIn("remote port forwarding failed", text)
        self.assertEqual(status, 255)
        through = ("-W", f"127.0.0.1:{self.server.port}")
        text, status = await self.console("joe", key=self.key, options=through).end()
        self.assertIn("stdio forwarding failed", text)
        self.assertEqual(status, 255)

    async def test_host_key(self) -> None:
        """
        The key of the host is made once, for us alone to read.
        """
        file = self.folder / "server/ssh/ssh_host_ed25519_key"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        scan = require("ssh-keyscan", "openssh-client")
        command = [scan, "-p", str(self.port), "127.0.0.1"]
        found = await in_thread(
            lambda: subprocess.run(command, check=True, capture_output=True, timeout=30)
        )
        self.assertIn(b"ssh-ed25519 ", found.stdout)
        self.assertNotIn(b"rsa", found.stdout)
