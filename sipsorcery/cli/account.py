"""
``sipsorcery account``: SIP accounts, which register and call.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sipsorcery.cli import passwords, tables
from sipsorcery.cli.declaring import Run, Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused, WrongUsage
from sipsorcery.cli.session import Act, Session, with_session
from sipsorcery.cli.telling import tell_changed
from sipsorcery.config import Config
from sipsorcery.store.directory import Account, Directory
from sipsorcery.store.directory.account import address_of
from sipsorcery.store.directory.importing import (
    read_htdigest,
    read_subscribers,
    split,
)

_FORMATS = {"htdigest": read_htdigest, "kamailio": read_subscribers}
_COLUMNS = ("aor", "owner", "disabled", "in_dialplan", "out_dialplan")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "account", "add and change SIP accounts")
    parser = add_verb(group, "add", _asking(add), "add an account")
    _add_address(parser)
    _add_owner(parser, required=True)
    passwords.add_option(parser)
    parser = add_verb(group, "set", _asking(change), "change an account")
    _add_address(parser)
    _add_changes(parser)
    parser = add_verb(group, "list", with_session(show), "list accounts", reads=True)
    _add_owner(parser, required=False)
    parser.add_argument("--domain", metavar="D", help="those of this domain alone")
    parser = add_verb(group, "remove", with_session(remove), "remove an account")
    _add_address(parser)
    parser = add_verb(
        group,
        "import",
        with_session(adopt),
        "add the accounts of another server, with their passwords",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--format",
        choices=list(_FORMATS),
        required=True,
        help="a file of htdigest; or Kamailio's table 'subscriber' with a line of "
        "column names, separated by commas or tabs",
    )
    _add_owner(parser, required=True)


async def add(session: Session, options: argparse.Namespace) -> None:
    """
    Add an account.
    """
    username, host = options.address
    async with session.directory() as directory:
        accounts = directory.of(options.owner, as_admin=True).accounts
        account = await accounts.add(username, host, options.password)
    await tell_changed(session, account)
    print(account.aor)


async def change(session: Session, options: argparse.Namespace) -> None:
    """
    Change what was told to.

    :raises WrongUsage: if nothing was.
    """
    username, host = options.address
    values = {
        name: value or None
        for name in ("in_dialplan", "out_dialplan")
        if (value := getattr(options, name)) is not None
    }
    if not (
        values
        or options.enable
        or options.disable is not None
        or options.password is not None
    ):
        raise WrongUsage("account set: say what to change")
    async with session.directory() as directory:
        accounts = directory.everyone.accounts
        domain = await _canonical(directory, session.config, host)
        if values:
            account = await accounts.change(username, domain, **values)
        if options.password is not None:
            account = await accounts.set_password(username, domain, options.password)
        if options.disable is not None:
            account = await accounts.disable(username, domain, options.disable)
        if options.enable:
            account = await accounts.enable(username, domain)
    await tell_changed(session, account)


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List accounts.
    """
    async with session.directory() as directory:
        domain = None
        if options.domain is not None:
            domain = await _canonical(directory, session.config, options.domain)
        rows = [_row(each) async for each in _all(directory, options.owner, domain)]
    tables.show(rows, _COLUMNS, as_json=options.json)


async def remove(session: Session, options: argparse.Namespace) -> None:
    """
    Remove an account.
    """
    username, host = options.address
    async with session.directory() as directory:
        domain = await _canonical(directory, session.config, host)
        accounts = directory.everyone.accounts
        account = await accounts.find(username, domain)
        await accounts.remove(username, domain)
    assert account is not None  # or it could not have been removed
    await tell_changed(session, account, removed=True)


async def adopt(session: Session, options: argparse.Namespace) -> None:
    """
    Add the accounts of a file, and tell those that cannot be.

    :raises Refused: if there are any.
    """
    text = Path(options.file).read_text("utf-8", errors="surrogateescape")
    imported, faults = split(_FORMATS[options.format](text))
    async with session.directory() as directory:
        accounts = directory.of(options.owner, as_admin=True).accounts
        refused = await accounts.adopt(imported)
    for fault in (*faults, *refused):
        print(f"{options.file}, {tables.printable(str(fault))}")
    print(f"{len(imported) - len(refused)} accounts added")
    if faults or refused:
        raise Refused(f"{len(faults) + len(refused)} accounts could not be added")


def _asking(act: Act) -> Run:
    """
    Have the password asked for, where one is needed.
    """

    def run(options: argparse.Namespace) -> int:
        options.password = None
        if act is add or options.password_stdin:
            options.password = passwords.read(options, "@".join(options.address))
        return with_session(act)(options)

    return run


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "address",
        metavar="USER@DOMAIN",
        type=_address,
        help="without @DOMAIN: in the domain that has the alias 'local'",
    )


def _add_owner(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--owner", metavar="U", required=required, help="the user whose account it is"
    )


def _add_changes(parser: argparse.ArgumentParser) -> None:
    for way in ("out", "in"):
        calls = "of its calls" if way == "out" else "of calls to it"
        parser.add_argument(
            f"--{way}-dialplan", metavar="N", help=f"the dialplan {calls}; '': none"
        )
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument("--disable", metavar="REASON", help="let nobody use it")
    switch.add_argument("--enable", action="store_true", help="let it be used again")
    passwords.add_option(parser)


def _address(text: str) -> tuple[str, str]:
    username, at, domain = text.removeprefix("sip:").rpartition("@")
    return (username, domain) if at else (domain, "local")


async def _canonical(directory: Directory, config: Config, name: str) -> str:
    """
    Find the domain that a name stands for.
    """
    if name.lower() in config.sip.domains:
        return name.lower()
    domain = await directory.everyone.domains.find(name)
    if domain is None:
        raise Refused(f"there is no domain '{tables.printable(name)}'")
    return domain.name


async def _all(
    directory: Directory, owner: str | None, domain: str | None
) -> AsyncIterator[Account]:
    tenancy = directory.everyone if owner is None else directory.of(owner)
    after = ""
    while page := await tenancy.accounts.all(domain=domain, after=after):
        for account in page:
            yield account
        after = address_of(page[-1].username, page[-1].domain)


def _row(account: Account) -> dict[str, Any]:
    return {
        "aor": account.aor,
        "username": account.username,
        "domain": account.domain,
        "owner": account.owner,
        "disabled": account.disabled,
        "has_password": bool(account.secret.ha1),
        "in_dialplan": account.in_dialplan,
        "out_dialplan": account.out_dialplan,
        "trusted_networks": [*map(str, account.trusted_networks)],
        "allowed_networks": [*map(str, account.allowed_networks)],
        "incoming_only": account.incoming_only,
        "description": account.description,
        "created": account.created,
        "updated": account.updated,
    }
