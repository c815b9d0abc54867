"""
Seeing to the calls that rang when their server was killed, this one or another.

No phone rings on for nobody, and every caller gets an answer: the dialplan goes on as
if its dial had failed, and where it cannot, the call is refused with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

import msgspec
from twisted.internet.defer import DeferredList
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.appserver.errors import SnapshotError
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.plans.running_time import MAX_SECONDS
from sipsorcery.appserver.records.cdr_writer import CDRWriter, LegCDR
from sipsorcery.appserver.records.claiming import Claims, key_of
from sipsorcery.appserver.records.invites import read_invite
from sipsorcery.appserver.records.ringing import RingingRecords
from sipsorcery.appserver.records.snapshots import Snapshots
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import CALL_ID
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.claims import CLAIMS, Claim
from sipsorcery.store.dialogues import DIALOGUES
from sipsorcery.store.errors import Conflict, StoreError, UnreadableRecord
from sipsorcery.store.live import LiveStore, Record
from sipsorcery.store.ringing import RINGING, RingingCall, RingingLeg
from sipsorcery.transport.errors import TransportError
from sipsorcery.ua import ServerCall
from sipsorcery.ua.core import Core
from sipsorcery.ua.resuming import take_up, withdraw

#: What call detail records say of a leg that was cut off.
RESTARTED = "server restarted"
# Calls that are seen to before others get their turn: some 20 ms.
_AT_ONCE = 20
# Seconds before the kill in which a call may have begun that rings unrecorded: several
# times as long as that takes, as a machine may stand still.
_UNRECORDED = 0.5
# CANCELs that come before their calls were looked at: as many as a start takes seconds,
# and more than people give up meanwhile.
_EARLY = 1_000

#: Goes on with a call; gives the record of the caller's leg.
Resume: TypeAlias = Callable[[RingingCall, ServerCall, RunState | None], LegCDR | None]


class Rescue:
    """
    Finds calls of servers that were killed, and hands them on.

    :param core: of the user agent that goes on with them.
    :param server: where it listens.
    :param incarnation: what this process drew at its start.
    :param records: of the calls that ring from now on.
    :param answered: is given a 2xx of a phone whose call was cancelled.
    :param release: is given what a call has counted under as one to the outside.
    :param now: gives the seconds since the epoch.

    :ivar count: how many calls were seen to.
    """

    _log = Logger()

    def __init__(
        self,
        core: Core,
        live: LiveStore,
        server: Endpoint,
        incarnation: str,
        *,
        claims: Claims,
        snapshots: Snapshots,
        records: RingingRecords,
        cdrs: CDRWriter,
        answered: Callable[[Response], object],
        release: Callable[[str], object] = lambda lease: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.count = 0
        self._core = core
        self._live = live
        self._server = str(server)
        self._incarnation = incarnation
        self._claims = claims
        self._snapshots = snapshots
        self._records = records
        self._cdrs = cdrs
        self._answered = answered
        self._release = release
        self._now = now
        self._resume: Resume | None = None  # until the start
        self._is_done = False
        self._cancelled: set[str] = set()  # the calls of early CANCELs
        self._callers: list[LegCDR] = []

    async def take_own(self, resume: Resume) -> int:
        """
        See to every call that rang here when the server was killed.

        :return: how many there were.
        """
        self._resume = resume
        count = await self._take_all(self._is_from_before)
        self._is_done = True
        self._cancelled.clear()
        return count

    async def take_of(self, server: str) -> int:
        """
        See to every call that rang at another server, which is not there any more.

        :param server: as text of an `Endpoint`.
        :return: how many there were.
        """
        return await self._take_all(lambda whose: whose.server == server)

    def cancelled(self, request: Request) -> None:
        """
        Hear of a CANCEL whose INVITE is not here, or not yet.

        :raises ParseError: if it breaks the grammar.
        """
        if not self._is_done and len(self._cancelled) < _EARLY:
            self._cancelled.add(key_of(request))

    def write_cdrs(self) -> None:
        """
        Store the records of callers again, for they were closed with all from before.
        """
        callers, self._callers = self._callers, []
        for cdr in callers:
            self._cdrs.changed(cdr)

    # Inside

    async def _take_all(self, is_lost: Callable[[RingingCall | Claim], bool]) -> int:
        before = self.count
        records: list[Record] = []
        begun = await self._just_begun(is_lost)
        async for record in self._live.scan(RINGING.name):
            call = self._read(record)
            if call is not None and is_lost(call):
                records.append(record)
                begun.pop(call.id, None)
        while records:
            some, records = records[:_AT_ONCE], records[_AT_ONCE:]
            # They share a commit of the store.
            await DeferredList([self._core.spawn(self._take(each)) for each in some])
            await deferLater(self._core.clock, 0)
        for id, claim in begun.items():
            if await self._live.get(DIALOGUES.name, id) is None:
                await self._refuse(claim)
        return self.count - before

    async def _take(self, record: Record) -> None:
        call = self._read(record)
        assert call is not None  # it was read before
        ours = msgspec.structs.replace(
            call, server=self._server, incarnation=self._incarnation
        )
        try:
            swapped = record.replace(data=RINGING.write(ours))
            record = await self._live.swap(swapped)
        except Conflict:
            return  # another server was faster
        except StoreError as error:
            self._log.warn(
                "Call {id} goes on unstored: {error}", id=call.id, error=error
            )
        self.count += 1
        answered = await self._connected(call)
        for leg in call.legs:
            if _call_id(leg) not in answered:
                self._cut(leg)
        if answered:
            # It goes on as an established one, and the caller hears so again.
            self._live.discard(RINGING.name, call.id).addErrback(_ignore)
            return
        state, incoming = self._state_of(call), await self._incoming(call)
        for lease in call.leases:
            self._release(lease)
        if incoming is None:
            self._close(call)
            return
        self._records.adopt(record)
        assert self._resume is not None  # nobody asks before the start
        caller = self._resume(call, incoming, state)
        if caller is not None and not self._is_done:
            self._callers.append(caller)

    async def _connected(self, call: RingingCall) -> frozenset[str]:
        """
        Give the Call-IDs of both legs, if somebody had answered before the kill.

        The caller may have heard nothing of it yet, or this was not there any more.
        """
        try:
            record = await self._live.get(DIALOGUES.name, call.id)
            if record is None:
                return frozenset()
            legs = DIALOGUES.read(record).legs
        except StoreError as error:
            self._log.warn("Call {id} is refused: {error}", id=call.id, error=error)
            return frozenset()
        return frozenset(leg.dialog.call_id for leg in legs)

    async def _just_begun(
        self, is_lost: Callable[[RingingCall | Claim], bool]
    ) -> dict[str, Claim]:
        """
        Find the calls that began shortly before the kill, by their identifiers.
        """
        claims: list[Claim] = []
        async for record in self._live.scan(CLAIMS.name):
            claim = self._read_claim(record)
            if claim is not None and claim.invite and is_lost(claim):
                claims.append(claim)
        first = max((claim.begun for claim in claims), default=0.0) - _UNRECORDED
        return {claim.dialogue: claim for claim in claims if claim.begun >= first}

    async def _refuse(self, claim: Claim) -> None:
        """
        Answer somebody who had just called, before it was written down what rings.

        What has come to its end as quickly gets an answer that nobody minds.
        """
        try:
            invite, source = read_invite(claim.invite), Endpoint.parse(claim.source)
            id, server = claim.dialogue, claim.server
            if await self._claims.take_over(invite, id, 0.0, server):
                incoming = take_up(self._core, invite, source)
                if incoming is not None:
                    refused = Refused(Code.RESTARTED)
                    incoming.reject(
                        refused.status, refused.phrase, fields=refused.fields
                    )
                    self._claims.release(invite)
        except (ParseError, TransportError, ValueError) as error:
            self._log.warn("A caller is left without an answer: {error}", error=error)

    def _cut(self, leg: RingingLeg) -> None:
        """
        Let a phone ring no more.
        """
        if leg.cdr is not None:
            self._cdrs.resume(leg.cdr).ended(RESTARTED, 487)
        try:
            invite, to = read_invite(leg.invite), Endpoint.parse(leg.to)
            withdraw(self._core, invite, to, self._answered)
        except (ParseError, TransportError, LocalProtocolError, ValueError) as error:
            self._log.warn("A phone may ring on: {error}", error=error)

    async def _incoming(self, call: RingingCall) -> ServerCall | None:
        """
        Give the caller's side of a call; None if nobody waits there.
        """
        try:
            invite = read_invite(call.invite)
            if not await self._claims.take_over(
                invite, call.id, MAX_SECONDS, call.server
            ):
                return None  # it has come again, and was begun anew
            source = Endpoint.parse(call.source)
            incoming = take_up(self._core, invite, source, call.tag or None)
            if incoming is not None and key_of(invite) in self._cancelled:
                incoming.reject(487)
                return None
        except (ParseError, TransportError, ValueError) as error:
            self._log.warn(
                "Nobody can answer the caller of {id}: {error}", id=call.id, error=error
            )
            return None
        return incoming

    def _state_of(self, call: RingingCall) -> RunState | None:
        try:
            state = self._snapshots.open(call)
        except SnapshotError as error:
            self._log.error(
                "The dialplan of call {id} cannot go on: {error}",
                id=call.id,
                error=error,
            )
            return None
        if state is None:
            return None
        return state.later(max(0.0, self._now() - state.written))

    def _close(self, call: RingingCall) -> None:
        if call.cdr is not None:
            self._cdrs.resume(call.cdr).ended(RESTARTED, 487)
        self._live.discard(RINGING.name, call.id).addErrback(_ignore)

    def _is_from_before(self, whose: RingingCall | Claim) -> bool:
        is_own = whose.server == self._server
        return is_own and whose.incarnation != self._incarnation

    def _read_claim(self, record: Record) -> Claim | None:
        try:
            return CLAIMS.read(record)
        except UnreadableRecord:
            return None  # it is of a newer version

    def _read(self, record: Record) -> RingingCall | None:
        try:
            return RINGING.read(record)
        except UnreadableRecord as error:
            self._log.error("A call that rang cannot be read: {error}", error=error)
            return None


def _call_id(leg: RingingLeg) -> str:
    try:
        return read_invite(leg.invite)[CALL_ID]
    except (ParseError, ValueError):
        return ""  # it cannot be withdrawn either


def _ignore(failure: Failure) -> None:
    # What cannot be removed expires.
    failure.trap(StoreError)
