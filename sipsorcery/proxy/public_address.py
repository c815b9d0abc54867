"""
By what addresses others reach the sockets of the proxy. Pure.
"""

from __future__ import annotations

import ipaddress

from sipsorcery.endpoint import Endpoint, HostPort
from sipsorcery.transport.flow import Listener


class PublicAddresses:
    """
    Knows the public address of each listener, as far as anybody has told it.

    :param configured: an IP address that holds for all which do not say so themselves;
        None: what is learned holds, else their own.
    :param inside: where the inside socket is bound, which has no public address.
    """

    def __init__(
        self, configured: str | None = None, inside: Endpoint | None = None
    ) -> None:
        self._configured = configured
        self._inside = inside
        # By local address; never more than there are listeners.
        self._learned: dict[Endpoint, HostPort] = {}

    def of(self, listener: Listener) -> HostPort:
        """
        Give the address that others reach a listener by.
        """
        local = listener.local
        if not self.may_differ(listener):
            return listener.sent_by
        if self._configured is not None:
            return HostPort(self._configured, local.port)
        learned = self._learned.get(local)
        if learned is not None:
            return learned
        # The NAT that a UDP socket is behind is that of the other sockets there. Which
        # port it gives them nobody knows: one that is forwarded mostly stays the same.
        host = self._host_of(local.host)
        return listener.sent_by if host is None else HostPort(host, local.port)

    def may_differ(self, listener: Listener) -> bool:
        """
        Tell whether others may know a listener by another address than it does itself.
        """
        local = listener.local
        return not (
            local == self._inside
            or listener.configured.advertise is not None
            or ipaddress.ip_address(local.host).is_loopback
        )

    def learn(self, listener: Listener, address: HostPort) -> bool:
        """
        Take what a server says that it sees of a listener.

        :return: whether that is news.
        """
        before = self.of(listener)
        self._learned[listener.local] = address
        return self.of(listener) != before

    def _host_of(self, local: str) -> str | None:
        told = (each.host for end, each in self._learned.items() if end.host == local)
        return next(told, None)
