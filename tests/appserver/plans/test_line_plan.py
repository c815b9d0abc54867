"""
Tests for :mod:`sipsorcery.appserver.plans.line_plan`, its patterns and its engine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.errors import PatternError, PlanErrors
from sipsorcery.appserver.plans.engine import (
    End,
    Engine,
    HostCall,
    PlanRequest,
    Run,
    Step,
    Value,
)
from sipsorcery.appserver.plans.line_plan import MAX_FAULTS, LineEngine, LinePlan
from sipsorcery.appserver.plans.pattern import read_pattern
from sipsorcery.appserver.plans.regex import Regex

ENGINE: Engine = LineEngine()

T = TypeVar("T")


def first(plan: str, number: str) -> Step:
    """
    Give the first step of a run.
    """
    return start(plan, PlanRequest(caller=Caller(number)))[1]


def start(plan: str, request: PlanRequest) -> tuple[Run, Step]:
    """
    Start a run; one of lines waits for nothing.
    """
    return at_once(ENGINE.start(plan, request))


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Run a coroutine that waits for nothing.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("it waits for something")


def dials(account: str) -> HostCall:
    """
    Give the call to the host that dials.
    """
    return HostCall("dial", {"account": account})


class PatternTests(SynchronousTestCase):
    def test_vectors(self) -> None:
        """
        The vectors of the original for Asterisk patterns.
        """
        for pattern, number, expected in (
            ("_3100", "3200", False),
            ("_3300", "3200", False),
            ("_3000", "3200", False),
            ("_3N00", "3200", True),
            ("_3Z00", "3100", True),
            ("_3X.", "300", True),
            ("_3Z.", "310", True),
            ("_3N.", "320", True),
            ("_3[2-57-9].", "380", True),
            ("_3[2-57-9].", "360", False),
            ("_3[2-57-9]X[1-3]", "3802", True),
            ("_3[2-57-9]X[1-3].", "3807", False),
            ("_*1x.", "*123", True),
            ("_*1X.", "*12", False),
            ("_9.", "9", False),
            ("_9!", "9", True),
            ("_9!", "9123", True),
            ("_9!", "8", False),
            ("100", "100", True),
            ("100", "1000", False),
        ):
            found = read_pattern(pattern, is_regex=False).matches(number)
            self.assertIs(found, expected, (pattern, number))

    def test_regex_vectors(self) -> None:
        """
        The vectors of the original for regular expressions, with and without slashes.
        """
        for pattern, expected in (
            (r"/\d{3,6}/", True),
            (r"/\D{3,6}/", False),
            (r"\d{3}", True),
        ):
            found = read_pattern(pattern, is_regex=True).matches("380")
            self.assertIs(found, expected, pattern)

    def test_faults(self) -> None:
        """
        What is no pattern is refused.
        """
        for text, is_regex in (
            ("", False),
            ("_", False),
            ("_3[", False),
            ("_3[5-2]", False),
            ("_3.4", False),
            ("/", True),
            ("/3", True),
            ("(", True),
            ("a)", True),
            ("*", True),
            ("[", True),
            ("[^]", True),
            ("a{3,2}", True),
            (r"(a)\1", True),
            ("(?=a)", True),
            ("((a{200}){200})", True),
            ("(" * 250 + "a" + ")" * 250 + "(", True),
            ("a" * 600, True),
            ("\\", True),
        ):
            with self.assertRaises(PatternError, msg=text):
                read_pattern(text, is_regex=is_regex)

    @settings(max_examples=400, deadline=None)
    @given(
        st.recursive(
            st.sampled_from(["0", "1", ".", "[01]", "[^0]", r"\d", "^", "$", ""]),
            lambda inner: st.one_of(
                st.tuples(inner, inner).map("".join),
                st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
                st.tuples(
                    inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}"])
                ).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
            ),
            max_leaves=6,
        ),
        st.text("012", max_size=6),
    )
    def test_same_as_re(self, expression: str, text: str) -> None:
        """
        What both know matches as it does in Python.
        """
        expected = re.search(expression.replace("$", r"\Z"), text) is not None
        self.assertIs(Regex.compile(expression).search(text), expected)

    def test_no_blow_up(self) -> None:
        """
        An expression that costs others ages takes milliseconds.
        """
        start = time.process_time()
        for text in ("(a*)*b", "(a|aa)+$", "(a|a)*b", "((a*)*)*b", "(a?){90}a{90}"):
            Regex.compile(text).search("a" * 99 + "c")
        self.assertLess(time.process_time() - start, 2)


class ParseTests(SynchronousTestCase):
    def test_switch_lines(self) -> None:
        """
        Operators, spaces, quotes and comments, as in the vectors of the original.
        """
        plan = LinePlan.parse(
            "; numbers\n"
            "\r\n"
            'exten => 100,1,Switch("anon","","303@sip.x.ie")\r\n'
            "  EXTEN==101 , 2 , switch(anon,, 303@sip.x.ie) ; comment\n"
            r"exten =~ /\d{3,6}/,1,Switch(anon,,${dst}@h, "
            '"name (work)" <sip:anon@d>, 194.213.29.100)\n'
            "exten = _*1X.,1,Dial(user,pass,${EXTEN:2}@sip.x.ie)",
        )
        self.assertEqual([line.number for line in plan.lines], [3, 4, 5, 6])
        self.assertEqual(
            [line.call.arguments["account"] for line in plan.lines],
            [
                '"anon","","303@sip.x.ie"',
                "anon,, 303@sip.x.ie",
                'anon,,${dst}@h, "name (work)" <sip:anon@d>, 194.213.29.100',
                "user,pass,${EXTEN:2}@sip.x.ie",
            ],
        )

    def test_all_faults(self) -> None:
        """
        All faults are told at once, each with its line: none hides behind another.
        """
        with self.assertRaises(PlanErrors) as caught:
            LinePlan.parse(
                "extension 100\n"
                "exten => 100,1,Dial(u,p,d@h)\n"
                "exten => 100\n"
                "exten => 100,x,Dial(u,p,d@h)\n"
                "exten => 100,1,Dial(u,p,d@h\n"
                "exten => 100,1,Hangup()\n"
                "exten => 100,1,Dial(u,p)\n"
                "exten => 100,1,SIPReply(200,OK)\n"
                "exten => 100,1,Respond(busy)\n"
                "exten => 100,1\n"
                "exten =~ (,1,Respond(486)\n"
                "exten => 100,1,Dial(u,p,${dest}@h)\n"
            )
        self.assertEqual(
            [line for line, _ in caught.exception.faults],
            [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        )
        text = str(caught.exception)
        self.assertIn("line 6: there is no application Hangup", text)
        self.assertIn("line 8: a line plan cannot respond 200", text)
        self.assertIn("line 12: there is no variable ${dest}", text)

    def test_bounds(self) -> None:
        """
        Text, extensions, expressions and told faults have limits.
        """
        for plan in (
            " " * 300_000,
            "exten=1,1,Respond(486)\n" * 5001,
            "exten=~/(1{100}){100}/,1,Respond(486)\n",
        ):
            self.assertRaises(PlanErrors, LinePlan.parse, plan)
        with self.assertRaises(PlanErrors) as caught:
            LinePlan.parse("x\n" * 1000)
        self.assertEqual(len(caught.exception.faults), MAX_FAULTS)

    def test_too_many_expressions(self) -> None:
        """
        A plan has a bound of regular expressions, for they cost more than patterns.
        """
        line = "exten =~ /^0/,1,Respond(486)"
        LinePlan.parse("\n".join([line] * 250))
        with self.assertRaisesRegex(PlanErrors, "250 regular expressions"):
            LinePlan.parse("\n".join([line] * 251))


class RunTests(SynchronousTestCase):
    def test_first_match(self) -> None:
        """
        The first line that matches decides, whatever its priority.
        """
        plan = "exten=_1XX,2,Dial(a,b,c@d)\nexten=100,1,Respond(486)"
        self.assertEqual(first(plan, "100"), dials("a,b,c@d"))

    def test_no_match(self) -> None:
        """
        A number without a line gets 404, as does one that is too long to be one.
        """
        plan = "exten=_1!,1,Respond(486)"
        for number in ("200", "", "1" * 129):
            step = first(plan, number)
            assert isinstance(step, End)
            self.assertEqual(step.status, 404)

    def test_respond(self) -> None:
        """
        Respond and SIPReply are the same; without a reason there is the usual one.
        """
        plan = "exten=1,1,Respond(486)\nexten=2,1,SIPReply(603,'Go away')"
        self.assertEqual(first(plan, "1"), End(486, "Busy Here"))
        self.assertEqual(first(plan, "2"), End(603, "Go away"))

    def test_provisional(self) -> None:
        """
        Behind a provisional response the next line follows; no call is left hanging.
        """
        plan = "exten=_1!,1,Respond(180)\nexten=100,1,Dial(a,b,c@d)"
        request = PlanRequest(caller=Caller("100"))
        run, step = start(plan, request)
        self.assertEqual(
            step, HostCall("respond", {"status": 180, "reason": "Ringing"})
        )
        self.assertEqual(at_once(run.resume(None)), dials("a,b,c@d"))
        run, _ = start(plan, PlanRequest(caller=Caller("10")))
        end = at_once(run.resume(None))
        assert isinstance(end, End)
        self.assertEqual(end.status, 480)

    def test_failed_dial(self) -> None:
        """
        A dial that has failed is the end, with its best response; else with 480.
        """
        plan = "exten=1,1,Dial(a,b,c@d)\nexten=1,2,Respond(603)"
        cases: list[tuple[Value, End]] = [
            ({"status": 486, "reason": "Busy Here"}, End(486, "Busy Here")),
            ({"status": 200, "reason": "OK"}, End(480, "All forwards failed")),
            (None, End(480, "All forwards failed")),
        ]
        for value, expected in cases:
            run, _ = start(plan, PlanRequest(caller=Caller("1")))
            self.assertEqual(at_once(run.resume(value)), expected)

    def test_faulty_plan(self) -> None:
        """
        A plan with faults does not start.
        """
        self.assertRaises(PlanErrors, first, "exten=1,1,Dial()", "1")
