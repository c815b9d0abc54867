"""
``sipsorcery bindings``: where the phones are.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.bindings import BINDINGS
from sipsorcery.store.live import Record

_COLUMNS = ("aor", "contact", "expires", "received", "user_agent")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    parser = add_verb(
        verbs, "bindings", with_session(act), "list where phones are", reads=True
    )
    parser.add_argument(
        "aor", metavar="AOR", nargs="?", help="those of this address-of-record alone"
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    List the bindings, by address-of-record.
    """
    rows: list[dict[str, Any]] = []
    now = time.time()
    async with session.live() as live:
        if live is not None:
            async for record in live.scan(BINDINGS.name):
                if options.aor in (None, record.key, record.key.removeprefix("sip:")):
                    rows += _rows(record, now)
    rows.sort(key=lambda row: row["aor"])
    tables.show(rows, _COLUMNS, as_json=options.json)


def _rows(record: Record, now: float) -> Iterator[dict[str, Any]]:
    for binding in BINDINGS.read(record).current(now):
        yield {
            "aor": record.key,
            "contact": binding.contact,
            "expires": max(0, math.ceil(binding.expiry - now)),
            "q": binding.q,
            "received": binding.received,
            "received_on": binding.received_on,
            "path": list(binding.path),
            "instance": binding.instance,
            "reg_id": binding.reg_id,
            "user_agent": binding.user_agent,
            "call_id": binding.call_id,
            "cseq": binding.cseq,
            "owner": record.owner,
            "created": binding.created,
            "updated": binding.updated,
        }
