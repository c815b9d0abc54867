"""
What ``make run`` prepares.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from sipsorcery.config import load
from tests import ROOT


class DemoTests(TestCase):
    """
    A demo in a folder of its own.
    """

    timeout = 120

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.file = self.folder / "var/demo/sipsorcery.toml"

    async def run_python(self, *arguments: str) -> str:
        """
        Run Python in the folder; give what it prints.
        """
        out, error, status = await getProcessOutputAndValue(
            sys.executable,
            arguments,
            {**os.environ, "PYTHONPATH": str(ROOT)},
            str(self.folder),
        )
        self.assertEqual(status, 0, error)
        return str(out, "utf-8")

    async def prepare(self) -> str:
        """
        Prepare the demo; give what it says.
        """
        return await self.run_python(str(ROOT / "tools/demo.py"))

    async def test_accounts(self) -> None:
        """
        There are the accounts 100 and 101, with passwords that it tells.
        """
        said = await self.prepare()
        passwords = dict(re.findall(r"(?m)^ +(10[01]) +(\S{12}) ", said))
        self.assertEqual(set(passwords), {"100", "101"})
        arguments = ("-m", "sipsorcery", "--config", str(self.file))
        listed = await self.run_python(*arguments, "account", "list", "--json")
        accounts = [(each["aor"], each["has_password"]) for each in json.loads(listed)]
        self.assertEqual(
            accounts, [("sip:100@localhost", True), ("sip:101@localhost", True)]
        )

    async def test_dialplan(self) -> None:
        """
        Their calls go by a sample dialplan without mistakes.
        """
        await self.prepare()
        arguments = ("-m", "sipsorcery", "--config", str(self.file))
        await self.run_python(*arguments, "dialplan", "check", "demo")
        listed = await self.run_python(*arguments, "account", "list", "--json")
        plans = {each["out_dialplan"] for each in json.loads(listed)}
        self.assertEqual(plans, {"demo"})

    async def test_console(self) -> None:
        """
        It tells how to log in to the console, as the user whose the accounts are.
        """
        said = await self.prepare()
        self.assertIn("ssh -p 2222 demo@localhost", said)
        self.assertRegex(said, r"with the password\n\S{12} and press Enter")
        arguments = ("-m", "sipsorcery", "--config", str(self.file))
        listed = await self.run_python(*arguments, "account", "list", "--json")
        self.assertEqual({each["owner"] for each in json.loads(listed)}, {"demo"})

    async def test_again(self) -> None:
        """
        The next start says the same, and leaves alone what somebody has changed.
        """
        said = await self.prepare()
        with self.file.open("a", encoding="utf-8") as file:
            file.write("\n[limits]\nban = 7\n")
        self.assertEqual(await self.prepare(), said)
        self.assertEqual(load(self.file).limits.ban, 7)

    async def test_private(self) -> None:
        """
        Nobody else can read the passwords.
        """
        await self.prepare()
        for name in (".", "demo-passwords", "secrets", "directory.db"):
            mode = (self.file.parent / name).stat().st_mode
            self.assertEqual(mode & 0o077, 0, name)
