"""
Tests for `sipsorcery.cli.calls` and `sipsorcery.cli.cdrs`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet.task import Clock

from sipsorcery.store.dialogues import make_record
from sipsorcery.store.directory import CDR, Direction, Directory
from sipsorcery.store.live import LocalStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads
from tests.cli import CommandCase
from tests.store.test_dialogues import make_dialogue


class CallsTests(CommandCase):
    """
    Calls in progress, while no server runs.
    """

    def store(self, **fields: object) -> None:
        """
        Have a call stored by a server that was killed.
        """
        clock = Clock()
        live = LocalStore(clock, self.folder, threads=SteppedThreads(waits=False))
        live.start()
        now = time.time()
        given = {"started": now - 70, "answered": now - 60, **fields}
        stored = live.put(make_record(make_dialogue(**given), now, None))
        clock.advance(0)
        self.successResultOf(stored)
        self.successResultOf(live.stop())

    def test_json(self) -> None:
        """
        There is an object for each call, with both parties and its times.
        """
        self.store()
        (call,) = self.read("calls")
        self.assertEqual((call["owner"], call["id"]), ("joe", "0123456789abcdef"))
        self.assertEqual(call["caller"], "<sip:caller@example.com>;tag=caller")
        self.assertEqual(call["callee"], "<sip:callee@example.com>;tag=callee")
        self.assertEqual(call["call_ids"], ["call of caller", "call of callee"])
        self.assertEqual(call["state"], "waiting for its server")
        self.assertTrue(59 <= call["seconds"] <= 65)

    def test_table(self) -> None:
        """
        The table has a line for each call.
        """
        self.store(limit=time.time() + 60)
        head, line = self.do("calls").splitlines()
        self.assertEqual(head.split()[:3], ["id", "owner", "state"])
        self.assertIn("sip:caller@example.com", line)

    def test_owner(self) -> None:
        """
        Those of one user, if somebody asks.
        """
        self.store()
        self.assertEqual(len(self.read("calls", "--owner", "joe")), 1)
        self.assertEqual(self.read("calls", "--owner", "eve"), [])

    def test_before_the_first_start(self) -> None:
        """
        Without a server there is nothing, and that is no mistake.
        """
        self.assertEqual(self.read("calls"), [])


class CDRsTests(CommandCase):
    """
    Records of calls.
    """

    def setUp(self) -> None:
        super().setUp()
        self.do("init")
        self.now = datetime.now(UTC)

    def write(self, id: str, **fields: Any) -> None:
        """
        Have the record of a leg written.
        """
        clock = Clock()
        secrets = Secrets(self.folder)
        secrets.load()
        threads = SteppedThreads(waits=False)
        directory = Directory(clock, self.folder, secrets, threads=threads)
        directory.start()
        given = {
            "owner": "joe",
            "call_id": f"call of {id}",
            "created": self.now - timedelta(seconds=90),
            "destination_user": "+3531",
            "destination_host": "provider.example",
            "destination_uri": "sip:+3531@provider.example",
            "from_user": "joe",
            "from_header": "<sip:joe@example.com>;tag=1",
            **fields,
        }
        cdr = CDR(id=id, server="udp:127.0.0.1:5065", direction=Direction.OUT, **given)
        written = directory.everyone.cdrs.write_all([cdr])
        clock.advance(0)
        self.successResultOf(written)
        directory.stop()

    def answered(self) -> dict[str, Any]:
        """
        Give the fields of a leg that rang for 5 seconds and talked for 60.
        """
        start = self.now - timedelta(seconds=90)
        return {
            "progress_at": start + timedelta(seconds=1),
            "progress_status": 180,
            "answered_at": start + timedelta(seconds=6),
            "answered_status": 200,
            "ended_at": start + timedelta(seconds=66),
            "ended_reason": "remote end hungup",
        }

    def test_json(self) -> None:
        """
        There is an object for each leg, with every field.
        """
        self.write("1", **self.answered(), account_code="4711")
        (cdr,) = self.read("cdrs")
        self.assertEqual((cdr["ringing"], cdr["duration"]), (5, 60))
        self.assertEqual((cdr["status"], cdr["reason"]), (200, "remote end hungup"))
        self.assertEqual((cdr["from"], cdr["to"]), ("joe", "+3531@provider.example"))
        for name in CDR.__dataclass_fields__:
            self.assertIn(name, cdr)

    def test_table(self) -> None:
        """
        The table has a line for each leg; one that is not over has no duration.
        """
        self.write("1")
        head, line = self.do("cdrs").splitlines()
        self.assertEqual(head.split()[:3], ["created", "direction", "owner"])
        self.assertIn("+3531@provider.example", line)

    def test_chosen(self) -> None:
        """
        By user, Call-ID, time and state, the latest first.
        """
        self.write("1", **self.answered())
        self.write("2", owner="eve", created=self.now - timedelta(hours=3))
        self.write("3", created=self.now)

        def ids(*arguments: str) -> str:
            return "".join(each["id"] for each in self.read("cdrs", *arguments))

        self.assertEqual(ids(), "312")
        self.assertEqual(ids("--owner", "joe"), "31")
        self.assertEqual(ids("--call-id", "call of 2"), "2")
        self.assertEqual(ids("--hours", "1.5"), "31")
        self.assertEqual(ids("--open"), "32")
        self.assertEqual(ids("--limit", "1"), "3")

    def test_wrong_usage(self) -> None:
        """
        What is no number, or none that makes sense, is refused.
        """
        for option, value in (
            ("--hours", "0"),
            ("--hours", "nan"),
            ("--hours", "x"),
            ("--limit", "0"),
            ("--limit", "99999999999"),
        ):
            self.refuse("cdrs", option, value, status=2)

    def test_hostile_caller(self) -> None:
        """
        What a caller calls himself does nothing to a terminal.
        """
        self.write("1", from_name="\x1b[31mJoe")
        self.assertIn("\\x1b[31mJoe", self.do("cdrs"))
