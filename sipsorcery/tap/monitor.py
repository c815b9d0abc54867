"""
``twistd sipmonitor``: the monitor.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipmonitor``.
    """

    longdesc = (
        "A monitor: collects the events of every server, keeps a window of them and "
        "serves live streams."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipmonitor", "collect the events of all servers")
