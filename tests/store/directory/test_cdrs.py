"""
Tests for `sipsorcery.store.directory.cdrs`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from twisted.internet.defer import gatherResults

from sipsorcery.store.directory import CDR, Direction
from sipsorcery.store.errors import NotFound
from sipsorcery.testing.threads import SteppedThreads
from tests.store.directory.cases import NOW, DirectoryCase

START = datetime.fromtimestamp(NOW, UTC)


def make(id: str = "1", owner: str = "joe", **values: object) -> CDR:
    """
    Make a record.
    """
    return replace(
        CDR(
            id=id,
            owner=owner,
            server="app1",
            direction=Direction.OUT,
            call_id="a84b4c76e66710",
            destination_uri="sip:+3531@example.org",
            from_header="<sip:100@example.com>",
            created=START,
        ),
        **values,  # type: ignore[arg-type]
    )


class CDRsTests(DirectoryCase):
    """
    The table of call detail records.
    """

    def setUp(self) -> None:
        super().setUp()
        self.cdrs = self.joe.cdrs

    def test_life(self) -> None:
        """
        A record grows as its leg is begun, answered and over.
        """
        begun = make(
            detail={"headers": ["X: y"]}, dialplan="default", dialplan_version=3
        )
        answered = replace(
            begun,
            progress_at=START + timedelta(seconds=1),
            progress_status=180,
            progress_reason="Ringing",
            answered_at=START + timedelta(seconds=4.5),
            answered_status=200,
            answered_reason="OK",
        )
        over = replace(
            answered,
            ended_at=START + timedelta(seconds=64.5),
            ended_reason="remote end hungup",
        )
        for cdr, ringing, talking in (
            (begun, 0, 0),
            (answered, 3.5, 0),
            (over, 3.5, 60),
        ):
            self.do(self.cdrs.write(cdr))
            found = self.do(self.cdrs.find("1"))
            assert found is not None
            self.assertEqual(found, cdr)
            self.assertEqual((found.ring_duration, found.duration), (ringing, talking))
        self.assertEqual(len(self.do(self.cdrs.recent())), 1)

    def test_every_field(self) -> None:
        """
        Every field comes back as it was written.
        """
        values: dict[str, Any] = {}
        for number, each in enumerate(fields(CDR)):
            if each.name.endswith("_at"):
                values[each.name] = START + timedelta(microseconds=number)
            elif each.name.endswith(("_status", "_version")):
                values[each.name] = number
            elif each.name not in ("id", "owner", "direction", "created", "detail"):
                values[each.name] = f"{each.name} é"
        cdr = make(**values)
        self.do(self.cdrs.write(cdr))
        self.assertEqual(self.do(self.cdrs.find("1")), cdr)

    def test_time_zone(self) -> None:
        """
        A moment is the same in every time zone; one without a zone is a mistake.
        """
        dublin = timezone(timedelta(hours=1))
        self.do(self.cdrs.write(make(created=START.astimezone(dublin))))
        found = self.do(self.cdrs.find("1"))
        assert found is not None
        self.assertEqual(found.created, START)
        self.assertEqual(found.created.utcoffset(), timedelta(0))
        self.refuse(
            Exception, self.cdrs.write(make(created=START.replace(tzinfo=None)))
        )

    def test_strange_texts(self) -> None:
        """
        Whatever others have sent, the call is recorded.
        """
        self.do(
            self.cdrs.write(
                make(from_name="x" * 5000, call_id="a\0b", ended_reason="\udc80")
            )
        )
        found = self.do(self.cdrs.find("1"))
        assert found is not None
        self.assertEqual(found.from_name, "x" * 128)
        self.assertEqual((found.call_id, found.ended_reason), ("a?b", "?"))

    def test_together(self) -> None:
        """
        Records that are written at the same time share one transaction; of several of
        one leg the last counts.
        """
        threads = SteppedThreads()
        cdrs = self.open(threads=threads).everyone.cdrs
        first = cdrs.write(make("0"))
        self.reactor.advance(0)
        others = [
            cdrs.write(make("1", ended_reason="early")),
            cdrs.write(make("2", owner="eve")),
            cdrs.write(make("1", ended_reason="late")),
        ]
        threads.step()
        self.successResultOf(first)
        threads.step()
        self.successResultOf(gatherResults(others))
        self.assertEqual(threads.calls, [])
        found = self.do(self.cdrs.find("1"))
        assert found is not None
        self.assertEqual(found.ended_reason, "late")

    def test_owner(self) -> None:
        """
        Nobody sees, writes or overwrites the records of another.
        """
        self.do(self.cdrs.write(make()))
        self.assertIsNone(self.do(self.eve.cdrs.find("1")))
        self.assertEqual(self.do(self.eve.cdrs.recent()), [])
        self.assertEqual(self.do(self.eve.cdrs.count(START)), 0)
        self.refuse(NotFound, self.eve.cdrs.write(make("2")))
        self.do(self.eve.cdrs.write(make("1", owner="eve", ended_reason="stolen")))
        self.assertEqual(self.do(self.everyone.cdrs.find("1")), make())

    def test_recent(self) -> None:
        """
        Records are given from the latest on, and can be chosen.
        """
        for number in range(6):
            self.do(
                self.cdrs.write(
                    make(
                        f"{number}",
                        created=START + timedelta(seconds=number),
                        call_id=f"call {number % 2}",
                        dialplan="default" if number < 3 else "other",
                    )
                )
            )

        def ids(**chosen: object) -> str:
            found = self.do(self.cdrs.recent(**chosen))  # type: ignore[arg-type]
            return "".join(each.id for each in found)

        self.assertEqual(ids(), "543210")
        self.assertEqual(ids(limit=2), "54")
        self.assertEqual(ids(before=START + timedelta(seconds=4), limit=2), "32")
        self.assertEqual(ids(since=START + timedelta(seconds=4)), "54")
        self.assertEqual(ids(call_id="call 1"), "531")
        self.assertEqual(ids(dialplan="default", limit=1), "2")
        self.do(self.cdrs.write(make("6", ended_at=START)))
        self.assertNotIn("6", ids(is_open=True))
        self.assertIn("6", ids())
        self.assertEqual(self.do(self.cdrs.count(START + timedelta(seconds=4))), 2)

    def test_close_open(self) -> None:
        """
        What a killed server has left open is ended with a reason; nothing else is, not
        even what it has begun since it was started again.
        """
        self.do(self.cdrs.write(make("open")))
        restart = START + timedelta(seconds=5)
        self.do(self.cdrs.write(make("since", created=restart)))
        self.do(self.cdrs.write(make("over", ended_at=START, ended_reason="done")))
        self.do(self.cdrs.write(make("other", server="app2")))
        self.reactor.advance(9)
        closing = self.everyone.cdrs.close_open("app1", "server was killed", restart)
        self.assertEqual(self.do(closing), 1)
        found = self.do(self.cdrs.find("open"))
        assert found is not None
        self.assertEqual(found.ended_at, START + timedelta(seconds=9))
        self.assertEqual(found.ended_reason, "server was killed")
        for id, reason in (("over", "done"), ("other", ""), ("since", "")):
            kept = self.do(self.cdrs.find(id))
            assert kept is not None
            self.assertEqual(kept.ended_reason, reason)

    def test_remove_before(self) -> None:
        """
        Old records go when the operator says so.
        """
        self.do(self.cdrs.write(make("old")))
        self.do(self.cdrs.write(make("new", created=START + timedelta(days=1))))
        day = START + timedelta(days=1)
        self.assertEqual(self.do(self.everyone.cdrs.remove_before(day)), 1)
        self.assertEqual([each.id for each in self.do(self.cdrs.recent())], ["new"])

    def test_user_gone(self) -> None:
        """
        The records of calls stay when their user goes.
        """
        self.do(self.cdrs.write(make()))
        self.do(self.everyone.users.remove("joe"))
        self.assertIsNotNone(self.do(self.everyone.cdrs.find("1")))
