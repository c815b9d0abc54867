"""
The service at the top of a command: what keeps it from starting is told plainly.
"""

from __future__ import annotations

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorCore
from twisted.logger import Logger

from sipsorcery.transport.clock import make_monotonic
from sipsorcery.transport.errors import CertificateError, ListenError


class CannotStart(SystemExit, Exception):
    """
    Ends the process with status 1 and without a traceback.

    It is an `Exception` too, unlike other ways to exit, because twistd acts on those
    alone when a start fails: it removes its pid file, and lets the shell go that waits
    for a daemon, with this sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(1)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class MainService(MultiService):
    """
    Holds the services of one command, and starts all of them or ends the process.

    :param reactor: the one that will run.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorCore) -> None:
        super().__init__()
        self._reactor = reactor

    def startService(self) -> None:
        """
        Start every service, on a reactor whose clock nobody sets.

        :raises CannotStart: if one cannot be started; the log holds the reason.
        """
        make_monotonic(self._reactor)
        try:
            super().startService()
        except (ListenError, CertificateError) as error:
            reason = str(error)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
        else:
            # Not before: until the reactor runs, a signal ends the process untidily.
            self._reactor.callWhenRunning(self._log.info, "Ready")
            return
        self._log.critical("{reason}", reason=reason)
        raise CannotStart(reason)
