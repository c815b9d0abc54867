"""
Run ``twistd`` as its users do: in a process of its own.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from sipsorcery.endpoint import Endpoint, Transport
from tests import ROOT

# More than a start takes on the slowest machine; a test that waits as long has failed.
_PATIENCE = 60

_LISTENING = re.compile(r"ProxyService#info\] Listening on (\S+)$")


class Twistd(ProcessProtocol):
    """
    One process.

    :param arguments: those of ``twistd``.
    :param folder: where it runs.
    :param within: what to put before its command.

    :ivar lines: what it has written, standard output and error together.
    :ivar ended: fires with the exit status, or with minus the signal that ended it.
    """

    def __init__(
        self, folder: Path, *arguments: str, within: Sequence[str] = ()
    ) -> None:
        self.lines: list[str] = []
        self.ended: Deferred[int] = Deferred()
        self._rest = ""
        self._waiting: tuple[str, Deferred[None]] | None = None
        process = IReactorProcess(reactor)
        twistd = str(Path(sys.executable).with_name("twistd"))
        command = [*within, sys.executable, twistd, *arguments]
        self._process = process.spawnProcess(
            self,
            command[0],
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            path=str(folder),
        )

    @property
    def pid(self) -> int:
        """
        Give the number of the process.
        """
        return int(self._process.pid or 0)

    @property
    def output(self) -> str:
        """
        Give everything that it has written.
        """
        return "\n".join([*self.lines, self._rest])

    async def wait_for(self, text: str) -> None:
        """
        Wait until it has written *text*.

        :raises AssertionError: if it ends before that, or takes too long.
        """
        waiting: Deferred[None] = Deferred()
        self._waiting = (text, waiting)
        waiting.addTimeout(_PATIENCE, IReactorTime(reactor))
        self._look()
        try:
            await waiting
        except Exception as error:
            raise AssertionError(f"{text!r} never came: {self.output}") from error

    def listeners(self) -> dict[Transport, Endpoint]:
        """
        Find in its output where its proxy listens; of several of one transport, the
        first: the socket for our own servers comes last.
        """
        found = (_LISTENING.search(line) for line in reversed(self.lines))
        ends = [Endpoint.parse(match[1]) for match in found if match]
        return {end.transport: end for end in ends}

    def stop(self) -> Deferred[int]:
        """
        Ask it to end.

        :return: what ``ended`` fires with.
        """
        if not self.ended.called:
            self._process.signalProcess(signal.SIGTERM.name.removeprefix("SIG"))
        return self.ended

    def kill(self) -> Deferred[int]:
        """
        End it without a warning.

        :return: what ``ended`` fires with.
        """
        if not self.ended.called:
            self._process.signalProcess("KILL")
        return self.ended

    # What Twisted calls

    def outReceived(self, data: bytes) -> None:
        """
        Keep what it writes.
        """
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        self.lines += lines
        self._look()

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """
        Note how it ended.
        """
        ended = reason.value
        assert isinstance(ended, ProcessDone | ProcessTerminated)
        if self._waiting is not None:
            _, waiting = self._waiting
            self._waiting = None
            waiting.errback(AssertionError("the process has ended"))
        self.ended.callback(-ended.signal if ended.signal else ended.exitCode)

    def _look(self) -> None:
        if self._waiting is None:
            return
        text, waiting = self._waiting
        if any(text in line for line in self.lines):
            self._waiting = None
            waiting.callback(None)
