"""
Asking servers how they are, each on a socket that is connected to it.

So the machine of a server says at once if nobody is there, which a socket for all would
not hear.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.protocol import ConnectedDatagramProtocol, connectionDone
from twisted.python.failure import Failure

from sipsorcery.config import DispatchProbe
from sipsorcery.dispatch.question import Question
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.response import Response
from sipsorcery.transaction.derived import make_ack


class Listener(Protocol):
    """
    Hears what becomes of probes.
    """

    def answered(self, endpoint: Endpoint, response: Response) -> None:
        """
        Hear a final answer to the last probe.
        """

    def refused(self, endpoint: Endpoint) -> None:
        """
        Hear that nobody is there.
        """


class Probe(ConnectedDatagramProtocol):
    """
    Asks one server over UDP, over and over.

    :param reactor: has UDP.
    :param listener: hears the answers.
    """

    transport: Any
    noisy = False  # it is opened anew whenever nobody is there

    def __init__(
        self, reactor: Any, endpoint: Endpoint, kind: DispatchProbe, listener: Listener
    ) -> None:
        self._endpoint = endpoint
        self._question = Question(endpoint, kind)
        self._listener = listener
        self._reactor = reactor
        self._port: Any = None  # None: it has to be opened

    def ask(self) -> None:
        """
        Send a probe; the answer to one before counts no more.

        :raises CannotListenError: if there is no socket to ask on.
        """
        if self._port is None:
            interface = "::" if self._endpoint.is_ipv6 else ""
            self._port = self._reactor.listenUDP(0, self, interface=interface)
        local = self._port.getHost()
        self._write(self._question.put(local.host, local.port).to_bytes())

    def is_healthy(self, response: Response) -> bool:
        """
        Tell whether an answer says that all is well.
        """
        return self._question.is_healthy(response)

    def stop(self) -> None:
        """
        Ask no more.
        """
        self._question.last = None
        if self._port is not None:
            self._port.stopListening()

    def _write(self, datagram: bytes) -> None:
        try:
            self.transport.write(datagram)
        except OSError:
            self._listener.refused(self._endpoint)

    # What Twisted calls

    def startProtocol(self) -> None:
        """
        Speak with that server alone.
        """
        self.transport.connect(self._endpoint.host, self._endpoint.port)

    def stopProtocol(self) -> None:
        """
        Note that the socket is closed.

        The reactors of Twisted close it instead of calling `connectionRefused`, where
        the system reports that by an event of its own, as epoll does.
        """
        self._port = None
        self.connectionRefused()

    def datagramReceived(self, datagram: bytes, addr: Any = None) -> None:
        """
        Take an answer to the last probe, and acknowledge one to an INVITE.
        """
        response = self._question.read(datagram)
        if response is None:
            return
        request = self._question.last
        assert request is not None  # or this would be no answer
        if self._question.is_invite:
            self._write(make_ack(request, response).to_bytes())
        self._listener.answered(self._endpoint, response)

    def connectionRefused(self) -> None:
        """
        Hear from the machine of the server that nobody listens there.
        """
        if self._question.last is not None:
            self._listener.refused(self._endpoint)

    def connectionFailed(self, failure: Failure = connectionDone) -> None:
        """
        Hear that there is no way to it.
        """
        self.connectionRefused()
