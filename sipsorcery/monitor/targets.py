"""
Where the pages of all processes of one machine are, for Prometheus to find.

Each process leaves a file beside the control sockets, named after itself, with the port
of its pages. A process that ends takes its file along; one that was killed leaves it,
so that whoever collects figures sees that somebody is missing.
"""

from __future__ import annotations

import json
from pathlib import Path

from sipsorcery.endpoint import HostPort
from sipsorcery.store.files import replace_private


class Targets:
    """
    Knows the processes of a machine that have pages.

    :param data_dir: which they share.
    :param process: the name of this one.
    """

    def __init__(self, data_dir: Path, process: str) -> None:
        self._folder = data_dir / "run"
        self._file = self._folder / f"{process}.pages"

    def announce(self, port: int) -> None:
        """
        Tell the others where the pages of this one are.

        :raises OSError: if the file cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(self._file, str(port).encode())

    def withdraw(self) -> None:
        """
        Tell them that there are none any more.
        """
        self._file.unlink(missing_ok=True)

    def all(self) -> dict[str, int]:
        """
        Give the ports of all processes, by their names.
        """
        found = {}
        for file in sorted(self._folder.glob("*.pages")):
            try:
                found[file.stem] = int(file.read_bytes())
            except (OSError, ValueError):
                continue  # it has just gone, or is none of ours
        return found

    def as_json(self, host: str) -> bytes:
        """
        Give the answer to the HTTP service discovery of Prometheus.

        :param host: by which who asks reaches this machine.
        """
        groups = [
            {"targets": [str(HostPort(host, port))], "labels": {"process": process}}
            for process, port in self.all().items()
        ]
        return json.dumps(groups).encode()
