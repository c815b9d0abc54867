"""
Tests for `sipsorcery.appserver.listing`.
"""

from __future__ import annotations

import json

from sipsorcery.appserver.calls.calls import Calls
from sipsorcery.appserver.listing import Listing
from tests.appserver.established import NOW, EstablishedCase


class ListingTests(EstablishedCase):
    """
    An established call, as an operator sees it.
    """

    def setUp(self) -> None:
        super().setUp()
        self.connection, self.ours = self.connect(limit=NOW + 600)
        self.listing = Listing(Calls(), self.server.connections)

    def test_calls(self) -> None:
        """
        There is an object for the call, which JSON can hold.
        """
        (call,) = self.listing.calls()
        self.assertEqual(json.loads(json.dumps(call)), call)
        self.assertEqual(call["id"], self.connection.id)
        self.assertEqual((call["owner"], call["state"]), ("joe", "established"))
        self.assertEqual((call["answered"], call["limit"]), (NOW, NOW + 600))
        self.assertIn("sip:192.0.2.3", call["callee"])
        ids = [self.ours.dialog.call_id, self.connection.callee.dialog.call_id]
        self.assertEqual(call["call_ids"], ids)

    def test_hang_up(self) -> None:
        """
        An operator can end a call; whether there is one is told.
        """
        self.assertFalse(self.listing.hang_up("0123456789abcdef"))
        self.assertTrue(self.listing.hang_up(self.connection.id))
        self.network.advance()
        self.assertTrue(self.ours.is_over)
        self.assertEqual(self.listing.calls(), [])
        self.assertEqual(set(self.reasons().values()), {"hung up by an administrator"})
