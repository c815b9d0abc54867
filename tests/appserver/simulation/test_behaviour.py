"""
Tests for :mod:`sipsorcery.appserver.simulation.behaviour`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.simulation.behaviour import Behaviour
from sipsorcery.appserver.simulation.errors import WorldError
from sipsorcery.sip.uri import SIPURI


class BehaviourTests(SynchronousTestCase):
    def test_words(self) -> None:
        """
        Each word stands for a status, and a time for ringing before.
        """
        cases = {
            "answer": Behaviour(200, "OK", 0, rings=False),
            "answer at 5 s": Behaviour(200, "OK", 5),
            "answers after 0.5 s": Behaviour(200, "OK", 0.5),
            "busy  after 3s": Behaviour(486, "Busy Here", 3),
            "decline after 1 second": Behaviour(603, "Decline", 1),
            "ring for ever": Behaviour(),
            "no response": Behaviour(rings=False),
            "unavailable": Behaviour(480, "Temporarily Unavailable", rings=False),
        }
        for text, expected in cases.items():
            self.assertEqual(Behaviour.parse(text), expected, text)

    def test_status(self) -> None:
        """
        Any final status can be given, with its own reason or another one.
        """
        self.assertEqual(
            Behaviour.parse("404"), Behaviour(404, "Not Found", rings=False)
        )
        self.assertEqual(
            Behaviour.parse("503 Gone fishing after 2 s"),
            Behaviour(503, "Gone fishing", 2),
        )

    def test_redirect(self) -> None:
        """
        A redirection says where to.
        """
        self.assertEqual(
            Behaviour.parse("redirect to sip:102@example.com after 1 s"),
            Behaviour(
                302,
                "Moved Temporarily",
                1,
                SIPURI.parse("sip:102@example.com"),
            ),
        )

    def test_faults(self) -> None:
        """
        What nobody does is an error that says what there is.
        """
        for text in (
            *("", "bussy", "busy after", "busy after x s", "199", "700", "302"),
            *("302 Moved", "redirect to nowhere", "answer after 9999 s"),
            *("ring for ever after 3 s", "answer after -1 s", "answer after 1e3 s"),
        ):
            self.assertRaises(WorldError, Behaviour.parse, text)
        with self.assertRaisesRegex(WorldError, "none of: answer, busy"):
            Behaviour.parse("bussy")
