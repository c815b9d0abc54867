"""
Run the programs of others: start, wait for what they say, stop.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from sipsorcery.endpoint import Transport
from tests.integration.ports import is_free

# More than any of them takes to start on the slowest machine.
_PATIENCE = 30.0
_STEP = 0.02
# How long a program may take to end by itself before it is killed.
_GRACE = 5.0
# Characters of what a program has said that a failure shows: some ten messages.
_SHOWN = 12_000


class Program(ProcessProtocol):
    """
    One process.

    :param command: the program and its arguments.
    :param folder: where it runs.
    :param environment: what differs from ours.

    :ivar output: what it has written so far, standard output and error together.
    :ivar status: its exit status, or minus the signal that ended it; None: it runs.
    """

    _terminal = False  # whether it is given one

    def __init__(self, folder: Path, *command: str, **environment: str) -> None:
        self.output = ""
        self.status: int | None = None
        self._name = Path(command[0]).name
        self._ended: Deferred[int] = Deferred()
        if self._terminal:
            environment = {"TERM": "xterm", **environment}
        self._process = IReactorProcess(reactor).spawnProcess(
            self,
            command[0],
            command,
            env={**os.environ, **environment},
            path=str(folder),
            usePTY=self._terminal,
        )

    @property
    def pid(self) -> int:
        """
        Give the number of the process.
        """
        return int(self._process.pid or 0)

    @property
    def last(self) -> str:
        """
        Give the end of what it has written, for whoever wonders.
        """
        return f"{self._name} has said: {self.output[-_SHOWN:]}"

    async def says(self, text: str, patience: float = _PATIENCE) -> None:
        """
        Wait until it has written *text*.

        :param patience: for how many seconds.
        """
        for _ in range(int(patience / _STEP)):
            if text in self.output:
                return
            assert self.status is None, f"it ended before {text!r}; {self.last}"
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"{text!r} never came; {self.last}")

    async def listens(self, transport: Transport, port: int) -> None:
        """
        Wait until it has a port, on whatever address and in whatever network.
        """
        for _ in range(int(_PATIENCE / _STEP)):
            if self._has(transport, port):
                return
            assert self.status is None, f"it ended before it listened; {self.last}"
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"it does not listen; {self.last}")

    def ended(self) -> Deferred[int]:
        """
        Wait for its end and give ``status``.
        """
        waiting: Deferred[int] = Deferred()
        self._ended.addCallback(_pass_on, waiting)
        return waiting

    def signal(self, number: int) -> None:
        """
        Send it a signal, such as `signal.SIGSTOP`, if it runs.
        """
        if self.status is None:
            self._process.signalProcess(number)

    async def stop(self) -> int:
        """
        Ask it to end, and wait until it has.

        :return: ``status``.
        """
        if self.status is None:
            self._process.signalProcess("TERM")
            kill = IReactorTime(reactor).callLater(_GRACE, self._kill)
            await self.ended()
            if kill.active():
                kill.cancel()
        assert self.status is not None
        return self.status

    def stop_soon(self) -> Deferred[int]:
        """
        Do what `stop` does, for who has no coroutines.
        """
        return Deferred.fromCoroutine(self.stop())

    def _has(self, transport: Transport, port: int) -> bool:
        # Its own network's sockets: TCP or UDP, and of a line the second word.
        name = "udp" if transport is Transport.UDP else "tcp"
        table = Path(f"/proc/{self._process.pid}/net/{name}")
        if not table.exists():
            return not is_free(transport, port)
        lines = table.read_text("ascii").splitlines()[1:]
        return any(int(line.split()[1].split(":")[1], 16) == port for line in lines)

    # What Twisted calls

    def outReceived(self, data: bytes) -> None:
        """
        Keep what it writes.
        """
        self.output += data.decode("utf-8", "replace")

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """
        Note how it ended.
        """
        ended = reason.value
        assert isinstance(ended, ProcessDone | ProcessTerminated)
        self.status = -ended.signal if ended.signal else ended.exitCode
        assert self.status is not None
        self._ended.callback(self.status)

    def _kill(self) -> None:
        """
        Kill it, and those that it has begun: they hold its output open.
        """
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        begun = children.read_text("ascii").split() if children.exists() else []
        self._process.signalProcess("KILL")
        for child in map(int, begun):
            with suppress(ProcessLookupError):
                os.kill(child, SIGKILL)
        for descriptor in (1, 2):
            self._process.closeChildFD(descriptor)


def _pass_on(status: int, waiting: Deferred[int]) -> int:
    waiting.callback(status)
    return status
