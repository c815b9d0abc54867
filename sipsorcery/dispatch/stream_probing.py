"""
Asking servers how they are over TCP, each on a connection that stays.

When it ends, the next one shows at once whether anybody is there: a refusal says no.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionRefusedError as Nobody
from twisted.internet.interfaces import IAddress, IConnector
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure

from sipsorcery.config import DispatchProbe
from sipsorcery.dispatch.probing import Listener
from sipsorcery.dispatch.question import Question
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.framing import Framer
from sipsorcery.sip.response import Response
from sipsorcery.transaction.derived import make_ack

# Seconds to wait for a connection: more than two probes, after which the server is down
# anyway, and few enough that no attempt hangs about for long.
_PATIENCE = 5
# Octets of an answer: those to our small questions have a few hundred.
_MAX_ANSWER = 16 * 1024


class StreamProbe(ClientFactory):
    """
    Asks one server over TCP, over and over.

    :param reactor: has TCP and time.
    :param listener: hears the answers.
    """

    noisy = False

    def __init__(
        self, reactor: Any, endpoint: Endpoint, kind: DispatchProbe, listener: Listener
    ) -> None:
        self._reactor = reactor
        self._endpoint = endpoint
        self._listener = listener
        self._is_stopped = False
        self._connector: IConnector | None = None
        self._line: _Line | None = None  # None: there is no connection yet
        self.question = Question(endpoint, kind)

    def ask(self) -> None:
        """
        Send a probe, as soon as there is a connection.
        """
        if self._line is not None:
            self._line.ask()
        elif self._connector is None:
            self._connect()

    def is_healthy(self, response: Response) -> bool:
        """
        Tell whether an answer says that all is well.
        """
        return self.question.is_healthy(response)

    def stop(self) -> None:
        """
        Ask no more.
        """
        self._is_stopped = True
        if self._connector is not None:
            self._connector.disconnect()

    def opened(self, line: _Line) -> None:
        """
        Take a connection, and put the question that waited for it.
        """
        self._line = line
        line.ask()

    def answered(self, response: Response) -> None:
        """
        Take a final answer.
        """
        if not self._is_stopped:
            self._listener.answered(self._endpoint, response)

    def closed(self, line: _Line) -> None:
        """
        Hear that a connection has ended, and look whether anybody is there.

        Not if nobody has answered on it: whoever only opens and closes connections
        would keep us busy.
        """
        self._line = self._connector = None
        if not self._is_stopped and line.has_answered:
            self._connect()

    def seconds(self) -> float:
        """
        Give the time of the reactor.
        """
        return float(self._reactor.seconds())

    def _connect(self) -> None:
        end = self._endpoint
        self._connector = self._reactor.connectTCP(
            end.host, end.port, self, timeout=_PATIENCE
        )

    # What Twisted calls

    def buildProtocol(self, addr: IAddress | None) -> _Line:
        """
        Make what speaks on a connection.
        """
        return _Line(self)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """
        Hear that there is no connection; silence alone is no refusal.
        """
        self._connector = None
        if not self._is_stopped and reason.check(Nobody):
            self._listener.refused(self._endpoint)


class _Line(Protocol):
    """
    One connection.

    :ivar has_answered: whether an answer has come on it.
    """

    def __init__(self, probe: StreamProbe) -> None:
        self._probe = probe
        self._framer = Framer(max_message=_MAX_ANSWER)
        self.has_answered = False

    def ask(self) -> None:
        """
        Send a probe.
        """
        assert self.transport is not None
        local: Any = self.transport.getHost()
        request = self._probe.question.put(local.host, local.port)
        self.transport.write(request.to_bytes())

    def connectionMade(self) -> None:
        """
        Begin to ask.
        """
        self._probe.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Take what comes; who sends what cannot be read has no connection any more.
        """
        for received in self._framer.receive(data, self._probe.seconds()):
            if isinstance(received, Response):
                self._take(received)
        if self._framer.broken:
            assert self.transport is not None
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave the rest to the probe.
        """
        self._probe.closed(self)

    def _take(self, response: Response) -> None:
        question = self._probe.question
        try:
            if not question.is_answered_by(response):
                return
        except ParseError:
            return
        assert question.last is not None and self.transport is not None
        if question.is_invite:
            self.transport.write(make_ack(question.last, response).to_bytes())
        self.has_answered = True
        self._probe.answered(response)
