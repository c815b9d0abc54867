"""
Tests for `sipsorcery.monitor.catalogue`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.monitor.catalogue import (
    CATALOGUE,
    MACHINE,
    NAMES,
    ORIGINAL_EVENTS,
    ORIGINAL_MACHINE_EVENTS,
    numbered,
)
from sipsorcery.monitor.event import EventKind


class CatalogueTests(SynchronousTestCase):
    """
    The table of kinds.
    """

    def test_every_kind_once(self) -> None:
        """
        Each kind has one entry, in the order in which they are declared.
        """
        self.assertEqual([each.kind for each in CATALOGUE], list(EventKind))

    def test_numbers_are_those_of_the_original(self) -> None:
        """
        No entry has a number that the original did not have.
        """
        for entry in CATALOGUE:
            self.assertIn(entry.original, {0, *ORIGINAL_EVENTS}, entry.kind)
            self.assertIn(entry.machine, {0, *ORIGINAL_MACHINE_EVENTS}, entry.kind)

    def test_groups(self) -> None:
        """
        The words of the original mean the groups that they meant.
        """
        self.assertEqual(NAMES["full"], {EventKind.SIP_TRACE})
        self.assertEqual(
            NAMES["*"] & {EventKind.SIP_TRACE, EventKind.OWNER_KNOWN}, set()
        )
        self.assertIn(EventKind.BAD_MESSAGE, NAMES["trouble"])
        self.assertIn(EventKind.DIALPLAN_STEP, NAMES["dialplan"])
        self.assertNotIn(EventKind.DIALPLAN_STEP, MACHINE)

    def test_number_without_a_kind(self) -> None:
        """
        A number for which we have nothing gives nothing.
        """
        self.assertEqual(numbered(52), frozenset())
