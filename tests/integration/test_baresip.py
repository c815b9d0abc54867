"""
Calls with baresip, a phone, over each transport.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import DatagramProtocol

from sipsorcery.endpoint import Transport
from sipsorcery.sdp import SessionDescription
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.transport.errors import TLSVerificationError
from sipsorcery.ua import (
    CallCancelled,
    RequestFailed,
    UserAgent,
    UserAgentSettings,
    audio,
)
from tests.integration.agents import AgentCase, uri
from tests.integration.baresip import Baresip
from tests.transport.authority import Authority

_HOST = "127.0.0.1"
_PCMU = 0


class Ear(DatagramProtocol):
    """
    Hear the sound of a call.

    :ivar packets: those of RTP, with sound in PCMU.
    """

    def __init__(self) -> None:
        self.packets = 0
        loop: Any = reactor
        self._port = loop.listenUDP(0, self, _HOST)

    @property
    def description(self) -> SessionDescription:
        """
        Describe a session whose sound comes here.
        """
        return audio(_HOST, self._port.getHost().port)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Count what is RTP, version 2 (:rfc:`3550#section-5.1`).
        """
        if datagram[0] >> 6 == 2 and datagram[1] & 0x7F == _PCMU:
            self.packets += 1

    async def stop(self) -> None:
        """
        Close the port.
        """
        await maybeDeferred(self._port.stopListening)


