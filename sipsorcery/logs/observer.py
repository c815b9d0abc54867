"""
Where the entries of the log go: to a file that can be opened anew, or to a terminal.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    PredicateResult,
)
from zope.interface import implementer

from sipsorcery.config import Config, ConfigError, Fault
from sipsorcery.config.tree import Log
from sipsorcery.logs.lines import FORMATS, Format

# Where the entries of a role come from, where that is not the room of its name.
_ROOMS = {"ssh": "console"}
_ROLES = (
    *("proxy", "registrar", "regagent", "appserver", "notifier"),
    *("monitor", "ssh", "web", "watchtower"),
)


@implementer(ILogObserver)
class FileObserver:
    """
    Writes entries into a file, or to the standard output.

    :param path: of the file; None: the standard output.

    :ivar lost: entries that could not be written, as on a full disk.
    """

    def __init__(self, path: Path | None, format: Format) -> None:
        self.lost = 0
        self._is_stale = False
        self._path = path
        self._format = format
        self._file: TextIO = self._open()

    def __call__(self, event: LogEvent) -> None:
        """
        Write one down.
        """
        # Whoever logs must not fail for it, and the log is where one would say so.
        if self._is_stale:
            with suppress(OSError):
                self._change_file()
        try:
            line = self._format(event)
            if line:
                self._file.write(line)
                self._file.flush()
        except Exception:
            self.lost += 1

    def reopen(self) -> None:
        """
        Go on in a new file of the same name: the old one was moved away.

        That is done with the next entry, for this may be called in the middle of one.
        If it cannot be opened, the old one goes on.
        """
        self._is_stale = self._path is not None

    def move(self, path: Path | None, format: Format) -> None:
        """
        Go on somewhere else, or in another format.

        :raises OSError: if the file cannot be opened; nothing has changed then.
        """
        if path != self._path:
            before, self._path = self._path, path
            try:
                file = self._open()
            except OSError:
                self._path = before
                raise
            old, self._file = self._file, file
            if before is not None:
                old.close()
        self._format = format

    def _change_file(self) -> None:
        self._is_stale = False
        old, self._file = self._file, self._open()
        old.close()

    def _open(self) -> TextIO:
        if self._path is None:
            return sys.stdout
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Who calls whom is in it: for the operator and their group.
        descriptor = os.open(
            self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode=0o640
        )
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


@implementer(ILogFilterPredicate)
class Levels:
    """
    Lets entries pass that are grave enough for the role that they are of.
    """

    def __init__(self, log: Log) -> None:
        self._predicate = LogLevelFilterPredicate(_level(log.level))
        for role in _ROLES:
            level = getattr(log, role)
            if level is not None:
                room = f"sipsorcery.{_ROOMS.get(role, role)}"
                self._predicate.setLogLevelForNamespace(room, _level(level))

    def __call__(self, event: LogEvent) -> Any:
        """
        Tell whether one passes.
        """
        if "log_level" not in event:
            return PredicateResult.yes  # of a library that knows no levels
        return self._predicate(event)


@implementer(ILogObserver)
class Journal:
    """
    Writes the log that a configuration describes.

    :param path: where that says nothing; None: the standard output.
    :raises OSError: if the file cannot be opened.

    :ivar file: where it is written.
    """

    def __init__(self, log: Log, path: Path | None) -> None:
        self._path = path
        self.file = FileObserver(log.file or path, FORMATS[log.format])
        self._filter = FilteringLogObserver(self.file, [Levels(log)])

    def __call__(self, event: LogEvent) -> None:
        """
        Write an entry down, if it is grave enough.
        """
        self._filter(event)

    def reconfigure(self, config: Config) -> None:
        """
        Write the log that another configuration describes.

        :raises ConfigError: if its file cannot be opened.
        """
        log = config.log
        try:
            self.file.move(log.file or self._path, FORMATS[log.format])
        except OSError as error:
            text = f"'{error.filename}' cannot be opened: {error.strerror}"
            raise ConfigError(None, [Fault("log.file", text)]) from error
        self._filter = FilteringLogObserver(self.file, [Levels(log)])


def reopen_on_hangup(journal: Journal) -> None:
    """
    Open the log anew after SIGHUP, as ``logrotate`` sends it.
    """

    def hang_up(number: int, frame: FrameType | None) -> None:
        journal.file.reopen()

    signal.signal(signal.SIGHUP, hang_up)


def _level(level: str) -> Any:
    return LogLevel.levelWithName(level)
