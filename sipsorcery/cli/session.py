"""
What a verb works with: the configuration, the stores and, while it runs, a reactor.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from twisted.internet import task
from twisted.internet.defer import Deferred

from sipsorcery.cli.declaring import Run
from sipsorcery.cli.errors import Refused
from sipsorcery.config import Config, find, load
from sipsorcery.store.directory import Directory
from sipsorcery.store.live import LiveReader, LocalReader
from sipsorcery.store.live.redis import RedisStore
from sipsorcery.store.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Session:
    """
    One run of a verb.

    :ivar reactor: runs already.
    :ivar make_directory: gives the directory of the configuration, not started.
    """

    config: Config
    reactor: Any
    make_directory: Callable[[Any, Config, Secrets], Directory] = Directory.of_config

    @property
    def data_dir(self) -> Path:
        """
        Where the service keeps its files.
        """
        return self.config.server.data_dir

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[Directory]:
        """
        Open the directory, which is made if need be, for as long as the block lasts.
        """
        secrets = Secrets(self.data_dir)
        secrets.load()
        directory = self.make_directory(self.reactor, self.config, secrets)
        directory.start()
        try:
            yield directory
        finally:
            directory.stop()

    @asynccontextmanager
    async def live(self) -> AsyncIterator[LiveReader | None]:
        """
        Open the live state, to look at beside the servers that write it.

        :return: None if there is nothing to read, because no server has run yet.
        """
        if urls := self.config.storage.live:
            shared = RedisStore(self.reactor, urls)
            shared.start()
            try:
                yield shared
            finally:
                await shared.stop()
        elif not (self.data_dir / "live.db").exists():
            yield None
        else:
            reader = LocalReader(self.data_dir)
            try:
                yield reader
            finally:
                reader.stop()


#: Does a verb.
Act: TypeAlias = Callable[[Session, argparse.Namespace], Awaitable[None]]
#: Runs what a session is for, to its end.
Runner: TypeAlias = Callable[[Config, Callable[[Session], Awaitable[None]]], None]


def with_session(act: Act) -> Run:
    """
    Make the ``run`` of a verb that works with stores.

    What has to be asked of people is asked before: the reactor takes Ctrl-C for itself.
    """

    def run(options: argparse.Namespace) -> int:
        runner: Runner = options.runner
        runner(load(find(options.config)), lambda session: act(session, options))
        return 0

    return run


def run_in_reactor(config: Config, work: Callable[[Session], Awaitable[None]]) -> None:
    """
    Run the reactor of the process until the work is done.
    """
    ended: list[Exception | None] = []

    async def main(reactor: Any) -> None:
        try:
            await work(Session(config, reactor))
        except Exception as error:
            # For the caller, not for a log.
            ended.append(error)
        else:
            ended.append(None)

    with suppress(SystemExit):  # react ends with one, whatever comes of it
        task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
    if not ended:
        raise Refused("interrupted")
    (error,) = ended
    if error is not None:
        raise error
