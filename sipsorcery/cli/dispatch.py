"""
``sipsorcery dispatch``: where the proxy sends calls to.
"""

from __future__ import annotations

import argparse
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import ask
from sipsorcery.dispatch.table import COLUMNS, readable


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
    shown = rows if options.json else readable(rows)
    tables.show(shown, COLUMNS, as_json=options.json)
