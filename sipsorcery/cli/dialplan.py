"""
``sipsorcery dialplan``: what users have written for their calls.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sipsorcery.appserver.errors import PlanErrors
from sipsorcery.appserver.line_plan import LinePlan
from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused, WrongUsage
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory import Dialplan, Directory, Language

_FAULT = ("line", "message")
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
        group, "check", with_session(check), "look for mistakes", reads=True
    )
    parser.add_argument("name", metavar="NAME", nargs="?")
    _add_owner(parser, required=False)
    parser.add_argument("--file", metavar="F", help="a text that is not stored")
    parser.add_argument("--kind", choices=kinds, default=kinds[0])


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
    plan = await _find(session, options)
    if options.json:
        tables.show_one({**_row(plan), "script": plan.script}, as_json=True)
    else:
        sys.stdout.write(plan.script)


async def check(session: Session, options: argparse.Namespace) -> None:
    """
    Tell every mistake in a dialplan, be it stored or in a file.
    """
    if (options.name is None) == (options.file is None):
        raise WrongUsage("say either the name of a dialplan or --file")
    if options.file is not None:
        name, kind, script = options.file, Language(options.kind), _read(options.file)
    else:
        plan = await _find(session, options)
        name, kind, script = plan.name, plan.kind, plan.script
    faults = _faults(kind, script)
    if options.json:
        rows = [{"line": line, "message": text} for line, text in faults]
        tables.show(rows, _FAULT, as_json=True)
    else:
        for line, text in faults:
            print(f"{tables.printable(name)}:{line}: {tables.printable(text)}")
    if faults:
        raise Refused(f"'{tables.printable(name)}' has {len(faults)} mistakes")


def _faults(kind: Language, script: str) -> Sequence[tuple[int, str]]:
    if kind is not Language.LINES:
        raise Refused(
            f"mistakes are looked for in dialplans of kind {Language.LINES}, and not "
            f"yet in those of kind {kind}"
        )
    try:
        LinePlan.parse(script)
    except PlanErrors as errors:
        return errors.faults
    return ()


async def _find(session: Session, options: argparse.Namespace) -> Dialplan:
    """
    Find the one dialplan of a name.
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
    return found[0]


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
