"""
What the script's ``response`` function sees of responses on their way back.

Whatever it does, a response goes on: it may be changed, not stopped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.nat import Nat
from sipsorcery.proxy.response_facade import ResponseSys
from sipsorcery.proxy.ways import Ways
from sipsorcery.sip.response import Response
from sipsorcery.transport.flow import Flow

# Responses that wait for a script: as many as requests may, see `switchboard`.
_MAX_WAITING = 10_000
# Of one branch behind another. It gives no more than some provisional ones and a final
# one; what is repeated will be repeated again.
_MAX_BEHIND = 8
# Seconds that a script may take: a client has given up by then, too (Timer F).
_PATIENCE = 32.0


class Reviews:
    """
    Lets the script look, at the responses of one branch one after the other.

    :ivar limit: for how many branches at a time.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        script: Script,
        ways: Ways,
        events: Events,
        nat: Nat,
        limit: int = _MAX_WAITING,
    ) -> None:
        self._clock = clock
        self._script = script
        self._ways = ways
        self._events = events
        self._nat = nat
        self.limit = limit
        # What waits for the script to be done with another one of its branch.
        self._behind: dict[str | None, list[Callable[[], None]]] = {}

    def __len__(self) -> int:
        return len(self._behind)

    def review(
        self,
        response: Response,
        flow: Flow,
        branch: str | None,
        then: Callable[[], None],
    ) -> None:
        """
        Let the script look, if it wants to; then go on.

        :param then: is called once, unless too much waits already.
        """
        if not self._script.changes_responses:
            then()
            return
        behind = self._behind.get(branch)
        if behind is None:
            self._show(response, flow, branch, then)
        elif len(behind) < _MAX_BEHIND:
            behind.append(lambda: self._show(response, flow, branch, then))

    # Inside

    def _show(
        self,
        response: Response,
        flow: Flow,
        branch: str | None,
        then: Callable[[], None],
    ) -> None:
        if len(self._behind) >= self.limit:
            # It is lost, as on a full line: who minds sends it again.
            return
        sys = ResponseSys(self._ways.arrival(flow), response, self._nat)
        try:
            running = self._script.response(sys, response)
        except Exception:
            self._fail(Failure(), response)
            then()
            return
        if running is None:
            then()
        else:
            self._wait(running, response, branch, then)

    def _wait(
        self,
        running: Awaitable[None],
        response: Response,
        branch: str | None,
        then: Callable[[], None],
    ) -> None:
        done: Deferred[None] = deferred(running)
        if not done.called:
            self._behind[branch] = []
            done.addTimeout(_PATIENCE, self._clock)
            done.addErrback(self._fail, response)
            done.addCallback(self._go_on, branch, then)
            return
        done.addErrback(self._fail, response)
        then()

    def _go_on(self, _: None, branch: str | None, then: Callable[[], None]) -> None:
        behind = self._behind.pop(branch, [])
        try:
            then()
        except Exception:
            self._log.failure("Failed on what the script is done with")
        while behind:
            behind.pop(0)()
            if branch in self._behind:  # that one waits, too, and the rest for it
                self._behind[branch] += behind
                return

    def _fail(self, failure: Failure, response: Response) -> None:
        self._log.failure(
            "The script failed on a {status} of call {call_id!r}",
            failure,
            status=response.status,
            call_id=response.get("Call-ID"),
        )
        self._events.emit(
            EventKind.SCRIPT_FAILED,
            f"The script failed on a response: {failure.value!r}",
            about=response,
        )


def deferred(running: Awaitable[None]) -> Deferred[None]:
    """
    Let what a script has returned run.
    """
    if isinstance(running, Deferred):
        return running
    return ensureDeferred(running)  # type: ignore[arg-type]  # or it says so itself
