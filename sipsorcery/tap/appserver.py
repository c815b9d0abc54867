"""
``twistd sipappserver``: the application server.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from sipsorcery.endpoint import ListenAddress, Transport
from sipsorcery.tap.assembly import make_appserver
from sipsorcery.tap.main import MainService
from sipsorcery.tap.options import CommandOptions


class Options(CommandOptions):
    """
    The command line of ``twistd sipappserver``.
    """

    longdesc = (
        "An application server: a back-to-back user agent that runs each user's own "
        "dialplan for each call."
    )
    optParameters = [
        *CommandOptions.optParameters,
        [
            "listen",
            "l",
            None,
            "Where to listen, in place of [appserver] listen: one of several servers "
            "with one configuration. Its name on the control socket has the port.",
        ],
    ]

    def postOptions(self) -> None:
        """
        Read the configuration, and the address.

        :raises SystemExit: with what is wrong with them.
        """
        super().postOptions()
        if self["listen"] is None:
            return
        try:
            address = ListenAddress.parse(self["listen"])
        except ValueError as error:
            raise SystemExit(f"--listen: {error}") from error
        if address.transport is not Transport.UDP or not address.port:
            raise SystemExit(f"--listen: expected udp:HOST:PORT, not {address}")
        config = self.configuration
        here = replace(config.appserver, listen=address)
        self.configuration = replace(config, appserver=here)


def makeService(options: Options) -> IService:
    """
    Make the application server.
    """
    from twisted.internet import reactor

    config = options.configuration
    is_one_of_several = options["listen"] is not None
    return MainService(
        IReactorCore(reactor),
        lambda: make_appserver(reactor, config, is_one_of_several),
        options.make_log,
    )
