"""
Finding the configuration file and reading it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from sipsorcery.config.convert import convert
from sipsorcery.config.faults import ConfigError, Fault
from sipsorcery.config.rules import check
from sipsorcery.config.tree import Config

#: Where the file is looked for when none is named, first to last.
SEARCH_PATH = (Path("sipsorcery.toml"), Path("/etc/sipsorcery/sipsorcery.toml"))


def find(named: str | None = None) -> Path | None:
    """
    Give the file to read: the one that is named, else the first that is there.

    :return: None if none is named and none there: the built-in defaults hold.
    """
    if named is not None:
        return Path(named)
    # lexists: a broken link is a fault to report, not a reason to look further.
    return next((path for path in SEARCH_PATH if os.path.lexists(path)), None)


def load(file: Path | None) -> Config:
    """
    Read a file that `find` gave.

    :raises ConfigError: with everything that is wrong, if anything is.
    """
    if file is None:
        return Config()
    try:
        data = file.read_bytes()
    except OSError as error:
        fault = Fault("", f"cannot be read: {error.strerror}")
        raise ConfigError(file, [fault]) from error
    return parse(data, file)


def parse(data: bytes, file: Path | None = None) -> Config:
    """
    Read the contents of a configuration file.

    :param file: where they come from, for the error.
    :raises ConfigError: with everything that is wrong, if anything is.
    """
    config, faults = convert(_read_toml(data, file))
    faults += check(config, unread=[fault.path for fault in faults])
    if faults:
        raise ConfigError(file, faults)
    return config


def _read_toml(data: bytes, file: Path | None) -> dict[str, Any]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode())
        fault = Fault(place, "the file is not in UTF-8")
        raise ConfigError(file, [fault]) from error
    try:
        # Its message ends with "(at line 3, column 7)" or "(at end of document)".
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).rpartition(" (at ")
        place = _place(text) if where == "end of document)" else where.rstrip(")")
        raise ConfigError(file, [Fault(place, what)]) from error


def _place(before: str) -> str:
    """
    Name the place that comes after some text.
    """
    lines = before.splitlines() or [""]
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"
