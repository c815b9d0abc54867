"""
Records of established calls: stored before the caller hears that he is connected.

What changes later is stored within a second; what a takeover can do without is worth
no more. A store that is away keeps nobody from talking.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.appserver.calls.bridge import Rewrite
from sipsorcery.appserver.calls.connection import Connection, Side
from sipsorcery.appserver.calls.rewriting import Rewriting
from sipsorcery.appserver.records.credentials import Vault
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.response import Response
from sipsorcery.store.dialogues import (
    ALIASES,
    DIALOGUES,
    LIFETIME,
    Alias,
    Dialogue,
    Leg,
    make_record,
)
from sipsorcery.store.errors import Conflict, StoreError
from sipsorcery.store.live import LiveStore, Record
from sipsorcery.ua.restoring import record

#: Seconds that an answer waits for a store that is away.
PATIENCE = 2.0
#: Seconds that whoever has a call may be late with what is due, before others do it.
GRACE = 5.0
# Seconds that a change waits for others. A phone that is sent a 2xx again, because its
# ACK was not recorded, acknowledges it again.
_DELAY = 1.0


class Records:
    """
    Stores the calls of one server.

    Its length is how many have changed and wait to be stored.

    :param server: where it listens.
    :param incarnation: what this process drew at its start.
    :param vault: seals the credentials of legs.
    :param away: is told, in a sentence, that a call goes on unstored.
    :param now: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        live: LiveStore,
        server: Endpoint,
        incarnation: str,
        *,
        vault: Vault,
        away: Callable[[Connection, str], object] = lambda connection, text: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._live = live
        self._server = str(server)
        self._incarnation = incarnation
        self._vault = vault
        self._away = away
        self._now = now
        self._changed: dict[Connection, None] = {}  # calls of ours, at most
        self._flush: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._changed)

    # What calls want

    async def store(
        self, connection: Connection, response: Response | None = None
    ) -> None:
        """
        Store a call, and wait until it is, though not for longer than `PATIENCE`.

        :param response: our 2xx to the caller, which is about to leave.
        """
        waiting = Deferred.fromCoroutine(self._write(connection, response))
        waiting.addTimeout(PATIENCE, self._clock)
        try:
            await waiting
        except Exception as error:
            # Whatever it is, two people want to talk.
            self._log.warn(
                "Call {id} goes on unstored: {error}", id=connection.id, error=error
            )
            self._away(connection, str(error))

    async def confirm(self, connection: Connection) -> bool:
        """
        Tell whether a call is still ours, and let go of it if another server has it.

        Who was slow for a moment and taken for dead hears of that in no other way. A
        store that is away says nothing.
        """
        try:
            found = await self._live.get(DIALOGUES.name, connection.id)
            is_ours = found is None or self._is_ours(found)
        except StoreError:
            return True
        if not is_ours:
            connection.drop()
        return is_ours

    def changed(self, connection: Connection) -> None:
        """
        Store a call again, within a second.
        """
        self._changed[connection] = None
        if self._flush is None:
            self._flush = self._clock.callLater(_DELAY, self._write_changed)

    def ended(self, connection: Connection) -> None:
        """
        Remove the record of a call.
        """
        self._changed.pop(connection, None)
        if not connection.is_elsewhere:
            self._discard(connection)

    async def finish(self) -> None:
        """
        Store what has changed, for as long as an answer would wait, and no more.
        """
        self.stop()
        changed, self._changed = self._changed, {}
        storing = [Deferred.fromCoroutine(self.store(each)) for each in changed]
        await DeferredList(storing)

    def stop(self) -> None:
        """
        Leave what has changed last to be stored no more.
        """
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    # Inside

    async def _write(
        self, connection: Connection, response: Response | None = None
    ) -> None:
        now = self._now()
        dialogue = self.describe(connection, response)
        due = self._due(connection)
        stored = make_record(dialogue, now, due, connection.version)
        try:
            connection.version = (await self._live.swap(stored)).version
        except Conflict as conflict:
            await self._settle(connection, stored, conflict.current)
        if connection.is_elsewhere:
            return
        for side in connection.sides:
            if side.name != connection.id:
                await self._write_alias(connection, side.name)
        if connection.is_over:
            self._discard(connection)  # it ended while it was stored

    async def _settle(
        self, connection: Connection, stored: Record, current: Record | None
    ) -> None:
        """
        Find out who has changed a record that should have been ours alone.
        """
        if current is not None and not self._is_ours(current):
            connection.drop()
            return
        version = 0 if current is None else current.version
        swapped = await self._live.swap(stored.replace(version=version))
        connection.version = swapped.version

    def _is_ours(self, found: Record) -> bool:
        dialogue = DIALOGUES.read(found)
        return (dialogue.server, dialogue.incarnation) == (
            self._server,
            self._incarnation,
        )

    async def _write_alias(self, connection: Connection, name: str) -> None:
        expiry = self._now() + LIFETIME
        alias = ALIASES.record(
            name, Alias(connection.id), expiry=expiry, owner=connection.owner
        )
        await self._live.put(alias)

    def _discard(self, connection: Connection) -> None:
        self._live.discard(DIALOGUES.name, connection.id).addErrback(_ignore)
        for side in connection.sides:
            if side.name != connection.id:
                self._live.discard(ALIASES.name, side.name).addErrback(_ignore)

    def _write_changed(self) -> None:
        self._flush = None
        changed, self._changed = self._changed, {}
        for connection in changed:
            writing = Deferred.fromCoroutine(self._write(connection))
            writing.addErrback(self._failed, connection)

    def _failed(self, failure: Failure, connection: Connection) -> None:
        if failure.check(StoreError):
            # It holds for those who ask, and is stored when that is possible again.
            return
        self._log.failure("Call {id} is not stored", failure, id=connection.id)

    # A call as its record

    def describe(
        self, connection: Connection, response: Response | None = None
    ) -> Dialogue:
        """
        Write a call down.

        :param response: as for `store`.
        """
        caller, callee = connection.sides
        rewrites = connection.rewrites
        return Dialogue(
            id=connection.id,
            owner=connection.owner,
            server=self._server,
            incarnation=self._incarnation,
            account=connection.account,
            direction=connection.direction,
            legs=(
                self._leg(caller, rewrites[0], response),
                self._leg(callee, rewrites[1]),
            ),
            started=connection.started,
            answered=connection.answered,
            limit=connection.limit,
            transfer=connection.transfer,
            run=connection.run,
            bridge=connection.bridge_id,
        )

    def _leg(
        self, side: Side, rewrite: Rewrite, response: Response | None = None
    ) -> Leg:
        session = side.session
        timer = session.timer
        is_timed = timer is not None and timer.refresher is not None
        return Leg(
            dialog=record(session, response),
            name=side.name,
            credentials=self._vault.seal(session.shared.account),
            cdr=None if side.cdr is None else side.cdr.now,
            source=side.source,
            refreshed=self._date(timer.refreshed_at) if timer and is_timed else 0.0,
            seen=rewrite.seen if isinstance(rewrite, Rewriting) else "",
            public=rewrite.public if isinstance(rewrite, Rewriting) else "",
        )

    def _due(self, connection: Connection) -> float | None:
        """
        Give when others have to act on a call, if we have not.
        """
        times = [] if connection.limit is None else [connection.limit]
        for side in connection.sides:
            timer = side.session.timer
            due = None if timer is None else timer.next_timer()
            if due is not None:
                times.append(self._date(due))
        return min(times) + GRACE if times else None

    def _date(self, seconds: float) -> float:
        return self._now() + seconds - self._clock.seconds()


def _ignore(failure: Failure) -> None:
    # What cannot be removed expires.
    failure.trap(StoreError)
