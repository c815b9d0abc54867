"""
A directory for tests.

With ``SIPSORCERY_POSTGRESQL`` set to a URL, such as ``postgresql:///scratch``, the
tests run on that database instead of SQLite, and remove whatever is in it before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from argon2 import PasswordHasher
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.store.directory import Directory
from sipsorcery.store.directory.database import make_engine_url
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads

_T = TypeVar("_T")

NOW = 1_700_000_000.0
URL = os.environ.get("SIPSORCERY_POSTGRESQL", "sqlite")

#: Hashes that take no time. What they are worth is not for these tests to say.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class DirectoryCase(SynchronousTestCase):
    """
    A directory with the users ``joe`` and ``eve`` and the domain ``example.com``.

    Its threads do at once what they are told to; the clock stands at `NOW`.
    """

    def setUp(self) -> None:
        self.reactor = Clock()
        self.reactor.advance(NOW)
        self.folder = Path(self.mktemp())
        if URL == "sqlite":
            shutil.copytree(_prepared(), self.folder)
        else:
            _empty_postgresql()
        self.directory = self.open()
        self.everyone = self.directory.everyone
        self.joe = self.directory.of("joe")
        self.eve = self.directory.of("eve")
        if URL != "sqlite":
            self.do(_fill(self.directory))

    def open(self, **options: Any) -> Directory:
        """
        Open the directory, as another process does that starts.
        """
        directory = make_directory(self.reactor, self.folder, **options)
        directory.start()
        self.addCleanup(directory.stop)
        return directory

    def do(self, asked: Awaitable[_T]) -> _T:
        """
        Wait for what was asked of the directory.
        """
        return self.successResultOf(self.begin(asked))

    def refuse(self, error: type[Exception], asked: Awaitable[Any]) -> str:
        """
        Check that what was asked of the directory is refused; give the reason.
        """
        return str(self.failureResultOf(self.begin(asked), error).value)

    def begin(self, asked: Awaitable[_T]) -> Deferred[_T]:
        """
        Ask the directory for something, and end the turn of the reactor.
        """

        async def wait() -> _T:
            return await asked

        begun = Deferred.fromCoroutine(wait())
        self.reactor.advance(0)
        return begun


def make_directory(reactor: Clock, folder: Path, **options: Any) -> Directory:
    """
    Make a directory that is not open.
    """
    secrets = Secrets(folder, reactor.seconds)
    secrets.load()
    threads = SteppedThreads(waits=False)
    options = {"threads": threads, "hasher": CHEAP, "url": URL, **options}
    return Directory(reactor, folder, secrets, clock=reactor.seconds, **options)


async def _fill(directory: Directory) -> None:
    for name in ("joe", "eve"):
        await directory.everyone.users.add(name, f"password of {name}")
    await directory.everyone.domains.add("example.com", ["local", "sip.example.com"])


@cache
def _prepared() -> Path:
    """
    Make the files of a directory once, which is cheaper than making the tables.
    """
    folder = Path("prepared-directory").absolute()
    reactor = Clock()
    reactor.advance(NOW)
    directory = make_directory(reactor, folder)
    directory.start()
    Deferred.fromCoroutine(_fill(directory))
    directory.stop()
    return folder


def _empty_postgresql() -> None:
    engine = sa.create_engine(make_engine_url(URL, Path()))
    with engine.begin() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    engine.dispose()
