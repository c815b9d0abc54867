"""
Control sockets that are really there.
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from sipsorcery.cli.session import Session
from sipsorcery.cli.telling import tell_changed
from sipsorcery.config import parse
from sipsorcery.control import ControlError, ControlService, NotRunning, ask
from sipsorcery.control.naming import short_name, socket_file
from sipsorcery.monitor.event import EventKind
from sipsorcery.store.directory import Account
from sipsorcery.tap.account_changes import of_account_changes
from sipsorcery.testing.bus import RecordingBus


class ControlTests(TestCase):
    """
    A server and the command that asks it.
    """

    timeout = 60

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()

    def serve(self, folder: Path) -> ControlService:
        """
        Start a server, and stop it after the test.
        """
        service = ControlService(
            reactor, folder, "proxy", {"echo": lambda text: text, "no": self.refuse}
        )
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def refuse(self) -> None:
        """
        Do not do it.
        """
        raise ControlError("not today")

    async def test_changed_account(self) -> None:
        """
        A command that changes an account tells a server that runs, and passes over one
        that was killed and has left its socket; without any it goes on.
        """
        config = parse(f"server.data_dir = '{self.folder}'".encode())
        session = Session(config, reactor)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        account = Account(
            owner="joe", username="100", domain="a.example", created=now, updated=now
        )
        await tell_changed(session, account)
        bus = RecordingBus()
        verbs = of_account_changes("registrar", bus)
        service = ControlService(reactor, self.folder, "registrar", verbs)
        service.startService()
        self.addCleanup(service.stopService)
        dead = socket.socket(socket.AF_UNIX)
        file = socket_file(self.folder, "monitor")
        with short_name(file) as name:
            dead.bind(name)
        dead.close()
        await tell_changed(session, account, removed=True)
        (event,) = bus.events
        self.assertEqual((event.kind, event.owner), (EventKind.ACCOUNT_REMOVED, "joe"))

    async def ask(self, verb: str, **arguments: Any) -> Any:
        """
        Ask the server.
        """
        return await ask(reactor, self.folder, "proxy", verb, **arguments)

    async def test_question(self) -> None:
        """
        A command gets what the server has for it.
        """
        self.serve(self.folder)
        text = "20 \N{DEGREE SIGN}\n" * 5000
        self.assertEqual(await self.ask("echo", text=text), text)

    async def test_long_question(self) -> None:
        """
        A question has a bound, and the command is told.
        """
        self.serve(self.folder)
        with self.assertRaisesRegex(ControlError, "at most 65536 octets"):
            await self.ask("echo", text="x" * 70_000)

    async def test_other_client(self) -> None:
        """
        A client that asks and closes its side at once, as nc does, gets its answer.
        """
        self.serve(self.folder)

        def ask_by_hand() -> bytes:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(os.path.relpath(self.folder / "run/proxy.sock"))
                client.sendall(b'{"verb": "echo", "arguments": {"text": "x"}}\n')
                client.shutdown(socket.SHUT_WR)
                return client.recv(100)

        answer = await deferToThread(ask_by_hand)
        self.assertEqual(answer, b'{"result": "x"}\n')

    async def test_refusal(self) -> None:
        """
        A refusal comes with its words.
        """
        self.serve(self.folder)
        with self.assertRaisesRegex(ControlError, "not today"):
            await self.ask("no")

    async def test_long_name(self) -> None:
        """
        Both sides find each other in a folder of any name.
        """
        self.folder /= "x" * 120
        self.serve(self.folder)
        self.assertEqual(await self.ask("echo", text="hello"), "hello")

    async def test_not_running(self) -> None:
        """
        Nobody there: also where a killed process has left its socket.
        """
        with self.assertRaises(NotRunning):
            await self.ask("echo", text="x")
        self.leave_socket()
        with self.assertRaises(NotRunning):
            await self.ask("echo", text="x")

    async def test_left_socket(self) -> None:
        """
        A server takes the place of one that was killed.
        """
        self.leave_socket()
        self.serve(self.folder)
        self.assertEqual(await self.ask("echo", text="hello"), "hello")

    async def test_second_server(self) -> None:
        """
        A second server on the same folder is refused, and the first one goes on.
        """
        self.serve(self.folder)
        second = ControlService(reactor, self.folder, "proxy", {})
        with self.assertRaisesRegex(ControlError, "another process is the proxy"):
            second.startService()
        self.assertEqual(await self.ask("echo", text="hello"), "hello")

    async def test_stop(self) -> None:
        """
        A server that stops leaves nothing behind.
        """
        service = self.serve(self.folder)
        await maybeDeferred(service.stopService)
        self.assertEqual(list((self.folder / "run").iterdir()), [])
        with self.assertRaises(NotRunning):
            await self.ask("echo", text="x")

    def leave_socket(self) -> None:
        """
        Leave a socket as kill -9 does.
        """
        (self.folder / "run").mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str((self.folder / "run/proxy.sock").relative_to(Path.cwd())))
