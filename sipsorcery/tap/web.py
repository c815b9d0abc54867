"""
``twistd sipweb``: the web pages.
"""

from __future__ import annotations

from typing import NoReturn

from sipsorcery.tap.options import AbsentService, CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipweb``.
    """

    longdesc = (
        "The web server: provisioning API, the users' pages, the live monitor and a "
        "phone for the browser."
    )


def makeService(options: Options) -> NoReturn:
    """
    Refuse: the service comes with a later version.
    """
    raise AbsentService("sipweb", "serve the web pages and the provisioning API")
