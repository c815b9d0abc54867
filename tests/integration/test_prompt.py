"""
The command as somebody at a terminal has it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests import ROOT

# More than any answer takes on the slowest machine.
_PATIENCE = 40.0
_STEP = 0.02
_CONTROL_C = "\x03"


class Terminal(ProcessProtocol):
    """
    A terminal of 60 columns with one command in it.

    :ivar shown: all that it has shown.
    :ivar ended: fires with the exit status.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.shown = ""
        self.ended: Deferred[int] = Deferred()
        self._process = IReactorProcess(reactor).spawnProcess(
            self,
            sys.executable,
            [sys.executable, "-m", "sipsorcery", *arguments],
            env={
                **os.environ,
                **{"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "60"},
            },
            path=str(folder),
            usePTY=True,
        )

    async def says(self, text: str) -> None:
        """
        Wait until it shows *text*, and forget what it has shown up to there.
        """
        for _ in range(int(_PATIENCE / _STEP)):
            before, found, rest = self.shown.partition(text)
            if found:
                self.shown = rest
                return
            assert not self.ended.called, f"{text!r} never came: {before}"
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"{text!r} never came: {self.shown}")

    def type(self, text: str) -> None:
        """
        Type.
        """
        assert self.transport is not None
        self.transport.write(text.encode())

    def stop(self) -> Deferred[int]:
        """
        Close it.
        """
        if not self.ended.called:
            self._process.signalProcess("KILL")
        return self.ended

    # What Twisted calls

    def outReceived(self, data: bytes) -> None:
        """
        Show what it writes.
        """
        self.shown += data.decode("utf-8", "replace")

    def processEnded(self, reason: Failure) -> None:
        """
        Note how it ended.
        """
        ended = reason.value
        assert isinstance(ended, ProcessDone | ProcessTerminated)
        self.ended.callback(-ended.signal if ended.signal else ended.exitCode)


class PromptTests(TestCase):
    """
    Passwords that are asked for, and tables that are looked at.
    """

    timeout = 120

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def run_command(self, *arguments: str) -> Terminal:
        """
        Start a command.
        """
        terminal = Terminal(self.folder, *arguments)
        self.addCleanup(terminal.stop)
        return terminal

    async def test_password(self) -> None:
        """
        A password is asked for twice and never shown.
        """
        terminal = self.run_command("user", "add", "joe")
        await terminal.says("Password for joe: ")
        terminal.type("correct horse\n")
        await terminal.says("The same again: ")
        terminal.type("correct horse\n")
        self.assertEqual(await terminal.ended, 0)
        self.assertNotIn("horse", terminal.shown)

    async def test_mistake(self) -> None:
        """
        Two that are not the same are refused.
        """
        terminal = self.run_command("user", "add", "joe")
        await terminal.says("Password for joe: ")
        terminal.type("correct horse\n")
        await terminal.says("The same again: ")
        terminal.type("correct house\n")
        self.assertEqual(await terminal.ended, 1)
        self.assertIn("these are not the same", terminal.shown)

    async def test_interrupt(self) -> None:
        """
        Ctrl-C at the prompt ends it at once, and nothing has been made.
        """
        terminal = self.run_command("user", "add", "joe")
        await terminal.says("Password for joe: ")
        terminal.type(_CONTROL_C)
        self.assertEqual(await terminal.ended, 1)
        self.assertNotIn("Traceback", terminal.shown)
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_table(self) -> None:
        """
        A table fits the width of the terminal; nothing of it is lost.
        """
        name = "a-very-long-name-of-a-domain." * 4 + "example"
        adding = self.run_command("domain", "add", name)
        self.assertEqual(await adding.ended, 0, adding.shown)
        listing = self.run_command("domain", "list")
        self.assertEqual(await listing.ended, 0, listing.shown)
        first, *others = (line.split() for line in listing.shown.splitlines()[1:])
        self.assertEqual("".join([first[0], *(part for (part,) in others)]), name)
        self.assertTrue(all(len(line) <= 60 for line in listing.shown.splitlines()[1:]))
