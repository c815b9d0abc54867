"""
Tests for `sipsorcery.tap.watching`.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from sipsorcery.control import ControlError
from sipsorcery.monitor.event import EventKind
from sipsorcery.tap.watching import of_monitor
from tests.monitor.test_service import Monitored, of_call
from tests.monitor.test_window import step


class WatchingTests(Monitored):
    """
    What a monitor answers.
    """

    def setUp(self) -> None:
        """
        Have events of two users.
        """
        super().setUp()
        self.verbs = of_monitor(self.monitor)
        self.emit(*(step(n, call_id=f"c{n}") for n in range(3)), step(3, "ann"))
        self.emit(of_call(4, "leg", "call", EventKind.CALL_STARTED, owner="ann"))

    def ask(self, verb: str, **arguments: Any) -> Any:
        """
        Ask it.
        """
        return self.done(self.verbs[verb](**arguments))

    def refuse(self, verb: str, **arguments: Any) -> str:
        """
        Ask it what it refuses; give the reason.
        """

        async def ask() -> None:
            await self.verbs[verb](**arguments)

        failure = self.failureResultOf(Deferred.fromCoroutine(ask()), ControlError)
        return str(failure.value)

    def test_events(self) -> None:
        """
        The operator sees everything, or what a user sees, page by page.
        """
        page = self.ask("events")
        self.assertEqual([each["time"] for each in page["events"]], [0, 1, 2, 3, 4])
        self.assertTrue(page["is_last"])
        page = self.ask("events", user="joe", limit=2)
        self.assertEqual([each["time"] for each in page["events"]], [0, 1])
        page = self.ask("events", user="joe", cursor=page["cursor"])
        self.assertEqual([each["time"] for each in page["events"]], [2])
        self.assertEqual(page["missed"], 0)

    def test_narrowed(self) -> None:
        """
        A filter, a Call-ID and times narrow what one gets.
        """
        for arguments, expected in (
            ({"filter": "user ann"}, [3, 4]),
            ({"call_id": "c1"}, [1, 3]),
            ({"since": 1, "until": 3.5}, [1, 2, 3]),
        ):
            page = self.ask("events", **arguments)
            found = [each["time"] for each in page["events"]]
            self.assertEqual(found, expected, arguments)

    def test_call(self) -> None:
        """
        A call is told with the names of its legs; to a user, if it is theirs.
        """
        story = self.ask("call", call="leg", user="ann")
        self.assertEqual((story["calls"], story["call_ids"]), (("call",), ("leg",)))
        self.assertEqual(story["events"][0]["kind"], "call_started")
        self.assertIn("no call 'leg'", self.refuse("call", call="leg", user="joe"))

    def test_refused(self) -> None:
        """
        What is wrong with a question is told: of a filter, where.
        """
        self.assertIn("at 7", self.refuse("events", filter="event nothing"))
        self.assertIn("'many'", self.refuse("events", limit="many"))
        self.assertIn("'-1'", self.refuse("events", cursor=-1))
        self.assertIn("'noon'", self.refuse("events", since="noon"))
