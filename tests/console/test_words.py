"""
The lines that people type.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.console.errors import Refused, WrongUsage
from sipsorcery.console.words import COMMANDS, complete, fault_of, read
from sipsorcery.monitor.filter.filter import Viewer

JOE = Viewer("joe")


class ReadTests(SynchronousTestCase):
    """
    Which command it is.
    """

    def test_filter(self) -> None:
        """
        What is no command is a filter, as it was in the original; nothing is, too.
        """
        for line in ("event dialplan", "EVENT *", "", "   ", "(event *)"):
            typed = read(line, is_admin=False)
            self.assertEqual(typed.command.name, "tail", line)
            self.assertEqual(typed.rest, line.strip())

    def test_tail(self) -> None:
        """
        A filter may stand behind its command, and its faults are where they stand.
        """
        typed = read("  tail event foo", is_admin=False)
        self.assertEqual((typed.rest, typed.position), ("event foo", 7))

    def test_json(self) -> None:
        """
        --json stands behind everything else.
        """
        typed = read("calls --json", is_admin=False)
        self.assertEqual((typed.command.name, typed.as_json), ("calls", True))
        self.assertTrue(read("--json", is_admin=False).as_json)

    def test_usage(self) -> None:
        """
        A command with too few or too many words says how it is written.
        """
        for line in ("call", "ladder a b", "calls now", "trace", "set color"):
            with self.assertRaises(WrongUsage) as raised:
                read(line, is_admin=False)
            self.assertIn("usage: ", str(raised.exception))

    def test_administrators(self) -> None:
        """
        Some commands are for administrators alone.
        """
        lines = ("as ann", "users", "kick 1", "ban 192.0.2.1", "unban 192.0.2.1")
        for line in (*lines, "bans", "dispatch", "workers", "hangup x"):
            self.assertRaises(Refused, read, line, is_admin=False)
            self.assertTrue(read(line, is_admin=True).command.for_admins)


class FaultTests(SynchronousTestCase):
    """
    Where a line is wrong while it is being typed.
    """

    def fault(self, line: str) -> int | None:
        """
        Give the place.
        """
        return fault_of(line, JOE, is_admin=False, now=0.0)

    def test_good(self) -> None:
        """
        What is right, or may become it, is no fault.
        """
        for line in (
            "",
            "ev",
            "event",
            "event dial",
            "event * and",
            "event * and (",
            "c",
        ):
            self.assertIsNone(self.fault(line), line)

    def test_bad(self) -> None:
        """
        What cannot become right is shown where it begins.
        """
        self.assertEqual(self.fault("evnt * and"), 0)
        self.assertEqual(self.fault("event nonsense and"), 6)
        self.assertEqual(self.fault("tail event nonsense "), 11)
        self.assertEqual(self.fault("users"), 0)


class CompleteTests(SynchronousTestCase):
    """
    What may come next.
    """

    def test_commands(self) -> None:
        """
        The first word is a command, or a keyword of a filter.
        """
        self.assertEqual(complete("cal", is_admin=False), ["call", "callid", "calls"])
        self.assertNotIn("users", complete("", is_admin=False))
        self.assertIn("users", complete("", is_admin=True))

    def test_filters(self) -> None:
        """
        Then come the keywords and values of filters, also behind tail.
        """
        for line in ("event dialp", "tail event dialp", "tail not (event dialp"):
            self.assertIn("dialplan_step", complete(line, is_admin=False), line)

    def test_values(self) -> None:
        """
        A command whose first word is known offers that, and nothing behind it.
        """
        self.assertEqual(complete("trace o", is_admin=False), ["on", "off"])
        self.assertEqual(complete("trace on ", is_admin=False), ())
        self.assertEqual(complete("help lad", is_admin=False), ["ladder"])

    def test_all(self) -> None:
        """
        Every command is offered to administrators.
        """
        self.assertEqual(complete("", is_admin=True), sorted(COMMANDS))
