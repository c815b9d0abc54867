"""
What the tests of user agents with real sockets share: agents on the loopback.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.names.client import Resolver
from twisted.python.failure import Failure

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.ua import ClientCall, RequestFailed, ServerCall, UserAgent
from tests.integration.sockets import SocketCase

# Tests ask no name servers of others.
_NO_SERVER = ("127.0.0.1", 9)

T = TypeVar("T")


class AgentCase(SocketCase):
    """
    User agents on the loopback, which are stopped in the end.

    :ivar calls: those that came to a `callee` and nobody has taken.
    """

    def setUp(self) -> None:
        super().setUp()
        self.calls: list[ServerCall] = []

    async def agent(self, *listen: str, **options: Any) -> UserAgent:
        """
        Start a user agent.

        :param options: as `UserAgent` takes them.
        """
        options.setdefault("resolver", Resolver(servers=[_NO_SERVER], reactor=reactor))
        agent = UserAgent(reactor, listen, **options)
        await agent.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(agent.stop()))
        return agent

    async def callee(self, *listen: str, **options: Any) -> UserAgent:
        """
        Start a user agent that takes calls.
        """
        agent = await self.agent(*listen, **options)
        agent.on_invite(self.calls.append)
        return agent

    async def called(self) -> ServerCall:
        """
        Wait for the next call.
        """
        await self.wait_for(lambda: self.calls)
        return self.calls.pop(0)

    async def unless_refused(
        self, call: ClientCall, waiting: Coroutine[Any, Any, T]
    ) -> T:
        """
        Wait for what a call of an agent brings about; if it is refused, that is why
        the test fails, and at once.
        """
        coming = Deferred.fromCoroutine(waiting)
        refusals: list[Failure] = []

        def refuse(failure: Failure) -> None:
            refusals.append(failure)
            coming.cancel()

        call.answered().addErrback(refuse)
        try:
            return await coming
        except CancelledError:
            error = refusals[0].value
            answer = error.response if isinstance(error, RequestFailed) else None
            text = f"{error}: {answer and answer.to_bytes()!r}"
            raise AssertionError(text) from error


def end(agent: UserAgent, transport: Transport) -> Endpoint:
    """
    Give the place where an agent listens.
    """
    ends = [one.local for one in agent.listeners]
    return next(one for one in ends if one.transport is transport)


def uri(agent: UserAgent, transport: Transport, user: str = "alice") -> str:
    """
    Give the URI to call an agent at.
    """
    there = end(agent, transport)
    return f"sip:{user}@{there.host}:{there.port};transport={transport.value}"
