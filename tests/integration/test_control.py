"""
Control sockets that are really there.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from sipsorcery.control import ControlError, ControlService, NotRunning, ask


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
