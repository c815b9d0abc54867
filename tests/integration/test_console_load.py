"""
Many who watch at once, and one of them who does not read.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests import LONG
from tests.integration.console_clients import Audience

USERS = 200 if LONG else 20
# Events for each of them. The next go out when all have the ones before: so none of
# them is behind by more than a fifth of what may wait for them.
ROUNDS = 100 if LONG else 20
_AT_ONCE = 200
# What the one who does not read gets: several times what fits in the window of SSH, the
# buffers of the kernel and the queue that waits for them.
_FLOOD = 8000
_PADDING = "x" * 1000


class AudienceTests(TestCase):
    """
    Users with filters of their own, and two administrators.
    """

    timeout = 300

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.audience = Audience(Path(self.mktemp()), USERS)
        return Deferred.fromCoroutine(self.audience.start())

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]  # likewise
        return Deferred.fromCoroutine(self.audience.stop())

    async def test_nothing_is_lost(self) -> None:
        """
        Each sees all that is theirs, in order and nothing else; administrators see all.
        """
        await self.serve(ROUNDS, range(USERS))
        for number, watcher in enumerate(self.audience.users):
            self.assertEqual(watcher.seen, self.audience.sent(number))
            self.assertEqual(watcher.missed, 0)
        for watcher in self.audience.administrators:
            self.assertEqual(len(watcher.seen), USERS * ROUNDS)
            self.assertEqual(watcher.missed, 0)

    async def test_who_does_not_read(self) -> None:
        """
        Somebody who does not read costs the others nothing, and is told how many events
        they have missed when they read on.
        """
        lazy, *others = self.audience.users
        lazy.stop_reading()
        total = 0
        while total < _FLOOD:
            for _ in range(_AT_ONCE):
                self.audience.emit(0, _PADDING)
            total += _AT_ONCE
            for watcher in self.audience.administrators:
                await watcher.come_to(total)
        await self.serve(2, range(1, USERS), before=total)
        for number, watcher in enumerate(others, 1):
            self.assertEqual(watcher.seen, self.audience.sent(number))
        self.assertEqual(lazy.seen, [])
        lazy.read_again()
        await lazy.come_to(_FLOOD)
        self.assertGreater(lazy.missed, 0)
        self.assertEqual(len(lazy.seen) + lazy.missed, _FLOOD)
        # The last ones are there, whatever came before.
        self.assertEqual(lazy.seen[-1], f"u0 {_FLOOD - 1}{_PADDING}")

    async def serve(self, rounds: int, numbers: range, before: int = 0) -> None:
        """
        Emit events for some, and wait until they have come.
        """
        sent = 0
        for _ in range(rounds):
            for number in numbers:
                self.audience.emit(number)
            sent += len(numbers)
            for watcher in self.audience.administrators:
                await watcher.come_to(before + sent)
        for number in numbers:
            await self.audience.users[number].come_to(rounds)
