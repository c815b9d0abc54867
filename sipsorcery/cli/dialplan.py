"""
``sipsorcery dialplan``: what users have written for their calls.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from sipsorcery import __version__
from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused, WrongUsage
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory import Dialplan, Directory, Language

_COLUMNS = ("owner", "name", "kind", "version", "updated")
# Octets that are read: the store says how many characters a dialplan can have.
_MAX_FILE = 4 * 1024 * 1024


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "dialplan", "put, list and show the dialplans of users")
    parser = add_verb(
        group, "put", with_session(put), "add a dialplan, or put a new version in force"
    )
    parser.add_argument("name", metavar="NAME")
    _add_owner(parser, required=True)
    parser.add_argument(
        "--file", metavar="F", required=True, help="its text; -: the standard input"
    )
    kinds = [str(Language.PYTHON), str(Language.LINES)]
    parser.add_argument("--kind", choices=kinds, default=kinds[0])
    parser = add_verb(group, "list", with_session(show), "list dialplans", reads=True)
    _add_owner(parser, required=False)
    parser = add_verb(
        group, "show", with_session(show_one), "show the text of one", reads=True
    )
    parser.add_argument("name", metavar="NAME")
    _add_owner(parser, required=False)
    parser = add_verb(
        group, "check", check, "look for mistakes (comes with a later version)"
    )
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)


async def put(session: Session, options: argparse.Namespace) -> None:
    """
    Put a dialplan in force.
    """
    script = _read(options.file)
    async with session.directory() as directory:
        dialplans = directory.of(options.owner, as_admin=True).dialplans
        plan = await dialplans.put(options.name, script, Language(options.kind))
    print(f"{plan.name}: version {plan.version}")


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List dialplans.
    """
    async with session.directory() as directory:
        rows = [_row(plan) for plan in await _all(directory, options.owner)]
    tables.show(rows, _COLUMNS, as_json=options.json)


async def show_one(session: Session, options: argparse.Namespace) -> None:
    """
    Print the text of a dialplan, as it is.
    """
    async with session.directory() as directory:
        found = [
            plan
            for plan in await _all(directory, options.owner)
            if plan.name.lower() == options.name.strip().lower()
        ]
    if not found:
        raise Refused(f"there is no dialplan '{tables.printable(options.name)}'")
    if len(found) > 1:
        raise WrongUsage("several users have one of that name: say whose with --owner")
    (plan,) = found
    if options.json:
        tables.show_one({**_row(plan), "script": plan.script}, as_json=True)
    else:
        sys.stdout.write(plan.script)


def check(options: argparse.Namespace) -> NoReturn:
    """
    Refuse: what runs dialplans comes with a later version.
    """
    raise Refused(
        "'dialplan check' will look for mistakes in dialplans; "
        f"sipsorcery {__version__} does not have it yet"
    )


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(_MAX_FILE)
        with Path(name).open(encoding="utf-8", newline="") as file:
            return file.read(_MAX_FILE)
    except UnicodeDecodeError:
        raise Refused(f"'{tables.printable(name)}' is no text in UTF-8") from None


def _add_owner(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--owner", metavar="U", required=required, help="the user whose dialplan it is"
    )


async def _all(directory: Directory, owner: str | None) -> list[Dialplan]:
    owners = [owner]
    if owner is None:
        owners = [user.name for user in await directory.everyone.users.all()]
    return [
        plan
        for each in owners
        if each is not None
        for plan in await directory.of(each).dialplans.all()
    ]


def _row(plan: Dialplan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "owner": plan.owner,
        "kind": str(plan.kind),
        "version": plan.version,
        "created": plan.created,
        "updated": plan.updated,
    }
