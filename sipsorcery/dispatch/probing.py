"""
Asking application servers how they are, each on a socket that is connected to it.

So the machine of a server says at once if nobody is there, which a socket for all would
not hear. OPTIONS asks the SIP stack alone; the INVITE of the original, for
``sip:dispatcher@``, asks the dialplans and the directory, too: 420 says that all are
well.
"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

from twisted.internet.protocol import ConnectedDatagramProtocol, connectionDone
from twisted.python.failure import Failure

from sipsorcery.config import DispatchProbe
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CSEQ
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.derived import make_ack

_REQUEST = (
    "{method} {uri} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport\r\n"
    "Max-Forwards: 1\r\n"
    "From: <sip:dispatcher@sipcalldispatcher>;tag={tag}\r\n"
    "To: <{uri}>\r\n"
    "Call-ID: {call_id}\r\n"
    "CSeq: {number} {method}\r\n"
    "Contact: <sip:dispatcher@{local}>\r\n"
    "User-Agent: sipsorcery\r\n"
    "Content-Length: 0\r\n\r\n"
)
# 200 to OPTIONS; a dialplan that works answers the INVITE with this.
_HEALTHY = {"OPTIONS": (200,), "INVITE": (420,)}


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
    Asks one server, over and over.

    :param reactor: has UDP.
    :param listener: hears the answers.
    """

    transport: Any
    noisy = False  # it is opened anew whenever nobody is there

    def __init__(
        self, reactor: Any, endpoint: Endpoint, kind: DispatchProbe, listener: Listener
    ) -> None:
        self._endpoint = endpoint
        self._method = kind.value.upper()
        self._listener = listener
        self._call_id = secrets.token_hex(16)
        self._number = 0
        self._request: Request | None = None
        self._reactor = reactor
        self._port: Any = None  # None: it has to be opened

    def ask(self) -> None:
        """
        Send a probe; the answer to one before counts no more.
        """
        self._number += 1
        if self._port is None:
            interface = "::" if self._endpoint.is_ipv6 else ""
            self._port = self._reactor.listenUDP(0, self, interface=interface)
        local = self._port.getHost()
        host = f"[{local.host}]" if self._endpoint.is_ipv6 else local.host
        there = str(self._endpoint).partition(":")[2]
        text = _REQUEST.format(
            method=self._method,
            uri=f"sip:dispatcher@{there}" if self._is_invite else f"sip:{there}",
            local=f"{host}:{local.port}",
            branch=secrets.token_hex(10),
            tag=secrets.token_hex(6),
            call_id=self._call_id,
            number=self._number,
        )
        request = parse(text.encode())
        assert isinstance(request, Request)
        self._request = request
        self._write(request)

    def is_healthy(self, response: Response) -> bool:
        """
        Tell whether an answer says that all is well.
        """
        return response.status in _HEALTHY[self._method]

    def stop(self) -> None:
        """
        Ask no more.
        """
        self._request = None
        if self._port is not None:
            self._port.stopListening()

    @property
    def _is_invite(self) -> bool:
        return self._method == "INVITE"

    def _write(self, request: Request) -> None:
        try:
            self.transport.write(request.to_bytes())
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
        request = self._request
        try:
            response = parse(datagram)
            if not isinstance(response, Response) or request is None:
                return
            if response[CSEQ] != request[CSEQ]:
                return
        except ParseError:
            return
        if response.is_provisional:
            return
        if self._is_invite:
            self._write(make_ack(request, response))
        self._listener.answered(self._endpoint, response)

    def connectionRefused(self) -> None:
        """
        Hear from the machine of the server that nobody listens there.
        """
        if self._request is not None:
            self._listener.refused(self._endpoint)

    def connectionFailed(self, failure: Failure = connectionDone) -> None:
        """
        Hear that there is no way to it.
        """
        self.connectionRefused()
