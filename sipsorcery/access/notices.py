"""
Telling the operator, and the owner of an account, what was refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sipsorcery.access.offences import Ban
from sipsorcery.access.security_log import Attempt, SecurityLog, quoted
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.store.directory import Account


class Notices:
    """
    Writes the security log and emits the events that go with it.

    :param server: the role.
    :param bus: None: nobody listens.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        server: str,
        bus: Bus | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._bus = bus
        self._clock = clock
        self._log = SecurityLog()

    def failed(self, attempt: Attempt, account: Account | None = None) -> None:
        """
        Tell of an attempt that failed.

        :param account: the one whose credentials these should have been.
        """
        self._log.failed(attempt)
        if self._bus is None or not self._bus.wants(EventKind.AUTH_FAILED):
            return
        name = quoted(attempt.name)
        self._bus.emit(
            Event(
                time=self._clock(),
                server=self._server,
                kind=EventKind.AUTH_FAILED,
                owner="" if account is None else account.owner,
                call_id=attempt.call_id,
                remote=attempt.remote,
                message=f"{attempt.method} for {name} failed: {attempt.reason}",
                detail={"account": attempt.name, "method": attempt.method},
            )
        )

    def banned(self, ban: Ban) -> None:
        """
        Tell that a source is not listened to for a while.
        """
        seconds = ban.until - ban.since
        self._log.banned(ban.source, seconds, ban.offence.value)
        if self._bus is None or not self._bus.wants(EventKind.BANNED):
            return
        self._bus.emit(
            Event(
                time=self._clock(),
                server=self._server,
                kind=EventKind.BANNED,
                message=f"{ban.source} is banned for {seconds:.0f} s: {ban.offence}",
                detail={"address": ban.source, "seconds": f"{seconds:.0f}"},
            )
        )
