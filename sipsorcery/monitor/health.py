"""
How a process is: pages for Prometheus, and for whoever starts and stops services.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from sipsorcery.endpoint import HostPort
from sipsorcery.monitor.readiness import Check, Readiness
from sipsorcery.monitor.targets import Targets

# Seconds that an idle client is kept.
_IDLE = 30
# Ports that are tried: one machine seldom has more processes than that.
_PORTS = 32


class HealthService(Service):
    """
    Serves ``/metrics``, ``/healthz``, ``/readyz`` and ``/targets``.

    Processes that share a configuration share its address, too: the first has it, and
    each of the others the next port that is free. ``/targets`` of any of them leads to
    all.

    :param reactor: one that has TCP and time.
    :param listen: where; port 0: at any.
    :param checks: what has to be so before the process is ready, by a name for it.
    :param targets: knows the other processes.
    """

    name = "metrics"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        listen: HostPort,
        registry: CollectorRegistry,
        checks: Mapping[str, Check],
        targets: Targets,
    ) -> None:
        self._reactor = reactor
        self._listen = listen
        self._targets = targets
        root = Resource()
        root.putChild(b"metrics", _Metrics(registry))
        root.putChild(b"healthz", _Alive())
        root.putChild(b"readyz", _Ready(Readiness(reactor, checks)))
        root.putChild(b"targets", _Targets(targets))
        self._site = Site(root, timeout=_IDLE)
        self._site.noisy = False
        self._site.displayTracebacks = False
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """
        Open the listener, and tell the other processes.

        Where that cannot be, the log says so: for numbers alone no server stays away.
        """
        super().startService()
        try:
            self._port = self._open()
        except CannotListenError as error:
            self._log.error("No metrics: {error}", error=error)
            return
        address = self.address
        assert address is not None  # it listens
        self._log.info("Metrics are at {address}", address=str(address))
        try:
            self._targets.announce(address.port)
        except OSError as error:
            self._log.error("Nobody can find these metrics: {error}", error=error)

    def _open(self) -> IListeningPort:
        host, first = self._listen.host, self._listen.port
        last = min(first + _PORTS, 2**16) - 1 if first else 0
        for port in range(first, last):
            try:
                return self._listen_at(host, port)
            except CannotListenError as error:
                if getattr(error.socketError, "errno", None) != errno.EADDRINUSE:
                    raise
        return self._listen_at(host, last)

    def _listen_at(self, host: str, port: int) -> IListeningPort:
        opened: IListeningPort = self._reactor.listenTCP(
            port, self._site, interface=host
        )
        return opened

    def stopService(self) -> Deferred[None] | None:
        """
        Close the listener.
        """
        super().stopService()
        port, self._port = self._port, None
        if port is None:
            return None
        self._targets.withdraw()
        stopped: Deferred[None] | None = port.stopListening()
        return stopped

    @property
    def address(self) -> HostPort | None:
        """
        Where it listens; None: it does not.
        """
        if self._port is None:
            return None
        here: Any = self._port.getHost()
        return HostPort(here.host, here.port)


class _Page(Resource):
    isLeaf = True

    def answer(self, request: Request, status: int, text: str) -> bytes:
        request.setResponseCode(status)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        return f"{text}\n".encode()


class _Metrics(Resource):
    isLeaf = True

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def render_GET(self, request: Request) -> bytes:
        accept = request.getHeader("accept") or ""
        encode, kind = choose_encoder(accept)
        request.setHeader(b"content-type", kind.encode("ascii"))
        return encode(self._registry)


class _Targets(Resource):
    isLeaf = True

    def __init__(self, targets: Targets) -> None:
        super().__init__()
        self._targets = targets

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"content-type", b"application/json; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        host = request.getRequestHostname().decode("ascii", "replace")
        return self._targets.as_json(host)


class _Alive(_Page):
    def render_GET(self, request: Request) -> bytes:
        # It is the reactor that answers: that it does is all there is to say.
        return self.answer(request, 200, "ok")


class _Ready(_Page):
    _log = Logger()

    def __init__(self, readiness: Readiness) -> None:
        super().__init__()
        self._readiness = readiness

    def render_GET(self, request: Request) -> int:
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)

        async def respond() -> None:
            problems = await self._readiness.problems()
            if gone:
                return
            status = 503 if problems else 200
            request.write(self.answer(request, status, "\n".join(problems) or "ok"))
            request.finish()

        Deferred.fromCoroutine(respond()).addErrback(self._failed)
        return NOT_DONE_YET

    def _failed(self, failure: Failure) -> None:
        self._log.failure("It is unknown whether the process is ready", failure)
