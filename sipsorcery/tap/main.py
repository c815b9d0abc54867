"""
The service at the top of a command: what keeps it from starting is told plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorCore
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized

from sipsorcery.appserver.errors import AppServerError
from sipsorcery.control.errors import ControlError
from sipsorcery.monitor.errors import MonitorError
from sipsorcery.proxy.errors import ScriptError
from sipsorcery.registrar.errors import RegistrarError
from sipsorcery.store.errors import StoreError
from sipsorcery.tap.collecting import collect_rarely
from sipsorcery.tap.notifying import ServiceManager
from sipsorcery.transport.clock import make_monotonic
from sipsorcery.transport.errors import CertificateError, ListenError
from sipsorcery.watchtower.errors import WatchtowerError

# What an operator can mend.
_PLAIN = (
    AppServerError,
    CertificateError,
    ControlError,
    ListenError,
    MonitorError,
    RegistrarError,
    ScriptError,
    StoreError,
    WatchtowerError,
)


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
    :param make: makes the services at the start, one after the other: twistd may have
        changed its user or its process only then.
    :param make_log: makes what writes the log; gives None if twistd's own does.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorCore,
        make: Callable[[], Iterable[IService]] = tuple,
        make_log: Callable[[], ILogObserver | None] = lambda: None,
    ) -> None:
        super().__init__()
        self._make_log = make_log
        self._reactor = reactor
        self._make = make
        self._manager = ServiceManager(reactor)

    def setServiceParent(self, parent: Any) -> None:
        """
        Let the application, in which twistd looks for its log, have ours.

        :raises CannotStart: if there can be none.
        """
        if isinstance(parent, Componentized):
            try:
                observer = self._make_log()
            except OSError as error:
                raise CannotStart(f"log.file: {_plain(error)}") from error
            if observer is not None:
                parent.setComponent(ILogObserver, observer)
        super().setServiceParent(parent)

    def startService(self) -> None:
        """
        Make and start every service, on a reactor whose clock nobody sets.

        :raises CannotStart: if one cannot be started; the log holds the reason.
        """
        make_monotonic(self._reactor)
        super().startService()
        try:
            # Each is started before the next one is made.
            for service in self._make():
                service.setServiceParent(self)
        except Exception as error:
            # Threads would keep the process from its end.
            self.stopService()
            reason = _plain(error)
            if reason is None:
                raise
            self._log.critical("{reason}", reason=reason)
            raise CannotStart(reason) from error
        # Not before: until the reactor runs, a signal ends the process untidily.
        self._reactor.callWhenRunning(collect_rarely)
        self._reactor.callWhenRunning(self._log.info, "Ready")
        self._reactor.callWhenRunning(self._manager.ready)

    def stopService(self) -> Deferred[None]:
        """
        Stop every service, the last one first, each when the one before has ended.
        """
        self.running = 0
        self._manager.stopping()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for service in reversed(list(self)):
            if not service.running:
                continue
            try:
                await maybeDeferred(service.stopService)
            except Exception:
                self._log.failure("{name} does not end well", name=service.name)


def _plain(error: Exception) -> str | None:
    """
    Give the sentence of what an operator can mend; None: it is a fault of ours.
    """
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return str(error) if isinstance(error, _PLAIN) else None
