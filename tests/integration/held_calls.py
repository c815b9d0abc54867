"""
The calls of `tests.integration.holding`, seen from a test.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from tests import ROOT
from tests.integration.program import Program

# Seconds that a machine which is busy with something else may need beyond the usual.
_PATIENCE = 120.0
_STEP = 0.1


class HeldCalls(Program):
    """
    Phones in a process of their own, which make calls and hold them.

    :param folder: where it runs.
    :param proxy: the URI of the proxy.
    :param count: how many calls.
    :param rate: how many of them in a second.
    :param options: further ones of the program, by name.
    """

    def __init__(
        self, folder: Path, proxy: str, count: int, rate: float, **options: str
    ) -> None:
        words = [word for name in options for word in (f"--{name}", options[name])]
        super().__init__(
            *(folder, sys.executable, "-m", "tests.integration.holding"),
            *(proxy, str(count), str(rate), *words),
            PYTHONPATH=str(ROOT),
        )
        self._usual = count / rate

    async def held(self) -> dict[str, Any]:
        """
        Wait until all calls are answered or have failed; give what is told then.
        """
        return await self._told("held")

    async def hang_up(self) -> dict[str, Any]:
        """
        End the calls; give what is told before that.
        """
        self._process.write(b"end\n")
        told = await self._told("ending")
        await self._told("ended")
        return told

    async def go(self) -> None:
        """
        Switch the phones off.
        """
        self._process.closeStdin()
        assert await self.ended() == 0, self.last

    async def _told(self, what: str) -> dict[str, Any]:
        for _ in range(int((self._usual + _PATIENCE) / _STEP)):
            for line in self.output.splitlines(keepends=True):
                if line.startswith(f'{{"is": "{what}"') and line.endswith("\n"):
                    told: dict[str, Any] = json.loads(line)
                    return told
            assert self.status is None, self.last
            await deferLater(IReactorTime(reactor), _STEP)
        raise AssertionError(f"it never came to {what!r}; {self.last}")
