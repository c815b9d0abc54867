"""
Tests for :mod:`sipsorcery.ua.draft`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.fields import USER_AGENT
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua.account import Account
from sipsorcery.ua.draft import Draft


class DraftTests(SynchronousTestCase):
    def test_product(self) -> None:
        """
        A request says who sends it, once: what its own fields say goes before.
        """
        uri, account = SIPURI("sip", "bo", "example.net"), Account("sip:al@example.com")
        for field, said in (
            (("X-A", "1"), ("ours",)),
            (("user-agent", "Phone"), ("Phone",)),
            ((USER_AGENT, "Phone"), ("Phone",)),
        ):
            draft = Draft("MESSAGE", uri, account, fields=[field], product="ours")
            self.assertEqual(draft.make().all("User-Agent"), said)
