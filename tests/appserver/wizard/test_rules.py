"""
Tests for :mod:`sipsorcery.appserver.wizard.rules` and its engine.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.plans.engine import End, HostCall, PlanRequest, Step, Value
from sipsorcery.appserver.wizard.engine import RuleRun, WizardEngine
from sipsorcery.appserver.wizard.rules import read_rules

T = TypeVar("T")

# A Sunday.
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()


def rule(do: dict[str, object], **more: object) -> dict[str, object]:
    """
    Make a rule for calls out, as it is stored.
    """
    return {"direction": "out", "action": do, **more}


def dial(to: str, **more: object) -> dict[str, object]:
    """
    Make an action that dials.
    """
    return {"do": "dial", "to": to, **more}


class RuleCase(SynchronousTestCase):
    """
    An engine, on a Sunday at noon UTC.
    """

    engine = WizardEngine(lambda: NOON)

    def start(
        self, rules: list[dict[str, object]], request: PlanRequest
    ) -> tuple[RuleRun, Step]:
        """
        Start a run.
        """
        return self.now(self.engine.start(json.dumps(rules), request))

    def step(
        self,
        rules: list[dict[str, object]],
        number: str = "",
        request: PlanRequest | None = None,
    ) -> Step:
        """
        Give the first step of a run.
        """
        request = request or PlanRequest(caller=Caller(number))
        return self.start(rules, request)[1]

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine that waits for nothing.
        """
        result: T = self.successResultOf(Deferred.fromCoroutine(coroutine))
        return result


class MatchTests(RuleCase):
    def is_for(self, dialled: str, **row: object) -> bool:
        """
        Tell whether a rule is for a number that was dialled.
        """
        step = self.step([rule(dial("a@b"), **row)], dialled)
        return isinstance(step, HostCall)

    def test_numbers(self) -> None:
        """
        A number is matched as a whole, by its beginning, or by an expression.
        """
        cases = [
            ("any", "", "1", True),
            ("exact", "100", "100", True),
            ("exact", "100", "1001", False),
            ("prefix", "00", "0044", True),
            ("prefix", "00", "00", True),
            ("prefix", "_0Z", "0144", True),
            ("prefix", "0Z", "0044", False),
            ("prefix", "*1", "*12", True),
            ("prefix", "+1", "+1555", True),
            ("regex", r"^0\d{2,3}$", "0123", True),
            ("regex", r"^0\d{2,3}$", "01234", False),
        ]
        for match, pattern, number, expected in cases:
            found = self.is_for(number, match=match, number=pattern)
            self.assertEqual(found, expected, (match, pattern, number))

    def test_incoming(self) -> None:
        """
        A call that comes in is matched by the account that it is for, and by what has
        brought it.
        """
        cases = [
            ("account", "joe@example.org", "joe", True),
            ("account", "JOE", "joe", True),
            ("account", "ann", "joe", False),
            ("provider", "trunk", "trunk.joe", True),
            ("provider", "other", "trunk.joe", False),
            ("provider", "joe", "joe", False),
        ]
        for match, number, dialled, expected in cases:
            request = PlanRequest(
                caller=Caller(dialled), direction="in", account="joe@example.org"
            )
            rules = [rule(dial("a@b"), direction="in", match=match, number=number)]
            step = self.step(rules, request=request)
            self.assertEqual(isinstance(step, HostCall), expected, (match, number))

    def test_caller(self) -> None:
        """
        The caller's name or address can be asked for.
        """
        caller = Caller("100", "Jane Doe", "jane", "example.net")
        for expression, expected in (("Doe$", True), ("^jane@", True), ("^Doe", False)):
            rules = [rule(dial("a@b"), caller=expression)]
            step = self.step(rules, request=PlanRequest(caller=caller))
            self.assertEqual(isinstance(step, HostCall), expected, expression)

    def test_direction(self) -> None:
        """
        A rule for calls out is none for calls in.
        """
        request = PlanRequest(direction="in")
        self.assertIsInstance(self.step([rule(dial("a@b"))], request=request), End)

    def test_hours(self) -> None:
        """
        The hours of a rule are those of its owner's clock.
        """
        rules = [rule(dial("a@b"), hours="Su;20:00-22:00")]
        for zone, expected in (("UTC", End), ("Asia/Tokyo", HostCall)):
            step = self.step(rules, request=PlanRequest(time_zone=zone))
            self.assertIsInstance(step, expected, zone)

    def test_disabled(self) -> None:
        """
        A rule that is switched off is none.
        """
        self.assertIsInstance(self.step([rule(dial("a@b"), is_enabled=False)]), End)


class RunTests(RuleCase):
    def test_next(self) -> None:
        """
        When nobody has answered the next rule is tried; at last the call fails.
        """
        rules = [
            rule(dial("${dst}", through="second"), priority=2),
            rule(dial("${dst:2}", through="first", ring=20, limit=60), priority=1),
        ]
        run, step = self.start(rules, PlanRequest(caller=Caller("0044")))
        first = HostCall("dial", {"to": "${dst:2}@first", "ring": 20, "limit": 60})
        self.assertEqual(step, first)
        busy: Value = {"status": 486, "reason": "Busy Here"}
        step = self.now(run.resume(busy))
        self.assertEqual(step, HostCall("dial", {"to": "${dst}@second"}))
        self.assertEqual(self.now(run.resume(busy)), End(486, "Busy Here"))

    def test_reject(self) -> None:
        """
        A refusal ends the call.
        """
        for reason, expected in (("", "Decline"), ("No", "No")):
            rules = [rule({"do": "reject", "status": 603, "reason": reason})]
            self.assertEqual(self.step(rules), End(603, expected))

    def test_none(self) -> None:
        """
        Where no rule is for a call there is nobody.
        """
        self.assertEqual(self.step([]), End(404, "There is no rule for this call"))


class FaultTests(SynchronousTestCase):
    def test_all_at_once(self) -> None:
        """
        Every rule with a fault is told with its number.
        """
        rules = [
            rule(dial("a@b"), match="regex", number="("),
            rule(dial("a@b")),
            rule(dial("a&b@c", through="d")),
            rule(dial("a@b[")),
            rule({"do": "reject", "status": 200}),
            rule(dial("a@b", ring=1000)),
            rule(dial("a@b"), hours="never"),
            rule(dial("a@b"), match="exact"),
        ]
        with self.assertRaises(PlanErrors) as raised:
            read_rules(json.dumps(rules))
        numbers = [number for number, _ in raised.exception.faults]
        self.assertEqual(numbers, [1, 3, 4, 5, 6, 7, 8])

    def test_shape(self) -> None:
        """
        What is no table of rules is refused, with the place of the fault.
        """
        cases = [
            ("{}", "array"),
            ("[1]", "object"),
            ('[{"direction":"up"}]', "direction"),
            (json.dumps([rule(dial("a@b"), colour="red")]), "colour"),
            (json.dumps([rule(dial("a@b"))] * 501), "500"),
        ]
        for text, expected in cases:
            with self.assertRaisesRegex(PlanErrors, expected):
                read_rules(text)
