"""
Tests for `sipsorcery.proxy.transparency`, alone and at work.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.errors import Refused
from sipsorcery.proxy.transparency import Transparency
from sipsorcery.sip import Request
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.grammar import is_token
from sipsorcery.store.secrets import Key
from tests.proxy.world import PHONE_B, PROXY, ProxyWorld

VIAS = ["SIP/2.0/UDP 10.0.0.2:5065;branch=z9hG4bKa", "SIP/2.0/TCP b;x=\udcff"]
KEY, OTHER = Key(1, b"s" * 32, 0.0), Key(2, b"t" * 32, 0.0)


class TransparencyTests(SynchronousTestCase):
    """
    Sealed Vias.
    """

    def test_round_trip(self) -> None:
        """
        What was hidden comes back, octet for octet, with the same branch only.
        """
        transparency = Transparency([KEY])
        hidden = transparency.hide(VIAS, "branch")
        self.assertTrue(is_token(hidden))
        self.assertNotIn("10.0.0.2", hidden)
        self.assertEqual(transparency.show(hidden, "branch"), VIAS)
        self.assertIsNone(transparency.show(hidden, "another"))

    def test_rotation(self) -> None:
        """
        What an older key has sealed is opened.
        """
        transparency = Transparency([KEY])
        hidden = transparency.hide(VIAS, "branch")
        transparency.renew([OTHER, KEY])
        self.assertEqual(transparency.show(hidden, "branch"), VIAS)
        transparency.renew([OTHER])
        self.assertIsNone(transparency.show(hidden, "branch"))

    def test_anything_else(self) -> None:
        """
        What we have not sealed is nothing.
        """
        transparency = Transparency([KEY])
        hidden = transparency.hide(VIAS, "branch")
        for text in ("", "x", "AQ", hidden[:-1], "\xe9", "=" * 10, "A" * 5000):
            self.assertIsNone(transparency.show(text, "branch"), text)

    def test_too_many(self) -> None:
        """
        More Vias than fit are refused.
        """
        with self.assertRaises(Refused) as caught:
            Transparency([KEY]).hide(VIAS * 100, "branch")
        self.assertEqual(caught.exception.status, 513)


class TransparentModeTests(ProxyWorld):
    """
    A script that sends so.
    """

    def setUp(self) -> None:
        self.script = Path(self.mktemp())
        self.script.write_text(
            "async def request(sys, req):\n"
            "    if req.method == 'MESSAGE':\n"
            "        await sys.send_transparent()\n"
            "    else:\n"
            "        await sys.relay(transparent=True)\n"
        )
        super().setUp()

    def make(self, method: str) -> Request:
        """
        Make a request with a Via below that of its sender.
        """
        return self.trunk.make(
            method,
            f"sip:x@{PHONE_B}",
            "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKbelow",
        )

    def test_both_ways(self) -> None:
        """
        The other side sees one Via, ours; its response comes back with all of them.
        """
        for method in ("MESSAGE", "INVITE"):
            sent = self.make(method)
            self.trunk.send(sent)
            self.trunk.inbox.clear()
            received = self.b.request()
            (via,) = received.all(VIA)
            self.assertEqual(via.sent_by, f"{PROXY}:5060")
            self.assertNotIn("10.9.9.9", received.head)
            self.b.send(received.respond(200, to_tag="b"))
            response = self.trunk.response()
            self.assertEqual(response.status, 200)
            branches = [each.branch for each in sent.all(VIA)]
            self.assertEqual([each.branch for each in response.all(VIA)], branches)

    def test_forged(self) -> None:
        """
        A response whose hidden Vias are not what we have hidden goes nowhere.
        """
        self.trunk.send(self.make("MESSAGE"))
        response = self.b.request().respond(200)
        (via,) = response.all("Via")
        for text in (
            via[:-1],
            via[: via.index(";vias=")],
            via.replace(";vias=", ";vias=A"),
        ):
            response.set("Via", text)
            self.b.send(response)
            self.assertEqual(self.b.inbox, [], text)
            self.assertEqual(self.trunk.inbox, [], text)
