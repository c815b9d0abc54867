"""
Messages outside of calls, between phones of ours that are registered at a whole server.
"""

from __future__ import annotations

from sipsorcery.sip.fields import PROXY_AUTHENTICATE
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import RequestFailed
from tests.integration.test_rfc5359 import Phone, ServiceCase

_TEXT = [("Content-Type", "text/plain")]


class MessageTests(ServiceCase):
    """
    The way of calls: proof, dialplan, phones.
    """

    def gather(self, phone: Phone) -> list[bytes]:
        """
        Let a phone take every message; their texts are in the list.
        """
        texts: list[bytes] = []

        def take(transaction: ServerTransaction) -> None:
            texts.append(transaction.request.body)
            transaction.respond(202)

        phone.agent.on("MESSAGE", take)
        return texts

    async def test_without_plan(self) -> None:
        """
        Whoever proves who they are reaches the phones of others.
        """
        texts = self.gather(self.bob)
        response = await self.alice.agent.request(
            "MESSAGE", self.bob.uri, fields=_TEXT, body=b"Watson, come here."
        )
        self.assertEqual(response.status, 202)
        self.assertNotIn(PROXY_AUTHENTICATE, response)
        self.assertEqual(texts, [b"Watson, come here."])

    async def test_plan_of_calls(self) -> None:
        """
        A dialplan that is for calls alone takes none, and says so.
        """
        joe = self.server.directory.of("joe")
        await joe.dialplans.put("calls", "exten => _X.,1,Respond(486)")
        await joe.accounts.change("102", "example.com", in_dialplan="calls")
        with self.assertRaises(RequestFailed) as caught:
            await self.alice.agent.request("MESSAGE", self.carol.uri, body=b"x")
        self.assertEqual(caught.exception.status, 405)
