"""
Tests for :mod:`sipsorcery.cli.replaying`, with a real sandbox.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock

from sipsorcery.store.directory import CDR, Direction, Directory
from sipsorcery.store.secrets import Secrets
from sipsorcery.testing.threads import SteppedThreads
from tests.appserver.simulation.test_replay import after, caller, cdr
from tests.cli.test_simulate import SimulationCase

#: As the dialplan of `SimulationCase`, but that it calls the provider at once.
DIRECT = "sys.dial(req.uri.user + '@trunk')"
#: As it is, in other words.
SAME = """
import datetime
now = datetime.datetime.now()
print(now.strftime("%H"))
for each in ("101@local|102@example.com", req.uri.user + "@trunk"):
    sys.dial(each)
"""


class ReplayTests(SimulationCase):
    """
    One call: 101 was busy, 102 not registered, and the provider has answered.
    """

    def setUp(self) -> None:
        super().setUp()
        self.store(
            caller(answered_at=after(8), answered_status=200),
            cdr(
                Direction.OUT,
                "sip:101@192.0.2.1:5062",
                ended_at=after(3),
                ended_status=486,
                ended_reason="Busy Here",
                detail={"to": "sip:101@example.com"},
            ),
            cdr(
                Direction.OUT,
                "sip:0123@trunk.example",
                created=after(3),
                answered_at=after(8),
                detail={"to": "sip:0123@trunk.example"},
            ),
        )

    def store(self, *cdrs: CDR) -> None:
        """
        Have records written.
        """
        secrets = Secrets(self.folder)
        secrets.load()
        directory = Directory(
            Clock(), self.folder, secrets, threads=SteppedThreads(waits=False)
        )
        directory.start()
        self.successResultOf(directory.of("joe").cdrs.write_all(cdrs))
        directory.stop()

    def test_differences(self) -> None:
        """
        What would differ is told for each call, and then the version is in force.
        """
        lines = self.put("main", DIRECT, "--replay", "20").splitlines()
        self.assertIn("<sip:100@example.com>;tag=1 calls sip:0123@", lines[0])
        self.assertEqual(
            lines[1:],
            [
                "    dials: sip:101@example.com, sip:102@example.com, "
                "sip:0123@trunk.example -> sip:0123@trunk.example",
                "1 of 1 calls would differ",
                "main: version 2",
            ],
        )

    def test_answer(self) -> None:
        """
        A call that would not be answered any more is told, too.
        """
        text = self.put("main", "sys.dial('101@local')", "--replay", "20")
        self.assertIn("    answer: 200 OK -> 486 Busy Here\n", text)

    def test_same(self) -> None:
        """
        A version that does the same is told to.
        """
        self.assertEqual(
            self.put("main", SAME, "--replay", "1"),
            "0 of 1 calls would differ\nmain: version 2\n",
        )

    def test_faulty(self) -> None:
        """
        A version with faults is refused before any call is made again.
        """
        result = self.run_command(
            *("dialplan", "put", "main", "--owner", "joe", "--file", "-"),
            *("--replay", "1"),
            given="sys.dail('101')",
        )
        self.assertEqual(result.status, 1)
        self.assertNotIn("calls would differ", result.out)

    def test_account_is_gone(self) -> None:
        """
        A call of an account that is gone is not made again.
        """
        gone = replace(
            caller(run="2", created=after(60), ended_at=after(61)),
            id="gone",
            account="sip:109@example.com",
        )
        self.store(gone)
        text = self.put("main", DIRECT, "--replay", "1")
        self.assertIn("0 of 1 calls would differ", text)

    def test_strange_number(self) -> None:
        """
        A call that cannot be made again is told as such.
        """
        strange = replace(
            caller(run="2", created=after(60), ended_at=after(61)),
            id="strange",
            destination_uri="sip:",
        )
        self.store(strange)
        text = self.put("main", DIRECT, "--replay", "1")
        self.assertIn("call: as it was -> cannot be made again", text)
