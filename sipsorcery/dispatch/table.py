"""
What the proxy tells of its servers, as people read it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: In which order: what is known, why, and how old that is.
COLUMNS = (
    *("server", "set", "priority", "state", "for", "why", "calls"),
    *("last_probe", "answer", "round_trip", "next_probe"),
)


def readable(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Write times as people read them; everything else stays.
    """
    return [
        {
            **row,
            "for": _seconds(row["for"]),
            "last_probe": _seconds(row["last_probe"]),
            "round_trip": _milliseconds(row["round_trip"]),
            "next_probe": _seconds(row["next_probe"]),
        }
        for row in rows
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value * 1000:.1f} ms"
