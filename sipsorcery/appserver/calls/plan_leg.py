"""
Legs that are dialplans: the callee's own, as a run of its own in this process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.appserver.calls.legs import Delivered, Listener
from sipsorcery.appserver.dial.dial_arguments import joined
from sipsorcery.appserver.dial.dialling import Answered
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.refusals import Refused


class Runnable(Protocol):
    """
    A run of a dialplan, as `sipsorcery.appserver.plans.execution.Execution` is.
    """

    async def run(self) -> Answered | Delivered | Refused:
        """
        Run it to its end.
        """

    def stop(self) -> None:
        """
        End the dial that is under way.
        """


class PlanLeg:
    """
    One leg.

    :param make_run: makes the run of the callee's dialplan; raises `Refused`.
    """

    _log = Logger()

    def __init__(
        self,
        make_run: Callable[[Target], Awaitable[Runnable]],
        target: Target,
        listener: Listener,
    ) -> None:
        self._make_run = make_run
        self._target = target
        self._listener = listener
        self._inner: Runnable | None = None
        self._running: Deferred[None] | None = None

    def start(self) -> None:
        """
        Run the dialplan.
        """
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._fail)

    def cancel(self) -> None:
        """
        End what it dials.
        """
        if self._inner is not None:
            self._inner.stop()
        if self._running is not None:
            self._running.cancel()

    def abandon(self) -> None:
        """
        Likewise: what it has dialled sees to itself.
        """
        self.cancel()

    async def _run(self) -> None:
        try:
            self._inner = await self._make_run(self._target)
            result = await self._inner.run()
        except Refused as refused:
            result = refused
        if isinstance(result, Answered):
            target = joined(self._target, result.target)
            self._listener.answered(result.session, target)
        elif isinstance(result, Delivered):
            self._listener.delivered(result)
        else:
            self._listener.failed(result.status, result.phrase, fields=result.more)

    def _fail(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            self._listener.failed(487, "Request Terminated")
            return
        self._log.failure("A dialplan has failed", failure)
        self._listener.failed(500, "Dial plan exception")
