"""
Letting servers know what a command has changed in the directory.

They see it for themselves when they next look there; who follows events hears it now.
"""

from __future__ import annotations

from sipsorcery.cli.session import Session
from sipsorcery.control.client import ask
from sipsorcery.control.errors import ControlError
from sipsorcery.control.naming import socket_file
from sipsorcery.store.directory import Account

# Any of them tells all who listen.
_SERVERS = ("monitor", "registrar", "appserver", "proxy")


async def tell_changed(
    session: Session, account: Account, *, removed: bool = False
) -> None:
    """
    Tell a server that runs, if there is any, that an account was changed.
    """
    for server in _SERVERS:
        if not socket_file(session.data_dir, server).exists():
            continue
        try:
            await ask(
                *(session.reactor, session.data_dir, server, "account_changed"),
                aor=account.aor,
                owner=account.owner,
                removed=removed,
            )
        except ControlError:
            continue  # that one was killed, or is about to end
        return
