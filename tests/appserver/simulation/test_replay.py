"""
Tests for :mod:`sipsorcery.appserver.simulation.replay`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.simulation.replay import Difference, compare, past_calls
from sipsorcery.appserver.simulation.trace import Answer, Email, Step, Trace
from sipsorcery.appserver.simulation.world import World
from sipsorcery.store.directory import CDR
from sipsorcery.store.directory.cdrs import Direction

BEGAN = datetime(2026, 11, 20, 10, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """
    Give a moment of the call.
    """
    return BEGAN + timedelta(seconds=seconds)


def cdr(direction: Direction, uri: str, **fields: Any) -> CDR:
    """
    Make a record.
    """
    user, _, host = uri.removeprefix("sip:").partition(":")[0].partition("@")
    usual: dict[str, Any] = {
        "id": uri,
        "owner": "joe",
        "server": "udp:127.0.0.1:5065",
        "account": "sip:100@example.com",
        "dialplan": "main",
        "run": "1",
        "call_id": "a",
        "from_user": "100",
        "from_header": "<sip:100@example.com>;tag=1",
        "created": BEGAN,
    }
    return CDR(
        direction=direction,
        destination_uri=uri,
        destination_user=user,
        destination_host=host,
        **{**usual, **fields},
    )


def caller(**fields: Any) -> CDR:
    """
    Make the record of the caller's leg of a call that is over.
    """
    usual = {"ended_at": after(9), "detail": {"direction": "out"}}
    return cdr(Direction.IN, "sip:0123@example.com", **{**usual, **fields})


def legs_of(*others: CDR) -> dict[str, str]:
    """
    Give what the world of a call says of those who were called.
    """
    (call,) = past_calls([caller(), *others], 10)
    return dict(call.world.legs)


class CallTests(SynchronousTestCase):
    def test_call(self) -> None:
        """
        A past call has its caller, its callee, its direction and its time.
        """
        (call,) = past_calls([caller()], 10)
        self.assertEqual(call.account, "100@example.com")
        self.assertEqual(call.direction, Direction.OUT)
        self.assertEqual(call.to, "sip:0123@example.com")
        self.assertEqual(call.sender, "<sip:100@example.com>;tag=1")
        self.assertEqual(call.world.at, "2026-11-20T10:00:00+00:00")
        self.assertEqual(call.world.gives_up, 0)

    def test_direction_of_old_record(self) -> None:
        """
        Where no direction is noted, the account has called if the From is its own.
        """
        (call,) = past_calls([caller(detail={})], 10)
        self.assertEqual(call.direction, Direction.OUT)
        (call,) = past_calls([caller(detail={}, from_user="0555")], 10)
        self.assertEqual(call.direction, Direction.IN)

    def test_caller_has_given_up(self) -> None:
        """
        Who has given up gives up at the same time again.
        """
        (call,) = past_calls([caller(ended_status=487)], 10)
        self.assertEqual(call.world.gives_up, 9)
        (call,) = past_calls([caller(ended_status=486)], 10)
        self.assertEqual(call.world.gives_up, 0)

    def test_those_that_are_whole(self) -> None:
        """
        Calls that are going on, or that have no leg of a caller, are left out; the rest
        is counted from the latest.
        """
        calls = past_calls(
            [
                caller(run="open", ended_at=None),
                cdr(Direction.OUT, "sip:1@far.example", run="cut off"),
                caller(run=""),
                caller(run="1", created=after(1)),
                caller(run="3", created=after(3)),
                caller(run="2", created=after(2)),
            ],
            2,
        )
        self.assertEqual([each.began for each in calls], [after(3), after(2)])


class LegTests(SynchronousTestCase):
    def test_answer(self) -> None:
        """
        Who has answered does so again, after as many seconds.
        """
        leg = cdr(Direction.OUT, "sip:1@far.example", answered_at=after(4.26))
        self.assertEqual(legs_of(leg), {"1@far.example": "answer after 4.3 s"})

    def test_failure(self) -> None:
        """
        Who has failed does so again; who was given up, or has said nothing, rings.
        """
        cases: dict[str, dict[str, Any]] = {
            "486 Busy Here after 3 s": {
                "ended_at": after(3),
                "ended_status": 486,
                "ended_reason": "Busy  Here",
            },
            "603 after 0 s": {"ended_at": BEGAN, "ended_status": 603},
            "ring for ever": {
                "ended_at": after(3),
                "ended_status": 487,
                "ended_reason": "cancelled",
            },
        }
        for behaviour, fields in cases.items():
            leg = cdr(Direction.OUT, "sip:1@far.example", **fields)
            self.assertEqual(legs_of(leg), {"1@far.example": behaviour})
        leg = cdr(Direction.OUT, "sip:1@far.example")
        self.assertEqual(legs_of(leg), {"1@far.example": "ring for ever"})

    def test_phones(self) -> None:
        """
        Each phone does what it did, and so does whom it is of: the best of the two.
        """
        owner = {"to": "sip:101@example.com"}
        legs = legs_of(
            cdr(
                Direction.OUT,
                "sip:101@192.0.2.1:5062",
                answered_at=after(2),
                detail=owner,
            ),
            cdr(
                Direction.OUT,
                "sip:101@192.0.2.2",
                created=after(1),
                ended_at=after(3),
                ended_status=486,
                detail=owner,
            ),
        )
        self.assertEqual(
            legs,
            {
                "101@192.0.2.1": "answer after 2 s",
                "101@192.0.2.2": "486 after 2 s",
                "101@example.com": "answer after 2 s",
            },
        )

    def test_redirect(self) -> None:
        """
        A redirection leads where it led, and nowhere if that is not known.
        """
        moved = cdr(
            Direction.OUT, "sip:1@far.example", ended_at=after(1), ended_status=302
        )
        self.assertEqual(legs_of(moved), {"1@far.example": "unavailable after 1 s"})
        there = cdr(
            Direction.REDIRECT,
            "sip:2@far.example",
            created=after(1),
            answered_at=after(2),
        )
        self.assertEqual(
            legs_of(moved, there),
            {
                "1@far.example": "redirect to sip:2@far.example after 1 s",
                "2@far.example": "answer after 1 s",
            },
        )

    def test_worlds_can_be(self) -> None:
        """
        What comes of a record is a world that holds, whatever a provider has said.
        """
        leg = cdr(
            Direction.OUT,
            "sip:1@far.example",
            ended_at=after(1e9),
            ended_status=500,
            ended_reason="No \n after 3 s" * 100,
        )
        World(legs=legs_of(leg)).checked()


class ComparisonTests(SynchronousTestCase):
    def test_differences(self) -> None:
        """
        Two traces differ by whom they dial, by the answer, and by e-mails.
        """
        step = Step("dial", {}, targets=("sip:1@far.example", "sip:2@far.example"))
        before = Trace(Answer(200, "OK"), [step])
        mail = Email("al@example.com", "", "")
        after = Trace(Answer(486, "Busy"), emails=[mail])
        self.assertEqual(compare(before, before), [])
        self.assertEqual(
            compare(before, after),
            [
                Difference("dials", "sip:1@far.example, sip:2@far.example", "nobody"),
                Difference("answer", "200 OK", "486 Busy"),
                Difference("e-mails", "none", "al@example.com"),
            ],
        )
