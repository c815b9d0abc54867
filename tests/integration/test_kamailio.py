"""
Calls through Kamailio, a proxy that stays in their path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import DatagramProtocol
from twisted.names.client import Resolver

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.ua import (
    Account,
    CallCancelled,
    RequestFailed,
    Session,
    UserAgentSettings,
    audio,
)
from tests.integration.agents import AgentCase, end, uri
from tests.integration.kamailio import Kamailio
from tests.integration.ports import free_port
from tests.integration.test_locator import DNSServer
from tests.transport.location.zones import Zones

_HOST = "127.0.0.1"
_DOMAIN = "example.com"
_LISTEN = {one: f"{one.value}:{_HOST}:0" for one in (Transport.UDP, Transport.TCP)}
# Where sound would go; nobody sends any.
_SOUND = audio(_HOST, 9)
# A server that says nothing for so long is dead.
_SILENCE = 1.0
_CALL_ID = re.compile(rb"^Call-ID: (\S+)", re.MULTILINE)


class Silent(DatagramProtocol):
    """
    Hear requests over UDP and never answer.
    """

    def __init__(self) -> None:
        self._heard: set[bytes] = set()
        loop: Any = reactor
        self._port = loop.listenUDP(0, self, _HOST)

    @property
    def end(self) -> Endpoint:
        """
        Give the place where it listens.
        """
        return Endpoint(Transport.UDP, _HOST, self._port.getHost().port)

    @property
    def calls(self) -> int:
        """
        Count the calls that came.
        """
        return len(self._heard)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Note which call it is of.
        """
        self._heard.update(_CALL_ID.findall(datagram))

    async def stop(self) -> None:
        """
        Close the port.
        """
        await maybeDeferred(self._port.stopListening)


class KamailioCase(AgentCase):
    """
    A caller, a proxy, and a callee who notes who calls.
    """

    async def proxy(self, upstream: str) -> Kamailio:
        """
        Start a proxy.

        :param upstream: where it sends calls that have no Route.
        """
        folder = Path(self.mktemp())
        folder.mkdir()
        proxy = Kamailio(folder, upstream)
        self.addCleanup(lambda: Deferred.fromCoroutine(proxy.stop()))
        await proxy.ready()
        return proxy

    async def talk(self, proxy: Kamailio, first: Session, second: Session) -> None:
        """
        Change an established session from both ends, and let *first* hang up.

        Everything goes through the proxy.
        """
        acks = 1
        for session, other in ((first, second), (second, first)):
            for change, held in ((session.hold, True), (session.resume, False)):
                await change()
                self.assertIs(other.is_held, held)
                acks += 1
                # The other side may not begin before it has this (RFC 3261, 14.1).
                await self.until_relayed(proxy, "ACK", acks)
        await first.bye()
        ending = await second.ended()
        self.assertTrue(ending.by_peer, ending)
        await self.until_relayed(proxy, "BYE", 1)
        self.assertEqual(proxy.relayed, {"INVITE": acks, "ACK": acks, "BYE": 1})

    async def until_relayed(self, proxy: Kamailio, method: str, count: int) -> None:
        """
        Wait until the proxy says that it has relayed so many requests of a method.
        """
        await self.wait_for(lambda: proxy.relayed[method] >= count)


