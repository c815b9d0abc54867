"""
``twistd sipappserver``: the application server.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipappserver``.
    """

    longdesc = (
        "An application server: a back-to-back user agent that runs each user's own "
        "dialplan for each call."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipappserver", "run users' dialplans for their calls")
