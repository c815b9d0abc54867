"""
One request that we send.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.invite_client import InviteClientTransaction
from sipsorcery.transaction.key import client_key_of, key_of
from sipsorcery.transaction.non_invite_client import NonInviteClientTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.drive import Failure

#: Where a request is to go: to an address, or back the way that something came.
Way: TypeAlias = Target | Flow


class ClientSide(Protocol):
    """
    Drive the machine of a transaction.
    """

    def cancel(self, transaction: ClientTransaction) -> None:
        """
        Cancel an INVITE.
        """

    def timer_due(self, transaction: ClientTransaction, now: float) -> None:
        """
        Let the machine act on its timers.
        """


class ClientTransactionUser(Protocol):
    """
    Hear what becomes of a request that was sent.
    """

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Hear a response: any number of provisional ones, then one final one.

        Only to an INVITE there can be more: a 2xx of each fork, and each 2xx again.
        """

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hear that there will be no final response, and why. Then there is nothing more.
        """


class ClientTransaction:
    """
    A request that is on its way.

    :ivar flow: the way it went; None as long as a connection is being opened.
    :ivar user: hears what becomes of it; None: nobody.
    :ivar machine: what decides; for the layer only, as is all the rest.
    """

    __slots__ = (
        "_side",
        "error",
        "flow",
        "is_acting",
        "key",
        "machine",
        "slot",
        "user",
        "via_count",
        "way",
    )

    def __init__(
        self,
        side: ClientSide,
        machine: InviteClientTransaction | NonInviteClientTransaction,
        way: Way,
        flow: Flow | None,
        branch: str | None = None,
    ) -> None:
        request = machine.request
        self._side = side
        self.machine = machine
        self.way = way
        self.user: ClientTransactionUser | None = None
        self.error: TransportError | None = None
        self.is_acting = False
        self.via_count = request.count_vias()
        self.flow = flow
        self.key = (
            client_key_of(request) if branch is None else key_of(request.method, branch)
        )
        self.slot: int | None = None

    @property
    def request(self) -> Request:
        """
        The request as it was sent, with its top Via.
        """
        return self.machine.request

    @property
    def state(self) -> State:
        """
        The state of the machine.
        """
        return self.machine.state

    @property
    def peer(self) -> Endpoint:
        """
        The address that it went to.
        """
        way = self.way
        return way.endpoint if isinstance(way, Target) else way.remote

    def cancel(self) -> None:
        """
        Cancel an INVITE: now, or as soon as a provisional response has come.

        Its user hears the final response in any case: mostly a 487; a 2xx if that
        crossed the CANCEL, and then there is a call to be ended by BYE; or that there
        was none in time. After the final response this does nothing.

        :raises LocalProtocolError: for any other request (:rfc:`3261#section-9.1`).
        """
        self._side.cancel(self)

    def timer_due(self, now: float) -> None:
        """
        Hear from the wheel.
        """
        self._side.timer_due(self, now)

    def __repr__(self) -> str:
        return f"<ClientTransaction {self.key.split()} {self.state.name}>"
