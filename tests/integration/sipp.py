"""
SIPp: the calls of its built-in scenarios, and what it counted.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import TimeoutError
from twisted.internet.interfaces import IReactorTime

from sipsorcery.endpoint import Endpoint, Transport
from tests.integration.ports import free_port
from tests.integration.program import Program
from tests.peers import require

# Less than what trial gives a test, so that it is told what SIPp has seen.
_PATIENCE = 100.0
_STATISTICS, _ERRORS, _SCENARIO = "statistics.csv", "errors.log", "scenario.xml"
# How SIPp names one socket for all calls.
_MODES = {Transport.UDP: "u1", Transport.TCP: "t1"}
# Let it pass over what comes again at the wrong time, such as an INVITE behind its own
# 200 that was lost; otherwise it drops the call.
_BEARING = ("-default_behaviors", "all,-abortunexp")
# What its scenarios give as their Contact.
_CONTACT = "<sip:[local_ip]:[local_port];transport=[transport]>"
# How long ``uas`` waits, in milliseconds, for a BYE whose answer was lost; and how long
# it does where nothing gets lost.
_LINGER, _SHORT_LINGER = 'timewait milliseconds="4000"', 'timewait milliseconds="200"'


@dataclass(frozen=True, slots=True)
class Tally:
    """
    What SIPp has counted.

    :ivar successful: calls that went as its scenario says.
    :ivar failed: calls that did not.
    :ivar unexpected: messages that the scenario does not have, in a call, after its end
        or of no call.
    :ivar repeated: messages that it had to send again.
    """

    successful: int
    failed: int
    unexpected: int
    repeated: int

    @classmethod
    def read(cls, file: Path) -> Tally:
        """
        Read the last line of the statistics.
        """
        with file.open(encoding="ascii", newline="") as lines:
            *_, last = csv.DictReader(lines, delimiter=";")
        return cls(
            successful=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            unexpected=int(last["FailedUnexpectedMessage(C)"])
            + int(last["OutOfCallMsgs(C)"])
            + int(last["DeadCallMsgs(C)"]),
            repeated=int(last["Retransmissions(C)"]),
        )


class SIPp:
    """
    One run.

    :param folder: where it writes; it must exist.
    :param scenario: ``uac``, ``uas`` or another that SIPp has.
    :param calls: how many it makes or takes before it ends.
    :param at_once: how many at a time.
    :param repeats: whether it sends again what gets no answer, and bears that we do.
    :param target: whom it calls.
    :param port: where it listens; None: where there is room.
    :param contact: what it gives as its Contact, so that what follows goes there, too;
        None: where it listens.
    :param text: a scenario of our own, instead of one that SIPp has.
    :param options: what else its command line says.
    :param host: its own address.
    :param within: what to put before its command.
    """

    def __init__(
        self,
        folder: Path,
        scenario: str,
        transport: Transport,
        *,
        calls: int,
        at_once: int = 10,
        repeats: bool = False,
        target: Endpoint | None = None,
        port: int | None = None,
        contact: Endpoint | None = None,
        text: str | None = None,
        options: Sequence[str] = (),
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self.end = Endpoint(transport, host, port or free_port())
        sipp = require("sipp", "sip-tester")
        chosen = ["-sn", scenario]
        if contact is not None:
            value = f"<sip:{contact.host}:{contact.port}>"
            text = _text(sipp, scenario).replace(_CONTACT, value)
        elif text is None and scenario == "uas" and not repeats:
            text = _text(sipp, scenario).replace(_LINGER, _SHORT_LINGER)
        if text is not None:
            (folder / _SCENARIO).write_text(text, "ascii")
            chosen = ["-sf", _SCENARIO]
        self.program = Program(
            folder,
            *(*within, sipp),
            *(*chosen, "-t", _MODES[transport], "-nostdin"),
            *("-i", self.end.host, "-p", str(self.end.port)),
            *("-m", str(calls), "-r", "1000", "-l", str(at_once)),
            *("-trace_stat", "-stf", _STATISTICS, "-fd", "1"),
            *("-trace_err", "-error_file", _ERRORS),
            *(_BEARING if repeats else ("-nr",)),
            *options,
            *(() if target is None else (f"{target.host}:{target.port}",)),
        )

    async def ready(self) -> None:
        """
        Wait until it listens.
        """
        await self.program.listens(self.end.transport, self.end.port)

    async def tally(self) -> Tally:
        """
        Wait for its end and count.
        """
        try:
            await self.program.ended().addTimeout(_PATIENCE, IReactorTime(reactor))
        except TimeoutError as error:
            raise AssertionError(f"it does not end; {self.errors}") from error
        statistics = self._folder / _STATISTICS
        assert statistics.exists(), f"it has made no calls; {self.errors}"
        return Tally.read(statistics)

    @property
    def errors(self) -> str:
        """
        What it had to complain of; if it was nothing, what it has shown last.
        """
        file = self._folder / _ERRORS
        if not file.exists():
            return self.program.last
        return file.read_text("utf-8", "replace")


def _text(sipp: str, scenario: str) -> str:
    """
    Give a built-in scenario as SIPp prints it.
    """
    run = subprocess.run([sipp, "-sd", scenario], capture_output=True, check=False)
    return run.stdout.decode("ascii")
