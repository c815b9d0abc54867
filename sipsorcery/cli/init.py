"""
``sipsorcery init``: makes the stores and the first administrator.
"""

from __future__ import annotations

import argparse
import secrets

from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
from sipsorcery.store.directory.users import Users
from sipsorcery.store.errors import Refused
from sipsorcery.store.ports import settle

ADMINISTRATOR = "admin"
# Octets of chance in a password that is made up: 24 characters, for a program to keep.
_CHANCE = 18


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    add_verb(
        verbs,
        "init",
        with_session(act),
        "make the stores and the first administrator; harmless when repeated",
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Make what is missing. A password is shown this once.
    """
    settle(session.config)
    password = secrets.token_urlsafe(_CHANCE)
    async with session.directory() as directory:
        is_new = await _add_administrator(directory.everyone.users, password)
    if not is_new:
        print(f"{session.data_dir}: there is an administrator already")
        return
    print(f"{session.data_dir}: made")
    print(f"user:     {ADMINISTRATOR}")
    print(f"password: {password}")


async def _add_administrator(users: Users, password: str) -> bool:
    """
    Add the first administrator.

    :return: whether there was none.
    """
    if await _has_administrator(users):
        return False
    try:
        await users.add(ADMINISTRATOR, password, is_admin=True)
    except Refused:
        # Another command may have been faster.
        if await _has_administrator(users):
            return False
        raise
    return True


async def _has_administrator(users: Users) -> bool:
    return any(user.is_admin for user in await users.all())
