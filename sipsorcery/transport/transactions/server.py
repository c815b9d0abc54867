"""
One request that we answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

from sipsorcery.sip.errors import LocalProtocolError
from sipsorcery.sip.fields import Field
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.invite_server import InviteServerTransaction
from sipsorcery.transaction.non_invite_server import NonInviteServerTransaction
from sipsorcery.transaction.state import State
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.drive import Failure

Fields: TypeAlias = Iterable[tuple[Field[Any] | str, Any]]

_TAG_SIZE = 8  # bytes; RFC 3261, 19.3 asks for 32 bits of randomness at least


class ServerSide(Protocol):
    """
    Drive the machine of a transaction.
    """

    def send(self, transaction: ServerTransaction, response: Response) -> None:
        """
        Send a response of the user.
        """

    def drop(self, transaction: ServerTransaction) -> None:
        """
        Forget a transaction that nobody answers here.
        """

    def timer_due(self, transaction: ServerTransaction, now: float) -> None:
        """
        Let the machine act on its timers.
        """


class ServerTransactionUser(Protocol):
    """
    Hear what becomes of a request that waits for its answer.
    """

    def cancelled(self, transaction: ServerTransaction) -> None:
        """
        Hear that the client has cancelled its INVITE; to be answered by a 487.
        """

    def failed(self, transaction: ServerTransaction, error: Failure) -> None:
        """
        Hear that a response could not be sent, was never acknowledged, or is too late.
        """


class ServerTransaction:
    """
    A request, and the way to answer it.

    :ivar flow: the way it came, and the answer goes.
    :ivar user: hears what becomes of it; None: nobody, and a CANCEL is answered by a
        487 without asking. To be set while the request is delivered.
    :ivar is_cancelled: whether the client has cancelled it.
    :ivar machine: what decides; for the layer only, as is all the rest.
    """

    __slots__ = (
        "_side",
        "_to_tag",
        "ack_key",
        "error",
        "flow",
        "is_acting",
        "is_cancelled",
        "key",
        "machine",
        "merge_key",
        "slot",
        "user",
    )

    def __init__(
        self,
        side: ServerSide,
        machine: InviteServerTransaction | NonInviteServerTransaction,
        flow: Flow,
        key: str,
        merge_key: str | None,
        to_tag: str | None,
    ) -> None:
        self._side = side
        self.machine = machine
        self._to_tag = to_tag
        self.flow = flow
        self.key = key
        self.merge_key = merge_key
        self.ack_key: str | None = None
        self.slot: int | None = None
        self.user: ServerTransactionUser | None = None
        self.is_cancelled = False
        self.is_acting = False
        self.error: TransportError | None = None

    @property
    def request(self) -> Request:
        """
        The request, until it has its final response.

        :raises LocalProtocolError: afterwards: the layer keeps many that are answered,
            and only as much of each as it needs.
        """
        request = self.machine.request
        if request is None:
            raise LocalProtocolError("the request has been answered")
        return request

    @property
    def state(self) -> State:
        """
        The state of the machine.
        """
        return self.machine.state

    @property
    def is_invite(self) -> bool:
        """
        Whether the request is an INVITE.
        """
        return isinstance(self.machine, InviteServerTransaction)

    @property
    def is_pending(self) -> bool:
        """
        Whether the final response is still to come, and can come.
        """
        return self.state in (State.Trying, State.Proceeding)

    @property
    def to_tag(self) -> str:
        """
        The tag for the To of our responses, the same in all of them.
        """
        if self._to_tag is None:
            self._to_tag = secrets.token_hex(_TAG_SIZE)
        return self._to_tag

    def respond(
        self,
        status: int,
        reason: str | None = None,
        fields: Fields = (),
        body: bytes = b"",
    ) -> Response:
        """
        Make a response to the request, with our To tag where it has none, and send it.

        :return: the response, as it was sent.
        :raises LocalProtocolError: after the final response, and as `send`.
        """
        to_tag = None if status == 100 else self.to_tag
        response = self.request.respond(status, reason, fields, body, to_tag)
        self.send(response)
        return response

    def send(self, response: Response) -> None:
        """
        Send a response that is made already: one that was forwarded, or a 2xx again.

        One that comes after the transaction's end is dropped.

        :raises LocalProtocolError: after a final response, unless both are 2xx to an
            INVITE; and for what :rfc:`4320` forbids in answer to anything else: a 408,
            and provisional responses.
        """
        self._side.send(self, response)

    def drop(self) -> None:
        """
        Forget it, and never answer: because somebody else does.
        """
        self._side.drop(self)

    def timer_due(self, now: float) -> None:
        """
        Hear from the wheel.
        """
        self._side.timer_due(self, now)

    def __repr__(self) -> str:
        return f"<ServerTransaction {self.key.split()} {self.state.name}>"
