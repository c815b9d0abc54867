"""
The pages of a process, asked by a real client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http.client import HTTPConnection

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import HostPort
from sipsorcery.monitor.figures import Figure, counter
from sipsorcery.monitor.health import HealthService
from sipsorcery.monitor.metrics import make_registry

HERE = HostPort("127.0.0.1", 0)


def get(
    address: HostPort, path: str, accept: str = "*/*"
) -> Deferred[tuple[int, str, str]]:
    """
    Get a page: its status, its type and what is on it.
    """

    def fetch() -> tuple[int, str, str]:
        connection = HTTPConnection(address.host, address.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            response = connection.getresponse()
            kind = response.getheader("Content-Type") or ""
            return response.status, kind, response.read().decode()
        finally:
            connection.close()

    return deferToThread(fetch)


class Server:
    """
    Has something to count.
    """

    def figures(self) -> list[Figure]:
        """
        Give it.
        """
        return [counter("calls_started", "Calls that were let in.", 7)]


class HealthTests(TestCase):
    """
    The three pages.
    """

    def setUp(self) -> None:
        self.problem: str | None = None
        self.asked = 0
        self.pages = self.serve(self.check)

    def serve(self, check: Callable[[], Awaitable[str | None]]) -> HostPort:
        """
        Serve the pages of a process; give their address.
        """
        registry = make_registry({"appserver": Server()})
        service = HealthService(reactor, HERE, registry, {"store": check})
        service.startService()
        self.addCleanup(service.stopService)
        assert service.address is not None  # any port can be had
        return service.address

    async def check(self) -> str | None:
        """
        Tell what is wrong.
        """
        self.asked += 1
        return self.problem

    async def test_metrics(self) -> None:
        """
        What Prometheus reads has the figures of the servers, in both its formats.
        """
        status, kind, text = await get(self.pages, "/metrics")
        self.assertEqual((status, kind.partition(";")[0]), (200, "text/plain"))
        families = {each.name: each for each in text_string_to_metric_families(text)}
        (sample,) = families["sipsorcery_calls_started"].samples
        self.assertEqual((sample.labels, sample.value), ({"server": "appserver"}, 7))
        accept = "application/openmetrics-text;version=1.0.0"
        status, kind, text = await get(self.pages, "/metrics", accept)
        self.assertTrue(kind.startswith("application/openmetrics-text"))
        self.assertTrue(text.endswith("# EOF\n"))

    async def test_alive(self) -> None:
        """
        A process whose reactor turns is alive, whatever is wrong with its stores.
        """
        self.problem = "it is away"
        self.assertEqual((await get(self.pages, "/healthz"))[::2], (200, "ok\n"))

    async def test_ready(self) -> None:
        """
        It is ready if nothing is wrong.
        """
        self.assertEqual((await get(self.pages, "/readyz"))[::2], (200, "ok\n"))

    async def test_not_ready(self) -> None:
        """
        If something is, the page says what; those who ask together ask once.
        """
        self.problem = "it is away"
        answers = await gatherResults([get(self.pages, "/readyz") for _ in range(5)])
        for status, _, text in answers:
            self.assertEqual((status, text), (503, "store: it is away\n"))
        self.assertLess(self.asked, 5)

    async def test_checks_that_fail(self) -> None:
        """
        A check that raises, or hangs, is one that says no.
        """

        async def fail() -> str | None:
            raise OSError("the disk is full")

        async def hang() -> str | None:
            return await Deferred()

        for check, says in ((fail, "the disk is full"), (hang, "does not answer")):
            status, _, text = await get(self.serve(check), "/readyz")
            self.assertEqual((status, text), (503, f"store: {says}\n"))

    async def test_elsewhere(self) -> None:
        """
        There is nothing else, and nothing to write to.
        """
        self.assertEqual((await get(self.pages, "/"))[0], 404)

    async def test_taken_port(self) -> None:
        """
        Where another process has the port, the service goes on without.
        """
        registry = make_registry({})
        service = HealthService(reactor, self.pages, registry, {})
        service.startService()
        self.addCleanup(service.stopService)
        self.assertIsNone(service.address)
