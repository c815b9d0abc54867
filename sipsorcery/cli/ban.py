"""
``sipsorcery ban``: whom the proxy does not listen to.
"""

from __future__ import annotations

import argparse
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Run, Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import ask

_COLUMNS = ("source", "offence", "seconds")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "ban", "tell whom the proxy does not listen to")
    add_verb(group, "list", with_session(show), "list who is banned", reads=True)
    _add(group, "remove", with_session(remove), "let an address in again")
    _add(group, "explain", with_session(explain), "tell what becomes of an address")


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List the bans, with the seconds that are left.
    """
    bans = await _ask(session, "bans")
    tables.show(bans, _COLUMNS, as_json=options.json)


async def remove(session: Session, options: argparse.Namespace) -> None:
    """
    End a ban.

    :raises Refused: if there is none.
    """
    if not await _ask(session, "unban", address=options.address):
        raise Refused(f"{tables.printable(options.address)} is not banned")


async def explain(session: Session, options: argparse.Namespace) -> None:
    """
    Tell what the proxy does with what an address sends.
    """
    print(await _ask(session, "explain", address=options.address))


async def _ask(session: Session, verb: str, **arguments: str) -> Any:
    return await ask(session.reactor, session.data_dir, "proxy", verb, **arguments)


def _add(verbs: Verbs, name: str, run: Run, summary: str) -> None:
    parser = add_verb(verbs, name, run, summary)
    parser.add_argument("address", metavar="ADDRESS", help="an IP address")