class BaresipCase(AgentCase):
    """
    A phone, and ears for what it says.
    """

    def setUp(self) -> None:
        super().setUp()
        self.ear = Ear()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.ear.stop()))

    async def phone(self, *, answers: bool = False) -> Baresip:
        """
        Start a phone.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        phone = Baresip(folder, self.authority, answers=answers)
        self.addCleanup(lambda: Deferred.fromCoroutine(phone.stop()))
        await phone.ready()
        return phone

    async def ours(
        self, transport: Transport, authorities: Authority | None = None
    ) -> UserAgent:
        """
        Start a user agent with one listener, which notes who calls.

        :param authorities: whom it trusts; None: the one that the phone trusts, too.
        """
        tls = TLSSettings(
            (self.authority.issue("agent", _HOST),),
            authorities=(authorities or self.authority).file,
        )
        settings = UserAgentSettings(tls=tls)
        return await self.callee(f"{transport.value}:{_HOST}:0", settings=settings)

    async def hear(self) -> None:
        """
        Wait until there is sound.
        """
        before = self.ear.packets
        await self.wait_for(lambda: self.ear.packets > before)


class CalledTests(BaresipCase):
    """
    The phone calls us.
    """

    async def test_udp(self) -> None:
        """
        A call over UDP rings, is answered, has sound, and ends when the phone hangs up.
        """
        await self._be_called(Transport.UDP)

    async def test_tcp(self) -> None:
        """
        So does one over TCP.
        """
        await self._be_called(Transport.TCP)

    async def test_tls(self) -> None:
        """
        So does one over TLS. (This phone looks at no certificate.)
        """
        await self._be_called(Transport.TLS)

    async def test_phone_gives_up(self) -> None:
        """
        A phone that hangs up while it rings cancels the call.
        """
        phone, agent = await self.phone(), await self.ours(Transport.UDP)
        await phone.dial(uri(agent, Transport.UDP))
        call = await self.called()
        call.ring()
        await phone.event("CALL_RINGING")
        await phone.hang_up()
        await self.assertFailure(call.answered(), CallCancelled)

    async def test_refused(self) -> None:
        """
        The phone hears why a call is refused.
        """
        phone, agent = await self.phone(), await self.ours(Transport.UDP)
        await phone.dial(uri(agent, Transport.UDP))
        (await self.called()).reject(486)
        closed = await phone.event("CALL_CLOSED")
        self.assertIn("486", closed["param"])

    async def test_hold(self) -> None:
        """
        The phone puts us on hold with a re-INVITE, and takes us off again.
        """
        phone, agent = await self.phone(), await self.ours(Transport.UDP)
        await phone.dial(uri(agent, Transport.UDP))
        session = await (await self.called()).answer(self.ear.description)
        await phone.event("CALL_ESTABLISHED")
        await phone.hold()
        await self.wait_for(lambda: session.is_held)
        await phone.resume()
        await self.wait_for(lambda: not session.is_held)
        await session.bye()
        await phone.event("CALL_CLOSED")

    async def _be_called(self, transport: Transport) -> None:
        phone, agent = await self.phone(), await self.ours(transport)
        await phone.dial(uri(agent, transport))
        call = await self.called()
        self.assertEqual(call.flow.remote.transport, transport)
        call.ring()
        await phone.event("CALL_RINGING")
        session = await call.answer(self.ear.description)
        await phone.event("CALL_ESTABLISHED")
        await self.hear()
        await phone.hang_up()
        ending = await session.ended()
        self.assertTrue(ending.by_peer, ending)


class CallingTests(BaresipCase):
    """
    We call the phone.
    """

    async def test_udp(self) -> None:
        """
        A call over UDP rings, is answered, is held and resumed by re-INVITE, and ends
        when we hang up.
        """
        await self._call(Transport.UDP)

    async def test_tcp(self) -> None:
        """
        So does one over TCP.
        """
        await self._call(Transport.TCP)

    async def test_tls(self) -> None:
        """
        So does one over TLS, where the phone's certificate proves its address.
        """
        await self._call(Transport.TLS)

    async def test_phone_hangs_up(self) -> None:
        """
        The phone's BYE ends a call of ours.
        """
        phone = await self.phone(answers=True)
        agent = await self.ours(Transport.UDP)
        call = agent.invite(phone.uri(Transport.UDP), self.ear.description)
        session = await call.answered()
        await phone.event("CALL_ESTABLISHED")
        await phone.hang_up()
        ending = await session.ended()
        self.assertTrue(ending.by_peer, ending)

    async def test_late_offer(self) -> None:
        """
        An INVITE without an offer gets the phone's, which our ACK answers: sound comes
        to where it says.
        """
        phone = await self.phone(answers=True)
        agent = await self.ours(Transport.UDP)
        call = agent.invite(
            phone.uri(Transport.UDP), self.ear.description, late_offer=True
        )
        session = await call.answered()
        await self.hear()
        await session.bye()
        await phone.event("CALL_CLOSED")

    async def test_cancel(self) -> None:
        """
        A call that we cancel stops ringing; its INVITE ends with 487.
        """
        phone, agent = await self.phone(), await self.ours(Transport.UDP)
        call = agent.invite(phone.uri(Transport.UDP), self.ear.description)
        await phone.event("CALL_INCOMING")
        call.cancel()
        await self.assertFailure(call.answered(), CallCancelled)
        await phone.event("CALL_CLOSED")

    async def test_refused(self) -> None:
        """
        A call that the phone refuses fails with the phone's status.
        """
        phone, agent = await self.phone(), await self.ours(Transport.UDP)
        call = agent.invite(phone.uri(Transport.UDP), self.ear.description)
        await phone.event("CALL_INCOMING")
        await phone.hang_up()
        failure: Any = await self.assertFailure(call.answered(), RequestFailed)
        self.assertEqual(failure.status, 486)

    async def test_untrusted(self) -> None:
        """
        A phone whose certificate is signed by nobody we trust is not called.
        """
        phone = await self.phone(answers=True)
        stranger = Authority(Path(self.mktemp()), "stranger")
        agent = await self.ours(Transport.TLS, stranger)
        call = agent.invite(phone.uri(Transport.TLS), self.ear.description)
        failure: Any = await self.assertFailure(call.answered(), RequestFailed)
        self.assertIsInstance(failure.__cause__, TLSVerificationError)

    async def _call(self, transport: Transport) -> None:
        phone, agent = await self.phone(), await self.ours(transport)
        call = agent.invite(phone.uri(transport), self.ear.description)
        await phone.event("CALL_INCOMING")
        await phone.accept()
        session = await call.answered()
        await phone.event("CALL_ESTABLISHED")
        await self.hear()
        for change in (session.hold, session.resume):
            await change()
            self.assertEqual((await phone.event("CALL_REMOTE_SDP"))["param"], "offer")
        await self.hear()
        await session.bye()
        await phone.event("CALL_CLOSED")
