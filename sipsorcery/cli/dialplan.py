"""
``sipsorcery dialplan``: what users have written for their calls.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sipsorcery.appserver.plans.checking import find_faults
from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused, WrongUsage
from sipsorcery.cli.replaying import replay
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory import Dialplan, Directory, Language

_FAULT = ("line", "message")
_VERSION = ("version", "kind", "author", "note", "created")
# Those of which nothing is left that could run; of a line plan the other lines are.
_REFUSED_IF_FAULTY = (Language.PYTHON, Language.WIZARD)
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
    kinds = [str(each) for each in Language]
    parser.add_argument("--kind", choices=kinds, default=str(Language.PYTHON))
    parser.add_argument("--note", metavar="T", default="", help="what is new in it")
    parser.add_argument(
        "--accept-non-invite",
        action=argparse.BooleanOptionalAction,
        help="whether it decides about messages, too; as before if not said",
    )
    parser.add_argument(
        "--replay",
        metavar="N",
        type=_calls,
        help="make its last N calls again before, in a simulation, and tell what would "
        "differ",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="do all of it but put it in force"
    )
    parser = add_verb(
        group, "revert", with_session(revert), "put an earlier version in force again"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("version", metavar="VERSION", type=int)
    _add_owner(parser, required=True)
    parser = add_verb(
        group, "versions", with_session(show_versions), "list those kept", reads=True
    )
    parser.add_argument("name", metavar="NAME")
    _add_owner(parser, required=True)
    parser = add_verb(
        group, "options", with_session(set_options), "give one its tables, in JSON"
    )
    parser.add_argument("name", metavar="NAME")
    _add_owner(parser, required=True)
    parser.add_argument(
        "--file", metavar="F", required=True, help="an object; -: the standard input"
    )
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
    parser.add_argument("--kind", choices=kinds, default=str(Language.PYTHON))


async def put(session: Session, options: argparse.Namespace) -> None:
    """
    Put a dialplan in force.
    """
    script, kind = _read(options.file), Language(options.kind)
    if kind in _REFUSED_IF_FAULTY:
        _tell(options.name, find_faults(kind, script))
    if options.replay is not None:
        await replay(session, _version(options, kind, script), options.replay)
    if options.dry_run:
        return
    async with session.directory() as directory:
        dialplans = directory.of(options.owner, as_admin=True).dialplans
        plan = await dialplans.put(options.name, script, kind, note=options.note)
        if options.accept_non_invite is not None:
            accepts = options.accept_non_invite
            plan = await dialplans.change(plan.name, accepts_non_invite=accepts)
    print(f"{plan.name}: version {plan.version}")


def _version(options: argparse.Namespace, kind: Language, script: str) -> Dialplan:
    """
    Make the version that is not in force yet.
    """
    now = datetime.now(UTC)
    return Dialplan(
        owner=options.owner,
        name=options.name.strip(),
        kind=kind,
        script=script,
        created=now,
        updated=now,
    )


async def revert(session: Session, options: argparse.Namespace) -> None:
    """
    Put an earlier version in force again, as a new one.
    """
    async with session.directory() as directory:
        dialplans = directory.of(options.owner, as_admin=True).dialplans
        plan = await dialplans.revert(options.name, options.version)
    print(f"{plan.name}: version {plan.version}")


async def show_versions(session: Session, options: argparse.Namespace) -> None:
    """
    List the versions that are kept.
    """
    async with session.directory() as directory:
        found = await directory.of(options.owner).dialplans.versions(options.name)
    rows = [
        {
            "version": each.number,
            "kind": str(each.kind),
            "author": each.author,
            "note": each.note,
            "created": each.created,
        }
        for each in found
    ]
    tables.show(rows, _VERSION, as_json=options.json)


async def set_options(session: Session, options: argparse.Namespace) -> None:
    """
    Replace the tables and settings of a dialplan.
    """
    try:
        given = json.loads(_read(options.file))
    except ValueError as error:
        raise Refused(f"'{tables.printable(options.file)}': {error}") from None
    if not isinstance(given, dict):
        raise Refused(f"'{tables.printable(options.file)}' holds no object of JSON")
    async with session.directory() as directory:
        dialplans = directory.of(options.owner, as_admin=True).dialplans
        await dialplans.change(options.name, options=given)


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
    _tell(name, find_faults(kind, script), as_json=options.json)


def _tell(
    name: str, faults: Sequence[tuple[int, str]], *, as_json: bool = False
) -> None:
    """
    Print the faults of a dialplan, and end the verb if there are any.
    """
    if as_json:
        rows = [{"line": line, "message": text} for line, text in faults]
        tables.show(rows, _FAULT, as_json=True)
    else:
        for line, text in faults:
            print(f"{tables.printable(name)}:{line}: {tables.printable(text)}")
    if faults:
        raise Refused(f"'{tables.printable(name)}' has {len(faults)} mistakes")


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


def _calls(text: str) -> int:
    count = int(text)
    # Each is simulated twice, which takes some milliseconds.
    if not 0 < count <= 1000:
        raise ValueError(text)
    return count


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
        "accepts_non_invite": plan.accepts_non_invite,
        "created": plan.created,
        "updated": plan.updated,
    }
