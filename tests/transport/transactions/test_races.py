"""
Thousands of transactions at once on a network that loses, doubles, delays and reorders:
whatever crosses whatever, everybody hears an end and nothing is left behind.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from sipsorcery.sip.fields import CALL_ID, TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.transaction.state import State
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.client import ClientTransaction
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction
from tests import LONG
from tests.transaction.messages import make_request
from tests.transport.cases import CLIENT, SERVER
from tests.transport.transactions.cases import TransactionCase, User, target

_End = tuple[str, int]
UDP, TCP = f"udp:{SERVER}:5060", f"tcp:{SERVER}:5060"

COUNT = 20_000 if LONG else 1_000
#: Seconds within which all of them begin.
SPAN = 60.0
#: Seconds after which the last of them has ended: the longest ringing, a CANCEL that is
#: given up, and what Timers D, J, L and M keep.
REST = 60.0 + 32.0 + 33.0
LATENCY = 0.02


class Weather:
    """
    What the network does to datagrams.

    :param loss: the part that gets lost; as much comes twice, and twice as much late.
    """

    def __init__(self, case: RacesTests, loss: float) -> None:
        self._case = case
        self._random = case.random
        self._loss = loss
        self._passing = False

    def drop(self, datagram: bytes, source: _End, destination: _End) -> bool:
        """
        Tell the network whether to lose a datagram, or see to it otherwise.
        """
        if self._passing:
            return False
        luck = self._random.random() / self._loss
        if luck < 1:
            return True
        if luck < 2:
            self._later(datagram, source, destination)
        elif luck < 4:
            self._later(datagram, source, destination)
            return True
        return False

    def _later(self, datagram: bytes, source: _End, destination: _End) -> None:
        # Up to three seconds: longer than T1, so that repetitions overtake.
        delay = self._random.expovariate(1 / 0.5)
        self._case.client.callLater(
            min(delay, 3.0), self._send, datagram, source, destination
        )

    def _send(self, datagram: bytes, source: _End, destination: _End) -> None:
        self._passing = True
        self._case.network.send(datagram, source, destination)
        self._passing = False


class Server(User):
    """
    Answers requests in every way and at any time.
    """

    def __init__(self, machine: MemoryReactor, luck: random.Random) -> None:
        super().__init__(self.begin)
        self._machine = machine
        self._luck = luck
        self._seen: dict[str, float] = {}
        self._acknowledged: set[str] = set()

    def begin(self, transaction: ServerTransaction) -> None:
        """
        Decide what to do, and when.
        """
        call_id = transaction.request[CALL_ID]
        now = self._machine.seconds()
        # What arrives after Timer J or L has fired looks like a new request.
        first = self._seen.setdefault(call_id, now)
        assert first == now or first <= now - 31.0, "taken for a new request"
        ways = self._invite if transaction.is_invite else self._other
        self._luck.choice(ways)(self, transaction)

    def cancelled(self, transaction: ServerTransaction) -> None:
        """
        Answer 487; sometimes the 200 was quicker, sometimes it takes a moment.
        """
        way = self._luck.random()
        if way < 0.1:
            self._respond(transaction, 200)
        elif way < 0.3:
            self._later(transaction, self._luck.random(), 487)
        else:
            transaction.respond(487)

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Stop to repeat the 2xx.
        """
        self._acknowledged.add(ack[CALL_ID])

    def _respond(self, transaction: ServerTransaction, status: int) -> None:
        call_id = transaction.request[CALL_ID]
        response = transaction.respond(status)
        if response.is_success and transaction.is_invite:
            self._machine.callLater(
                0.5, self._repeat, transaction, response, call_id, 1.0
            )

    def _repeat(
        self,
        transaction: ServerTransaction,
        response: Response,
        call_id: str,
        delay: float,
    ) -> None:
        # As a user agent has to do it (RFC 3261, 13.3.1.4).
        if call_id in self._acknowledged or transaction.state is State.Terminated:
            return
        transaction.send(response)
        self._machine.callLater(
            delay, self._repeat, transaction, response, call_id, min(2 * delay, 4.0)
        )

    def _later(
        self, transaction: ServerTransaction, delay: float, *statuses: int
    ) -> None:
        def respond() -> None:
            for status in statuses:
                if transaction.is_pending:
                    self._respond(transaction, status)

        self._machine.callLater(delay, respond)

    def _at_once(self, transaction: ServerTransaction) -> None:
        self._respond(transaction, self._luck.choice((200, 202, 404, 503)))

    def _soon(self, transaction: ServerTransaction) -> None:
        self._later(transaction, self._luck.uniform(0, 5), 200)

    def _too_late(self, transaction: ServerTransaction) -> None:
        self._later(transaction, 40.0, 200)

    def _never(self, transaction: ServerTransaction) -> None:
        pass

    def _ring(self, transaction: ServerTransaction) -> None:
        transaction.respond(180)
        self._later(transaction, self._luck.uniform(0, 20), 183, 200)
        self._later(transaction, 60.0, 480)

    def _reject(self, transaction: ServerTransaction) -> None:
        self._later(transaction, self._luck.uniform(0, 3), 180, 486)

    def _accept(self, transaction: ServerTransaction) -> None:
        self._later(transaction, self._luck.uniform(0, 0.5), 200)

    def _wait_for_cancel(self, transaction: ServerTransaction) -> None:
        self._later(transaction, 60.0, 408)

    _other = (_at_once, _at_once, _soon, _too_late, _never)
    _invite = (_at_once, _ring, _reject, _accept, _wait_for_cancel)


