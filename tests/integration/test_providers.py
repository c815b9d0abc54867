"""
Calls through a provider, who is Kamailio and wants to know each time who asks.
"""

from __future__ import annotations

import json
from pathlib import Path

from twisted.internet.defer import Deferred

from sipsorcery.endpoint import Transport
from sipsorcery.store.directory import Directory, Language
from sipsorcery.ua import Account, RequestFailed, UserAgent, audio
from tests.integration.agents import AgentCase, uri
from tests.integration.kamailio import Kamailio
from tests.integration.server import DOMAIN, PASSWORD, Server

_LISTEN = "udp:127.0.0.1:0"
_SOUND = audio("127.0.0.1", 4000)
_NUMBER = "0201234"
_REALM = "provider.test"
_RULES = [{"direction": "out", "action": {"do": "dial", "to": "${dst}@far"}}]


class ProviderTests(AgentCase):
    """
    100 calls a number; a dialplan sends that to the provider, who has it called.
    """

    async def start(self, realm: str) -> None:
        """
        Start all of them.

        :param realm: what the provider asks for.
        """
        self.callee_agent = await self.callee(_LISTEN)
        folder = Path(self.mktemp())
        folder.mkdir()
        there = uri(self.callee_agent, Transport.UDP)
        self.provider = Kamailio(folder, there, realm)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.provider.stop()))
        await self.provider.ready()
        self.server = Server(Path(self.mktemp()), appserver=True, prepare=self.prepare)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.stop()))
        await self.server.start()
        here = self.server.end()
        account = Account(
            f"sip:100@{DOMAIN}",
            PASSWORD,
            realms=[DOMAIN],
            proxy=f"sip:{here.host}:{here.port}",
        )
        self.alice: UserAgent = await self.agent(_LISTEN, account=account)

    async def prepare(self, directory: Directory) -> None:
        """
        Add the provider, and send all calls of 100 there.
        """
        joe, end = directory.of("joe"), self.provider.end(Transport.UDP)
        await joe.providers.add(
            "far",
            username="42",
            password="secret",
            server=f"sip:{end.host}:{end.port}",
            register_realm=_REALM,
        )
        await joe.dialplans.put("out", json.dumps(_RULES), Language.WIZARD)
        await joe.accounts.change("100", DOMAIN, out_dialplan="out")

    async def test_challenged(self) -> None:
        """
        Each request of the leg is challenged, and proves who asks: the call, its hold,
        its end. The caller hears of none of that, and the callee sees no credentials.
        """
        await self.start(_REALM)
        calling = self.alice.invite(f"sip:{_NUMBER}@{DOMAIN}", _SOUND)
        incoming = await self.unless_refused(calling, self.called())
        self.assertNotIn("Proxy-Authorization", incoming.request)
        self.assertEqual(incoming.request.request_uri.partition("@")[0], "sip:alice")
        theirs = await incoming.answer(_SOUND)
        ours = await calling.answered()
        await ours.hold()
        self.assertTrue(theirs.is_held)
        await ours.resume()
        self.assertFalse(theirs.is_held)
        # Who is called through a provider proves nothing.
        await theirs.hold()
        self.assertTrue(ours.is_held)
        await theirs.resume()
        await ours.bye()
        await theirs.ended()
        # Behind the first one what was good the last time is tried before.
        self.assertEqual(self.provider.proofs, {"INVITE": 1 + 2 * 2, "BYE": 2})

    async def test_other_realm(self) -> None:
        """
        A provider that asks for another realm than its own gets no proof to try
        passwords against (CVE-2021-41158); the caller hears that the call has failed.
        """
        await self.start("elsewhere.test")
        calling = self.alice.invite(f"sip:{_NUMBER}@{DOMAIN}", _SOUND)
        with self.assertRaises(RequestFailed) as caught:
            await calling.answered()
        self.assertEqual(caught.exception.status, 480)
        answer = caught.exception.response
        assert answer is not None
        self.assertNotIn("Proxy-Authenticate", answer)
        self.assertEqual(self.provider.proofs, {})
        self.assertEqual(self.calls, [])
