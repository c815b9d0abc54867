"""
Tests for `sipsorcery.watchtower.tower`.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.watchtower.tower import (
    Action,
    Dispatch,
    Kill,
    Phase,
    Policy,
    Start,
    Terminate,
    Tower,
)

ONE, TWO = (Endpoint.parse(f"udp:127.0.0.1:{port}") for port in (5071, 5072))
POLICY = Policy(drain=100, settle=10, memory=1000)


class TowerCase(SynchronousTestCase):
    """
    Two workers.
    """

    policy = POLICY

    def setUp(self) -> None:
        self.tower = Tower([ONE, TWO], self.policy)
        self.now = 1000.0

    def tick(self, seconds: float = 0.0) -> list[Action]:
        """
        Let time pass.
        """
        self.now += seconds
        return list(self.tower.tick(self.now))

    def answer(self, endpoint: Endpoint, calls: int = 0) -> list[Action]:
        """
        Let a worker answer a probe.
        """
        return list(self.tower.answered(endpoint, self.now, calls))

    def miss(self, endpoint: Endpoint, times: int = 1) -> list[Action]:
        """
        Let a worker not answer.
        """
        actions: list[Action] = []
        for _ in range(times):
            actions += self.tower.missed(endpoint, self.now, "no answer")
        return actions

    def exit(self, endpoint: Endpoint) -> list[Action]:
        """
        Let a process end.
        """
        return list(self.tower.exited(endpoint, self.now, "it has ended"))

    def phases(self) -> list[Phase]:
        """
        Give the phases of both.
        """
        return [worker.phase for worker in self.tower.workers.values()]

    def bring_up(self) -> None:
        """
        Let both start.
        """
        for endpoint in (ONE, TWO):
            self.assertEqual(self.tick(1), [Start(endpoint)])
            self.assertEqual(self.answer(endpoint), [Dispatch(endpoint, 100)])
        self.assertEqual(self.phases(), [Phase.UP, Phase.UP])


class LifeTests(TowerCase):
    """
    Workers that start, fail and end.
    """

    def test_one_at_a_time(self) -> None:
        """
        The next one is started when the one before answers, and calls come then.
        """
        self.assertEqual(self.tick(), [Start(ONE)])
        self.assertEqual(self.tick(1), [])
        self.assertEqual(self.answer(ONE), [Dispatch(ONE, 100)])
        self.assertEqual(self.tick(1), [Start(TWO)])
        self.assertEqual(self.answer(TWO), [Dispatch(TWO, 100)])
        self.assertEqual(self.answer(TWO), [])

    def test_start_fails(self) -> None:
        """
        One that does not answer after its start is killed, and tried again later, each
        time later than before, up to a limit.
        """
        self.tower = Tower([ONE], self.policy)
        delays = []
        self.assertEqual(self.tick(), [Start(ONE)])
        for _ in range(12):
            self.assertEqual(self.tick(30), [Kill(ONE)])
            self.exit(ONE)
            ended = self.now
            while not self.tick(0.25):
                pass
            delays.append(self.now - ended)
        self.assertEqual(delays, sorted(delays))
        self.assertEqual((delays[0], delays[-1]), (0.5, 60))

    def test_killed(self) -> None:
        """
        One that ends by itself gets no calls at once, and the next comes soon.
        """
        self.bring_up()
        self.assertEqual(self.exit(ONE), [Dispatch(ONE, 0)])
        self.assertEqual(self.tick(0.1), [])
        self.assertEqual(self.tick(0.5), [Start(ONE)])
        self.assertEqual(self.answer(ONE), [Dispatch(ONE, 100)])

    def test_silent(self) -> None:
        """
        One that does not answer gets no calls, and some when it is back.
        """
        self.bring_up()
        self.assertEqual(self.miss(ONE), [])
        self.assertEqual(self.miss(ONE), [Dispatch(ONE, 0)])
        self.assertEqual(self.miss(ONE), [])
        self.assertEqual(self.answer(ONE), [Dispatch(ONE, 100)])

    def test_dead(self) -> None:
        """
        One that never answers again is killed, even if it is the last.
        """
        self.bring_up()
        self.exit(TWO)
        self.assertEqual(self.miss(ONE, 12), [Dispatch(ONE, 0), Kill(ONE)])
        self.exit(ONE)
        self.assertEqual(self.phases(), [Phase.WAITING, Phase.WAITING])

    def test_failures_are_forgotten(self) -> None:
        """
        One that has lived for a while fails for the first time again.
        """
        self.bring_up()
        for _ in range(5):
            self.exit(ONE)
            while Start(ONE) not in self.tick(1):
                pass
            self.answer(ONE)
        self.tick(100)
        self.exit(ONE)
        self.assertEqual(self.tick(0.6), [Start(ONE)])

    def test_adopted(self) -> None:
        """
        One that was there before us is used as soon as it answers, and not started.
        """
        self.tower.adopted(ONE, self.now)
        self.assertEqual(self.tick(1), [])
        self.assertEqual(self.answer(ONE, calls=3), [Dispatch(ONE, 100)])
        self.assertEqual(self.tick(1), [Start(TWO)])


class RecycleTests(TowerCase):
    """
    Workers that are replaced.
    """

    def setUp(self) -> None:
        super().setUp()
        self.bring_up()

    def test_rolling(self) -> None:
        """
        All are replaced, one after the other: each gets no new calls, is waited for,
        ended, and started again before the next one's turn.
        """
        self.assertEqual(self.tower.recycle("somebody wants it"), 2)
        for endpoint in (ONE, TWO):
            self.assertEqual(self.tick(1), [Dispatch(endpoint, 0)])
            self.answer(endpoint, calls=1)
            self.assertEqual(self.tick(50), [])
            self.answer(endpoint)
            self.assertEqual(self.tick(9), [])
            self.assertEqual(self.tick(1), [Terminate(endpoint)])
            self.assertEqual(self.exit(endpoint), [])
            self.assertEqual(self.tick(), [Start(endpoint)])
            self.assertEqual(self.answer(endpoint), [Dispatch(endpoint, 100)])
        self.assertEqual(self.tick(100), [])

    def test_long_calls(self) -> None:
        """
        Calls are waited for only so long: they outlive their server.
        """
        self.tower.recycle("somebody wants it", ONE)
        self.tick()
        self.answer(ONE, calls=1)
        self.assertEqual(self.tick(99), [])
        self.assertEqual(self.tick(1), [Terminate(ONE)])

    def test_does_not_end(self) -> None:
        """
        One that was told to end, and does not, is killed.
        """
        self.tower.recycle("somebody wants it", ONE)
        self.tick()
        self.tick(100)
        self.assertEqual(self.tick(15), [Kill(ONE)])
        self.exit(ONE)
        self.assertEqual(self.tick(), [Start(ONE)])

    def test_last_one(self) -> None:
        """
        The last one that is well stays, whatever there is against it.
        """
        self.exit(TWO)
        self.tower.workers[TWO].ready_at = 1e9
        self.tower.recycle("somebody wants it")
        self.assertEqual(self.tick(100), [])
        self.tower.workers[TWO].ready_at = 0
        self.assertEqual(self.tick(), [Start(TWO)])
        self.assertEqual(self.tick(1), [])
        self.answer(TWO)
        self.assertEqual(self.tick(1), [Dispatch(ONE, 0)])

    def test_memory(self) -> None:
        """
        One that takes too much memory is replaced.
        """
        self.tower.measured(ONE, 1000)
        self.assertEqual(self.tick(1), [])
        self.tower.measured(ONE, 1001)
        self.assertEqual(self.tick(1), [Dispatch(ONE, 0)])
        self.assertEqual(self.tower.workers[ONE].why, "it takes too much memory")

    def test_age(self) -> None:
        """
        So is one that has run for long enough.
        """
        self.tower.policy = replace(self.policy, age=1000.0)
        self.assertEqual(self.tick(990), [])
        self.assertEqual(self.tick(20), [Dispatch(ONE, 0)])


class AlwaysTests(SynchronousTestCase):
    """
    Whatever happens.
    """

    @given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=120))
    def test_nobody_is_taken_away_from_calls(
        self, events: list[tuple[int, bool]]
    ) -> None:
        """
        Of workers that are well, never the last is drained or ended; and nobody is
        started who runs.
        """
        tower, now = Tower([ONE, TWO], POLICY), 0.0
        running: set[Endpoint] = set()
        used: set[Endpoint] = set()
        for kind, which in events:
            endpoint = ONE if which else TWO
            actions: list[Action] = []
            lost: Endpoint | None = None
            if kind == 0 and endpoint in running:
                actions += tower.answered(endpoint, now, 0)
            elif kind == 1 and endpoint in running:
                actions += tower.missed(endpoint, now, "no answer")
                lost = endpoint
            elif kind == 2 and endpoint in running:
                running.discard(endpoint)
                actions += tower.exited(endpoint, now, "it has ended")
                lost = endpoint
            elif kind == 3:
                tower.recycle("somebody wants it")
            elif kind == 4:
                now += 5
            actions += tower.tick(now)
            for action in actions:
                match action:
                    case Start(started):
                        self.assertNotIn(started, running)
                        running.add(started)
                    case Dispatch(changed, 100):
                        used.add(changed)
                    case Dispatch(changed, _):
                        used.discard(changed)
                        if changed != lost:
                            self.assertNotEqual(used, set())
                    case Terminate(ended) | Kill(ended):
                        self.assertIn(ended, running)
                        self.assertNotIn(ended, used)
