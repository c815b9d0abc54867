"""
``sipsorcery user limits``: what a user may do outside of this service.
"""

from __future__ import annotations

import argparse
import tomllib
from typing import Any

from sipsorcery.appserver.limits.allowance import READERS, Allowance
from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.config.values import Rate
from sipsorcery.store.directory.settings import LIMITS


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    parser = add_verb(
        verbs,
        "limits",
        with_session(change),
        "show or change what a user may do outside",
        reads=True,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument(
        "limits",
        metavar="KEY=VALUE",
        nargs="*",
        help="as in [limits] of the configuration; KEY=: as for the others",
    )


async def change(session: Session, options: argparse.Namespace) -> None:
    """
    Change the limits of a user, and show those that hold.
    """
    async with session.directory() as directory:
        if await directory.everyone.users.find(options.name) is None:
            raise Refused(f"there is no user '{tables.printable(options.name)}'")
        settings = directory.of(options.name, as_admin=True).settings
        own: dict[str, Any] = await settings.get(LIMITS) or {}
        for each in options.limits:
            key, equals, value = each.partition("=")
            own.pop(key, None)
            if not equals or key not in READERS:
                raise Refused(f"'{tables.printable(each)}' is no limit and its value")
            if value:
                own[key] = _value(value)
        try:
            Allowance.of(session.config.limits, own)
        except ValueError as error:
            raise Refused(str(error)) from None
        if options.limits:
            await settings.put(LIMITS, own)
    tables.show_one(
        {key: own.get(key, _default(session, key)) for key in READERS},
        as_json=options.json,
    )


def _value(text: str) -> Any:
    """
    Read a value of the configuration; what is none is a text.
    """
    try:
        return tomllib.loads(f"it = {text}")["it"]
    except tomllib.TOMLDecodeError:
        return text


def _default(session: Session, key: str) -> Any:
    value = getattr(session.config.limits, key)
    if isinstance(value, Rate):
        return f"{value.count}/{value.period:g}s"
    return list(value) if isinstance(value, tuple) else value
