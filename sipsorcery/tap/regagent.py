"""
``twistd sipregagent``: the registration agent.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipregagent``.
    """

    longdesc = (
        "A registration agent: keeps the contacts of its users registered at third- "
        "party providers."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipregagent", "keep users registered at their providers")
