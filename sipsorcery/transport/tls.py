"""
The TLS channel: a connection that is a flow once the peer has proved who it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from sipsorcery.endpoint import Transport
from sipsorcery.transport import identity
from sipsorcery.transport.certificates import TLSContexts
from sipsorcery.transport.errors import TLSVerificationError
from sipsorcery.transport.identity import Expectation
from sipsorcery.transport.stream import State, StreamConnection

#: The verdicts of OpenSSL that people meet, in words (X509_verify_cert_error_string
#: is out of reach here).
_VERDICTS = {
    7: "its signature is wrong",
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself alone",
    19: "it comes from an authority that is not trusted",
    20: "it comes from an authority that is not trusted",
    21: "it comes from an authority that is not trusted",
    23: "it has been revoked",
    24: "an authority in its chain is none",
    26: "it is not meant for this use",
}


@implementer(IHandshakeListener)
class SecureConnection(StreamConnection):
    """
    One connection over TLS.

    :ivar expectation: what the peer has to prove; None where it connected to us: then
        an authority has vouched for its certificate, if it showed one.
    :ivar is_distrusted: whether it was refused for its certificate.
    """

    kind = Transport.TLS
    expectation: Expectation | None = None
    is_distrusted = False

    def connectionMade(self) -> None:
        """
        Give the peer its time to shake hands.
        """
        self._begin()
        self._deadline = self._clock.seconds() + self._limits.handshake
        self._set_timer()

    def handshakeCompleted(self) -> None:
        """
        Look at the certificate; open if it proves what was expected.
        """
        if self._state is not State.SECURING:
            return
        found: X509 | None = self._transport.getPeerCertificate()
        self.certificate = None if found is None else found.to_cryptography()
        try:
            self._verify(self.certificate)
        except TLSVerificationError as error:
            self.distrust(str(error))
            self.abort(str(error))
        else:
            self._opened()

    def distrust(self, reason: str) -> None:
        """
        Note why the peer's certificate is refused; the first reason is kept.
        """
        self.is_distrusted = True
        if self._reason is None:
            self._reason = f"the certificate of {self.remote} was refused: {reason}"

    def _verify(self, certificate: x509.Certificate | None) -> None:
        if certificate is None:
            if self.expectation is None:
                return  # a client that shows none stays unknown
            raise TLSVerificationError("it shows none")  # our ciphers rule that out
        if self.expectation is not None:
            self.expectation.check(certificate)
        if self.expectation is None or self.expectation.needs_authority:
            self.identities = identity.sip_identities(certificate)

    def _finish(self) -> None:
        # Both read on until the peer has ended its side, too. One that says nothing to
        # the end of ours within TLS (baresip) hears the end of TCP below it. As nobody
        # may renegotiate, no data is held back that would come behind that.
        self._transport.loseConnection()
        self._transport.loseWriteConnection()

    def _explain(self, reason: Failure) -> str:
        if reason.check(SSL.Error):
            return f"TLS with {self.remote} failed: {_complaint(reason.value)}"
        return super()._explain(reason)

    def _overdue(self) -> str:
        if self._state is State.SECURING:
            return f"{self.remote} took more than {self._limits.handshake:g} s for TLS"
        return super()._overdue()


class TLSProtocol(TLSMemoryBIOProtocol):
    """
    TLS that may lose its connection while it reads.

    Where our side of TCP has ended, the answer to our end of TLS makes Twisted close
    the connection at once, and then go on with what it has let go of by that.
    """

    _is_reading = False
    _lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        """
        Read, and hear then that the connection is lost.
        """
        self._is_reading = True
        try:
            super().dataReceived(data)
        finally:
            self._is_reading = False
        lost, self._lost = self._lost, None
        if lost is not None:
            super().connectionLost(lost)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Let go of everything, but not in the midst of reading.
        """
        if self._is_reading:
            self._lost = reason
        else:
            super().connectionLost(reason)


class TLSFactory(TLSMemoryBIOFactory):
    """
    Put TLS around the connections of another factory, or nothing around none.
    """

    protocol = TLSProtocol

    def buildProtocol(self, addr: IAddress | None) -> TLSMemoryBIOProtocol | None:  # type: ignore[override]  # Twisted itself takes None for "turn it away"
        """
        Ask the other factory for a connection.
        """
        connection = self.wrappedFactory.buildProtocol(addr)
        return None if connection is None else self.protocol(self, connection)


@implementer(IOpenSSLServerConnectionCreator)
class ServerSide:
    """
    Begin TLS with peers that connect to us, with the certificate of the day.
    """

    def __init__(self, contexts: Callable[[], TLSContexts]) -> None:
        self._contexts = contexts

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """
        Make the OpenSSL connection.
        """
        return self._contexts().server_connection()


@implementer(IOpenSSLClientConnectionCreator)
class ClientSide:
    """
    Begin TLS with one server, of which something is expected.
    """

    def __init__(self, contexts: TLSContexts, expectation: Expectation) -> None:
        self._contexts = contexts
        self._expectation = expectation

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """
        Make the OpenSSL connection.
        """
        connection = self._contexts.client_connection()
        name = self._expectation.server_name
        if name is not None:
            connection.set_tlsext_host_name(name.encode("ascii", "ignore"))
        if self._expectation.needs_authority:
            connection.set_verify(SSL.VERIFY_PEER, self._judge)
        else:
            connection.set_verify(SSL.VERIFY_NONE)
        return connection

    def _judge(
        self, connection: SSL.Connection, found: X509, code: int, depth: int, ok: int
    ) -> bool:
        """
        Note why OpenSSL refuses a certificate, before it says only that it does.
        """
        if not ok:
            wrapper: TLSMemoryBIOProtocol = connection.get_app_data()
            protocol = wrapper.wrappedProtocol
            assert isinstance(protocol, SecureConnection)
            verdict = _VERDICTS.get(code, f"OpenSSL calls it error {code}")
            expected = f"expected {self._expectation}"
            if depth == 0:  # it is the server's own, not one of an authority
                expected = self._expectation.contrast(found.to_cryptography())
            protocol.distrust(f"{verdict}; {expected}")
        return bool(ok)


def _complaint(error: BaseException | None) -> str:
    match error.args if error is not None else ():
        case ([(_, _, str(complaint)), *_],):
            return complaint
    return "the peer ended it"
