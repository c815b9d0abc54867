"""
How a process is: pages for Prometheus, and for whoever starts and stops services.
"""

from __future__ import annotations

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

# Seconds that an idle client is kept.
_IDLE = 30


class HealthService(Service):
    """
    Serves ``/metrics``, ``/healthz`` and ``/readyz``.

    :param reactor: one that has TCP and time.
    :param listen: where.
    :param checks: what has to be so before the process is ready, by a name for it.
    """

    name = "metrics"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        listen: HostPort,
        registry: CollectorRegistry,
        checks: Mapping[str, Check],
    ) -> None:
        self._reactor = reactor
        self._listen = listen
        root = Resource()
        root.putChild(b"metrics", _Metrics(registry))
        root.putChild(b"healthz", _Alive())
        root.putChild(b"readyz", _Ready(Readiness(reactor, checks)))
        self._site = Site(root, timeout=_IDLE)
        self._site.noisy = False
        self._site.displayTracebacks = False
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """
        Open the listener.

        Where it is taken, as by another process with the same configuration, the log
        says so: for numbers alone no server stays away.
        """
        super().startService()
        host, port = self._listen.host, self._listen.port
        try:
            self._port = self._reactor.listenTCP(port, self._site, interface=host)
        except CannotListenError as error:
            self._log.error("No metrics: {error}", error=error)
            return
        self._log.info("Metrics are at {address}", address=str(self.address))

    def stopService(self) -> Deferred[None] | None:
        """
        Close the listener.
        """
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else port.stopListening()

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
