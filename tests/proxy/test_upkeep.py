"""
Tests for `sipsorcery.proxy.upkeep`.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.accounts import Accounts
from sipsorcery.proxy.token import INSIDE, Tokens, Use
from sipsorcery.proxy.transparency import Transparency
from sipsorcery.proxy.upkeep import Upkeep
from sipsorcery.store.errors import StoreUnavailable
from sipsorcery.store.secrets import SETTLING, Purpose, Secrets


class UpkeepTests(SynchronousTestCase):
    """
    A proxy that runs for long.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.secrets = Secrets(Path(self.mktemp()), self.clock.seconds)
        self.secrets.load()
        self.tokens = Tokens(self.secrets.keys(Purpose.FLOW))
        self.transparency = Transparency(self.secrets.keys(Purpose.VIA))

    def keep_up(self, accounts: Accounts | None = None) -> None:
        """
        Begin.
        """
        upkeep = Upkeep(
            self.clock, self.secrets, self.tokens, self.transparency, accounts
        )
        upkeep.start()
        self.addCleanup(upkeep.stop)

    def test_keys(self) -> None:
        """
        New keys are used as soon as everybody knows them, and those before are still
        good.
        """
        self.keep_up()
        token = self.tokens.write(Use.PATH, INSIDE)
        hidden = self.transparency.hide(["x"], "branch")
        for purpose in (Purpose.FLOW, Purpose.VIA):
            self.secrets.rotate(purpose)
        self.clock.advance(SETTLING + 60)
        self.assertNotEqual(self.tokens.write(Use.PATH, INSIDE), token)
        self.assertEqual(self.tokens.read(token).flow, INSIDE)
        self.assertEqual(self.transparency.show(hidden, "branch"), ["x"])
        again = Tokens(self.secrets.keys(Purpose.FLOW)[:1])
        self.assertEqual(again.read(self.tokens.write(Use.PATH, INSIDE)).flow, INSIDE)

    def test_directory_away(self) -> None:
        """
        A directory that is away is asked again, and said to be away.
        """
        asked = 0

        class Away(Accounts):
            def __init__(self) -> None:
                pass

            async def catch_up(self) -> None:
                nonlocal asked
                asked += 1
                raise StoreUnavailable("it is away")

        with capturedLogs() as events:
            self.keep_up(Away())
            self.clock.pump([2.0] * 4)
        self.assertEqual((asked, len(events)), (5, 5))
