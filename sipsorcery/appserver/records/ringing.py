"""
Records of calls that ring: kept for the server that is started after a kill.

Nothing waits for them. A call that is answered or refused at once has none; of all
others one is written when a phone rings, or a moment after the call has begun, and
again whenever legs were sent or the dialplan has come to another dial.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.records.snapshots import Snapshots
from sipsorcery.endpoint import Endpoint
from sipsorcery.store.errors import Conflict, StoreError, UnreadableRecord
from sipsorcery.store.live import LiveStore, Record
from sipsorcery.store.ringing import LIFETIME, RINGING, RingingCall

# Seconds between two looks. A change is stored at the second one, unless a phone rings
# before that: by then all legs of a dial have been sent, and calls that are answered at
# once are. What a killed server has begun so short a time before, nobody takes up.
_INTERVAL = 0.02


class Ringing(Protocol):
    """
    A call that nobody has answered: `sipsorcery.appserver.calls.call.Call`.
    """

    @property
    def id(self) -> str:
        """
        Its identifier.
        """

    def describe(self) -> tuple[RingingCall, RunState | None] | None:
        """
        Write it down; None if it is over. Whose it is and the run are filled in.
        """


class RingingRecords:
    """
    Stores the calls of one server that ring.

    Its length is how many there are, stored or not yet.

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
        snapshots: Snapshots,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._live = live
        self._server = str(server)
        self._incarnation = incarnation
        self._snapshots = snapshots
        self._now = now
        # All of these are of calls that there are, so no more than there may be.
        self._changed: dict[str, Ringing] = {}  # since the last look
        self._settled: dict[str, Ringing] = {}  # before it
        self._versions: dict[str, int] = {}  # of those that are stored
        self._writing: set[str] = set()
        self._flush: IDelayedCall | None = None
        self._urgent: set[str] = set()
        self._hurry: IDelayedCall | None = None

    def __len__(self) -> int:
        return len({*self._changed, *self._settled, *self._versions, *self._writing})

    def changed(self, call: Ringing) -> None:
        """
        Store a call, soon.
        """
        if call.id not in self._settled:
            self._changed[call.id] = call
        if self._flush is None:
            self._flush = self._clock.callLater(_INTERVAL, self._look)

    def rings(self, id: str) -> None:
        """
        Store a call now, unless what is known of it is stored already.

        What else this turn of the reactor brings comes first: it may be the answer.
        """
        if id in self._changed or id in self._settled:
            self._urgent.add(id)
            if self._hurry is None:
                self._hurry = self._clock.callLater(0, self._write_urgent)

    def adopt(self, record: Record) -> None:
        """
        Go on with the record of a process before this one.
        """
        self._versions[record.key] = record.version

    def ended(self, id: str) -> None:
        """
        Remove the record of a call, if it has one.
        """
        self._changed.pop(id, None)
        self._settled.pop(id, None)
        if self._versions.pop(id, None) is not None or id in self._writing:
            self._live.discard(RINGING.name, id).addErrback(_ignore)

    def stop(self) -> None:
        """
        Store nothing more.
        """
        for timer in (self._flush, self._hurry):
            if timer is not None:
                timer.cancel()
        self._flush = self._hurry = None

    # Inside

    def _write_urgent(self) -> None:
        self._hurry = None
        urgent, self._urgent = self._urgent, set()
        for id in urgent:
            call = self._settled.pop(id, None) or self._changed.pop(id, None)
            if call is not None:  # it is not over
                self._write(call)

    def _look(self) -> None:
        self._flush = None
        settled, self._settled, self._changed = self._settled, self._changed, {}
        for call in settled.values():
            self._write(call)
        if self._settled and self._flush is None:
            self._flush = self._clock.callLater(_INTERVAL, self._look)

    def _write(self, call: Ringing) -> None:
        if call.id in self._writing:
            self.changed(call)  # the version that it has is not known yet
            return
        try:
            record = self._record_of(call)
        except Exception as error:
            # Such as octets of a stranger that are no text. It rings all the same, and
            # so do those that are written after it.
            self._log.warn(
                "Call {id} rings unrecorded: {error}", id=call.id, error=error
            )
            return
        if record is None:
            return
        version = self._versions.setdefault(call.id, 0)
        self._writing.add(call.id)
        writing: Deferred[Record] = self._live.swap(record.replace(version=version))
        writing.addCallbacks(self._written, self._unwritten, errbackArgs=(call,))
        writing.addErrback(self._failed, call.id)

    def _record_of(self, call: Ringing) -> Record | None:
        described = call.describe()
        if described is None:
            return None
        ringing, state = described
        if state is not None:
            state = msgspec.structs.replace(state, written=self._now())
        ringing = msgspec.structs.replace(
            ringing,
            server=self._server,
            incarnation=self._incarnation,
            state=self._snapshots.seal(state, ringing),
        )
        return RINGING.record(
            call.id, ringing, expiry=ringing.started + LIFETIME, owner=ringing.owner
        )

    def _written(self, record: Record) -> None:
        self._writing.discard(record.key)
        if record.key in self._versions:
            self._versions[record.key] = record.version
        else:  # it was over before it was stored
            self._live.discard(RINGING.name, record.key).addErrback(_ignore)

    def _unwritten(self, failure: Failure, call: Ringing) -> None:
        self._writing.discard(call.id)
        failure.trap(StoreError)
        error = failure.value
        if isinstance(error, Conflict) and call.id in self._versions:
            if error.current is not None and self._is_ours(error.current):
                # It was stored after all, when nobody waited for it any more.
                self._versions[call.id] = error.current.version
                self.changed(call)
                return
            # Another server takes us for dead: whoever answers first has the call.
            del self._versions[call.id]
        self._log.warn("Call {id} rings unrecorded: {error}", id=call.id, error=error)

    def _is_ours(self, record: Record) -> bool:
        try:
            known = RINGING.read(record)
        except UnreadableRecord:
            return False
        whose = known.server, known.incarnation
        return whose == (self._server, self._incarnation)

    def _failed(self, failure: Failure, id: str) -> None:
        self._writing.discard(id)
        self._log.failure("Call {id} is not stored", failure, id=id)


def _ignore(failure: Failure) -> None:
    # What cannot be removed expires.
    failure.trap(StoreError)