class Client:
    """
    Sends one request, and may cancel it.
    """

    def __init__(
        self, layer: TransactionLayer, machine: MemoryReactor, over: str
    ) -> None:
        self._layer = layer
        self._machine = machine
        self._over = over
        self.finals: list[int] = []
        self.failures: list[Failure] = []
        self.after_the_end = 0
        self.acked: list[Request] = []

    def begin(self, request: Request, cancel_after: float | None) -> None:
        """
        Send.
        """
        transaction = self._layer.request(request, target(self._over), self)
        if cancel_after is not None:
            self._machine.callLater(cancel_after, transaction.cancel)

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Count, and acknowledge a call.
        """
        ended = [status for status in self.finals if status >= 300] or self.failures
        self.after_the_end += bool(ended)
        if response.is_provisional:
            return
        self.finals.append(response.status)
        if response.is_success and transaction.request.method == "INVITE":
            assert transaction.flow is not None
            ack = make_request("ACK", call_id=str(response[CALL_ID]), via="x")
            ack.remove("Via")
            ack.set(TO, response[TO])
            ack = self._layer.with_via(ack, transaction.flow)
            self._layer.send_ack(ack, transaction.flow)

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Count.
        """
        self.after_the_end += bool(self.finals or self.failures)
        self.failures.append(error)


