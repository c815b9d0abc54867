"""
What the tests of the transaction layer share.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.testing.reactor import MemoryReactor
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import ClientTransaction
from sipsorcery.transport.transactions.drive import Failure, TransactionLimits
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction
from tests.transport.cases import LayerCase


def target(text: str) -> Target:
    """
    Make a target of an address.
    """
    return Target(Endpoint.parse(text))


class User:
    """
    A transaction user that remembers.

    :param on_request: is called with each new request.

    :ivar on_cancel: likewise with each that is cancelled.
    """

    def __init__(
        self, on_request: Callable[[ServerTransaction], object] | None = None
    ) -> None:
        self.on_request = on_request
        self.on_cancel: Callable[[ServerTransaction], object] | None = None
        self.transactions: list[ServerTransaction] = []
        self.requests: list[Request] = []
        self.acks: list[tuple[Request, Flow]] = []
        self.stray: list[Response] = []
        self.stun: list[bytes] = []
        self.errors: list[ParseError] = []
        self.closed: list[str] = []
        # Of the transactions whose user it has become.
        self.cancelled_ones: list[ServerTransaction] = []
        self.failures: list[Failure] = []

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        Keep a request.
        """
        transaction.user = self
        self.transactions.append(transaction)
        self.requests.append(transaction.request)
        if self.on_request is not None:
            self.on_request(transaction)

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Keep an ACK.
        """
        self.acks.append((ack, flow))

    def stray_response(self, response: Response, flow: Flow) -> None:
        """
        Keep a response.
        """
        self.stray.append(response)

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Keep a STUN message.
        """
        self.stun.append(data)

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Keep an error.
        """
        self.errors.append(error)

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Keep the reason.
        """
        self.closed.append(reason)

    def cancelled(self, transaction: ServerTransaction) -> None:
        """
        Keep the transaction.
        """
        self.cancelled_ones.append(transaction)
        if self.on_cancel is not None:
            self.on_cancel(transaction)

    def failed(self, transaction: ServerTransaction, error: Failure) -> None:
        """
        Keep the error.
        """
        self.failures.append(error)


class Caller:
    """
    The user of client transactions; it remembers too.
    """

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.failures: list[Failure] = []

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Keep a response.
        """
        self.responses.append(response)

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Keep the error.
        """
        self.failures.append(error)

    @property
    def statuses(self) -> list[int]:
        """
        The status codes so far.
        """
        return [response.status for response in self.responses]


class TransactionCase(LayerCase):
    """
    Transaction layers on machines in memory.
    """

    def transactions(
        self,
        machine: MemoryReactor,
        *listen: str,
        user: User | None = None,
        limits: TransactionLimits | None = None,
    ) -> tuple[TransactionLayer, User]:
        """
        Start a transaction layer on a machine.
        """
        user = user or User()
        layer = TransactionLayer(machine, user, limits=limits or TransactionLimits())
        transport = TransportLayer(
            machine,
            TransportSettings(tuple(map(ListenAddress.parse, listen))),
            layer,
            local_addresses=lambda: machine.addresses,
            source_address=machine.address_towards,
        )
        layer.join(transport)
        transport.start()
        return layer, user

    def assert_idle(self, *layers: TransactionLayer) -> None:
        """
        Check that nothing is left: no transaction, no key, no timer.
        """
        for layer in layers:
            self.assertEqual(layer.size, (0, 0))
            self.assertEqual(set(layer.tables().values()), {0})
            self.assertTrue(layer.is_idle)
        for machine in (self.server, self.client):
            self.assertEqual(machine.getDelayedCalls(), [])
