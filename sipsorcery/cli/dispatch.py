"""
``sipsorcery dispatch``: where the proxy sends calls to.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import ask

_COLUMNS = (
    *("server", "priority", "state", "for", "why", "calls"),
    *("answer", "round_trip", "next_probe"),
)


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    summary = "show where the proxy sends calls to, and why"
    add_verb(verbs, "dispatch", with_session(act), summary, reads=True)


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    List the application servers as the proxy knows them.
    """
    asked = ask(session.reactor, session.data_dir, "proxy", "dispatch")
    rows: list[dict[str, Any]] = await asked
    now = time.time()
    for row in rows:
        row["for"] = now - row["since"]
        if not options.json:
            row["for"] = _seconds(row["for"])
            row["round_trip"] = _milliseconds(row["round_trip"])
            row["next_probe"] = _seconds(row["next_probe"])
    tables.show(rows, _COLUMNS, as_json=options.json)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value * 1000:.1f} ms"
