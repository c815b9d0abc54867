"""
Tests for `sipsorcery.transaction.table`.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.transaction.table import ServerTable


@dataclass(eq=False)
class Transaction:
    """
    Something with keys.
    """

    key: str
    merge_key: str | None = None
    ack_key: str | None = None


class ServerTableTests(SynchronousTestCase):
    """
    Finding and forgetting.
    """

    def setUp(self) -> None:
        self.table: ServerTable[Transaction] = ServerTable(2)
        self.one = Transaction("one", merge_key="call")
        self.two = Transaction("two")

    def test_find(self) -> None:
        """
        A transaction is found by its key, until it is removed.
        """
        self.assertIsNone(self.table.find("one"))
        self.table.add(self.one)
        self.table.add(self.two)
        self.assertIs(self.table.find("one"), self.one)
        self.assertEqual(list(self.table), [self.one, self.two])
        self.assertTrue(self.table.remove(self.one))
        self.assertIsNone(self.table.find("one"))
        self.assertEqual(list(self.table), [self.two])

    def test_limit(self) -> None:
        """
        It is full at its limit, and has room again when one has gone.
        """
        self.table.add(self.one)
        self.assertFalse(self.table.is_full)
        self.table.add(self.two)
        self.assertTrue(self.table.is_full)
        self.assertEqual(len(self.table), 2)
        self.table.remove(self.two)
        self.assertFalse(self.table.is_full)

    def test_close(self) -> None:
        """
        A closed table is full.
        """
        self.table.close()
        self.assertTrue(self.table.is_full)

    def test_merge(self) -> None:
        """
        What is there already is known by another way too, but only what can be merged.
        """
        self.table.add(self.one)
        self.table.add(self.two)
        self.assertTrue(self.table.is_merged("call"))
        self.assertFalse(self.table.is_merged("other"))
        self.assertFalse(self.table.is_merged(None))
        self.table.remove(self.one)
        self.assertFalse(self.table.is_merged("call"))

    def test_allow_merge(self) -> None:
        """
        A challenged request may come again with the same CSeq; the second one is then
        known by it, even when the first one has gone.
        """
        self.table.add(self.one)
        self.table.allow_merge(self.one)
        self.assertFalse(self.table.is_merged("call"))
        self.table.add(Transaction("again", merge_key="call"))
        self.table.remove(self.one)
        self.assertTrue(self.table.is_merged("call"))

    def test_ack(self) -> None:
        """
        A transaction that waits for an ACK is found by it.
        """
        self.table.add(self.one)
        self.assertIsNone(self.table.find_by_ack("ack"))
        self.table.expect_ack(self.one, "ack")
        self.assertIs(self.table.find_by_ack("ack"), self.one)
        self.table.remove(self.one)
        self.assertIsNone(self.table.find_by_ack("ack"))

    def test_two_with_one_ack(self) -> None:
        """
        If two wait for the same ACK, the end of one leaves the other.
        """
        self.table.add(self.one)
        self.table.add(self.two)
        self.table.expect_ack(self.one, "ack")
        self.table.expect_ack(self.two, "ack")
        self.table.remove(self.one)
        self.assertIs(self.table.find_by_ack("ack"), self.two)

    def test_remove_twice(self) -> None:
        """
        Removing again does nothing, also not to another one with the same keys.
        """
        self.table.add(self.one)
        self.table.expect_ack(self.one, "ack")
        self.table.remove(self.one)
        later = Transaction("one", merge_key="call")
        self.table.add(later)
        self.assertFalse(self.table.remove(self.one))
        self.assertIs(self.table.find("one"), later)
        self.assertTrue(self.table.is_merged("call"))

    def test_nothing_is_left(self) -> None:
        """
        At the end it is as empty as at the beginning.
        """
        self.assertTrue(self.table.is_empty)
        self.table.add(self.two)
        self.assertFalse(self.table.is_empty)
        self.table.add(self.one)
        self.table.expect_ack(self.one, "ack")
        self.table.remove(self.two)
        self.assertFalse(self.table.is_empty)
        self.table.remove(self.one)
        self.assertTrue(self.table.is_empty)
