"""
Flows: the way a message came, which is the way its answer goes.

A flow is a listening UDP socket with a remote address, or one connection
(:rfc:`5626#section-3`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography import x509

from sipsorcery.endpoint import Endpoint, HostPort, ListenAddress


@dataclass(frozen=True, slots=True)
class Listener:
    """
    One socket that listens: what was configured, and what came of it.

    :ivar configured: the address of the configuration, maybe a wildcard or port 0.
    :ivar local: the address and port that the socket is bound to.
    """

    configured: ListenAddress
    local: Endpoint

    def __hash__(self) -> int:
        # Asked for with each message; there are few listeners, each at its own end.
        return hash(self.local)

    @property
    def sent_by(self) -> HostPort:
        """
        Give the address that others reach this listener by.
        """
        advertised = self.configured.advertise
        return advertised or HostPort(self.local.host, self.local.port)


class Flow(Protocol):
    """
    A way to one peer. Every received message knows its own.
    """

    @property
    def listener(self) -> Listener | None:
        """
        Give the listener that the flow came in on; None if we opened it.
        """

    @property
    def local(self) -> Endpoint:
        """
        Give our end.
        """

    @property
    def remote(self) -> Endpoint:
        """
        Give the peer's end: the source of what it sends.
        """

    @property
    def address(self) -> tuple[str, int]:
        """
        Give the peer's IP address and port.
        """

    @property
    def number(self) -> int:
        """
        Give the number of the connection, which no later one gets; 0 for UDP.
        """

    @property
    def is_open(self) -> bool:
        """
        Tell whether anything can still be sent, and answered.
        """

    @property
    def takes_answers(self) -> bool:
        """
        Tell whether a response can still be sent.

        That is so also for a moment after the peer has ended its side of a connection.
        """

    @property
    def certificate(self) -> x509.Certificate | None:
        """
        Give the certificate that the peer proved to own, if any.
        """

    @property
    def identities(self) -> tuple[str, ...]:
        """
        Give the SIP domains that an authority vouches for in that certificate.

        They are empty where the certificate was not verified (:rfc:`5922#section-7.1`).
        """

    def send(self, data: bytes) -> None:
        """
        Send one whole message.

        :raises TransportError: if that fails at once. A datagram, or what a connection
            still holds when it breaks, can be lost later without a word.
        """

    def hold(self) -> None:
        """
        Keep the flow open although nothing moves on it: it is in use.
        """

    def release(self) -> None:
        """
        Undo one `hold`.
        """

    def close(self, reason: str) -> None:
        """
        Close the flow after what was sent has left; one of UDP has nothing to close.

        :param reason: a sentence for whoever asks why.
        """
