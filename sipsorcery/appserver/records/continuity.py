"""
All that lets calls outlive the process that has set them up, put together.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.appserver.calls.connection import Connection, Connections
from sipsorcery.appserver.records.cdr_writer import CDRStore, CDRWriter
from sipsorcery.appserver.records.claiming import Claims
from sipsorcery.appserver.records.credentials import Vault
from sipsorcery.appserver.records.deadlines import Deadlines
from sipsorcery.appserver.records.heartbeat import Heartbeat
from sipsorcery.appserver.records.records import Records
from sipsorcery.appserver.records.rescue import Rescue, Resume
from sipsorcery.appserver.records.retention import Retention
from sipsorcery.appserver.records.ringing import RingingRecords
from sipsorcery.appserver.records.snapshots import Snapshots
from sipsorcery.appserver.records.strays import Strays
from sipsorcery.appserver.records.takeover import Takeover
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.errors import StoreError
from sipsorcery.store.live import LiveStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.transport.flow import Flow
from sipsorcery.ua import Session, UserAgent

# Seconds until records that could not be closed at the start are tried again.
_RETRY = 30.0


class Continuity:
    """
    Keeps the calls of one server.

    :param agent: whose sessions they are.
    :param cdrs: those of everybody.
    :param server: where it listens.
    :param incarnation: what this process drew at its start.
    :param claims: says where belongs what is not for us.
    :param cdr_days: for how long call detail records are kept; 0: for ever.
    :param away: is told, in a sentence, that a call goes on unstored.
    :param release: is given what a call that was cut off has counted under as one to
        the outside.
    :param proxy: the one that our calls go by; None: there is none.
    :param has_others: whether other servers share the live state.
    :param now: gives the seconds since the epoch.

    :ivar connections: the calls.
    :ivar ringing: stores those that nobody has answered yet.
    :ivar cdrs: writes the records of their legs.
    """

    _log = Logger()

    def __init__(
        self,
        agent: UserAgent,
        live: LiveStore,
        cdrs: CDRStore,
        server: Endpoint,
        incarnation: str,
        *,
        secrets: Secrets,
        claims: Claims,
        cdr_days: float = 0,
        away: Callable[[Connection, str], object] = lambda connection, text: None,
        release: Callable[[str], object] = lambda lease: None,
        proxy: SIPURI | None = None,
        has_others: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock = agent.core.clock
        self._agent = agent
        vault = Vault(secrets)
        self.cdrs = CDRWriter(clock, cdrs, server, now=now)
        self._retention = Retention(clock, cdrs, cdr_days, now=now)
        self.records = Records(
            clock, live, server, incarnation, vault=vault, away=away, now=now
        )
        snapshots = Snapshots(secrets)
        self.ringing = RingingRecords(
            clock, live, server, incarnation, snapshots=snapshots, now=now
        )
        self.connections = Connections(self.records.changed, self.records.ended, now)
        self.takeover = Takeover(
            agent.core,
            live,
            server,
            incarnation,
            names=DialogueNames(secrets),
            vault=vault,
            connections=self.connections,
            cdrs=self.cdrs,
            proxy=proxy,
            now=now,
        )
        self._rescue = Rescue(
            agent.core,
            live,
            server,
            incarnation,
            claims=claims,
            snapshots=snapshots,
            records=self.ringing,
            cdrs=self.cdrs,
            answered=self.takeover.stray_response,
            release=release,
            now=now,
        )
        self._heartbeat = Heartbeat(
            clock, live, server, incarnation, lost=self._see_to_lost, now=now
        )
        self._has_others = has_others
        self._deadlines = Deadlines(
            clock,
            live,
            connections=self.connections,
            records=self.records,
            takeover=self.takeover,
            now=now,
        )
        self.strays = Strays(agent.core, claims)
        self._beginning: Deferred[None] | None = None

    def start(self, resume: Resume) -> None:
        """
        Take up the calls from before, and keep those that come.

        :param resume: goes on with a call that rang.
        """
        self._agent.transactions.on_stray_cancel(self._stray_cancel)
        self._agent.on_unknown_dialog(self._bring_back)
        self._agent.on_stray_response(self.takeover.stray_response)
        self._agent.core.is_ours = self._is_ours
        self._agent.transactions.stands_in = self._has_others
        self._deadlines.start()
        self._retention.start()
        self._beginning = Deferred.fromCoroutine(self._begin(resume))
        self._beginning.addErrback(self._failed)

    async def stop(self) -> None:
        """
        Store what has changed, and let go of the calls without a word to anybody.

        They go on: the next start of the server takes them up. To be called before the
        user agent is stopped, which would hang them up.
        """
        if self._beginning is not None:
            self._beginning.cancel()
        self._heartbeat.stop()
        self._deadlines.stop()
        self._retention.stop()
        self.takeover.stop()
        self.ringing.stop()
        await self.records.finish()
        for connection in self.connections:
            connection.drop()
        await self.cdrs.stop()

    def tables(self) -> dict[str, int]:
        """
        Count the established calls, and the records that are being written.
        """
        return {
            "established_calls": len(self.connections),
            "sessions": self.connections.sessions,
            "ringing_records": len(self.ringing),
            "unwritten_records": len(self.records),
        }

    # Inside

    async def _is_ours(self, session: Session) -> bool:
        connection = self.connections.of_session(session)
        return connection is None or await self.records.confirm(connection)

    async def _bring_back(self, request: Request) -> None:
        is_known = await self.takeover.bring_back(request)
        if not is_known and request.method == "ACK":
            await self.strays.pass_on(request)

    def _stray_cancel(self, request: Request, flow: Flow) -> None:
        self._rescue.cancelled(request)
        self.strays.cancel(request, flow)

    async def _begin(self, resume: Resume) -> None:
        start = self.cdrs.moment()
        # These first: somebody waits for them, and those who talk notice nothing.
        await self._see_to_ringing(self._rescue.take_own(resume))
        if self._has_others:
            self._heartbeat.start()
        count = await self.takeover.take_own()
        if count:
            self._log.info("{count} calls go on", count=count)
        while not await self._close_records(start):
            await deferLater(self._clock, _RETRY)
        for connection in self.connections:
            connection.write_cdrs()  # those from before were closed, too
        self._rescue.write_cdrs()

    async def _see_to_lost(self, server: str) -> None:
        await self._see_to_ringing(self._rescue.take_of(server))
        count = await self.takeover.take_waiting(server)
        if count:
            self._log.info("{count} calls of another server go on", count=count)

    async def _see_to_ringing(self, taking: Awaitable[int]) -> None:
        try:
            count = await taking
        except CancelledError:
            raise
        except Exception:
            # Those who talk shall not have to wait for it.
            self._log.failure("Calls that rang were not seen to")
            return
        if count:
            self._log.info("{count} calls that rang are seen to", count=count)

    async def _close_records(self, start: datetime) -> bool:
        try:
            await self.cdrs.close_open(before=start)
        except StoreError as error:
            self._log.warn("Old call detail records stay open: {error}", error=error)
            return False
        return True

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("Calls from before were not taken up", failure)
