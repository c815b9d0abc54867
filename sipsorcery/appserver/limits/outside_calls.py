"""
Counting the calls that leave the service, and letting no user have too many.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.events import Events
from sipsorcery.appserver.limits.allowance import Allowance
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.config.tree import Limits
from sipsorcery.monitor.event import EventKind
from sipsorcery.store.directory.settings import LIMITS
from sipsorcery.store.errors import StoreError
from sipsorcery.store.live import Kind, LiveStore, Record
from sipsorcery.store.outside_calls import BEGUN_CALLS, OUTSIDE_CALLS, OutsideCall

# Seconds that a call counts after its server was last heard of, and how often that says
# that it goes on.
_LEASE = 120.0
_RENEWAL = 40.0


@dataclass(frozen=True, slots=True)
class Counted:
    """
    A call that counts, until this is called.

    :ivar id: what its lease is called.
    """

    id: str
    end: Callable[[str], None]

    def __call__(self) -> None:
        """
        Count it no more.
        """
        self.end(self.id)


class OutsideCalls:
    """
    Counts calls by their owner, in the live state that all processes share.

    Its length is how many of them are of this one.

    :param limits: those of users for whom nothing else holds.
    :param now: gives the seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        live: LiveStore,
        configured: Configured,
        limits: Limits,
        events: Events,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._live = live
        self._configured = configured
        self._limits = limits
        self._usual = Allowance.of(limits)
        self._events = events
        self._now = now
        self._open: dict[str, str] = {}  # owners, by call: no more than there are legs
        self._renewing = LoopingCall(self._renew)
        self._renewing.clock = reactor

    def __len__(self) -> int:
        return len(self._open)

    def reconfigure(self, limits: Limits) -> None:
        """
        Go by other limits, for calls that begin from now on.
        """
        self._limits = limits
        self._usual = Allowance.of(limits)

    def start(self) -> None:
        """
        Begin to renew the leases.
        """
        self._renewing.start(_RENEWAL, now=False)

    def stop(self) -> None:
        """
        Let the leases of calls that still go on run out.
        """
        self._renewing.stop()

    async def allowance(self, owner: str) -> Allowance:
        """
        Give what a user may do.

        :raises StoreError: if the directory has to be asked and does not answer.
        """
        own = await self._configured.setting(owner, LIMITS)
        if own is None:
            return self._usual
        try:
            return Allowance.of(self._limits, own)
        except ValueError as error:
            self._log.warn(
                "The limits of {owner} are not read: {error}", owner=owner, error=error
            )
            return self._usual

    async def begin(self, owner: str, allowance: Allowance) -> Counted:
        """
        Count a call.

        It is counted before it is compared: of several that begin at once, in whichever
        processes, no more go on than may.

        :return: is to be called when the call is over.
        :raises Refused: if it is one too many.
        :raises StoreError: if the live state is away.
        """
        id, now = new_identifier(), self._now()
        rate, at_once = allowance.rate, allowance.at_once
        storing: list[Deferred[Record]] = []
        if at_once:
            self._open[id] = owner
            storing.append(self._put(OUTSIDE_CALLS, id, owner, now + _LEASE))
        if rate is not None:
            storing.append(self._put(BEGUN_CALLS, id, owner, now + rate.period))
        try:
            await gatherResults(storing, consumeErrors=True)
            if at_once and await self._count(OUTSIDE_CALLS, owner) > at_once:
                raise Refused(Code.OUTSIDE_AT_ONCE)
            if rate and await self._count(BEGUN_CALLS, owner) > rate.count:
                raise Refused(Code.OUTSIDE_RATE)
        except Refused as refused:
            # What was refused was no call, so that asking does not keep it closed.
            self._discard(BEGUN_CALLS, id)
            self._end(id)
            self.tell(owner, refused)
            raise
        except BaseException:
            self._end(id)
            raise
        return Counted(id, self._end)

    def release(self, id: str) -> None:
        """
        Count a call no more that a process before this one has counted.
        """
        self._discard(OUTSIDE_CALLS, id)

    def tell(self, owner: str, refused: Refused) -> None:
        """
        Tell the owner that something is not done because of a limit.
        """
        self._events.emit(
            EventKind.LIMIT_REACHED,
            refused.text,
            call="",
            call_id="",
            owner=owner,
            code=str(refused.code),
        )

    # Inside

    def _put(
        self, kind: Kind[OutsideCall], id: str, owner: str, expiry: float
    ) -> Deferred[Record]:
        call = OutsideCall(self._now())
        return self._live.put(kind.record(id, call, expiry=expiry, owner=owner))

    def _count(self, kind: Kind[OutsideCall], owner: str) -> Deferred[int]:
        return self._live.count(kind.name, owner)

    def _end(self, id: str) -> None:
        if self._open.pop(id, None) is not None:
            self._discard(OUTSIDE_CALLS, id)

    def _discard(self, kind: Kind[OutsideCall], id: str) -> None:
        self._live.discard(kind.name, id).addErrback(_ignore)

    def _renew(self) -> None:
        expiry = self._now() + _LEASE
        for id, owner in self._open.items():
            self._put(OUTSIDE_CALLS, id, owner, expiry).addErrback(_ignore)


def _ignore(failure: Failure) -> None:
    # What cannot be removed, or is not renewed, expires.
    failure.trap(StoreError)
