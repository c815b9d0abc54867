"""
Simulations beside servers that run, and with the calls that they have had.
"""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred

from sipsorcery.endpoint import Transport
from tests.integration.server import DOMAIN
from tests.integration.sipp import SIPp
from tests.integration.test_calls import LIMITS, stranger
from tests.integration.test_phones import PhonesCase

_CALLS = 3


class SimulationTests(PhonesCase):
    """
    A proxy and an application server in processes of their own, and a dialplan in
    Python of an account that is called.
    """

    async def put(self, text: str, *options: str) -> str:
        """
        Put the dialplan; give what the command prints.
        """
        file = self.folder / "plan"
        file.write_text(text, "ascii")
        owner = ("--owner", "admin", "--file", str(file))
        return await self.command("dialplan", "put", "in", *owner, *options)

    async def test_beside_servers(self) -> None:
        """
        What a simulation foresees is what becomes of calls, and those calls, made again
        by another version, tell what it would do otherwise.
        """
        await self._set_up()
        with (self.folder / "sipsorcery.toml").open("a", encoding="ascii") as file:
            file.write(LIMITS)
        phone = SIPp(self.folder, "uas", Transport.UDP, calls=_CALLS, repeats=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(phone.program.stop()))
        await phone.ready()
        there = f"100@{phone.end.host}:{phone.end.port}"
        await self.put(f"sys.dial('{there}', ring=30)")
        await self.command("account", "set", f"100@{DOMAIN}", "--in-dialplan", "in")
        await self.start("sipproxy")
        await self.start("sipappserver")
        foreseen = json.loads(
            await self.command(
                *("simulate", "--user", "admin", "--dialplan", "in", "--to", "100"),
                *("--direction", "in", "--from", "eve@elsewhere.test", "--json"),
            )
        )
        (step,) = foreseen["steps"]
        self.assertEqual(step["targets"], [f"sip:{there}"])
        self.assertEqual(foreseen["answer"], {"status": 200, "reason": "OK"})
        folder = self.folder / "caller"
        folder.mkdir()
        caller = SIPp(
            folder,
            "stranger",
            Transport.UDP,
            calls=_CALLS,
            target=self.ends[Transport.UDP],
            text=stranger(),
            repeats=True,
            options=("-s", "100"),
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(caller.program.stop()))
        for run in (caller, phone):
            tally = await run.tally()
            self.assertEqual((tally.successful, tally.failed), (_CALLS, 0), run.errors)
        while json.loads(await self.command("cdrs", "--open", "--json")):
            pass  # the command takes a while, and records are written within a second
        same = await self.put(f"sys.dial('{there}', ring=60)", "--replay", "10")
        self.assertEqual(same, f"0 of {_CALLS} calls would differ\nin: version 2\n")
        other = await self.put("sys.respond(603, 'Not today')", "--replay", "10")
        *_, dials, answer, count, version = other.splitlines()
        self.assertEqual(dials, f"    dials: sip:{there} -> nobody")
        self.assertEqual(answer, "    answer: 200 OK -> 603 Not today")
        self.assertEqual(count, f"{_CALLS} of {_CALLS} calls would differ")
        self.assertEqual(version, "in: version 3")
