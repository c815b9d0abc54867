"""
The ladder of a call that has just been made through a whole server.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet import reactor

from sipsorcery.control import ControlError, ask
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.json_form import from_json
from sipsorcery.monitor.ladder import Ladder, ladder_of, text
from sipsorcery.monitor.ladder.ladder import Arrow, Note
from tests.integration.program import Program
from tests.integration.server import DOMAIN, PASSWORD
from tests.integration.sockets import later
from tests.integration.test_rfc5359 import ServiceCase

# Looks at what the monitor has, a twentieth of a second apart: more than a minute.
_LOOKS = 1500


class LadderTests(ServiceCase):
    """
    100 calls the door, which is 101.
    """

    plans: ClassVar[Mapping[tuple[str, str], str]] = {
        ("100", "out"): f"exten => 7,1,Dial(100,{PASSWORD},101@{DOMAIN})"
    }

    async def test_call(self) -> None:
        """
        Its owner sees both legs and the step between them; nobody else does. The
        command draws them.
        """
        calling = self.alice.agent.invite(f"sip:7@{DOMAIN}", self.alice.media)
        bob = await self.answer(self.bob)
        alice = await calling.answered()
        call_id = alice.dialog.id.call_id
        await self.end(alice, bob)
        ladder = await self.drawn_when_over(call_id)
        self.assertEqual(
            [each.name for each in ladder.participants], ["100", "sipsorcery", "101"]
        )
        self.assertEqual(len(ladder.legs), 2)
        for way, expected in {
            (0, 1): ["INVITE (SDP)", "ACK", "BYE"],
            (1, 0): ["180 Ringing", "200 OK (SDP)", "200 OK (BYE)"],
            (1, 2): ["INVITE (SDP)", "ACK", "BYE"],
            (2, 1): ["180 Ringing", "200 OK (SDP)", "200 OK (BYE)"],
        }.items():
            self.assertEqual(_labels(ladder, way), expected, text(ladder))
        steps = [row.text for row in ladder.rows if isinstance(row, Note)]
        self.assertIn(f"100-out: dials 101@{DOMAIN}", steps)
        self.assertIn("200 OK after", ladder.outcome)
        with self.assertRaises(ControlError):
            await self.events(call_id, "ann")
        output = await self.command(call_id)
        self.assertEqual(output.splitlines()[0], ladder.title)
        self.assertEqual(output.count("200 OK (BYE)"), 2, output)

    async def drawn_when_over(self, call_id: str) -> Ladder:
        """
        Wait until the monitor has the last messages of both legs.
        """
        for _ in range(_LOOKS):
            ladder = ladder_of(await self.events(call_id, "joe"))
            last = [_labels(ladder, way)[-1:] for way in ((1, 0), (2, 1))]
            if last == [["200 OK (BYE)"]] * 2:
                return ladder
            await later(0.05)
        raise AssertionError(text(ladder))

    async def events(self, call_id: str, user: str) -> list[Event]:
        """
        Ask the monitor for what a user may see of a call.
        """
        folder = self.server.config.server.data_dir
        story: dict[str, Any] = await ask(
            reactor, folder, "monitor", "call", call=call_id, user=user
        )
        return [from_json(each) for each in story["events"]]

    async def command(self, call_id: str) -> str:
        """
        Run ``sipsorcery trace``, and give what it prints.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        data = self.server.config.server.data_dir
        (folder / "sipsorcery.toml").write_text(f'[server]\ndata_dir = "{data}"\n')
        command = Program(
            folder,
            *(sys.executable, "-X", "utf8", "-m", "sipsorcery", "trace", call_id),
        )
        self.assertEqual(await command.ended(), 0, command.output)
        return command.output


def _labels(ladder: Ladder, way: tuple[int, int]) -> list[str]:
    """
    Give the messages from one column to another; a busy proxy says 100 as well.
    """
    return [
        row.label
        for row in ladder.rows
        if isinstance(row, Arrow)
        and (row.source, row.target) == way
        and row.label != "100 Trying"
    ]
