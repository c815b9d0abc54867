"""
Tests for :mod:`sipsorcery.tap.account_changes`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.control import ControlError
from sipsorcery.monitor.event import EventKind
from sipsorcery.tap.account_changes import of_account_changes
from sipsorcery.testing.bus import RecordingBus


class AccountChangesTests(SynchronousTestCase):
    """
    What commands tell.
    """

    def setUp(self) -> None:
        self.bus = RecordingBus()
        verbs = of_account_changes("registrar", self.bus, lambda: 7.0)
        self.changed = verbs["account_changed"]

    def test_told(self) -> None:
        """
        The owner hears that an account was changed or removed.
        """
        for removed in (False, True):
            self.changed(aor="sip:100@a.example", owner="joe", removed=removed)
        self.assertEqual(
            [(each.kind, each.owner, each.time) for each in self.bus.events],
            [
                (EventKind.ACCOUNT_UPDATED, "joe", 7.0),
                (EventKind.ACCOUNT_REMOVED, "joe", 7.0),
            ],
        )
        self.assertEqual(self.bus.events[0].detail, {"aor": "sip:100@a.example"})

    def test_nonsense(self) -> None:
        """
        What is no account is refused.
        """
        with self.assertRaises(ControlError):
            self.changed(aor=["x"], owner="joe", removed=False)
        self.assertEqual(self.bus.events, [])
