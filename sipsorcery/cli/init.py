"""
``sipsorcery init``: makes the stores and the first administrator.
"""

from __future__ import annotations

import argparse
import secrets

from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.session import Session, with_session
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
    async with session.directory() as directory:
        users = directory.everyone.users
        if any(user.is_admin for user in await users.all()):
            print(f"{session.data_dir}: there is an administrator already")
            return
        password = secrets.token_urlsafe(_CHANCE)
        await users.add(ADMINISTRATOR, password, is_admin=True)
        print(f"{session.data_dir}: made")
        print(f"user:     {ADMINISTRATOR}")
        print(f"password: {password}")
