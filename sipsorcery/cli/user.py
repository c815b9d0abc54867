"""
``sipsorcery user``: who logs in, and who owns accounts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sipsorcery.cli import limits, passwords, tables
from sipsorcery.cli.declaring import Run, Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Act, Session, with_session
from sipsorcery.store.directory import PublicKey, User

_DISABLED = "disabled by an administrator"
# Characters that are read of a key: the store says how many it can have.
_MAX_KEY = 100_000


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "user", "add and change users")
    for name, run, summary in (
        ("add", _asking_password(add), "add a user"),
        ("passwd", _asking_password(passwd), "give a user another password"),
    ):
        parser = _add_named(group, name, run, summary)
        passwords.add_option(parser)
        if name == "add":
            parser.add_argument(
                "--admin", action="store_true", help="who may change everything"
            )
    add_verb(group, "list", with_session(show), "list the users", reads=True)
    parser = _add_named(
        group,
        "disable",
        with_session(disable),
        "keep a user from logging in, and their accounts from calling",
    )
    parser.add_argument("--reason", default=_DISABLED, help="why, in a line")
    _add_named(group, "enable", with_session(enable), "let a user log in again")
    parser = _add_named(group, "set", with_session(change), "change a user")
    for key, what in (
        ("time_zone", "such as Europe/Dublin: the clock of their dialplans"),
        ("email", "where they get mail"),
        ("full_name", "what people call them"),
    ):
        option = f"--{key.replace('_', '-')}"
        parser.add_argument(option, metavar=key[:1].upper(), help=what)
    limits.add_to(group)
    keys = add_group(group, "key", "change the SSH keys that a user logs in with")
    parser = _add_named(keys, "add", with_session(add_key), "add a key")
    parser.add_argument(
        "file", metavar="FILE", help="such as id_ed25519.pub; -: the standard input"
    )
    _add_named(keys, "list", with_session(show_keys), "list the keys", reads=True)
    parser = _add_named(keys, "remove", with_session(remove_key), "remove a key")
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="SHA256:...")


async def add(session: Session, options: argparse.Namespace) -> None:
    """
    Add a user.
    """
    async with session.directory() as directory:
        await directory.everyone.users.add(
            options.name, options.password, is_admin=options.admin
        )


async def passwd(session: Session, options: argparse.Namespace) -> None:
    """
    Give a user another password.
    """
    async with session.directory() as directory:
        await directory.everyone.users.set_password(options.name, options.password)


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List the users.
    """
    async with session.directory() as directory:
        users = await directory.everyone.users.all()
    columns = ("name", "admin", "disabled", "created")
    tables.show(map(_user, users), columns, as_json=options.json)


async def change(session: Session, options: argparse.Namespace) -> None:
    """
    Change what a user is called, and where they live.
    """
    names = ("time_zone", "email", "full_name")
    values = {name: getattr(options, name) for name in names}
    values = {name: value for name, value in values.items() if value is not None}
    async with session.directory() as directory:
        await directory.everyone.users.change(options.name, **values)


async def disable(session: Session, options: argparse.Namespace) -> None:
    """
    Disable a user.
    """
    async with session.directory() as directory:
        await directory.everyone.users.disable(options.name, options.reason)


async def enable(session: Session, options: argparse.Namespace) -> None:
    """
    Enable a user.
    """
    async with session.directory() as directory:
        await directory.everyone.users.enable(options.name)


async def add_key(session: Session, options: argparse.Namespace) -> None:
    """
    Add a key, and show its fingerprint.
    """
    if options.file == "-":
        line = sys.stdin.read(_MAX_KEY)
    else:
        with Path(options.file).open(encoding="utf-8", errors="replace") as file:
            line = file.read(_MAX_KEY)
    async with session.directory() as directory:
        key = await directory.of(options.name, as_admin=True).keys.add(line)
    print(key.fingerprint)


async def show_keys(session: Session, options: argparse.Namespace) -> None:
    """
    List the keys of a user.
    """
    async with session.directory() as directory:
        if await directory.everyone.users.find(options.name) is None:
            raise Refused(f"there is no user '{tables.printable(options.name)}'")
        keys = await directory.of(options.name, as_admin=True).keys.all()
    columns = ("fingerprint", "algorithm", "comment", "created")
    tables.show(map(_key, keys), columns, as_json=options.json)


async def remove_key(session: Session, options: argparse.Namespace) -> None:
    """
    Remove a key.
    """
    async with session.directory() as directory:
        keys = directory.of(options.name, as_admin=True).keys
        await keys.remove(options.fingerprint)


def _add_named(
    verbs: Verbs, name: str, run: Run, summary: str, *, reads: bool = False
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, run, summary, reads=reads)
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    return parser


def _asking_password(act: Act) -> Run:
    def run(options: argparse.Namespace) -> int:
        options.password = passwords.read(options, options.name)
        return with_session(act)(options)

    return run


def _user(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "admin": user.is_admin,
        "disabled": user.disabled,
        "email": user.email,
        "full_name": user.full_name,
        "time_zone": user.time_zone,
        "created": user.created,
    }


def _key(key: PublicKey) -> dict[str, Any]:
    return {
        "fingerprint": key.fingerprint,
        "algorithm": key.algorithm,
        "comment": key.comment,
        "created": key.created,
    }
