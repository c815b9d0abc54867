"""
Tests for `sipsorcery.dispatch.table`.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dispatch.table import COLUMNS, readable

ROW: dict[str, Any] = {
    "server": "udp:127.0.0.1:5070",
    "set": 1,
    "priority": 100,
    "state": "up",
    "for": 60.0,
    "why": "200 OK",
    "calls": 3,
    "last_probe": 0.3,
    "answer": "200 OK",
    "round_trip": 0.0019,
    "next_probe": 0.2,
}


class TableTests(SynchronousTestCase):
    """
    Rows for people.
    """

    def test_people(self) -> None:
        """
        Each column is there, with times as people read them.
        """
        (row,) = readable([ROW])
        self.assertEqual(
            [str(row[column]) for column in COLUMNS],
            [
                *("udp:127.0.0.1:5070", "1", "100", "up", "60.0 s", "200 OK", "3"),
                *("0.3 s", "200 OK", "1.9 ms", "0.2 s"),
            ],
        )

    def test_not_yet(self) -> None:
        """
        What is not known is left empty.
        """
        unknown = {**ROW, "last_probe": None, "round_trip": None, "next_probe": None}
        (row,) = readable([unknown])
        empty = [name for name in COLUMNS if row[name] == ""]
        self.assertEqual(empty, ["last_probe", "round_trip", "next_probe"])
