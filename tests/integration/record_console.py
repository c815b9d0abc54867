"""
Make the sessions anew that ``docs/console.rst`` shows: what is typed, and what comes.

``python -m twisted.trial tests.integration.record_console`` does. No run of the tests
does: what the manual shows must not change by itself.
"""

from __future__ import annotations

import re

from sipsorcery.store.directory import Language
from tests import ROOT
from tests.integration.consoles import Console
from tests.integration.ports import free_port
from tests.monitor.ladder.record import FAILOVER, PhonesCase

_FOLDER = ROOT / "docs" / "console"
_PROMPT = "joe> "
_CONTROLS = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>])|\r(?!\n)")


class Sessions(PhonesCase):
    """
    joe at the console, while one of his phones calls.
    """

    def text(self) -> str:
        """
        Let the console listen.
        """
        self.port = free_port()
        return f'[ssh]\nlisten = "127.0.0.1:{self.port}"'

    async def test_sessions(self) -> None:
        """
        Watch a call, then look at it.
        """
        await self.put(FAILOVER, Language.PYTHON)
        alice, bob, carol = [await self.phone(name) for name in ("100", "101", "102")]
        folder = self.server.config.server.data_dir
        joe = Console(folder, self.port, "joe", size=(90, 98))
        try:
            await joe.log_in("a long password")
            await joe.expect(_PROMPT)
            keep("help", "help", await joe.enter("help", _PROMPT))
            joe.send("\r")
            await joe.expect(r"q ends it[^\n]*\n")
            before = len(joe.seen)
            calling = self.call(alice, "sales")
            (await self.ringing(bob)).reject(486)
            await self.answer(carol)
            session = await calling
            await joe.expect(r"call_answered[^\n]*\n")
            await self.moment()
            await session.bye()
            await joe.expect(r"call_ended[^\n]*\n")
            keep("tail", "event *", joe.seen[before:])
            joe.send("q")
            await joe.expect(_PROMPT)
            for line in ("registrations", "who", f"ladder {self.call_id}"):
                name = line.partition(" ")[0]
                keep(name, line, await joe.enter(line, _PROMPT))
        finally:
            await joe.close()


def keep(name: str, line: str, shown: str) -> None:
    """
    Write what was typed and what came to a file.
    """
    lines = _CONTROLS.sub("", shown).replace("\r\n", "\n").strip("\n").split("\n")
    text = "\n".join(each.rstrip() for each in [f"{_PROMPT}{line}", *lines])
    _FOLDER.mkdir(exist_ok=True)
    _FOLDER.joinpath(f"{name}.txt").write_text(f"{text}\n", "utf-8")
