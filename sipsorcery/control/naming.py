"""
Where the sockets are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sipsorcery.control.errors import ControlError

# Octets of the name of a Unix socket: sun_path has 108 on Linux and 104 on BSD, of
# which the last is NUL.
_MAX_NAME = 103
_DESCRIPTORS = Path("/proc/self/fd")


def socket_file(data_dir: Path, role: str) -> Path:
    """
    Give the name of the socket of a server.
    """
    return data_dir / "run" / f"{role}.sock"


def instance(role: str, port: int) -> str:
    """
    Name one of several servers of a role on one machine.
    """
    return f"{role}-{port}"


def servers(data_dir: Path) -> list[str]:
    """
    Name all servers that have a socket.
    """
    return sorted(file.stem for file in (data_dir / "run").glob("*.sock"))


def instances(data_dir: Path, role: str) -> list[str]:
    """
    Name those of a role, be they alone or several.
    """
    return [name for name in servers(data_dir) if name.partition("-")[0] == role]


@contextmanager
def short_name(file: Path) -> Iterator[str]:
    """
    Give a name of a socket that is short enough, good for as long as the block lasts.

    Linux has such a name for every file in an open folder.

    :raises ControlError: if there is none.
    :raises OSError: if there is no such folder.
    """
    if len(os.fsencode(file)) <= _MAX_NAME:
        yield str(file)
        return
    if not _DESCRIPTORS.is_dir():
        raise ControlError(
            f"the name of the control socket '{file}' is longer than the {_MAX_NAME} "
            "octets that it can have; choose a shorter server.data_dir"
        )
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{_DESCRIPTORS}/{folder}/{file.name}"
    finally:
        os.close(folder)
