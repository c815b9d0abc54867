"""
``sipsorcery domain``: the domains that are served.
"""

from __future__ import annotations

import argparse
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory import Domain


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    group = add_group(verbs, "domain", "add and list the domains that are served")
    parser = add_verb(group, "add", with_session(add), "add a domain")
    parser.add_argument("name", metavar="NAME", help="a host name or an IP address")
    parser.add_argument(
        "--alias",
        metavar="A",
        action="append",
        default=[],
        help="another name, any number of times; '*': any name that nobody has; "
        "'local': the names and addresses of this host",
    )
    add_verb(group, "list", with_session(show), "list the domains", reads=True)
    parser = add_verb(
        group, "remove", with_session(remove), "remove a domain without accounts"
    )
    parser.add_argument("name", metavar="NAME")


async def add(session: Session, options: argparse.Namespace) -> None:
    """
    Add a domain.
    """
    async with session.directory() as directory:
        await directory.everyone.domains.add(options.name, options.alias)


async def show(session: Session, options: argparse.Namespace) -> None:
    """
    List the domains: those of the directory, then those of the configuration.
    """
    async with session.directory() as directory:
        domains = await directory.everyone.domains.all()
    rows = [*map(_domain, domains)]
    known = {domain.name for domain in domains}
    rows += [
        _configured(name) for name in session.config.sip.domains if name not in known
    ]
    tables.show(rows, ("name", "aliases", "source"), as_json=options.json)


async def remove(session: Session, options: argparse.Namespace) -> None:
    """
    Remove a domain.
    """
    async with session.directory() as directory:
        await directory.everyone.domains.remove(options.name)


def _domain(domain: Domain) -> dict[str, Any]:
    algorithms = domain.algorithms
    return {
        "name": domain.name,
        "aliases": list(domain.aliases),
        "owner": domain.owner,
        "algorithms": None if algorithms is None else [*map(str, algorithms)],
        "source": "directory",
        "created": domain.created,
    }


def _configured(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "aliases": [],
        "owner": None,
        "algorithms": None,
        "source": "configuration",
        "created": None,
    }
