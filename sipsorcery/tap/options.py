"""
What all twistd commands have in common.
"""

from __future__ import annotations

from twisted.python import usage

from sipsorcery import __version__
from sipsorcery.config import Config, ConfigError, find, load


class CommandOptions(usage.Options):
    """
    Reads ``--config`` and the file that it names.

    :ivar configuration: the typed tree; there once the options are parsed.
    """

    configuration: Config

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
        try:
            self.configuration = load(find(self["config"]))
        except ConfigError as error:
            raise SystemExit(str(error)) from error


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
