"""
The scanners of sipvicious against a whole server of ours, which trusts nobody.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

from twisted.internet.defer import Deferred
from twisted.logger import (
    ILogObserver,
    LogEvent,
    formatEvent,
    globalLogPublisher,
)
from twisted.trial.unittest import SkipTest, TestCase

from tests.integration.nat import NAT
from tests.integration.program import Program
from tests.integration.scenarios import register
from tests.integration.server import DOMAIN, PASSWORD, Server
from tests.integration.sipp import Tally

# Where the scanner is seen; on Linux all of 127.0.0.0/8 is there.
_SCANNER = "127.0.0.66"


class Disguise(NAT):
    """
    Gives a scanner the name of a phone.
    """

    def outwards(self, datagram: bytes, client: tuple[str, int]) -> None:
        """
        Change the User-Agent.
        """
        super().outwards(datagram.replace(b"friendly-scanner", b"Yealink T46S"), client)


def find(tool: str) -> str:
    """
    Find a tool beside the Python that runs the tests.

    :raises SkipTest: if it is missing.
    :raises AssertionError: likewise, where every test has to run.
    """
    path = Path(sys.executable).with_name(f"sipvicious_{tool}")
    if path.exists():
        return str(path)
    reason = "sipvicious is missing: pip install sipvicious"
    if os.environ.get("SIPSORCERY_REQUIRE_PEERS"):
        raise AssertionError(reason)
    raise SkipTest(reason)


class ScannerTests(TestCase):
    """
    Somebody looks for servers, accounts and passwords.
    """

    timeout = 120

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.lines: list[str] = []
        self.note = cast(ILogObserver, self._note)
        globalLogPublisher.addObserver(self.note)
        self.server = Server(self.folder / "server", "[limits]\nallow = []")
        return Deferred.fromCoroutine(self.server.start())

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # likewise
        globalLogPublisher.removeObserver(self.note)
        return Deferred.fromCoroutine(self.server.stop())

    def _note(self, event: LogEvent) -> None:
        if event["log_namespace"] == "sipsorcery.security":
            self.lines.append(formatEvent(event))

    async def scan(self, tool: str, *options: str, kind: type[NAT] = NAT) -> str:
        """
        Run a tool of sipvicious to its end, and give what it says.

        :param kind: what it is behind, so that it has an address of its own.
        """
        nat = kind(self.server.end(), _SCANNER)
        self.addCleanup(nat.stop)
        port = str(nat.inside.port)
        program = Program(
            self.folder, find(tool), "-p", port, *options, nat.inside.host
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(program.stop()))
        await program.ended()
        return program.output

    async def assert_others_unaffected(self) -> None:
        """
        Check that a phone registers all the same.
        """
        run = register(self.folder / "register", self.server.end(), PASSWORD)
        self.assertEqual(await run.tally(), Tally(1, 0, 0, 0), run.errors)

    def assert_banned(self) -> None:
        """
        Check that the scanner is, and nobody else, and that the log says so once.
        """
        banned = [line for line in self.lines if line.startswith("Banned ")]
        self.assertEqual(len(banned), 1, self.lines)
        self.assertTrue(banned[0].startswith(f"Banned {_SCANNER} "), banned)

    async def test_svmap(self) -> None:
        """
        Who looks for servers finds none.
        """
        found = await self.scan("svmap")
        self.assertIn("found nothing", found)
        self.assert_banned()
        await self.assert_others_unaffected()

    async def test_svmap_invite(self) -> None:
        """
        Nor by another method.
        """
        self.assertIn("found nothing", await self.scan("svmap", "-m", "INVITE"))
        self.assert_banned()

    async def test_svwar(self) -> None:
        """
        Who looks for accounts finds none, by none of its methods.
        """
        for method in ("REGISTER", "OPTIONS", "INVITE"):
            found = await self.scan(
                "svwar",
                *("-e", "98-103", "-m", method, "--domain", DOMAIN),
                *("--force", "--maximumtime", "3"),
            )
            for name in ("100", "101"):
                self.assertNotRegex(found, rf"\|\s*{name}\s*\|", method)
        self.assert_banned()
        await self.assert_others_unaffected()

    async def test_disguised(self) -> None:
        """
        One that hides its name is found by what it does: it asks for many who do not
        exist, and never gets to those who do.
        """
        found = await self.scan(
            "svwar",
            *("-e", "300-399,100", "-m", "OPTIONS"),
            *("--force", "--maximumtime", "3"),
            kind=Disguise,
        )
        self.assertNotRegex(found, r"\|\s*100\s*\|")
        self.assert_banned()
        self.assertIn("reason=unknown users", self.lines[0])
        await self.assert_others_unaffected()

    async def test_svcrack(self) -> None:
        """
        Who tries passwords, the right one among them, does not find it.
        """
        words = self.folder / "words"
        words.write_text(f"secret\n{PASSWORD}\n1234\n")
        found = await self.scan(
            "svcrack",
            *("-u", "100", "-d", str(words.absolute()), "--domain", DOMAIN),
            *("--maximumtime", "3"),
        )
        self.assertNotIn(PASSWORD, found)
        self.assert_banned()
        await self.assert_others_unaffected()
