"""
The pages of a process, asked by a real client.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import HostPort
from sipsorcery.monitor.figures import Figure, counter
from sipsorcery.monitor.health import HealthService
from sipsorcery.monitor.metrics import make_registry
from sipsorcery.monitor.targets import Targets
from tests.integration.ports import free_port
from tests.integration.redis_server import RedisServer
from tests.integration.twistd import Twistd

HERE = HostPort("127.0.0.1", 0)
CONFIGURATION = """
[server]
data_dir = "data"
[storage]
live = "{redis}"
[sip]
domains = ["example.com"]
[proxy]
listen = ["udp:127.0.0.1:0"]
[ssh]
listen = ""
[metrics]
listen = "{metrics}"
"""


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
        self.folder = Path(self.mktemp())
        self.pages = self.serve(self.check)

    def serve(
        self,
        check: Callable[[], Awaitable[str | None]],
        listen: HostPort = HERE,
        process: str = "registrar",
    ) -> HostPort:
        """
        Serve the pages of a process; give their address.
        """
        service = self.make(check, listen, process)
        service.startService()
        self.addCleanup(service.stopService)
        assert service.address is not None  # any port can be had
        return service.address

    def make(
        self, check: Callable[[], Awaitable[str | None]], listen: HostPort, process: str
    ) -> HealthService:
        """
        Make what serves them.
        """
        registry = make_registry({"appserver": Server()})
        targets = Targets(self.folder, process)
        return HealthService(reactor, listen, registry, {"store": check}, targets)

    async def targets(self, pages: HostPort) -> dict[str, list[str]]:
        """
        Ask one process where the pages of all are.
        """
        status, kind, text = await get(pages, "/targets")
        self.assertEqual((status, kind.partition(";")[0]), (200, "application/json"))
        return {
            group["labels"]["process"]: group["targets"] for group in json.loads(text)
        }

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

    async def test_processes(self) -> None:
        """
        Each of several processes with one address has a port of its own, beside it, and
        each leads to all.
        """
        others = [
            self.serve(self.check, self.pages, process)
            for process in ("appserver-5071", "appserver-5072")
        ]
        ports = [self.pages.port, *(each.port for each in others)]
        self.assertEqual(ports, sorted({*ports}))
        self.assertLess(ports[-1] - ports[0], 32)
        expected = {
            "appserver-5071": [str(others[0])],
            "appserver-5072": [str(others[1])],
            "registrar": [str(self.pages)],
        }
        for pages in (self.pages, *others):
            self.assertEqual(await self.targets(pages), expected)

    async def test_end_of_a_process(self) -> None:
        """
        A process that ends is none of the targets any more.
        """
        other = self.make(self.check, self.pages, "proxy")
        other.startService()
        self.assertIn("proxy", await self.targets(self.pages))
        await maybeDeferred(other.stopService)
        self.assertEqual([*await self.targets(self.pages)], ["registrar"])

    async def test_no_address(self) -> None:
        """
        Where nobody can listen, the service goes on without.
        """
        service = self.make(self.check, HostPort("192.0.2.1", 9090), "proxy")
        service.startService()
        self.assertIsNone(service.address)
        await maybeDeferred(service.stopService)


class WholeServerTests(TestCase):
    """
    The pages of a whole server, whose live state is in Redis.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        self.folder = Path(self.mktemp())
        (self.folder / "redis").mkdir(parents=True)
        self.redis = RedisServer(self.folder / "redis")
        self.addCleanup(lambda: Deferred.fromCoroutine(self.redis.stop()))
        await self.redis.start()
        self.pages = HostPort("127.0.0.1", free_port())
        text = CONFIGURATION.format(redis=self.redis.url, metrics=self.pages)
        (self.folder / "sipsorcery.toml").write_text(text, "utf-8")
        self.server = Twistd(self.folder, "--nodaemon", "sipsorcery")
        self.addCleanup(self.server.stop)
        await self.server.wait_for("MainService#info] Ready")

    async def until_ready(self, wanted: int) -> str:
        """
        Ask until the page has a status; give what it says.
        """
        text = ""
        for _ in range(100):
            status, _, text = await get(self.pages, "/readyz")
            if status == wanted:
                return text
            await deferLater(reactor, 0.3)
        raise AssertionError(f"never {wanted}: {text}\n{self.server.output}")

    async def test_store_away(self) -> None:
        """
        While the store is away the server is alive and not ready; the figures of every
        server in it are there all the time.
        """
        await self.until_ready(200)
        _, _, text = await get(self.pages, "/metrics")
        families = {each.name: each for each in text_string_to_metric_families(text)}
        sent = families["sipsorcery_messages_sent"].samples
        servers = {each.labels["server"] for each in sent}
        self.assertEqual(servers, {"proxy", "registrar", "appserver"})
        await self.redis.kill()
        self.assertIn("live state: ", await self.until_ready(503))
        self.assertEqual((await get(self.pages, "/healthz"))[0], 200)
        await self.redis.start()
        await self.until_ready(200)
