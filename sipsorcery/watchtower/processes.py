"""
The processes of workers: started, found again, watched and ended.

They outlive us: whoever is killed leaves them at their calls, and the next watchtower
finds them by what is written down here, their number and when the system says that they
began, so that it never takes another process for one of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.endpoint import Endpoint
from sipsorcery.store.files import replace_private

_PAGE = os.sysconf("SC_PAGE_SIZE")
# Seconds between two looks at processes that end.
_STEP = 0.1


class _Known(msgspec.Struct, frozen=True):
    pid: int
    began: int  # in ticks since the system was started


class Processes:
    """
    One process for each address.

    :param reactor: has processes and time.
    :param command: makes the command line of the worker for an address.
    :param file: where they are written down.
    :param ended: hears of each that ends, and why.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        command: Callable[[Endpoint], Sequence[str]],
        file: Path,
        ended: Callable[[Endpoint, str], object],
    ) -> None:
        self._reactor = reactor
        self._command = command
        self._file = file
        self._ended = ended
        self._running: dict[Endpoint, _Known] = {}
        self._adopted: set[Endpoint] = set()

    def __contains__(self, endpoint: object) -> bool:
        """
        Tell whether there is a process for an address.
        """
        return endpoint in self._running

    def adopt(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """
        Find those that an earlier watchtower has left.

        :param endpoints: those that are still wanted; others are told to end.
        :return: the addresses of those that were found.
        """
        wanted = set(endpoints)
        for endpoint, known in _read(self._file).items():
            if _began(known.pid) != known.began:
                continue
            if endpoint in wanted:
                self._running[endpoint] = known
                self._adopted.add(endpoint)
            else:
                self._log.info(
                    "Ending the worker at {endpoint}, which nobody wants any more",
                    endpoint=str(endpoint),
                )
                _send(known.pid, signal.SIGTERM)
        self._write()
        return sorted(self._adopted, key=str)

    def start(self, endpoint: Endpoint) -> None:
        """
        Start the process for an address.
        """
        command = list(self._command(endpoint))
        # Its log goes where ours goes, also when we are gone.
        transport = self._reactor.spawnProcess(
            _Worker(self, endpoint),
            command[0],
            command,
            env=dict(os.environ),
            childFDs={0: "w", 1: 1, 2: 2},
        )
        began = _began(transport.pid)
        self._running[endpoint] = _Known(transport.pid, -1 if began is None else began)
        self._write()

    def terminate(self, endpoint: Endpoint) -> None:
        """
        Tell a process to end.
        """
        self._signal(endpoint, signal.SIGTERM)

    def hang_up(self, endpoint: Endpoint) -> None:
        """
        Have a process read its configuration again.
        """
        self._signal(endpoint, signal.SIGHUP)

    def kill(self, endpoint: Endpoint) -> None:
        """
        End a process at once.
        """
        self._signal(endpoint, signal.SIGKILL)

    def memory(self, endpoint: Endpoint) -> int:
        """
        Give the octets that a process takes; 0: nobody can tell.
        """
        known = self._running.get(endpoint)
        if known is None:
            return 0
        try:
            pages = Path(f"/proc/{known.pid}/statm").read_text("ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * _PAGE

    def pid(self, endpoint: Endpoint) -> int | None:
        """
        Give the number of a process.
        """
        known = self._running.get(endpoint)
        return None if known is None else known.pid

    def look(self) -> None:
        """
        See whether one that we have not started has ended: the system tells its parent.
        """
        for endpoint in list(self._adopted):
            known = self._running[endpoint]
            if _began(known.pid) != known.began:
                self.has_ended(endpoint, "it has ended")

    async def stop(self, seconds: float) -> None:
        """
        Tell all to end, wait for them, and kill those that do not.
        """
        for endpoint in list(self._running):
            self.terminate(endpoint)
        for number in (signal.SIGKILL, None):
            waited = 0.0
            while self._running and waited < seconds:
                await deferLater(self._reactor, _STEP)
                waited += _STEP
                self.look()
            for endpoint in list(self._running) if number is not None else ():
                self._signal(endpoint, signal.SIGKILL)

    def has_ended(self, endpoint: Endpoint, why: str) -> None:
        """
        Hear that a process is no more.
        """
        self._running.pop(endpoint, None)
        self._adopted.discard(endpoint)
        self._write()
        self._ended(endpoint, why)

    def _signal(self, endpoint: Endpoint, number: int) -> None:
        known = self._running.get(endpoint)
        if known is not None and _began(known.pid) == known.began:
            _send(known.pid, number)

    def _write(self) -> None:
        named = {str(endpoint): known for endpoint, known in self._running.items()}
        try:
            replace_private(self._file, msgspec.json.encode(named))
        except OSError as error:
            self._log.error("The workers cannot be noted: {error}", error=error)


class _Worker(ProcessProtocol):
    """
    Hears of the end of one process.
    """

    def __init__(self, processes: Processes, endpoint: Endpoint) -> None:
        self._processes = processes
        self._endpoint = endpoint

    def connectionMade(self) -> None:
        """
        Have nothing to say to it.
        """
        assert self.transport is not None
        self.transport.closeStdin()

    def processEnded(self, reason: Failure) -> None:
        """
        Tell why it has ended.
        """
        ended = reason.value
        assert isinstance(ended, ProcessDone | ProcessTerminated)
        if ended.signal:
            why = f"ended by {signal.Signals(ended.signal).name}"
        else:
            why = f"ended with exit status {ended.exitCode}"
        self._processes.has_ended(self._endpoint, why)


def _read(file: Path) -> Mapping[Endpoint, _Known]:
    try:
        named = msgspec.json.decode(file.read_bytes(), type=dict[str, _Known])
        return {Endpoint.parse(name): known for name, known in named.items()}
    except (OSError, ValueError, msgspec.MsgspecError):
        return {}  # it is but a help


def _began(pid: int) -> int | None:
    """
    Tell when a process began, in ticks; None: there is none, or it has ended already.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name stands in parentheses, and may hold any.
    state, *fields = text.rpartition(")")[2].split()
    return None if state in ("Z", "X") else int(fields[18])


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
