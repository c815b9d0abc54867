"""
``twistd sipregistrar``: the registrar.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipregistrar``.
    """

    longdesc = (
        "A registrar (RFC 3261, section 10): authenticates REGISTER and keeps the "
        "bindings of each account."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipregistrar", "take registrations and keep their bindings")
