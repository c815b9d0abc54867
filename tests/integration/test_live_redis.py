"""
The live state in Redis, with a real one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTCP, ITCPTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.protocols.portforward import (
    ProxyClient,
    ProxyClientFactory,
    ProxyFactory,
    ProxyServer,
)
from twisted.trial.unittest import TestCase

from sipsorcery.config import Durability
from sipsorcery.store.errors import Conflict, StoreOverloaded, StoreUnavailable
from sipsorcery.store.live import LiveStore, Record
from sipsorcery.store.live.redis import RedisStore
from tests.integration.ports import free_port
from tests.integration.redis_server import RedisServer
from tests.store import contract
from tests.store.contract import NOW, everything, make

_T = TypeVar("_T")


class OneRedisTests(contract.LiveStoreContract):
    """
    The contract, with one database.
    """

    databases = 1

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        folder = Path(self.mktemp())
        folder.mkdir()
        self.redis = RedisServer(folder)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.redis.stop()))
        await self.redis.start()
        await super().setUp()

    async def open(self) -> LiveStore:
        urls = [self.redis.url_of(number) for number in range(self.databases)]
        self.opened = RedisStore(reactor, urls, clock=self.time)
        self.opened.start()
        return self.opened

    async def close(self) -> None:
        await self.opened.stop()

    async def test_purge(self) -> None:
        """
        Who wants to act on an expired record has a minute for it; then it goes, and
        nothing of it is left.
        """
        for number in range(300):
            gone = make(f"{number}", expiry=NOW + 1, owner="joe", due=NOW)
            await self.store.put(gone)
        await self.store.put(make("stays", expiry=NOW + 1000))
        for seconds, count in ((60, 10), (61, 0)):
            self.now = NOW + seconds
            await self.opened.purge()
            expired = await self.store.expired("binding", 10)
            self.assertEqual(len(expired), count)
        self.assertEqual(await everything(self.store.scan("binding")), ["stays"])
        self.assertEqual(await self.keys(), ["expiry:binding", "record:binding:stays"])

    async def test_forgotten(self) -> None:
        """
        A record that Redis has let go by itself is not found through any list.
        """
        await self.store.put(make("soon", expiry=NOW - 59.9, owner="joe", due=NOW - 70))
        while "record:binding:soon" in await self.keys():
            pass
        self.now = NOW - 65
        self.assertEqual(await self.store.due("binding", NOW), [])
        self.assertEqual(await everything(self.store.scan("binding", "joe")), [])
        self.now = NOW
        self.assertEqual(await self.store.expired("binding"), [])

    async def keys(self) -> list[str]:
        """
        Name everything that lies in the databases.
        """
        found = await self.redis.keys(range(self.databases))
        return sorted(name.removeprefix("sipsorcery:") for name in found)


class SeveralRedisTests(OneRedisTests):
    """
    The contract, with three that share the records.
    """

    databases = 3

    async def test_shares(self) -> None:
        """
        Each has some of the records, and those with one tag lie together.
        """
        for number in range(60):
            await self.store.put(make(f"{number}"))
        for number in range(20):
            await self.store.put(make(f"{{call}}{number}"))
        shares = [await self.redis.keys([number]) for number in range(3)]
        for share in shares:
            self.assertGreater(len(share), 5)
        tagged = [[name for name in share if "{call}" in name] for share in shares]
        self.assertEqual(sorted(map(len, tagged)), [0, 0, 20])


class Relay(ProxyFactory):
    """
    Stands before a Redis, and loses answers with their connection.

    :ivar cuts: how many answers it is to lose.
    """

    noisy = False

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.cuts = 0

    def buildProtocol(self, addr: Any) -> RelayServer:
        relay = RelayServer(self)
        relay.factory = self
        return relay


class RelayClient(ProxyClient):
    """
    The side of the Redis.
    """

    def dataReceived(self, data: bytes) -> None:
        relay = self.peer
        assert isinstance(relay, RelayServer)
        if relay.relay.cuts:
            relay.relay.cuts -= 1
            relay.transport.loseConnection()
        else:
            super().dataReceived(data)


class RelayClientFactory(ProxyClientFactory):
    """
    Makes the side of the Redis.
    """

    noisy = False
    protocol = RelayClient


class RelayServer(ProxyServer):
    """
    The side of the store.
    """

    clientProtocolFactory = RelayClientFactory
    transport: ITCPTransport  # type: ignore[assignment]  # the base does not know

    def __init__(self, relay: Relay) -> None:
        self.relay = relay


class OutageTests(TestCase):
    """
    A Redis that goes and comes back.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # as trial allows
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.redis = RedisServer(self.folder, "--appendonly", "yes")
        self.addCleanup(lambda: Deferred.fromCoroutine(self.redis.stop()))

    def store(self, **options: Any) -> RedisStore:
        """
        Open a store.
        """
        url = options.pop("url", self.redis.url)
        store = RedisStore(reactor, [url], clock=lambda: NOW, **options)
        store.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(store.stop()))
        return store

    async def comes_back(self, store: RedisStore, key: str) -> Record:
        """
        Wait until a store gives a record again.
        """
        while True:
            try:
                found = await store.get("binding", key)
            except StoreUnavailable:
                continue
            assert found is not None
            return found

    async def refused(self, asked: Deferred[_T]) -> StoreUnavailable:
        """
        Check that the store is not available.
        """
        try:
            await asked
        except StoreUnavailable as error:
            return error
        raise self.failureException("there was an answer")

    async def test_started_later(self) -> None:
        """
        A store can be opened before its Redis; what was asked for then is stored as
        soon as that is there.
        """
        store = self.store(timeout=0.1)
        error = await self.refused(store.put(make()))
        self.assertIn(f"127.0.0.1:{self.redis.port}", str(error))
        await self.refused(store.get("binding", "alice"))
        await self.redis.start()
        await self.comes_back(store, "alice")

    async def test_killed(self) -> None:
        """
        What was acknowledged is there when a Redis that was killed is back, and so is
        what was asked for meanwhile, in its order.
        """
        await self.redis.start()
        store = self.store(timeout=0.1)
        first = await store.put(make(data=b"first"))
        await store.put(make("bob"))
        await self.redis.kill()
        await self.refused(store.swap(first.replace(data=b"second")))
        await self.refused(store.discard("binding", "bob"))
        await self.refused(store.swap(first.replace(data=b"too late")))
        await self.redis.start()
        found = await self.comes_back(store, "alice")
        self.assertEqual(found.data, b"second")
        self.assertIsNone(await store.get("binding", "bob"))

    async def test_standing_still(self) -> None:
        """
        A Redis that stands still makes nobody wait for long, and goes on where it was.
        """
        await self.redis.start()
        store = self.store(timeout=0.1)
        first = await store.put(make())
        self.redis.pause()
        await self.refused(store.swap(first.replace(data=b"second")))
        await self.refused(store.get("binding", "alice"))
        self.redis.resume()
        found = await self.comes_back(store, "alice")
        self.assertEqual(found.data, b"second")

    async def test_answer_lost(self) -> None:
        """
        A change that was made although its answer was lost counts as made once.
        """
        await self.redis.start()
        relay = Relay(self.redis.port)
        tcp = IReactorTCP(reactor)
        listening = tcp.listenTCP(
            0,
            relay,  # type: ignore[arg-type]  # a ServerFactory by the name of Factory
            interface="127.0.0.1",
        )
        self.addCleanup(listening.stopListening)
        where = listening.getHost()
        assert isinstance(where, IPv4Address)
        store = self.store(url=f"redis://127.0.0.1:{where.port}/0", timeout=30)
        first = await store.put(make())
        gone = await store.put(make("gone"))
        relay.cuts = 1
        removed = store.remove(gone)
        second = await store.swap(first.replace(data=b"second"))
        await removed
        self.assertEqual(relay.cuts, 0)
        self.assertEqual(await store.get("binding", "alice"), second)
        await self.assertFailure(store.swap(first), Conflict)

    async def test_too_much_waits(self) -> None:
        """
        What waits for a Redis that is away is limited, by number and by size.
        """
        store = self.store(limit=2, timeout=0.1)
        waiting = [store.put(make("a")), store.put(make("b"))]
        await self.assertFailure(store.put(make("c")), StoreOverloaded)
        for each in waiting:
            await self.refused(each)
        large = self.store(timeout=0.1)
        waiting = [large.put(make(f"{n}", data=bytes(2**20))) for n in range(63)]
        await self.assertFailure(
            large.put(make("c", data=bytes(2**20))), StoreOverloaded
        )
        for each in waiting:
            await self.refused(each)

    async def test_stop_writes(self) -> None:
        """
        What waits when a store is closed is written, and then it is closed.
        """
        await self.redis.start()
        store = self.store()
        waiting = [store.put(make(f"{number}")) for number in range(500)]
        await store.stop()
        for each in waiting:
            await each
        await self.refused(store.get("binding", "1"))
        again = self.store()
        self.assertEqual(len(await everything(again.scan("binding"))), 500)

    async def test_password(self) -> None:
        """
        It logs in with the user and the password of the URL.
        """
        users = ["--user", "joe", "on", ">secret", "~*", "+@all", "--user", "default"]
        self.redis = RedisServer(self.folder, *users, "off")
        await self.redis.start()
        url = self.redis.url.replace("redis://", "redis://joe:secret@")
        await self.store(url=url).put(make())
        stranger = self.store(timeout=0.2)
        error = await self.refused(stranger.get("binding", "alice"))
        self.assertNotIn("secret", str(error))

    async def test_power(self) -> None:
        """
        A Redis whose disk does not hold what the configuration promises is complained
        about.
        """
        await self.redis.start()
        with capturedLogs() as logged:
            await self.store(durability=Durability.POWER).put(make())
        self.assertIn("appendfsync always", "\n".join(map(formatEvent, logged)))

    async def test_killed_while_writing(self) -> None:
        """
        Killed in the middle of changes, a Redis that writes its file at once, and to
        the disk every second, has all that it has acknowledged.
        """
        await self.redis.start()
        store = self.store()
        stored: set[str] = set()

        async def write(row: int) -> None:
            for number in range(100):
                await store.put(make(f"{row}-{number}"))
                stored.add(f"{row}-{number}")
                if len(stored) == 1000:
                    await self.redis.kill()

        writers = [Deferred.fromCoroutine(write(row)) for row in range(20)]
        await DeferredList(writers, consumeErrors=True)
        self.assertGreaterEqual(len(stored), 1000)
        await self.redis.start()
        await self.comes_back(store, "0-0")
        found = {*await everything(store.scan("binding"))}
        self.assertEqual(stored - found, set())

    async def test_full(self) -> None:
        """
        A Redis without memory stores nothing and forgets nothing; what was asked for
        is stored when there is room again.
        """
        self.redis = RedisServer(self.folder, "--maxmemory-policy", "noeviction")
        await self.redis.start()
        store = self.store(timeout=0.5)
        first = await store.put(make())
        await self.redis.ask("CONFIG", "SET", "maxmemory", "1")
        with capturedLogs() as logged:
            await self.refused(store.put(make("bob")))
        self.assertIn("OOM", "\n".join(map(formatEvent, logged)))
        await self.redis.ask("CONFIG", "SET", "maxmemory", "0")
        await self.comes_back(store, "bob")
        self.assertEqual(await store.get("binding", "alice"), first)

    async def test_became_a_replica(self) -> None:
        """
        A Redis that takes no changes any more is no place for them, nor to look: what
        it has may be old.
        """
        await self.redis.start()
        store = self.store(timeout=0.5)
        first = await store.put(make())
        await self.redis.ask("REPLICAOF", "127.0.0.1", str(free_port()))
        await self.refused(store.swap(first.replace(data=b"second")))
        with capturedLogs() as logged:
            await self.refused(self.store(timeout=0.5).get("binding", "alice"))
        self.assertIn("it is a replica", "\n".join(map(formatEvent, logged)))
        await self.redis.ask("REPLICAOF", "NO", "ONE")
        found = await self.comes_back(store, "alice")
        self.assertEqual(found.data, b"second")

    async def test_scripts_flushed(self) -> None:
        """
        A Redis that has forgotten its scripts is told ours again.
        """
        await self.redis.start()
        store = self.store()
        first = await store.put(make())
        await self.redis.ask("SCRIPT", "FLUSH")
        await store.swap(first.replace(data=b"second"))

    async def test_wrong_password(self) -> None:
        """
        Whoever gives a wrong password, or none, is told so in the log, once, and goes
        on to try without haste.
        """
        self.redis = RedisServer(self.folder, "--requirepass", "right")
        await self.redis.start()
        wrong = self.redis.url.replace("redis://", "redis://:wrong@")
        for url, reason in ((wrong, "WRONGPASS"), (self.redis.url, "NOAUTH")):
            with capturedLogs() as logged:
                await self.refused(self.store(url=url, timeout=2).put(make()))
            told = [formatEvent(each) for each in logged]
            self.assertEqual(sum(reason in each for each in told), 1, told)
            self.assertNotIn("wrong@", "".join(told))
            retries = sum("Scheduling retry" in each for each in told)
            self.assertLess(retries, 5)
