"""
The transaction layer on real sockets, called by SIPp.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from sipsorcery.endpoint import Endpoint, ListenAddress, Transport
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CONTACT
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import parse_uri
from sipsorcery.testing.relay import LossyRelay
from sipsorcery.transaction.state import State
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.layer import TransportLayer, TransportSettings
from sipsorcery.transport.transactions.layer import TransactionLayer
from sipsorcery.transport.transactions.server import ServerTransaction
from tests import LONG
from tests.integration.sipp import SIPp

CALLS = 1000
AT_ONCE = 20
LOSS = 0.03

# Timers that keep what has ended for two seconds instead of 32.
QUICK = Timers(t1=0.03, t2=0.24, t4=0.3)


class AnsweringServer:
    """
    Takes every call, and lets the caller end it.

    :ivar open: the Call-IDs of the calls that have been answered and not ended.
    :ivar ended: how many have been ended.
    :ivar repeating: the delayed calls that repeat a 200.
    :ivar unexpected: what else came.
    """

    def __init__(self, *listen: str, timers: Timers) -> None:
        self._clock = IReactorTime(reactor)
        self.transactions = TransactionLayer(self._clock, self, timers=timers)
        self.transport = TransportLayer(
            reactor,
            TransportSettings(tuple(map(ListenAddress.parse, listen))),
            self.transactions,
        )
        self.transactions.join(self.transport)
        self.transport.start()
        self.repeating: dict[str, IDelayedCall] = {}
        self.open: set[str] = set()
        self.ended = 0
        self.unexpected: list[object] = []

    def endpoint(self, transport: Transport) -> Endpoint:
        """
        Give the address that listens for a transport.
        """
        (end,) = (
            one.local
            for one in self.transport.listeners
            if one.local.transport is transport
        )
        return end

    async def stop(self) -> None:
        """
        Stop, and leave no timer.
        """
        for call in self.repeating.values():
            call.cancel()
        self.transactions.stop()
        await self.transport.stop()

    def request_received(self, transaction: ServerTransaction) -> None:
        """
        Answer INVITE and BYE.
        """
        request = transaction.request
        call_id = request[CALL_ID]
        if request.method == "INVITE":
            transaction.respond(180)
            contact = Address(parse_uri(f"sip:{transaction.flow.local.host}"))
            response = transaction.respond(200, fields=[(CONTACT, contact)])
            self.open.add(call_id)
            self._repeat(call_id, transaction, response, 0.5)
        elif request.method == "BYE" and call_id in self.open:
            self.open.discard(call_id)
            self.ended += 1
            transaction.respond(200)
        else:
            self.unexpected.append(request)
            transaction.respond(481)

    def ack_received(self, ack: Request, flow: Flow) -> None:
        """
        Stop to repeat the 200.
        """
        call = self.repeating.pop(ack[CALL_ID], None)
        if call is not None:
            call.cancel()

    def stray_response(self, response: Response, flow: Flow) -> None:
        """
        Expect none: we send no request.
        """
        self.unexpected.append(response)

    def stun_received(self, data: bytes, flow: Flow) -> None:
        """
        Expect none.
        """
        self.unexpected.append(data)

    def parse_failed(self, error: ParseError, flow: Flow) -> None:
        """
        Expect none.
        """
        self.unexpected.append(error)

    def flow_closed(self, flow: Flow, reason: str) -> None:
        """
        Let it be.
        """

    def _repeat(
        self,
        call_id: str,
        transaction: ServerTransaction,
        response: Response,
        delay: float,
    ) -> None:
        # A 2xx is for the user to repeat, over any transport (RFC 3261, 13.3.1.4).
        def repeat() -> None:
            del self.repeating[call_id]
            if transaction.state is State.Accepted:
                transaction.send(response)
                self._repeat(call_id, transaction, response, min(2 * delay, 4.0))

        self.repeating[call_id] = self._clock.callLater(delay, repeat)


class SIPpTests(TestCase):
    """
    SIPp's built-in ``uac`` against a server that is hardly more than the layer.
    """

    timeout = 120

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.server = AnsweringServer(
            "udp:127.0.0.1:0", "tcp:127.0.0.1:0", timers=QUICK
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.stop()))

    def sipp(self, end: Endpoint, repeats: bool = False) -> SIPp:
        """
        Start SIPp, and end it after the test.
        """
        sipp = SIPp(
            *(self.folder, "uac", end.transport),
            calls=CALLS,
            at_once=AT_ONCE,
            repeats=repeats,
            target=end,
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(sipp.program.stop()))
        return sipp

    async def assert_nothing_left(self) -> None:
        """
        Wait until nothing is left of any call.
        """
        for _ in range(600):
            if self.server.transactions.is_idle and not self.server.repeating:
                return
            await deferLater(IReactorTime(reactor), 0.1)
        self.fail(f"{self.server.transactions.size} transactions are left")

    async def check_calls(self, transport: Transport) -> None:
        """
        Let SIPp make its calls; each has to go as it expects.
        """
        sipp = self.sipp(self.server.endpoint(transport))
        tally = await sipp.tally()
        self.assertEqual((tally.successful, tally.failed), (CALLS, 0), sipp.errors)
        self.assertEqual(tally.unexpected, 0, sipp.errors)
        self.assertEqual(self.server.unexpected, [])
        self.assertEqual((self.server.ended, self.server.open), (CALLS, set()))
        await self.assert_nothing_left()

    async def test_udp(self) -> None:
        """
        A thousand calls over UDP, without one message that SIPp does not expect.
        """
        await self.check_calls(Transport.UDP)

    async def test_tcp(self) -> None:
        """
        The same over TCP.
        """
        await self.check_calls(Transport.TCP)

    async def test_loss(self) -> None:
        """
        If three of a hundred datagrams get lost, every call completes nevertheless.
        """
        await self.server.stop()
        self.server = AnsweringServer("udp:127.0.0.1:0", timers=Timers())
        server = self.server.endpoint(Transport.UDP)
        relay = LossyRelay(reactor, server, loss=LOSS, seed=1)
        relay.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(relay.stop()))
        sipp = self.sipp(relay.endpoint, repeats=True)
        tally = await sipp.tally()
        self.assertEqual((tally.successful, tally.failed), (CALLS, 0), sipp.errors)
        self.assertEqual(self.server.unexpected, [])
        self.assertGreater(relay.lost, CALLS * 6 * LOSS / 2)
        # If ACK and BYE are lost SIPp takes the repeated 200 to the INVITE for the
        # answer to its BYE, and does not send that again.
        self.assertEqual(self.server.ended + len(self.server.open), CALLS)
        self.assertLess(len(self.server.open), CALLS * LOSS**2 * 10)
        if LONG:
            await self.assert_nothing_left()  # half a minute later