class RecordRouteTests(KamailioCase):
    """
    A proxy that puts itself into the path of what follows the INVITE.
    """

    async def test_caller_hangs_up(self) -> None:
        """
        INVITE, ACK, re-INVITEs of both sides and the caller's BYE go through it.
        """
        await self._talk(Transport.UDP, caller_hangs_up=True)

    async def test_callee_hangs_up(self) -> None:
        """
        So does the callee's BYE.
        """
        await self._talk(Transport.UDP, caller_hangs_up=False)

    async def test_two_transports(self) -> None:
        """
        So does all of it where the caller has TCP and the callee UDP, for which the
        proxy puts two entries into the route set.
        """
        await self._talk(Transport.TCP, caller_hangs_up=False, routes=2)

    async def test_cancel(self) -> None:
        """
        A CANCEL reaches the callee through it, and the 487 the caller.
        """
        callee = await self.callee(*_LISTEN.values())
        proxy = await self.proxy(uri(callee, Transport.UDP))
        caller = await self.agent(_LISTEN[Transport.UDP])
        call = caller.invite(_uri(proxy.end(Transport.UDP)), _SOUND)
        ringing = await self.called()
        ringing.ring()
        call.cancel()
        await self.assertFailure(ringing.answered(), CallCancelled)
        await self.assertFailure(call.answered(), CallCancelled)
        await self.until_relayed(proxy, "CANCEL", 1)
        self.assertEqual(proxy.relayed, {"INVITE": 1, "CANCEL": 1})

    async def test_refused(self) -> None:
        """
        A refusal comes back through it.
        """
        callee = await self.callee(*_LISTEN.values())
        proxy = await self.proxy(uri(callee, Transport.UDP))
        caller = await self.agent(_LISTEN[Transport.UDP])
        call = caller.invite(_uri(proxy.end(Transport.UDP)), _SOUND)
        (await self.called()).reject(603)
        failure: Any = await self.assertFailure(call.answered(), RequestFailed)
        self.assertEqual(failure.status, 603)

    async def _talk(
        self, transport: Transport, *, caller_hangs_up: bool, routes: int = 1
    ) -> None:
        callee = await self.callee(*_LISTEN.values())
        proxy = await self.proxy("sip:nobody@127.0.0.1:9")
        account = Account(
            "sip:alice@example.com", proxy=_uri(proxy.end(transport), user="")
        )
        caller = await self.agent(_LISTEN[transport], account=account)
        call = caller.invite(uri(callee, Transport.UDP), _SOUND)
        incoming = await self.called()
        self.assertEqual(incoming.flow.remote, proxy.end(Transport.UDP))
        incoming.ring()
        theirs = await incoming.answer(_SOUND)
        ours = await call.answered()
        for session in (ours, theirs):
            self.assertEqual(len(session.dialog.route_set), routes)
        if caller_hangs_up:
            await self.talk(proxy, ours, theirs)
        else:
            await self.talk(proxy, theirs, ours)


class FailOverTests(KamailioCase):
    """
    Servers found by SRV, of which the first is dead.
    """

    async def test_ours_udp(self) -> None:
        """
        Our caller goes on to the second server when the first says nothing; the next
        call goes there at once.
        """
        silent = self.silent()
        await self._walk(Transport.UDP, silent.end.port)
        self.assertEqual(silent.calls, 1)

    async def test_ours_tcp(self) -> None:
        """
        Our caller goes on to the second server when the first refuses the connection.
        """
        await self._walk(Transport.TCP, free_port())

    async def test_theirs(self) -> None:
        """
        The proxy, too, goes on to the second server when the first says nothing; that
        is our callee.
        """
        callee = await self.callee(*_LISTEN.values())
        proxy = await self.proxy(f"sip:bob@{_DOMAIN}")
        silent = self.silent()
        await proxy.add_srv(_DOMAIN, silent.end, end(callee, Transport.UDP))
        caller = await self.agent(_LISTEN[Transport.UDP])
        call = caller.invite(_uri(proxy.end(Transport.UDP)), _SOUND)
        theirs = await (await self.called()).answer(_SOUND)
        ours = await call.answered()
        self.assertEqual(silent.calls, 1)
        await self.talk(proxy, ours, theirs)

    def silent(self) -> Silent:
        """
        Start a server that never says anything.
        """
        server = Silent()
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        return server

    async def _walk(self, transport: Transport, dead: int) -> None:
        callee = await self.callee(*_LISTEN.values())
        proxy = await self.proxy(uri(callee, Transport.UDP))
        zones = Zones()
        service = f"_sip._{transport.value}.{_DOMAIN}"
        zones.add(
            f"""
            {service}        SRV 0 0 {dead} dead.{_DOMAIN}
            {service}        SRV 1 0 {proxy.end(transport).port} alive.{_DOMAIN}
            dead.{_DOMAIN}   A {_HOST}
            alive.{_DOMAIN}  A {_HOST}
            """
        )
        server = DNSServer(zones)
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        caller = await self.agent(
            _LISTEN[transport],
            resolver=Resolver(servers=[(_HOST, server.port)], reactor=reactor),
            settings=UserAgentSettings(target_time=_SILENCE),
        )
        called = f"sip:bob@{_DOMAIN};transport={transport.value}"
        for number in (1, 2):
            call = caller.invite(called, _SOUND)
            theirs = await (await self.called()).answer(_SOUND)
            ours = await call.answered()
            await ours.bye()
            await theirs.ended()
            await self.until_relayed(proxy, "BYE", number)
        self.assertEqual(proxy.relayed, {"INVITE": 2, "ACK": 2, "BYE": 2})
        self.assertIn(f"SRV {service}", zones.asked)


def _uri(there: Endpoint, user: str = "bob") -> str:
    """
    Make the URI of a user at a server, or of the server itself.
    """
    whom = f"{user}@" if user else ""
    return f"sip:{whom}{there.host}:{there.port};transport={there.transport.value}"
