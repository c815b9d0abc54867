"""
``twistd sipwatchtower``: the watchtower.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipwatchtower``.
    """

    longdesc = (
        "A watchtower: starts, probes and replaces the worker processes of the "
        "application server."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService(
        "sipwatchtower", "supervise the workers of the application server"
    )
