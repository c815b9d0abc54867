"""
Claiming calls before they ring, so that no other server rings the same phones.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from sipsorcery.appserver.records.invites import write_invite
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM
from sipsorcery.sip.request import Request
from sipsorcery.store.claims import CLAIMS, Claim, claim_key
from sipsorcery.store.errors import Conflict, StoreError, UnreadableRecord
from sipsorcery.store.live import LiveStore, Record

#: Seconds that a claim outlives the longest ringing: until whoever has waited for the
#: call has given it up for certain.
MARGIN = 60.0
#: Seconds that a claim outlives its call: 64*T1, as long as the INVITE may be repeated,
#: and so as long as a proxy may still send it to another server.
LINGER = 32.0


class Claims:
    """
    Takes claims for one server.

    :param server: where it listens.
    :param incarnation: what this process drew at its start.
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
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._live = live
        self._server = str(server)
        self._incarnation = incarnation
        self._now = now
        # Those of calls that are over, by when they go: as many as calls end in
        # `LINGER`.
        self._ended: deque[tuple[float, str]] = deque()
        self._sweeping: IDelayedCall | None = None
        self._is_stopped = False

    async def take(
        self,
        request: Request,
        dialogue: str,
        ringing: float,
        source: Endpoint | None = None,
    ) -> Claim | None:
        """
        Claim the call of an INVITE.

        A store that is away keeps nobody from calling.

        :param dialogue: the identifier of the call.
        :param ringing: for how many seconds it may ring.
        :param source: where the INVITE came from; None: nobody shall answer it.
        :return: None if another server has it: then be silent.
        :raises Refused: if it has come to us before, or was refused for good.
        """
        claim, now = Claim(self._server, self._incarnation, dialogue), self._now()
        if source is not None:
            claim = Claim(
                self._server,
                self._incarnation,
                dialogue,
                now,
                write_invite(request),
                str(source),
            )
        record = CLAIMS.record(key_of(request), claim, expiry=now + ringing + MARGIN)
        try:
            await self._live.swap(record)
        except Conflict as conflict:
            return await self._again(record, conflict.current, claim)
        except StoreError as error:
            self._log.warn("A call goes on without a claim: {error}", error=error)
        return claim

    async def give_up(self, request: Request) -> None:
        """
        Leave a call to other servers, which our refusal will make a proxy ask.
        """
        try:
            await self._live.discard(CLAIMS.name, key_of(request))
        except StoreError as error:
            self._log.warn("A claim is left behind: {error}", error=error)

    async def refuse(
        self, request: Request, dialogue: str, status: int, reason: str
    ) -> None:
        """
        Have other servers refuse a call as we do, if a proxy asks them after us.
        """
        claim = Claim(
            self._server, self._incarnation, dialogue, status=status, reason=reason
        )
        expiry = self._now() + LINGER
        try:
            await self._live.put(CLAIMS.record(key_of(request), claim, expiry=expiry))
        except StoreError as error:
            self._log.warn("A claim is left as it was: {error}", error=error)

    async def take_over(
        self, request: Request, dialogue: str, ringing: float, before: str
    ) -> bool:
        """
        Claim a call that a server had claimed before it was killed.

        A store that is away keeps nobody from calling, here neither.

        :param dialogue: the identifier that the call had.
        :param before: that server, as text of an `Endpoint`.
        :param ringing: for how many seconds it may go on ringing.
        :return: False if it has another identifier by now, or another server.
        """
        claim = Claim(self._server, self._incarnation, dialogue)
        key, expiry = key_of(request), self._now() + ringing + MARGIN
        record = CLAIMS.record(key, claim, expiry=expiry)
        try:
            current = await self._live.get(CLAIMS.name, key)
            if current is not None:
                known = CLAIMS.read(current)
                if (known.server, known.dialogue) != (before, dialogue):
                    return False
                record = record.replace(version=current.version)
            await self._live.swap(record)
        except (Conflict, UnreadableRecord):
            return False
        except StoreError as error:
            self._log.warn("A call goes on without a claim: {error}", error=error)
        return True

    async def owner(self, request: Request) -> Endpoint | None:
        """
        Find who has the call that a CANCEL or ACK belongs to; None: nobody, or we.
        """
        try:
            record = await self._live.get(CLAIMS.name, key_of(request))
            server = "" if record is None else CLAIMS.read(record).server
        except StoreError:
            return None
        return Endpoint.parse(server) if server not in ("", self._server) else None

    def release(self, request: Request) -> None:
        """
        Let a claim go, in a while, because the call is over.
        """
        self._ended.append((self._clock.seconds() + LINGER, key_of(request)))
        if self._sweeping is None and not self._is_stopped:
            self._sweeping = self._clock.callLater(LINGER, self._sweep)

    def stop(self) -> None:
        """
        Leave the rest to expire, also what ends after this.
        """
        self._is_stopped = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    # Inside

    async def _again(
        self, record: Record, current: Record | None, claim: Claim
    ) -> Claim | None:
        """
        Take what our own server has claimed before it was killed.
        """
        known = None if current is None else _read(current)
        if current is None or known is None:
            return None
        if known.status:
            raise Refused(Code.PLAN_REFUSED, known.reason, known.status)
        if known.server != self._server:
            return None
        if known.incarnation == self._incarnation:
            raise Refused(Code.MERGED)
        try:
            await self._live.swap(record.replace(version=current.version))
        except Conflict:
            return None
        except StoreError as error:
            self._log.warn("A call goes on without a claim: {error}", error=error)
        return claim

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._clock.seconds()
        while self._ended and self._ended[0][0] <= now:
            _, key = self._ended.popleft()
            # What cannot be removed expires.
            discarded = self._live.discard(CLAIMS.name, key)
            discarded.addErrback(lambda failure: failure.trap(StoreError))
        if self._ended:
            # Not one by one: those that go within the next second go together.
            delay = max(1.0, self._ended[0][0] - now)
            self._sweeping = self._clock.callLater(delay, self._sweep)


def _read(record: Record) -> Claim | None:
    try:
        return CLAIMS.read(record)
    except UnreadableRecord:
        return None


def key_of(request: Request) -> str:
    """
    Give the key of the claim that an INVITE, or its CANCEL or ACK, is about.

    :raises ParseError: if the request breaks the grammar.
    """
    if (seen := request.glance()) is not None:
        return claim_key(seen.call_id, seen.from_tag or "", int(seen.sequence))
    tag = request[FROM].tag or ""
    return claim_key(request[CALL_ID], tag, request[CSEQ].number)
