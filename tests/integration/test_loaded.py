"""
What a process loads: its own server, and none of the others.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from tests import ROOT

# Each server is started in earnest; to a Redis that is away it goes on to connect.
CONFIGURATION = """
[server]
data_dir = "{folder}/data"
[storage]
live = "redis://127.0.0.1:1"
[proxy]
listen = ["udp:127.0.0.1:0"]
dispatch_file = "{folder}/dispatch"
[ssh]
listen = "127.0.0.1:0"
[watchtower]
watch = ["udp:127.0.0.1:9"]
"""

# The room of each command.
ROOMS = {
    "proxy": "proxy",
    "registrar": "registrar",
    "appserver": "appserver",
    "ssh": "console",
    "watchtower": "watchtower",
}
# What takes much memory, and who needs it nevertheless. The tables of the directory
# are there when these start: to make them alone takes alembic.
HEAVY = {
    "alembic": (),
    "prometheus_client": (),
    "pydantic_monty": ("appserver",),
    "rich": ("ssh",),
    "sqlalchemy": ("proxy", "registrar", "appserver", "ssh"),
    "twisted.conch": ("ssh",),
    "twisted.web": ("appserver",),
}


class LoadedTests(TestCase):
    """
    Each command in an interpreter of its own.
    """

    timeout = 120

    def setUp(self) -> Deferred[object]:  # type: ignore[override]  # trial waits
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "dispatch").write_text("100,udp:127.0.0.1:9\n", "utf-8")
        self.file = folder / "sipsorcery.toml"
        self.file.write_text(CONFIGURATION.format(folder=folder), "utf-8")
        # It makes the directory.
        return Deferred.fromCoroutine(self.loaded("registrar"))

    async def loaded(self, role: str) -> set[str]:
        """
        Start a server, and give the modules that it has then.
        """
        output, errors, status = await getProcessOutputAndValue(
            sys.executable,
            ["-m", "tests.integration.loaded", role, str(self.file)],
            {**os.environ, "PYTHONPATH": str(ROOT)},
        )
        if status:
            raise AssertionError((errors + output).decode())
        return set(output.decode().split())

    async def test_rooms(self) -> None:
        """
        A server has its own room, and of the rooms of the others no more than the
        names of what can go wrong at a start.
        """
        roles = ("registrar", "proxy", "appserver", "monitor", "ssh", "watchtower")
        for role, modules in zip(roles, await self.all(roles), strict=True):
            if role in ROOMS:
                self.assertIn(f"sipsorcery.{ROOMS[role]}.service", modules)
            for other, room in ROOMS.items():
                foreign = {
                    name
                    for name in modules
                    if name.startswith(f"sipsorcery.{room}.")
                    and not name.endswith(".errors")
                }
                if other != role:
                    self.assertEqual(foreign, set(), f"{role} has parts of {other}")
            for package, needed_by in HEAVY.items():
                self.assertEqual(package in modules, role in needed_by, (role, package))

    async def all(self, roles: tuple[str, ...]) -> list[set[str]]:
        """
        Start several, two at a time.
        """
        found: list[set[str]] = []
        for start in range(0, len(roles), 2):
            started = [
                Deferred.fromCoroutine(self.loaded(role))
                for role in roles[start : start + 2]
            ]
            found += await gatherResults(started, consumeErrors=True)
        return found
