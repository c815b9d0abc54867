"""
The registrar as a Twisted service: opens its socket and feeds the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.access.gruu import GRUUs
from sipsorcery.access.overload import LagMeter
from sipsorcery.config import Config
from sipsorcery.monitor.bus import Bus, Subscription
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.figures import (
    Figure,
    Histogram,
    counter,
    gauge,
    of_tables,
    of_transactions,
    of_transport,
)
from sipsorcery.registrar.answer import Answers
from sipsorcery.registrar.answering import Authenticates, Registrar, Reply
from sipsorcery.registrar.errors import Refused, RegistrarError
from sipsorcery.registrar.flows import FlowIndex
from sipsorcery.registrar.keepalive import KeepAlives
from sipsorcery.registrar.locations import Locations
from sipsorcery.registrar.orphans import KnownAccounts, Orphans
from sipsorcery.registrar.overload import Load
from sipsorcery.registrar.pinging import Pinging
from sipsorcery.registrar.rules import RuleBook
from sipsorcery.registrar.trust import Trust
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.bindings import Bindings
from sipsorcery.store.errors import StoreError
from sipsorcery.store.live import LiveStore
from sipsorcery.store.secrets import Secrets
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.flow import Flow, Listener
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction

# Seconds between two looks for what has expired: a lamp goes out soon enough, and the
# look costs nothing while there is nothing.
_SWEEP = 2.0
# Of the time for which the proxy keeps a silent connection, so that a phone that obeys
# is always early enough (RFC 5626, 4.4.1).
_FLOW_TIMER_SHARE = 0.75
# "RECOMMENDED" for what costs a phone's battery (RFC 5626, 4.4.1).
_LONGEST_FLOW_TIMER = 120


class RegistrarService(Service):
    """
    Takes REGISTER on the listener of the configuration.

    :param reactor: one that has UDP and time.
    :param config: one whose ``registrar.listen`` is settled.
    :param accounts: knows these and the domains.
    :param live: where the bindings are; started, and stopped after this.
    :param secrets: loaded.
    :param clock: gives the seconds since the epoch.
    """

    name = "registrar"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: Config,
        *,
        accounts: KnownAccounts,
        authenticator: Authenticates,
        live: LiveStore,
        secrets: Secrets,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._bus = bus
        self._load = Load()
        self._lag = LagMeter(reactor, self._load.note_lag)
        self._due = KeepAlives(config.registrar.keep_alive)
        flows = FlowIndex()
        self._locations = Locations(
            live,
            bus,
            flows,
            self._watch,
            clock,
            keeps_alive=config.registrar.keep_alive > 0,
        )
        self._orphans = Orphans(accounts, self._locations)
        self._gruus = GRUUs(secrets)
        self._registrar = Registrar(
            accounts,
            authenticator,
            self._locations,
            flows,
            self._answers(config),
            RuleBook(config),
            Trust(config),
            bus,
            clock,
        )
        self._clock = clock
        self._transactions: TransactionLayer | None = None  # None: it does not run
        self._subscription: Subscription | None = None
        self._is_overloaded = False
        self._classes = [0] * 7  # answers, by the first digit of their status
        self._answering = Histogram()
        self._sweeping = LoopingCall(self._sweep)
        self._sweeping.clock = reactor

    def startService(self) -> None:
        """
        Open the listener.

        :raises ListenError: if it cannot be opened.
        :raises RegistrarError: if the configuration has none.
        """
        listen = self._config.registrar.listen
        if listen is None:
            raise RegistrarError("registrar.listen is not set")
        transactions = TransactionLayer(
            self._reactor, self, timers=Timers(t1=self._config.sip.t1)
        )
        transport = TransportLayer(
            self._reactor, TransportSettings((listen,)), transactions
        )
        transactions.join(transport)
        transport.start()
        self._transactions = transactions
        self._subscription = self._bus.subscribe(
            self._flow_closed, {EventKind.FLOW_CLOSED}
        )
        self._pinging = Pinging(
            *(self._reactor, transport, self._locations, self._due),
            bus=self._bus,
            clock=self._clock,
        )
        self._pinging.start()
        self._sweeping.start(_SWEEP, now=False)
        self._lag.start()
        self._run(self._locations.recall(), "The bindings cannot be recalled")
        for listener in transport.listeners:
            self._log.info("Listening on {address}", address=str(listener.local))
        super().startService()

    def stopService(self) -> Deferred[None] | None:
        """
        Refuse what is not answered yet, and close the listener.
        """
        super().stopService()
        transactions, self._transactions = self._transactions, None
        if transactions is None:
            return None
        self._lag.stop()
        self._sweeping.stop()
        self._pinging.stop()
        if self._subscription is not None:
            self._subscription.stop()
        transactions.stop()
        return Deferred.fromCoroutine(transactions.transport.stop())

    def reconfigure(self, config: Config) -> None:
        """
        Answer as another configuration says: each request from now on.
        """
        self._due.change(config.registrar.keep_alive)
        self._locations.keeps_alive = config.registrar.keep_alive > 0
        self._registrar.answers = self._answers(config)
        self._registrar.rules = RuleBook(config)
        self._registrar.trust = Trust(config)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """
        List the open listeners: none before the start.
        """
        layer = self._transactions
        return () if layer is None else layer.transport.listeners

    # What the transaction layer receives

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        See to a request.
        """
        try:
            self._load.check()
        except Refused as refused:
            self._tell_overload()
            transaction.respond(refused.status, refused.reason, refused.fields)
            return
        self._is_overloaded = False
        self._load.waiting += 1
        Deferred.fromCoroutine(self._answer(transaction))

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Drop an ACK: no request of ours has one.
        """

    def stray_response(self, response: Response, flow: Flow) -> None:
        """
        Drop what a phone answers to being kept alive.
        """

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Drop a STUN message.
        """

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Leave it at the answer that the layer has given.
        """

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Do nothing: there are no connections here.
        """

    def figures(self) -> Iterator[Figure]:
        """
        Give what there is to count.
        """
        if self._transactions is None:
            return
        yield from of_transport(self._transactions.transport.counters)
        yield from of_transactions(self._transactions)
        for number, count in enumerate(self._classes[1:], 1):
            status = f"{number}xx"
            yield counter("registrations", "Requests answered.", count, status=status)
        waiting = self._load.waiting
        yield gauge("registrations_waiting", "Requests not answered yet.", waiting)
        yield gauge("kept_alive", "Addresses kept reachable.", len(self._due))
        yield Figure("registering", "Time until the answer.", self._answering)
        yield from of_tables(self.tables())

    def tables(self) -> dict[str, int]:
        """
        Count what there is of requests.
        """
        return {} if self._transactions is None else self._transactions.tables()

    # Inside

    def _answers(self, config: Config) -> Answers:
        flow_timer = int(config.limits.idle * _FLOW_TIMER_SHARE)
        return Answers(
            self._gruus,
            config.registrar.service_route,
            max(1, min(flow_timer, _LONGEST_FLOW_TIMER)),
        )

    async def _answer(self, transaction: ServerTransaction) -> None:
        begun = self._reactor.seconds()
        try:
            reply = await self._registrar.answer(
                transaction.request, transaction.flow.remote
            )
        except Exception:
            self._log.failure("A request cannot be answered as it should be")
            self._tell_bad(transaction)
            reply = Reply(500)
        self._load.waiting -= 1
        self._classes[reply.status // 100] += 1
        self._answering.observe(self._reactor.seconds() - begun)
        if transaction.is_pending:
            transaction.respond(reply.status, reply.reason, reply.fields)

    def _watch(self, aor: str, bindings: Bindings) -> None:
        self._due.note(aor, bindings, self._reactor.seconds())

    def _flow_closed(self, event: Event) -> None:
        token = event.detail.get("token")
        if token is not None:
            self._run(
                self._locations.close_flow(token),
                "The bindings of a closed connection stay until they expire",
            )

    def _sweep(self) -> Deferred[None]:
        return self._run(self._clear(), "What has expired or is orphaned stays for now")

    async def _clear(self) -> None:
        await self._locations.sweep()
        await self._orphans.look()

    def _run(self, work: Any, complaint: str) -> Deferred[None]:
        """
        Do something of our own, which nobody waits for.
        """

        async def run() -> None:
            try:
                await work
            except StoreError as error:
                self._log.warn("{complaint}: {error}", complaint=complaint, error=error)
            except Exception:
                self._log.failure("{complaint}", complaint=complaint)

        return Deferred.fromCoroutine(run())

    def _tell_bad(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self._bus.emit(
            Event(
                time=self._clock(),
                server=self.name,
                kind=EventKind.BAD_MESSAGE,
                call_id=request.get(CALL_ID) or "",
                remote=transaction.flow.remote,
                message=f"{request.method} cannot be answered as it should be",
            )
        )

    def _tell_overload(self) -> None:
        """
        Say so once, and not for every request that is refused.
        """
        if self._is_overloaded:
            return
        self._is_overloaded = True
        self._log.warn("There is too much to do: {load}", load=self._load)
        self._bus.emit(
            Event(
                time=self._clock(),
                server=self.name,
                kind=EventKind.OVERLOAD,
                message=f"the registrar has too much to do: {self._load}",
                detail=self._load.facts(),
            )
        )
