"""
Tests for `sipsorcery.appserver.records.heartbeat`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sipsorcery.appserver.records.heartbeat import Heartbeat
from sipsorcery.endpoint import Endpoint
from tests.access.cases import StoreCase

S1, S2, S3 = (Endpoint.parse(f"udp:127.0.0.1:{port}") for port in (5071, 5072, 5073))
# Seconds until a silent server is taken for dead, and until a new one judges others.
LEASE = 10


class HeartbeatTests(StoreCase):
    """
    Servers that share the live state.
    """

    def setUp(self) -> None:
        super().setUp()
        self.lost: list[tuple[str, str]] = []

    def begin(
        self,
        server: Endpoint,
        incarnation: str = "one",
        lost: Callable[[str], Awaitable[object]] | None = None,
    ) -> Heartbeat:
        """
        Start a server.

        :param lost: is told of dead ones, too.
        """

        async def note(other: str) -> None:
            self.lost.append((str(server), other))
            if lost is not None:
                await lost(other)

        heartbeat = Heartbeat(
            self.reactor,
            self.live,
            server,
            incarnation,
            lost=note,
            now=self.reactor.seconds,
        )
        heartbeat.start()
        self.addCleanup(heartbeat.stop)
        return heartbeat

    def pass_time(self, seconds: int) -> None:
        """
        Let time pass, second by second.
        """
        for _ in range(seconds):
            self.reactor.advance(1)

    def test_all_live(self) -> None:
        """
        Who says that it lives is left alone.
        """
        for server in (S1, S2, S3):
            self.begin(server)
        self.pass_time(10 * LEASE)
        self.assertEqual(self.lost, [])

    def test_dead(self) -> None:
        """
        What a server has left that is silent for ten seconds exactly one other one sees
        to, once.
        """
        for server in (S1, S2):
            self.begin(server)
        dead = self.begin(S3)
        self.pass_time(2 * LEASE)
        dead.stop()
        self.pass_time(LEASE - 2)
        self.assertEqual(self.lost, [])
        self.pass_time(4)
        self.assertEqual(self.lost, [(str(S1), str(S3))])
        self.pass_time(10 * LEASE)
        self.assertEqual(len(self.lost), 1)

    def test_back_in_time(self) -> None:
        """
        A server that is started again meanwhile sees to its own.
        """
        self.begin(S1)
        dead = self.begin(S2)
        self.pass_time(2 * LEASE)
        dead.stop()
        self.pass_time(LEASE - 2)
        self.begin(S2, "two")
        self.pass_time(10 * LEASE)
        self.assertEqual(self.lost, [])

    def test_died_twice(self) -> None:
        """
        One that comes back and dies again is noticed again.
        """
        self.begin(S1)
        for incarnation in ("one", "two"):
            dead = self.begin(S2, incarnation)
            self.pass_time(LEASE)
            dead.stop()
            self.pass_time(2 * LEASE)
        self.assertEqual(self.lost, [(str(S1), str(S2))] * 2)

    def test_store_away(self) -> None:
        """
        While the store is away nobody can say that it lives; when it is back everybody
        has a chance to, before somebody is taken for dead.
        """
        self.begin(S1)
        self.begin(S2)
        self.pass_time(2 * LEASE)
        self.wait(self.live.stop())
        self.pass_time(3 * LEASE)
        self.live.start()
        self.pass_time(10 * LEASE)
        self.assertEqual(self.lost, [])

    def test_helper_dies(self) -> None:
        """
        If whoever sees to it dies as well, the next one does.
        """

        async def die(other: str) -> None:
            helper.stop()
            raise RuntimeError("it is killed")

        helper = self.begin(S1, lost=die)
        dead = self.begin(S3)
        self.pass_time(LEASE)
        dead.stop()
        self.pass_time(LEASE + 4)
        self.assertEqual(self.lost, [(str(S1), str(S3))])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.begin(S2)
        self.pass_time(100)
        self.assertIn((str(S2), str(S3)), self.lost)
