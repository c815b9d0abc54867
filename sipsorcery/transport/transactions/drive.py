"""
What the two sides of the transaction layer share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from sipsorcery.sip.errors import ParseError
from sipsorcery.transaction.effects import ClientEffect, ServerEffect
from sipsorcery.transaction.errors import TransactionTimeout
from sipsorcery.transaction.machine import Machine
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.layer import TransportLayer
from sipsorcery.transport.transactions.wheel import Timed, TimerWheel

#: How a transaction fails: nobody answered, or the transport would not carry it.
Failure: TypeAlias = TransactionTimeout | TransportError


@dataclass(frozen=True, slots=True)
class TransactionLimits:
    """
    Bound how many transactions there are at a time.
    """

    # 10,000 requests a second for the 32 seconds that Timer J keeps each, and a quarter
    # more. Some 1.1 kB each once they are answered: 0.44 GB at the very worst.
    server: int = 400_000
    # Requests of our own that wait for their answers, each with its message. Nobody
    # outside can make us send more than one for each that comes in.
    client: int = 100_000


@dataclass(slots=True)
class TransactionCounters:
    """
    Count what the transaction layer did since it began.
    """

    server: int = 0  # server transactions begun
    client: int = 0  # client transactions begun
    repeated: int = 0  # requests that came again
    merged: int = 0  # requests that came again by another way
    refused: int = 0  # requests that found the table full
    cancelled: int = 0  # INVITEs of others that were cancelled in time
    stray: int = 0  # CANCELs and responses that belong to no transaction
    foreign: int = 0  # responses to requests that we never sent
    timeouts: int = 0
    transport_failures: int = 0
    user_failures: int = 0  # exceptions that the transaction user let escape


class Drive:
    """
    Clock, timers and transport, and the way to call those above.

    :ivar transport: set before anything is sent.
    """

    transport: TransportLayer
    _log = Logger()

    def __init__(self, clock: IReactorTime, timers: Timers) -> None:
        self.clock = clock
        self.timers = timers
        self.wheel = TimerWheel(clock)
        self.counters = TransactionCounters()

    def tell(self, hook: Callable[..., object], *arguments: Any) -> None:
        """
        Call a hook of a transaction user; what escapes from it ends here.

        A transaction has to reach its end whatever its user makes of what it hears.
        """
        try:
            hook(*arguments)
        except ParseError:
            # In a field that only the user reads: the peer's fault, so no warning.
            self.counters.user_failures += 1
        except Exception:
            self.counters.user_failures += 1
            # Not the arguments: a message may hold credentials.
            self._log.failure("Failed in {hook}", hook=hook)


E = TypeVar("E", ClientEffect, ServerEffect)


class Driven(Timed, Protocol[E]):
    """
    A transaction that one side of the layer drives.

    :ivar is_acting: whether what its machine wants is being done.
    """

    is_acting: bool

    @property
    def machine(self) -> Machine[E]:
        """
        Give what decides.
        """


T = TypeVar("T", bound=Driven[Any])


class Side(ABC, Generic[T, E]):
    """
    The client side or the server side: does what its machines want to be done.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    def timer_due(self, transaction: T, now: float) -> None:
        """
        Let a machine act on its timers.
        """
        transaction.machine.handle_timer(now)
        self._act(transaction)

    def _act(self, transaction: T) -> None:
        """
        Do what the machine wants to be done.
        """
        if transaction.is_acting:
            return  # what is being done brought this about; it is next
        transaction.is_acting = True
        try:
            while effects := transaction.machine.take_effects():
                for effect in effects:
                    self._do(transaction, effect)
        finally:
            # Whatever escapes: its timers still have to bring it to its end.
            transaction.is_acting = False
            self._wind(transaction)

    def _wind(self, transaction: T) -> None:
        """
        Have a transaction woken when its machine wants to know the time.
        """
        # It may be forgotten by now, if what was done has stopped the layer.
        if self._exists(transaction):
            self._drive.wheel.set(transaction, transaction.machine.next_timer())

    @abstractmethod
    def _do(self, transaction: T, effect: E) -> None:
        """
        Do one thing.
        """

    @abstractmethod
    def _exists(self, transaction: T) -> bool:
        """
        Tell whether a transaction has not been forgotten.
        """
