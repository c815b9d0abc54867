"""
What the tests with real sockets share: layers on the loopback, and waiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Endpoint, ListenAddress
from sipsorcery.sip.request import Request
from sipsorcery.testing.consumer import RecordingConsumer
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.consumer import TransportConsumer
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import Expectation
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.limits import TransportLimits
from sipsorcery.transport.target import Target
from tests.transport.authority import Authority
from tests.transport.messages import options

# What a test may wait for anything; on an idle machine all is there within 50 ms, on a
# busy one it can be a hundred times that.
_PATIENCE = 40.0
_STEP = 0.005


class SocketCase(TestCase):
    """
    Layers on the loopback, which are stopped in the end.
    """

    timeout = 120

    def setUp(self) -> None:
        self.authority = Authority(Path(self.mktemp()))
        self.layers: list[TransportLayer] = []
        self.addCleanup(lambda: Deferred.fromCoroutine(self.stop_layers()))

    async def stop_layers(self) -> None:
        """
        Stop all layers; nothing may be left then.
        """
        for layer in self.layers:
            await layer.stop()

    def layer(
        self,
        *listen: str,
        answers: bool = False,
        limits: TransportLimits | None = None,
        tls: TLSSettings | None = None,
        consumer: TransportConsumer | None = None,
    ) -> tuple[TransportLayer, RecordingConsumer]:
        """
        Start a layer.

        :param answers: whether it answers every request with 200.
        :param consumer: takes what is received, instead of the one that is returned.
        """
        recording = RecordingConsumer()
        layer = TransportLayer(
            reactor,
            TransportSettings(
                tuple(map(ListenAddress.parse, listen)),
                tls or TLSSettings(),
                limits or TransportLimits(),
            ),
            consumer or recording,
        )
        layer.start()
        self.layers.append(layer)
        if answers:

            def answer(request: Request, flow: Flow) -> None:
                layer.send_response(request.respond(200), flow)

            recording.on_request = answer
        return layer, recording

    def secure(self, *identities: str) -> TLSSettings:
        """
        Make the settings of a server that has a certificate for these names.

        Its files bear the first of them, so that each of several servers has its own.
        """
        files = self.authority.issue(identities[0], *identities)
        return TLSSettings((files,), poll=0.05)

    def trusting(self) -> TLSSettings:
        """
        Make the settings of a client that trusts the authority.
        """
        return TLSSettings(authorities=self.authority.file)

    async def wait_for(self, condition: Callable[[], Any]) -> Any:
        """
        Wait until a condition holds, and give what it gave.
        """
        for _ in range(int(_PATIENCE / _STEP)):
            found = condition()
            if found:
                return found
            await later(_STEP)
        raise AssertionError("what the test waits for did not happen")

    async def ask(
        self, layer: TransportLayer, consumer: RecordingConsumer, target: Target
    ) -> Flow:
        """
        Send a request and wait for its answer.

        :return: the flow of the request.
        """
        before = len(consumer.responses)
        via = layer.via_for(target).with_parameter("branch", f"z9hG4bK{before}")
        flow = await layer.send_request(options(str(via)), target)
        await self.wait_for(lambda: len(consumer.responses) > before)
        return flow


def later(seconds: float) -> Awaitable[None]:
    """
    Let time pass.
    """
    return deferLater(reactor, seconds, lambda: None)


def target(end: Endpoint, name: str | None = None) -> Target:
    """
    Make the target for an endpoint that has to prove a SIP domain.
    """
    return Target(end, None if name is None else Expectation(name))
