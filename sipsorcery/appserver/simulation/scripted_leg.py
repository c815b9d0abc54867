"""
Legs to those who do what the world says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from sipsorcery.appserver.calls.legs import Listener
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.simulation.behaviour import Behaviour
from sipsorcery.sip.response import Response
from sipsorcery.ua import Ending, Session


class ScriptedSession:
    """
    Stands for the session with who has answered: nobody hangs up in a simulation.
    """

    def ended(self) -> Deferred[Ending]:
        """
        Wait for the end.
        """
        return Deferred()


class ScriptedLeg:
    """
    One leg.

    :param told: hears what happens, in a sentence.
    """

    def __init__(
        self,
        clock: IReactorTime,
        behaviour: Behaviour,
        target: Target,
        listener: Listener,
        told: Callable[[str], object],
    ) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._target = target
        self._listener = listener
        self._told = told
        self._timers: list[IDelayedCall] = []
        self._is_over = False

    def start(self) -> None:
        """
        Call.
        """
        self._tell("is called")
        if self._behaviour.rings:
            self._timers.append(self._clock.callLater(0, self._ring))
        if self._behaviour.status:
            self._timers.append(self._clock.callLater(self._behaviour.after, self._end))

    def cancel(self) -> None:
        """
        Give up.
        """
        if not self._is_over:
            self._tell("is given up")
            self._finish()
            self._listener.failed(487, "Request Terminated")

    def abandon(self) -> None:
        """
        Likewise.
        """
        self.cancel()

    def _ring(self) -> None:
        self._tell("rings")
        self._listener.progressed(Response(180), None)

    def _end(self) -> None:
        behaviour = self._behaviour
        self._finish()
        if behaviour.status < 300:
            self._tell("answers")
            self._listener.answered(cast(Session, ScriptedSession()), self._target)
            return
        contacts = () if behaviour.contact is None else (behaviour.contact,)
        self._tell(f"says {behaviour.status} {behaviour.reason}")
        self._listener.failed(behaviour.status, behaviour.reason, contacts)

    def _finish(self) -> None:
        self._is_over = True
        for timer in self._timers:
            if timer.active():
                timer.cancel()

    def _tell(self, text: str) -> None:
        self._told(f"{self._target.uri} {text}")
