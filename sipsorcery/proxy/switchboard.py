"""
Every message of the proxy passes here: to a transaction, to the script, or back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import TimeoutError as TooLong
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.answers import Answers
from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.facade import Sys
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.responses import Reviews
from sipsorcery.proxy.routing import Router
from sipsorcery.proxy.stepping import begin
from sipsorcery.proxy.token import Use
from sipsorcery.proxy.tools import Tools
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER, TO, VIA
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.errors import StoreError
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow, Listener

# Requests whose script waits for something, DNS mostly: ten seconds of a thousand a
# second. Each costs a coroutine and its message, some 10 kB.
_MAX_WAITING = 10_000
# Further messages of a branch, such as a CANCEL, that wait for their request's script.
_MAX_BEHIND = 8
# Seconds that a script may wait: then the client has given up, too (Timer B).
_PATIENCE = 32.0

# Seconds until somebody may try again while a store is away.
_RETRY_AFTER = 5

# A challenge is no refusal yet; of overload the monitor hears otherwise.
_UNTOLD = (401, 407, 503)
_ENDINGS = ("ACK", "BYE", "CANCEL")

_Key = tuple[str | None, str]


class Switchboard:
    """
    Takes requests and responses.

    :param tools: what scripts send by; its relays get what belongs to them.

    :ivar transactions: those of the relays.
    :ivar reviews: the responses that the script looks at.
    :ivar limit: for how many requests at a time the script may wait.
    """

    limit = _MAX_WAITING
    _log = Logger()

    def __init__(
        self, clock: IReactorTime, router: Router, script: Script, tools: Tools
    ) -> None:
        self._clock = clock
        self._router = router
        self._script = script
        self._tools = tools
        self._answers: Answers = tools.answers
        self.transactions = tools.relays.transactions
        tools.relays.pass_ack = self._begin
        tools.relays.express = tools.express
        tools.express.looks = lambda: script.changes_responses
        self.reviews = Reviews(clock, script, tools.ways, tools.events, tools.nat)
        tools.relays.review = tools.forwarder.review = self.reviews.review
        tools.relays.passed = tools.forwarder.passed = tools.registered.note
        # What waits for the script of the first of its branch.
        self._behind: dict[_Key, list[Callable[[], None]]] = {}

    def request_received(self, request: Request, flow: Flow) -> None:
        """
        See to a request.

        :raises ParseError: for the transport layer to answer.
        """
        if self._tools.gate.turns_away(request, flow):
            return
        if self._behind:
            via = request[VIA]
            behind = self._behind.get((via.branch, via.sent_by))
            if behind is not None:
                # In order: a CANCEL has to find what its INVITE became.
                if len(behind) < _MAX_BEHIND:
                    behind.append(lambda: self._take(request, flow))
                return
        self._take(request, flow)

    def response_received(self, response: Response, flow: Flow) -> None:
        """
        See to a response.

        :raises ParseError: if it cannot be read; it is dropped.
        """
        if self._tools.express.pass_back(response, flow):
            return
        if not self.transactions.take(response):
            # One that answers nothing that we have sent is dropped (16.7, 1).
            self._tools.forwarder.pass_back(response, flow)

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Give up what waits for answers on a connection, and tell that it is gone.
        """
        self.transactions.flow_closed(flow, reason)
        self._tools.registered.closed(flow)
        self._tools.gate.forget(flow)
        token = self._tools.tokens.write(Use.PATH, self._tools.ways.name(flow))
        self._tools.events.emit(
            EventKind.FLOW_CLOSED,
            f"A connection is gone: {reason}",
            remote=flow.remote,
            detail={"token": token},
        )

    def tables(self) -> dict[str, int]:
        """
        Count the requests that are under way, and the connections in use by phones.
        """
        return {
            "relays": len(self._tools.relays),
            "scripts_waiting": len(self._behind),
            "flows_held": len(self._tools.registered),
            **self.transactions.tables(),
        }

    def forget(self, listener: Listener) -> None:
        """
        Name a listener by another address from now on.
        """
        self._tools.ways.forget(listener)
        self._tools.express.forget()

    def stop(self) -> None:
        """
        Refuse what is under way, before the transport layer is stopped.
        """
        self._tools.relays.stop()
        self._tools.registered.stop()

    # Inside

    def _take(self, request: Request, flow: Flow) -> None:
        if self.transactions.knows(request):
            self.transactions.request_received(request, flow)
        elif request.method != "ACK" or not self._answers.end_here(request):
            self._begin(request, flow)

    def _begin(self, request: Request, flow: Flow) -> None:
        try:
            arrival = self._tools.ways.arrival(flow)
            if self._tools.load.is_behind and not arrival.is_trusted:
                self._check_load(request)
            if arrival.is_trusted and request.method == "OPTIONS":
                self._tools.attendance.note(arrival.remote)
            routed = self._tools.express.route(request, flow)
            if routed is None:
                routed = self._router.route(request, arrival)
            if routed.hops == 0:
                # An OPTIONS: "the element MAY act as the final recipient" (16.3, 3).
                self._answers.own(request, flow)
                return
            if len(self._behind) >= self.limit:
                raise self._tools.load.refused(f"{self.limit} scripts are waiting")
            running = self._script.request(Sys(self._tools, routed, flow), request)
        except Exception:
            self._fail(Failure(), request, flow)
            return
        if running is not None:
            self._run(running, request, flow)

    def _check_load(self, request: Request) -> None:
        # What belongs to something that is under way makes the load less in the end.
        if request.method not in _ENDINGS and request[TO].tag is None:
            self._tools.load.check()

    def _run(self, running: Awaitable[None], request: Request, flow: Flow) -> None:
        try:
            done = begin(running)
        except Exception:
            self._fail(Failure(), request, flow)
            return
        if done is None:
            return
        via = request[VIA]
        key = (via.branch, via.sent_by)
        self._behind[key] = []
        done.addTimeout(_PATIENCE, self._clock)
        done.addErrback(self._fail, request, flow)
        done.addCallback(self._go_on, key)

    def _go_on(self, _: None, key: _Key) -> None:
        for take in self._behind.pop(key, ()):
            try:
                take()
            except ParseError:
                continue  # its request was read, so this is not worth an answer
            except Exception:
                self._log.failure("Failed on what came behind another")

    def _fail(self, failure: Failure, request: Request, flow: Flow) -> None:
        """
        Answer a request whose script did not.
        """
        match failure.value:
            case Refused() as refused:
                self._refuse(request, flow, refused)
            case ParseError() as error:
                self._tools.events.unreadable(error, flow.remote)
                self._answers.explain(error, flow)
            case TransportError() | TooLong() as error:
                # "behave as if [...] a 503", which does not go back as such (16.9).
                self._refuse(request, flow, Refused(500, str(error)))
            case StoreError() as error:
                later = [(RETRY_AFTER, Seconds(_RETRY_AFTER))]
                self._refuse(request, flow, Refused(503, str(error), later))
            case _:
                # Not the whole request, which may hold credentials.
                self._log.failure(
                    "The script failed on {method} of call {call_id!r}",
                    failure,
                    method=request.method,
                    call_id=request.get("Call-ID"),
                )
                self._tools.events.emit(
                    EventKind.SCRIPT_FAILED,
                    f"The script failed on a request: {failure.value!r}",
                    about=request,
                    remote=flow.remote,
                )
                self._answers.respond(request, flow, 500)

    def _refuse(self, request: Request, flow: Flow, refused: Refused) -> None:
        if refused.status not in _UNTOLD:
            why = str(refused)
            self._tools.events.rejected(request, refused.status, flow.remote, why)
        self._answers.refuse(request, flow, refused)
