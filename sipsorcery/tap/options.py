"""
What all twistd commands have in common.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.logger import ILogObserver
from twisted.python import usage

from sipsorcery import __version__
from sipsorcery.config import Config, ConfigError, find, load
from sipsorcery.logs.observer import Journal, reopen_on_hangup
from sipsorcery.tap.settings import Settings


class CommandOptions(usage.Options):
    """
    Reads ``--config`` and the file that it names.

    :ivar settings: hold the typed tree; there once the options are parsed.
    """

    settings: Settings
    _file: Path | None = None

    optParameters = [
        [
            "config",
            "c",
            None,
            "The configuration file. [default: ./sipsorcery.toml, else "
            "/etc/sipsorcery/sipsorcery.toml, else built-in defaults]",
        ]
    ]

    def postOptions(self) -> None:
        """
        Read the configuration.

        :raises SystemExit: with each fault on a line of its own. A `usage.UsageError`
            would have twistd print a page of help before it.
        """
        self._file = find(self["config"])
        try:
            self.settings = Settings(self.read)
        except ConfigError as error:
            raise SystemExit(str(error)) from error
        if self._file is not None:
            # It is the same one when the process has changed its folder.
            self._file = self._file.absolute()

    def read(self) -> Config:
        """
        Read the configuration as the command line wants it.

        :raises ConfigError: with everything that is wrong, if anything is.
        """
        return load(self._file or find())

    def make_log(self) -> ILogObserver | None:
        """
        Make what writes the log as the configuration says.

        :return: None: twistd was told how.
        :raises OSError: if the file cannot be opened.
        """
        above: dict[str, Any] = self.parent or {}
        log = self.settings.config.log
        if above.get("logger") or (above.get("syslog") and log.file is None):
            return None
        named = above.get("logfile")
        path = None if above.get("nodaemon") else Path("twistd.log")
        if named:
            path = None if named == "-" else Path(named)
        # It goes on where it was when the process changes its folder.
        journal = Journal(log, None if path is None else path.absolute())
        reopen_on_hangup(journal)
        self.settings.follow(journal)
        return journal


class AbsentService(SystemExit):
    """
    Says that a command is known, but that this version has no service for it.

    twistd ends with this one sentence, and with exit status 1.
    """

    def __init__(self, command: str, purpose: str) -> None:
        """
        :param purpose: what it will do, to go on after "will".
        """
        super().__init__(
            f"{command} will {purpose}; sipsorcery {__version__} does not have it yet."
        )
