"""
A network in memory that links reactors in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import TimeoutError as TimedOut
from twisted.internet.error import UserError
from twisted.internet.interfaces import IAddress, IConnector, IDelayedCall
from twisted.python.failure import Failure
from zope.interface import implementer

from sipsorcery.testing.reactor import MemoryReactor, address
from sipsorcery.testing.transport import MemoryTransport

_End = tuple[str, int]


class MemoryNetwork:
    """
    Carry datagrams and connections between `MemoryReactor` machines.

    Time stands still until the test moves it, for all machines together::

        network = MemoryNetwork()
        server, client = network.machine("192.0.2.1"), network.machine("192.0.2.2")
        ...
        network.advance(0.5)

    :param latency: seconds that everything takes on its way.
    :ivar drop: tells of a datagram whether it gets lost; it is given the datagram, its
        source and its destination. None at first.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.drop: Callable[[bytes, _End, _End], bool] | None = None
        self._machines: list[MemoryReactor] = []

    def machine(self, *addresses: str) -> MemoryReactor:
        """
        Add a machine that has these IP addresses.
        """
        made = MemoryReactor(*addresses, network=self)
        made.rightNow = self.seconds()
        self._machines.append(made)
        return made

    def remove(self, machine: MemoryReactor) -> None:
        """
        Take a machine away, as if it had lost its power: on it time stands still.
        """
        self._machines.remove(machine)

    def bring_back(self, machine: MemoryReactor) -> None:
        """
        Let a machine go on that stood still: all that it has missed is due at once.
        """
        self._machines.append(machine)

    def advance(self, seconds: float = 0.0) -> None:
        """
        Move time on everywhere, in as many steps as there are moments to act.
        """
        end = self.seconds() + seconds
        while (moment := self._next_moment()) <= end:
            self._move_to(moment)
        self._move_to(end)

    def seconds(self) -> float:
        """
        Give the time on every machine.
        """
        return max((one.seconds() for one in self._machines), default=0.0)

    def send(self, datagram: bytes, source: _End, destination: _End) -> None:
        """
        Carry a datagram; if nobody is there, it is lost, and a connected port hears so.
        """
        if self.drop is not None and self.drop(datagram, source, destination):
            return
        machine = self._owner_of(destination[0])
        if machine is None:
            return

        def arrive() -> None:
            port = _bound(machine.udp_ports, destination)
            if port is not None:
                port.deliver(datagram, source)
                return
            sender = self._owner_of(source[0])
            refused = sender and _bound(sender.udp_ports, source)
            if refused:
                refused.refuse()  # what comes by ICMP

        machine.callLater(self.latency, arrive)

    def connect(
        self,
        machine: MemoryReactor,
        here: _End,
        there: _End,
        factory: Any,
        timeout: float,
    ) -> IConnector:
        """
        Begin to connect. A closed port refuses; where no machine is, nothing answers.
        """
        connector = MemoryConnector(self, machine, here, there, factory, timeout)
        connector.connect()
        return connector

    def accept(self, here: _End, there: _End) -> tuple[MemoryReactor, Any] | None:
        """
        Let a connection arrive at the port it is meant for.

        :return: the machine and the protocol; None if the port is closed.
        """
        machine = self._owner_of(there[0])
        port = None if machine is None else _bound(machine.tcp_ports, there)
        if machine is None or port is None:
            return None
        return machine, port.factory.buildProtocol(address("TCP", *here))

    def has(self, host: str) -> bool:
        """
        Tell whether some machine has an address.
        """
        return self._owner_of(host) is not None

    def _owner_of(self, host: str) -> MemoryReactor | None:
        return next((one for one in self._machines if host in one.addresses), None)

    def _next_moment(self) -> float:
        """
        Give the time at which something happens next.
        """
        return min(
            (
                call.getTime()
                for one in self._machines
                for call in one.getDelayedCalls()
            ),
            default=float("inf"),
        )

    def _move_to(self, moment: float) -> None:
        for machine in self._machines:
            # Sums of floats differ in their last place: the time itself is set.
            machine.rightNow = max(machine.rightNow, moment)
            machine.advance(0)


@implementer(IConnector)
class MemoryConnector:
    """
    One attempt to connect.
    """

    def __init__(
        self,
        network: MemoryNetwork,
        machine: MemoryReactor,
        here: _End,
        there: _End,
        factory: Any,
        timeout: float,
    ) -> None:
        self._network = network
        self._machine = machine
        self._here = here
        self._there = there
        self._factory = factory
        self._timeout = timeout
        self._attempt: IDelayedCall | None = None
        self.transport: MemoryTransport | None = None

    def connect(self) -> None:
        """
        Begin.
        """
        self._factory.doStart()
        self._factory.startedConnecting(self)
        known = self._network.has(self._there[0])
        delay = self._network.latency if known else self._timeout
        self._attempt = self._machine.callLater(delay, self._arrive)

    def stopConnecting(self) -> None:
        """
        Give up.
        """
        if self._attempt is not None:
            self._attempt.cancel()
            self._fail(UserError())

    def disconnect(self) -> None:
        """
        Give up, or close the connection.
        """
        if self.transport is not None:
            self.transport.loseConnection()
        else:
            self.stopConnecting()

    def getDestination(self) -> IAddress:
        """
        Give the address that it leads to.
        """
        return address("TCP", *self._there)

    def _arrive(self) -> None:
        network, here, there = self._network, self._here, self._there
        if not network.has(there[0]):
            self._fail(TimedOut())
            return
        accepted = network.accept(here, there)
        if accepted is None:
            self._fail(Refused())
            return
        self._attempt = None
        machine, theirs = accepted
        ours = self._factory.buildProtocol(address("TCP", *there))
        near = MemoryTransport(self._machine, here, there, ours, network.latency)
        far = MemoryTransport(machine, there, here, theirs, network.latency)
        self.transport = near
        near.link(far)

    def _fail(self, error: Exception) -> None:
        self._attempt = None
        self._factory.clientConnectionFailed(self, Failure(error))
        self._factory.doStop()


def _bound(ports: dict[_End, Any], end: _End) -> Any:
    wildcard = "::" if ":" in end[0] else "0.0.0.0"
    return ports.get(end) or ports.get((wildcard, end[1]))
