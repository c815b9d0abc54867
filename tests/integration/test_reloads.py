"""
The script of a proxy, and the configuration of all servers, change again and again in a
whole suite that is busy, and no phone hears of it.

With ``SIPSORCERY_LONG`` set there are a hundred versions of each, and more to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from twisted.internet import reactor

from sipsorcery.control.naming import servers
from sipsorcery.control.several import ask_all
from sipsorcery.store.files import replace_private
from sipsorcery.ua import RequestFailed
from tests import LONG
from tests.integration.killed import DOMAIN, wait_for
from tests.integration.suite_process import ROLES
from tests.integration.traffic import RATE, LoadedCase, LoadedSuite

_SCRIPTS = 100 if LONG else 30
_CONFIGURATIONS = 100 if LONG else 10
# Every third one cannot be used.
_BROKEN = 3

_SCRIPT = """
from sipsorcery.proxy import script

async def request(sys, req):
    if req.method == "OPTIONS" and req.uri.user == "version":
        sys.respond(400, "Version {number}")
    else:
        await script.request(sys, req)

def response(sys, resp):
    pass
"""
_BROKEN_SCRIPT = "async def request(sys, req):\n    await nothing(\n"
_KEYS = """
[registrar]
max_expires = {expires}
[[trunk]]
name = "other"
networks = ["192.0.2.{number}/32"]
"""
_CHANGED = ["trunk", "registrar.max_expires"]
_BROKEN_KEYS = "[registrar]\nmax_expires = {number}\nmax_expiry = {number}\n"


class ScriptTests(LoadedCase):
    """
    The script changes.
    """

    def make_loaded(self, folder: Path) -> LoadedSuite:
        self.script = folder.absolute() / "script.py"
        suite = LoadedSuite(folder)
        self.put(0)
        suite.text = suite.text.replace(
            "dispatch_probe", f'script = "{self.script}"\ndispatch_probe'
        )
        return suite

    async def test_reloads(self) -> None:
        """
        Each version is used at once, but for those that cannot be: these are told of,
        and the one before stays in use. No request fails.
        """
        begun, good = monotonic(), 0
        for number in range(1, _SCRIPTS + 1):
            if number % _BROKEN:
                good = number
                self.put(number)
            else:
                self.replace(_BROKEN_SCRIPT)
            await wait_for(partial(self.has_told, number))
            self.assertEqual(await self.version(), good)
        took = monotonic() - begun
        broken = _SCRIPTS // _BROKEN
        self.assertEqual(self.logged(), (_SCRIPTS - broken, broken))
        await self.traffic.rest()
        print(
            f"\n{_SCRIPTS} scripts in {took:.1f} s, {broken} of them broken, "
            f"{RATE:g} of each a second: {self.traffic.figures()}"
        )
        self.all_well(self.traffic.attempts)

    def put(self, number: int) -> None:
        """
        Write a script that says which it is.
        """
        self.replace(_SCRIPT.format(number=number))

    def replace(self, text: str) -> None:
        """
        Put another script in the place of the one that is there.
        """
        replace_private(self.script, text.encode())

    def logged(self) -> tuple[int, int]:
        """
        Give how many versions the proxy has used, and how many it could not.
        """
        log = self.server.log("sipproxy")
        return log.count(f"Loaded {self.script} again"), log.count("stays in use")

    def has_told(self, count: int) -> bool:
        """
        Tell whether the proxy has told of so many versions.
        """
        return sum(self.logged()) >= count

    async def version(self) -> int:
        """
        Ask the proxy which script it uses.
        """
        try:
            await self.alice.agent.request("OPTIONS", f"sip:version@{DOMAIN}")
        except RequestFailed as failed:
            assert failed.response is not None, failed
            return int(failed.response.reason.removeprefix("Version "))
        raise AssertionError("it was no answer of ours")


class ConfigurationTests(LoadedCase):
    """
    The configuration changes.
    """

    async def test_reloads(self) -> None:
        """
        Each version holds at once in every process, but for those that cannot be used:
        all say why, and the one before holds. No request fails.
        """
        begun, good = monotonic(), 0
        for number in range(1, _CONFIGURATIONS + 1):
            if number % _BROKEN:
                good = 1000 + number
                rows = await self.reload(_KEYS.format(number=number, expires=good))
                for name, row in rows.items():
                    # Their watchtower has told workers of it as well.
                    told = [_CHANGED] if name in ROLES else [_CHANGED, []]
                    self.assertIn(row["at_once"], told, name)
                    self.assertEqual(row["at_restart"], [], name)
            else:
                rows = await self.reload(_BROKEN_KEYS.format(number=number))
                for name, row in rows.items():
                    self.assertIn("max_expiry", str(row["faults"]), name)
            self.assertEqual(len(rows), len(ROLES) + len(self.server.ends))
            self.assertEqual(await self.granted(), good)
        took = monotonic() - begun
        await self.traffic.rest()
        print(
            f"\n{_CONFIGURATIONS} configurations in {took:.1f} s, "
            f"{_CONFIGURATIONS // _BROKEN} of them broken, {RATE:g} of each a second: "
            f"{self.traffic.figures()}"
        )
        self.all_well(self.traffic.attempts)

    async def reload(self, more: str) -> Mapping[str, Any]:
        """
        Write another configuration, and have every process read it.

        :return: what has come of it, by the name of the server.
        """
        file = self.server.folder / "sipsorcery.toml"
        replace_private(file, f"{self.server.text}\n{more}".encode())
        folder = self.server.folder / "data"
        answers = await ask_all(reactor, folder, servers(folder), "reload")
        self.assertEqual(answers.missing, {})
        return answers.given

    async def granted(self) -> int:
        """
        Register; give for how long that holds.
        """
        registration = self.bob.agent.register(expires=3600)
        await registration.registered()
        return registration.expires
