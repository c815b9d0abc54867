"""
``twistd sipnotifier``: the notification server.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipnotifier``.
    """

    longdesc = (
        "A notification server (RFC 6665): presence, dialogs, waiting messages and "
        "registrations, and PUBLISH."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipnotifier", "serve subscriptions and publications")
