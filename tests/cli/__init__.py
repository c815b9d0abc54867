"""
Tests for `sipsorcery.cli`.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.cli import main
from sipsorcery.cli.session import Session
from sipsorcery.config import Config
from sipsorcery.store.directory import Directory
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import CHEAP, NOW


@dataclass(frozen=True, slots=True)
class Run:
    """
    What came of one run of the command.
    """

    status: int
    out: str
    error: str


def run(*arguments: str, given: str = "") -> Run:
    """
    Run the command in this process, with nobody at the terminal.

    :param given: what is on the standard input.
    """
    out, error = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
        mock.patch("sys.stdin", io.StringIO(given)),
    ):
        try:
            status = main(arguments, runner=_run)
        except SystemExit as exit_:  # argparse ends so
            assert isinstance(exit_.code, int)
            status = exit_.code
    return Run(status, out.getvalue(), error.getvalue())


class CommandCase(SynchronousTestCase):
    """
    The command and a service of its own, with the domain ``example.com``.
    """

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.file = Path(self.mktemp())
        text = f"server.data_dir = '{self.folder}'\nsip.domains = ['example.com']"
        self.file.write_text(text, "utf-8")

    def run_command(self, *arguments: str, given: str = "") -> Run:
        """
        Run the command on this service.
        """
        return run("--config", str(self.file), *arguments, given=given)

    def do(self, *arguments: str, given: str = "") -> str:
        """
        Run the command, which succeeds; give what it prints.
        """
        result = self.run_command(*arguments, given=given)
        self.assertEqual((result.status, result.error), (0, ""), arguments)
        return result.out

    def read(self, *arguments: str) -> Any:
        """
        Run a command that reads; give its JSON.
        """
        return json.loads(self.do(*arguments, "--json"))

    def refuse(self, *arguments: str, given: str = "", status: int = 1) -> str:
        """
        Run the command, which refuses; give the reason.
        """
        result = self.run_command(*arguments, given=given)
        self.assertEqual((result.status, result.out), (status, ""), arguments)
        return result.error


def _run(config: Config, work: Callable[[Session], Awaitable[None]]) -> None:
    """
    Run a verb without threads and without a reactor.
    """
    clock = Clock()
    clock.advance(NOW)

    async def begin() -> None:
        await work(Session(config, clock, _make_directory))

    results: list[Any] = []
    Deferred.fromCoroutine(begin()).addBoth(results.append)
    while not results:
        clock.advance(0.01)
    if isinstance(results[0], Failure):
        results[0].raiseException()


def _make_directory(clock: Clock, config: Config, secrets: Secrets) -> Directory:
    return Directory(
        clock,
        config.server.data_dir,
        secrets,
        served=config.sip.domains,
        threads=SteppedThreads(waits=False),
        hasher=CHEAP,
        clock=clock.seconds,
    )
