"""
``twistd sipssh``: the SSH console.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipssh``.
    """

    longdesc = (
        "An SSH console: live events, calls and ladder diagrams, to each user their "
        "own."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipssh", "offer the console over SSH")
