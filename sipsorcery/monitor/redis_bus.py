"""
The bus of several processes and machines: streams in Redis.

Who emits puts events into a queue, and batches of them into a stream; who subscribes
reads the streams. Each process numbers what it emits, so a reader knows what it has
missed, wherever that was lost, and takes nothing twice. What nobody wants to read is
not even built: readers say in Redis what they want, and those who emit look there.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, FirstError, gatherResults
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import RedisError  # type: ignore[import-untyped]

from sipsorcery.monitor.bus import Callback, LocalBus, Subscription
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.stream import (
    Cursor,
    Entry,
    Outbox,
    StreamError,
    read_cursor,
    streams_of,
)
from sipsorcery.store.live.redis.server import Server

# Seconds between two looks at what is wanted: so late a new reader hears of others.
_LOOK = 1.0
# Seconds for which a reader is waited for that says nothing any more: one with a name
# goes on where it was, so what it would miss meanwhile is kept.
_LINGER, _LINGER_NAMED = 30, 3600
# Seconds for which the place of a reader with a name is kept.
_KEPT = 86_400
# Entries that a stream holds at least; of 16 kB each, some 160 MB.
_ENTRIES = 10_000
# Entries of one reading, and of one sending. While nothing comes, a reading waits for
# less long than a connection may be silent.
_AT_ONCE = 50
_BLOCK_MS = 2000
# Events that wait for a subscriber before no more are read, and seconds until another
# look: then it is for Redis to keep them.
_BACKLOG, _PAUSE = 5000, 0.05
# Seconds until somebody tries again whom Redis has refused something.
_RETRY = 1.0
# Seconds at the end for what is still to be sent.
_FAREWELL = 1.0


class RedisBus(Service):
    """
    Hands events to whoever listens, in this process and in others.

    :param reactor: has time, and sockets.
    :param url: of the Redis, as in ``storage.live``.
    :param reader: a name under which a process goes on reading where the one before it
        was; "": what was emitted while nobody read is not read later.
    :param prefix: what the names of all keys begin with.
    :param clock: gives the seconds since the epoch.
    :param entries: what a stream holds at least.
    :param waiting: how many events wait to be sent, and for one subscriber.
    :param look: seconds between two looks at what is wanted.

    :ivar missed: events of others that were lost before they were read.
    """

    name = "bus"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        url: str,
        *,
        reader: str = "",
        prefix: str = "sipsorcery",
        clock: Callable[[], float] = time.time,
        entries: int = _ENTRIES,
        waiting: int = 10_000,
        look: float = _LOOK,
    ) -> None:
        self.missed = 0
        self._reactor = reactor
        self._clock = clock
        self._reader = reader
        self._prefix = prefix
        self._entries = entries
        self._id = f"{int(clock())}-{secrets.token_hex(4)}"
        self._here = LocalBus(reactor, waiting)  # what was emitted here alone
        self._local = LocalBus(reactor, waiting)  # that, and what was read
        self._sending = Server(reactor, url, None, "takes events")
        self._reading = Server(reactor, url, None, "gives events")
        self._outboxes = {name: Outbox(self._id, waiting) for name in streams_of(None)}
        self._wanted: frozenset[EventKind] = frozenset()
        self._heard: set[EventKind] = set()  # what is subscribed to here
        self._is_sending = False
        self._loops: list[Deferred[None]] = []
        self._interval = look
        self._looks = LoopingCall(self._look)
        self._looks.clock = reactor
        self._cursor: Cursor | None = None  # None: nothing was read yet

    # As a bus

    @property
    def dropped(self) -> int:
        """
        Events that anybody was too slow for, here or at Redis.
        """
        sent = sum(each.dropped for each in self._outboxes.values())
        return self._here.dropped + self._local.dropped + self.missed + sent

    @property
    def is_reading(self) -> bool:
        """
        Whether it has a place in the streams: from there on nothing passes unseen.
        """
        return self._cursor is not None

    @property
    def here(self) -> LocalBus:
        """
        The part of it that has the events of this process alone.
        """
        return self._here

    @property
    def waiting(self) -> int:
        """
        Events that wait to be sent.
        """
        return sum(map(len, self._outboxes.values()))

    def wants(self, kind: EventKind) -> bool:
        """
        Tell whether anybody listens to a kind, here or elsewhere.
        """
        return kind in self._wanted or self._local.wants(kind) or self._here.wants(kind)

    def emit(self, event: Event) -> None:
        """
        Hand an event to whoever wants it.
        """
        self._here.emit(event)
        self._local.emit(event)
        if event.kind in self._wanted:
            (stream,) = streams_of({event.kind})
            self._outboxes[stream].put(event)
            self._send_soon()

    def subscribe(
        self, callback: Callback, kinds: Collection[EventKind] | None = None
    ) -> Subscription:
        """
        Have *callback* called with each event from now on.
        """
        before = bool(self._heard)
        self._heard.update(EventKind if kinds is None else kinds)
        if self.running and before:
            self._begin(self._look())
        elif self.running:
            self._begin(self._read())
        return _Place(self, self._local.subscribe(callback, kinds))

    # As a service

    def startService(self) -> None:
        """
        Begin to connect; until that is done, events wait.
        """
        super().startService()
        self._sending.connect()
        self._looks.start(self._interval).addErrback(self._failed)
        self._begin(self._look_first())
        if self._heard:
            self._begin(self._read())

    def stopService(self) -> Deferred[None]:
        """
        Send what waits, if that goes fast, and hang up.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._looks.stop()
        for loop in self._loops:
            loop.cancel()
        last = Deferred.fromCoroutine(self._finish())
        last.addTimeout(_FAREWELL, self._reactor, lambda *_: None)
        await last.addErrback(self._failed)
        for server in (self._sending, self._reading):
            await server.disconnect()

    async def _finish(self) -> None:
        """
        Send what waits, and note how far was read.
        """
        await self._send()
        await self._look()

    def _begin(self, loop: Any) -> None:
        running: Deferred[None] = Deferred.fromCoroutine(loop)
        running.addErrback(self._failed)
        self._loops.append(running)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("The bus has failed", failure)

    # Sending

    def _send_soon(self) -> None:
        if self._is_sending or not self.running:
            return
        self._is_sending = True
        self._reactor.callLater(0, self._begin_sending)

    def _begin_sending(self) -> None:
        sending: Deferred[None] = Deferred.fromCoroutine(self._send())
        sending.addErrback(self._failed)
        self._loops = [each for each in self._loops if not each.called]
        self._loops.append(sending)

    async def _send(self) -> None:
        """
        Send until nothing waits any more; what was not acknowledged goes again.
        """
        self._is_sending = True
        try:
            while any(self._outboxes.values()):
                connection = await self._sending.connected()
                try:
                    await self._send_some(connection)
                except RedisError as error:
                    self._log.debug("Events cannot be sent: {error}", error=error)
                    await deferLater(self._reactor, _RETRY)
        finally:
            self._is_sending = False

    async def _send_some(self, connection: Any) -> None:
        sent: list[tuple[Outbox, Entry]] = []
        answers: list[Deferred[Any]] = []
        for name, outbox in self._outboxes.items():
            for entry in outbox.entries(_AT_ONCE):
                sent.append((outbox, entry))
                answers.append(
                    connection.execute_command(
                        *("XADD", self._key(name), "MAXLEN", "~", self._entries, "*"),
                        *entry.fields,
                    )
                )
        try:
            await gatherResults(answers, consumeErrors=True)
        except FirstError as error:
            # Some of them may have got there: whoever reads sees that.
            error.subFailure.raiseException()
        for outbox, entry in sent:
            outbox.take(entry)

    # Who wants what

    async def _look_first(self) -> None:
        """
        See what is wanted elsewhere as soon as there is a connection.

        What a server does in its first second counts, too.
        """
        await self._sending.connected()
        await self._look()

    async def _look(self) -> None:
        """
        Say what is wanted here, and see what is wanted elsewhere.
        """
        connecting = self._sending.connected()
        if not connecting.called:
            connecting.cancel()
            await connecting.addErrback(lambda _: None)
            return
        ask = (await connecting).execute_command
        try:
            await self._say_wanted(ask)
            now = str(self._clock())
            found = await ask("ZRANGEBYSCORE", self._key("wanted"), now, "inf")
        except RedisError:
            return  # there is another look soon
        known = {kind.value for kind in EventKind}
        names = [name.decode() for name in found]
        self._wanted = frozenset(EventKind(name) for name in names if name in known)

    async def _say_wanted(self, ask: Any) -> None:
        if not self._heard or self._cursor is None:
            return  # what comes before there is a place to begin at would be lost
        now = self._clock()
        until = now + (_LINGER_NAMED if self._reader else _LINGER)
        marks = [word for kind in self._heard for word in (until, kind.value)]
        # Another reader may wait for longer.
        await ask("ZADD", self._key("wanted"), "GT", *marks)
        await ask("ZREMRANGEBYSCORE", self._key("wanted"), "-inf", now)
        if self._reader and self._cursor is not None:
            place = self._key(f"reader:{self._reader}")
            await ask("SET", place, self._cursor.to_bytes(), "EX", _KEPT)

    # Reading

    async def _read(self) -> None:
        self._reading.connect()
        while True:
            connection = await self._reading.connected()
            try:
                if self._cursor is None:
                    self._cursor = await self._find_place(connection)
                    await self._look()
                await self._read_on(connection, self._cursor)
            except RedisError as error:
                self._log.debug("Events cannot be read: {error}", error=error)
                await deferLater(self._reactor, _RETRY)

    async def _find_place(self, connection: Any) -> Cursor:
        """
        Find where to begin: where the reader of that name was, or at what comes now.
        """
        ask = connection.execute_command
        if self._reader:
            stored = await ask("GET", self._key(f"reader:{self._reader}"))
            if stored is not None:
                try:
                    return read_cursor(stored)
                except StreamError as error:
                    self._log.warn("The place is lost: {error}", error=error)
        cursor = Cursor(since=self._clock())
        for name in streams_of(None):
            last = await ask("XREVRANGE", self._key(name), "+", "-", "COUNT", 1)
            cursor.places[name] = last[0][0].decode() if last else "0-0"
        return cursor

    async def _read_on(self, connection: Any, cursor: Cursor) -> None:
        while True:
            while self._local.backlog >= _BACKLOG:
                await deferLater(self._reactor, _PAUSE)
            names = streams_of(self._heard)
            places = [cursor.places.get(name, "0-0") for name in names]
            answer = await connection.execute_command(
                *("XREAD", "COUNT", _AT_ONCE, "BLOCK", _BLOCK_MS, "STREAMS"),
                *map(self._key, names),
                *places,
            )
            for key, entries in answer or ():
                stream = key.decode().rpartition(":")[2]
                for place, fields in entries:
                    cursor.places[stream] = place.decode()
                    self._take(stream, fields, cursor)

    def _take(self, stream: str, fields: list[bytes], cursor: Cursor) -> None:
        try:
            entry = Entry.of(fields)
            if entry.publisher == self._id:
                return  # whoever listens here has had it
            missed, events = cursor.take(stream, entry)
        except StreamError as error:
            self._log.warn("An entry cannot be read: {error}", error=error)
            return
        if missed:
            self.missed += missed
            self._log.warn("{count} events were missed", count=missed)
        for event in events:
            self._local.emit(event)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"


class _Place:
    """
    One subscriber's place: what it was too slow for, and what was lost on the way.
    """

    def __init__(self, bus: RedisBus, local: Subscription) -> None:
        self._bus = bus
        self._local = local
        self._before = bus.missed

    @property
    def dropped(self) -> int:
        """
        Events that did not get here.
        """
        return self._local.dropped + self._bus.missed - self._before

    def stop(self) -> None:
        """
        Deliver nothing any more.
        """
        self._local.stop()
