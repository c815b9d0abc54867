"""
``sipsorcery provider``: services of others that users call through.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from typing import Any

from sipsorcery.cli import passwords, tables
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory import Directory, Provider

_COLUMNS = ("owner", "name", "username", "server", "registers", "disabled")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "provider", "add and list the providers of users")
    parser = add_verb(group, "add", _add, "add a provider")
    parser.add_argument("name", metavar="NAME", help="what dialplans call it")
    _add_owner(parser, required=True)
    parser.add_argument(
        "--server", metavar="URI", required=True, help="such as sip:provider.example"
    )
    parser.add_argument("--username", metavar="N", required=True)
    parser.add_argument(
        "--register",
        metavar="CONTACT",
        help="keep this contact registered there",
    )
    parser.add_argument(
        "--realm",
        metavar="R",
        default="",
        help="answer its challenges for this realm alone, and not the first that asks",
    )
    passwords.add_option(parser)
    parser = add_verb(group, "list", with_session(show), "list providers", reads=True)
    _add_owner(parser, required=False)
    parser = add_verb(group, "remove", with_session(remove), "remove a provider")
    parser.add_argument("name", metavar="NAME")
    _add_owner(parser, required=True)


async def add(session: Session, options: argparse.Namespace) -> None:
    """
    Add a provider.
    """
    registration: dict[str, Any] = {}
    if options.register is not None:
        registration = {"registers": True, "register_contact": options.register}
    async with session.directory() as directory:
        await directory.of(options.owner, as_admin=True).providers.add(
            options.name,
            username=options.username,
            server=options.server,
            password=options.password,
            register_realm=options.realm,
            **registration,
        )


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List providers.
    """
    async with session.directory() as directory:
        rows = [_row(each) async for each in _all(directory, options.owner)]
    tables.show(rows, _COLUMNS, as_json=options.json)


async def remove(session: Session, options: argparse.Namespace) -> None:
    """
    Remove a provider.
    """
    async with session.directory() as directory:
        providers = directory.of(options.owner, as_admin=True).providers
        await providers.remove(options.name)


def _add(options: argparse.Namespace) -> int:
    options.password = passwords.read(options, options.name)
    return with_session(add)(options)


def _add_owner(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--owner", metavar="U", required=required, help="the user whose provider it is"
    )


async def _all(directory: Directory, owner: str | None) -> AsyncIterator[Provider]:
    tenancy = directory.everyone if owner is None else directory.of(owner)
    after = 0
    while page := await tenancy.providers.page(after=after):
        for provider in page:
            yield provider
        after = page[-1].id


def _row(provider: Provider) -> dict[str, Any]:
    return {
        "name": provider.name,
        "owner": provider.owner,
        "username": provider.username,
        "server": provider.server,
        "outbound_proxy": provider.outbound_proxy,
        "registers": provider.registers,
        "register_contact": provider.register_contact,
        "disabled": provider.admin_disabled or provider.user_disabled,
        "created": provider.created,
        "updated": provider.updated,
    }
