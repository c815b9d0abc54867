"""
Writing call detail records: one for each leg, when it begins, is answered and is over.

A leg changes in memory, and what has changed is written about once a second, the end of
an established call a little sooner, all of it in one transaction: so an attempt that
fails at once, or a short call, costs one row.
Whoever stores a dialogue puts the records of its legs into it (`LegCDR.now`), so that
the call of a server which is killed loses none.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.address import Address
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.store.directory.cdrs import CDR, Direction
from sipsorcery.store.errors import StoreError

# Seconds that a change waits for others. What a killed server loses is what it has
# begun within that time and nobody has answered; for the records of established calls
# lie in the live state, too.
_DELAY = 1.0
# Seconds that the end of an established call waits: then they do no more.
_SOON = 0.05
# Seconds until a directory that is away is tried again.
_RETRY = 5.0
# Records that are kept for a directory that is away, and as many of calls that are
# over: half a minute of 1,000 legs a second, 50 MB. What is more is lost, the oldest
# first, and counted.
_LIMIT = 30_000
# Rows of a transaction: a tenth of a second of the thread.
_AT_ONCE = 2_000


class CDRStore(Protocol):
    """
    Keep call detail records, as `sipsorcery.store.directory.cdrs.CDRs` does.
    """

    def write_all(self, cdrs: Sequence[CDR]) -> Deferred[None]:
        """
        Store records, in place of those of the same identifiers.
        """

    def close_open(self, server: str, reason: str, before: datetime) -> Deferred[int]:
        """
        End what a server has left open when it was killed.
        """

    def remove_before(self, time: datetime) -> Deferred[int]:
        """
        Remove the records of legs that were begun before a time.
        """


class LegCDR:
    """
    The record of one leg, as it grows.

    :ivar id: its identifier.
    """

    __slots__ = ("_cdr", "_fields", "_writer", "id")

    def __init__(self, writer: CDRWriter, fields: dict[str, Any]) -> None:
        """
        :param fields: those of `CDR` that are known.
        """
        self.id: str = fields["id"]
        self._writer = writer
        self._fields = fields
        self._cdr: CDR | None = None  # made when it is asked for, and kept

    @property
    def now(self) -> CDR:
        """
        The record as far as it is.
        """
        if self._cdr is None:
            self._cdr = CDR(**self._fields)
        return self._cdr

    @property
    def is_over(self) -> bool:
        """
        Whether the leg has ended.
        """
        return self._fields.get("ended_at") is not None

    @property
    def is_answered(self) -> bool:
        """
        Whether the leg has been answered.
        """
        return self._fields.get("answered_at") is not None

    def progress(self, status: int, reason: str = "") -> None:
        """
        Note a provisional response; only the first one but 100 counts.

        It is written with what comes next.
        """
        if status > 100 and self._fields.get("progress_at") is None:
            self._note("progress", status, reason)

    def answered(self, status: int = 200, reason: str = "OK") -> None:
        """
        Note the 2xx; a second one changes nothing.
        """
        if not self.is_answered:
            self._note("answered", status, reason)
            self._writer.changed(self)

    def bridged(self, bridge: str) -> None:
        """
        Note what it is connected by: both legs of a call have the same bridge.
        """
        self.note(bridge=bridge)

    def ended(self, reason: str, status: int | None = None) -> None:
        """
        Note the end; only the first one counts.

        :param reason: such as ``remote end hungup``.
        :param status: of the final response, if that was no 2xx.
        """
        if not self.is_over:
            self._note("ended", status, reason)
            self._writer.changed(self)

    def note(self, **fields: Any) -> None:
        """
        Note other fields of `CDR`, which become known later.
        """
        self._fields.update(fields)
        self._cdr = None
        self._writer.changed(self)

    def _note(self, what: str, status: int | None, reason: str) -> None:
        self._fields[f"{what}_at"] = self._writer.moment()
        self._fields[f"{what}_status"] = status
        self._fields[f"{what}_reason"] = reason
        self._cdr = None


class CDRWriter:
    """
    Makes the records of one server, and writes them.

    :param cdrs: of everybody.
    :param server: where it listens: it closes what another start of it left open.
    :param now: gives the seconds since the epoch.

    :ivar lost: how many records were given up because the directory was away.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        cdrs: CDRStore,
        server: Endpoint,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.lost = 0
        self._clock = clock
        self._cdrs = cdrs
        self._server = str(server)
        self._now = now
        self._changed: dict[str, LegCDR] = {}
        self._due = 0.0  # when these are to be written
        self._over: dict[str, LegCDR] = {}  # answered, and over: these go first
        self._is_stopping = False
        self._delay: IDelayedCall | None = None
        self._writing: Deferred[None] | None = None
        self._is_away = False

    # Life

    async def close_open(
        self, reason: str = "server ended", *, before: datetime | None = None
    ) -> int:
        """
        Close what was left open when the server was killed.

        Calls that are taken up open theirs again: see `resume`.

        :param before: when this process was started; None: now.
        :return: how many there were.
        """
        start = before or self.moment()
        return await self._cdrs.close_open(self._server, reason, start)

    async def stop(self) -> None:
        """
        Write what waits; a directory that is away now gets it no more.
        """
        self._is_stopping = True
        while (self._over or self._changed) and not self._is_away:
            if self._writing is None:
                self._write()
            writing = self._writing
            if writing is not None:
                await writing
        self._cancel()

    # Legs

    def begin(
        self,
        *,
        owner: str,
        direction: Direction,
        call_id: str,
        destination: URI,
        caller: Address,
        account: str = "",
        account_code: str = "",
        dialplan: str = "",
        dialplan_version: int | None = None,
        run: str = "",
        local: Endpoint | None = None,
        remote: Endpoint | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> LegCDR:
        """
        Begin the record of a leg.

        :param destination: the Request-URI.
        :param caller: the From.
        :param local: our end of the first hop.
        :param remote: the other end, as far as it is known.
        """
        called, calling = _parts(destination), _parts(caller.uri)
        fields: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "owner": owner,
            "server": self._server,
            "direction": direction,
            "account": account,
            "account_code": account_code,
            "dialplan": dialplan,
            "dialplan_version": dialplan_version,
            "run": run,
            "call_id": call_id,
            "destination_user": called[0],
            "destination_host": called[1],
            "destination_uri": str(destination),
            "from_user": calling[0],
            "from_name": caller.display_name or "",
            "from_header": str(caller),
            "local_socket": "" if local is None else str(local),
            "remote_socket": "" if remote is None else str(remote),
            "created": self.moment(),
            "detail": detail or {},
        }
        leg = LegCDR(self, fields)
        self.changed(leg)
        return leg

    def resume(self, cdr: CDR) -> LegCDR:
        """
        Go on with the record of a leg that another process has begun.
        """
        known = {each.name: getattr(cdr, each.name) for each in dataclasses.fields(cdr)}
        leg = LegCDR(self, {**known, "server": self._server})
        self.changed(leg)
        return leg

    def moment(self) -> datetime:
        """
        Give the time, as records have it.
        """
        return datetime.fromtimestamp(self._now(), UTC)

    # Writing

    def changed(self, leg: LegCDR) -> None:
        """
        Write a leg, soon.
        """
        if leg.is_over and leg.is_answered:
            self._changed.pop(leg.id, None)
            self._keep(self._over, leg)
            self._write_within(_SOON)
            return
        if leg.id in self._changed:
            return
        if not self._changed:
            self._due = self._clock.seconds() + _DELAY
        self._keep(self._changed, leg)
        self._write_within(_DELAY)

    def _keep(self, legs: dict[str, LegCDR], leg: LegCDR) -> None:
        legs[leg.id] = leg
        if len(legs) > _LIMIT:
            legs.pop(next(iter(legs)))
            self.lost += 1

    def _write_within(self, delay: float) -> None:
        if self._writing is not None:
            return  # it goes on by itself
        if self._delay is None:
            self._delay = self._clock.callLater(delay, self._write)
        elif not self._is_away and self._delay.getTime() > (
            self._clock.seconds() + delay
        ):
            self._delay.reset(delay)

    def _write(self) -> None:
        self._cancel()
        legs = _take(self._over, _AT_ONCE)
        if self._clock.seconds() >= self._due or self._is_stopping:
            legs += _take(self._changed, _AT_ONCE - len(legs))
        writing = self._cdrs.write_all([leg.now for leg in legs])
        done: Deferred[None] = Deferred()
        self._writing = done
        writing.addCallbacks(self._written, self._refused, errbackArgs=(legs,))
        writing.addErrback(self._fail)
        writing.addCallback(lambda _: done.callback(None))

    def _written(self, _: None) -> None:
        self._is_away = False
        self._go_on()

    def _refused(self, failure: Failure, legs: list[LegCDR]) -> None:
        failure.trap(StoreError)
        if not self._is_away:
            self._is_away = True
            self._log.warn(
                "Call detail records wait for the directory: {error}",
                error=failure.value,
            )
        # What has changed since holds all of it, and the oldest stay the first.
        waiting = {leg.id: leg for leg in legs}
        self._changed = {**waiting, **self._changed}
        self._go_on()

    def _fail(self, failure: Failure) -> None:
        self._log.failure("Call detail records were lost", failure)
        self._go_on()

    def _go_on(self) -> None:
        self._writing = None
        now = self._clock.seconds()
        if self._is_away:
            self._due = now + _RETRY
        elif self._changed:
            self._due = max(self._due, now)
        if not (self._over or self._changed) or self._delay is not None:
            return
        soon = self._over and not self._is_away
        delay = _SOON if soon else self._due - now
        self._delay = self._clock.callLater(delay, self._write)

    def _cancel(self) -> None:
        if self._delay is not None and self._delay.active():
            self._delay.cancel()
        self._delay = None


def _take(legs: dict[str, LegCDR], count: int) -> list[LegCDR]:
    """
    Take the first ones out.
    """
    return [legs.pop(id) for id in list(islice(legs, max(0, count)))]


def _parts(uri: URI) -> tuple[str, str]:
    return (uri.user or "", uri.host) if isinstance(uri, SIPURI) else ("", "")
