"""
A call that is offered to a server, as the relay of it sees that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher


@dataclass(frozen=True, slots=True)
class Offer:
    """
    One call for one server.

    :ivar call_id: that of the call.
    :ivar told: hears when it is sent there.
    """

    dispatcher: Dispatcher
    server: Endpoint
    call_id: str
    told: Callable[[Endpoint], object]

    @property
    def patience(self) -> float:
        """
        Seconds without any answer after which the next server is asked.
        """
        return self.dispatcher.policy.patience

    def sent(self) -> None:
        """
        Note that the server has been asked.
        """
        self.dispatcher.offered(self.server, self.call_id)
        self.told(self.server)

    def resumed(self) -> None:
        """
        Note that the server has the call, though it was taken for silent.
        """
        self.dispatcher.offered(self.server, self.call_id)

    def heard(self) -> None:
        """
        Note that it has answered something.
        """
        self.dispatcher.heard(self.server)

    def silent(self) -> None:
        """
        Note that it has not answered.
        """
        self.dispatcher.silent(self.server)

    def unreachable(self, why: str) -> None:
        """
        Note that there was no way to it.
        """
        self.dispatcher.unreachable(self.server, why)

    def settled(self) -> None:
        """
        Note that the call is set up there, or is not.
        """
        self.dispatcher.settled(self.server)
