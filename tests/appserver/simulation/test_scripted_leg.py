"""
Tests for :mod:`sipsorcery.appserver.simulation.scripted_leg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.options import LegOptions
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.appserver.simulation.behaviour import Behaviour
from sipsorcery.appserver.simulation.scripted_leg import ScriptedLeg
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.ua import Session

URI = SIPURI.parse("sip:101@example.com")


class Heard:
    """
    Records what a leg tells.
    """

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response.
        """
        self.events.append((response.status,))

    def answered(self, session: Session, target: Target) -> None:
        """
        Hear an answer.
        """
        self.events.append((200, str(target.uri)))

    def failed(
        self,
        status: int,
        reason: str,
        contacts: Sequence[SIPURI] = (),
        fields: Sequence[Any] = (),
    ) -> None:
        """
        Hear a failure.
        """
        self.events.append((status, reason, *map(str, contacts)))

    def delivered(self, *arguments: Any) -> None:
        """
        Hear that a message has come: no scripted leg carries one.
        """
        self.events.append(arguments)


class ScriptedLegTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.heard = Heard()
        self.told: list[str] = []

    def leg(self, behaviour: str) -> ScriptedLeg:
        """
        Start a leg.
        """
        target = Target(Kind.ANYBODY, URI, URI, URI, LegOptions())
        leg = ScriptedLeg(
            self.clock,
            Behaviour.parse(behaviour),
            target,
            self.heard,
            self.told.append,
        )
        leg.start()
        return leg

    def test_answer(self) -> None:
        """
        It rings, and answers when it is time.
        """
        self.leg("answer after 5 s")
        self.clock.advance(4.9)
        self.assertEqual(self.heard.events, [(180,)])
        self.clock.advance(0.1)
        self.assertEqual(self.heard.events[1:], [(200, "sip:101@example.com")])
        self.assertEqual(
            self.told,
            [
                f"sip:101@example.com {what}"
                for what in ("is called", "rings", "answers")
            ],
        )

    def test_redirect(self) -> None:
        """
        A redirection says where to.
        """
        self.leg("redirect to sip:102@example.com")
        self.clock.advance(0)
        self.assertEqual(
            self.heard.events, [(302, "Moved Temporarily", "sip:102@example.com")]
        )

    def test_nothing_comes_at_once(self) -> None:
        """
        Nothing is heard before the leg has been started to its end.
        """
        self.leg("busy")
        self.assertEqual(self.heard.events, [])
        self.clock.advance(0)
        self.assertEqual(self.heard.events, [(486, "Busy Here")])

    def test_cancel(self) -> None:
        """
        A leg that is given up says so once, and never answers.
        """
        for behaviour in ("answer after 5 s", "ring for ever", "no response"):
            self.heard.events.clear()
            leg = self.leg(behaviour)
            leg.cancel()
            leg.abandon()
            self.clock.advance(10)
            self.assertEqual(self.heard.events, [(487, "Request Terminated")])
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel_after_the_end(self) -> None:
        """
        After its end there is nothing to give up.
        """
        leg = self.leg("busy")
        self.clock.advance(0)
        leg.cancel()
        self.assertEqual(len(self.heard.events), 1)