class RacesTests(TransactionCase):
    """
    Many transactions and a bad network.
    """

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(20261)
        self.network.latency = LATENCY
        self.ours, _ = self.transactions(self.client, f"udp:{CLIENT}:5060")
        self.user = Server(self.server, self.random)
        self.theirs, _ = self.transactions(self.server, UDP, TCP, user=self.user)
        self.numbers = itertools.count()

    def make_request(self, method: str) -> Request:
        """
        Make a request that has no Via yet.
        """
        number = next(self.numbers)
        request = make_request(
            method, call_id=f"{number}@there", from_=f"<sip:a@example.com>;tag={number}"
        )
        request.remove("Via")
        return request

    def run_clients(
        self,
        count: int,
        method: str,
        cancel_after: Callable[[], float | None],
        over: str = UDP,
    ) -> list[Client]:
        """
        Let clients begin one after the other, and wait until all is over.
        """
        clients = [Client(self.ours, self.client, over) for _ in range(count)]
        for client in clients:
            self.network.advance(self.random.uniform(0, 2 * SPAN / count))
            client.begin(self.make_request(method), cancel_after())
        self.network.advance(REST)
        return clients

    def assert_all_ended(self, clients: list[Client]) -> None:
        """
        Check that everybody has heard one end, and that nothing is left of anything.
        """
        for client in clients:
            outcomes = len(client.failures) + len(client.finals)
            self.assertGreaterEqual(outcomes, 1)
            if any(status >= 300 for status in client.finals) or client.failures:
                self.assertEqual(outcomes, 1)
            self.assertEqual(client.after_the_end, 0)
        self.assert_idle(self.ours, self.theirs)
        for layer in (self.ours, self.theirs):
            self.assertEqual(layer.counters.user_failures, 0)

    def test_requests(self) -> None:
        """
        Requests other than INVITE: nearly all are answered though a fifth of the
        datagrams never arrives; those whose server never answers time out.
        """
        self.network.drop = Weather(self, 0.2).drop
        clients = self.run_clients(COUNT, "OPTIONS", lambda: None)
        self.assert_all_ended(clients)
        answered = sum(1 for client in clients if client.finals)
        self.assertGreater(answered / COUNT, 0.55)  # three of five are meant to be
        self.assertGreater(self.theirs.counters.repeated, COUNT)

    def test_calls(self) -> None:
        """
        Calls that nobody cancels: all but very few are answered.
        """
        self.network.drop = Weather(self, 0.1).drop
        clients = self.run_clients(COUNT, "INVITE", lambda: None)
        self.assert_all_ended(clients)
        failed = sum(1 for client in clients if client.failures)
        self.assertLess(failed / COUNT, 0.01)

    def test_cancelled_calls(self) -> None:
        """
        Calls that are cancelled at any time: before the first response, while it rings,
        in the moment of the answer, after it.
        """
        self.network.drop = Weather(self, 0.1).drop
        clients = self.run_clients(
            COUNT, "INVITE", lambda: self.random.choice((0.0, LATENCY, 0.2, 1.0, 10.0))
        )
        self.assert_all_ended(clients)
        statuses = [status for client in clients for status in client.finals]
        # Each kind of end was reached: cancelled, too late, rejected before.
        for status in (200, 486, 487):
            self.assertIn(status, statuses)

    def test_server_that_vanishes(self) -> None:
        """
        If from some moment on nothing arrives any more, everybody hears of it and
        nothing is left on either side.
        """
        end = SPAN / 2

        def drop(datagram: bytes, source: _End, destination: _End) -> bool:
            return self.network.seconds() > end

        self.network.drop = drop
        clients = self.run_clients(
            COUNT // 2, "INVITE", lambda: self.random.choice((None, 0.2, 10.0))
        )
        waiting = [client for client in clients if not client.finals]
        # Those that ring and are never cancelled ring until their user has enough.
        for client in waiting:
            self.assertLessEqual(len(client.failures), 1)
        self.ours.stop()
        self.assert_all_ended(clients)

    def test_connections_that_break(self) -> None:
        """
        Over TCP connections may break at any time, on either side.
        """
        flows: list[Flow] = []

        def begin(transaction: ServerTransaction) -> None:
            flows.append(transaction.flow)
            self.user.begin(transaction)

        def end() -> None:
            if flows:
                self.random.choice(flows[-20:]).close("the weather")
            if self.network.seconds() < SPAN:
                self.server.callLater(self.random.expovariate(1), end)

        self.user.on_request = begin
        end()
        clients = self.run_clients(
            COUNT, "INVITE", lambda: self.random.choice((None, 0.2, 10.0)), over=TCP
        )
        self.network.advance(200)  # until idle connections are closed too
        self.assert_all_ended(clients)
        failed = sum(1 for client in clients if client.failures)
        self.assertGreater(failed, 0)
        self.assertLess(failed, COUNT / 2)

    def test_teardown(self) -> None:
        """
        Both layers may be stopped at any time, with all that is under way; no timer
        fires afterwards.
        """
        self.network.drop = Weather(self, 0.1).drop
        clients = [Client(self.ours, self.client, UDP) for _ in range(200)]
        for client in clients:
            request = self.make_request(self.random.choice(("INVITE", "OPTIONS")))
            client.begin(request, None)
        self.network.advance(1.0)
        states = {
            transaction.state
            for transaction in self.ours._clients._transactions.values()
        }
        self.assertLessEqual(
            {State.Accepted, State.Completed, State.Proceeding}, states
        )
        self.theirs.stop()
        self.network.advance(0.01)
        self.ours.stop()
        self.network.advance(200.0)
        self.assert_all_ended(clients)
