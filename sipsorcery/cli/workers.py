"""
``sipsorcery workers``: the application servers of a watchtower.
"""

from __future__ import annotations

import argparse
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import ask

_COLUMNS = (
    *("server", "phase", "for", "why", "pid", "age"),
    *("calls", "memory", "failures", "is_used"),
)
_MEGABYTE = 1_000_000


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "workers", "look after the application servers")
    summary = "list the workers of the watchtower"
    add_verb(group, "list", with_session(show), summary, reads=True)
    summary = "replace workers, one after the other, with no call refused"
    parser = add_verb(group, "restart", with_session(restart), summary, reads=True)
    parser.add_argument(
        "server",
        metavar="SERVER",
        nargs="?",
        help="the one at this address, such as udp:127.0.0.1:5071; else all of them",
    )


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List the workers, and what each is doing.
    """
    rows: list[dict[str, Any]] = await ask(
        session.reactor, session.data_dir, "watchtower", "workers"
    )
    if not options.json:
        for row in rows:
            for name in ("for", "age"):
                if row.get(name) is not None:
                    row[name] = f"{row[name]:.0f} s"
            if row.get("memory"):
                row["memory"] = f"{row['memory'] / _MEGABYTE:.0f} MB"
    tables.show(rows, _COLUMNS, as_json=options.json)


async def restart(session: Session, options: argparse.Namespace) -> None:
    """
    Have them replaced.

    :raises Refused: if there is none that runs.
    """
    server = options.server or ""
    count: int = await ask(
        session.reactor, session.data_dir, "watchtower", "restart", server=server
    )
    if not count:
        raise Refused("no such worker is up")
    if options.json:
        tables.show([{"workers": count}], ("workers",), as_json=True)
    else:
        print(f"{count} to be started anew, one after the other")
