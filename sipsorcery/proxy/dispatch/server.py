"""
One server of the dispatch file, which is asked how it is, over and over.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall

from sipsorcery.dispatch.health import Health, State
from sipsorcery.dispatch.load import Load, calls_told
from sipsorcery.dispatch.probing import Probe
from sipsorcery.dispatch.stream_probing import StreamProbe
from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.proxy.dispatch.policy import Policy
from sipsorcery.sip.fields import RETRY_AFTER
from sipsorcery.sip.response import Response

# A part of the interval by which each probe comes sooner or later, so that those of
# several proxies do not fall together.
_JITTER = 0.1


class Server:
    """
    Asks a server, and keeps what is known of it.

    :param reactor: has UDP, TCP and time.
    :param clock: gives the seconds since the epoch.
    :param changed: hears when its state is another one.

    :ivar unanswered: how many calls it has not answered in time.
    """

    def __init__(
        self,
        reactor: Any,
        endpoint: Endpoint,
        policy: Policy,
        clock: Callable[[], float],
        changed: Callable[[Server], object],
    ) -> None:
        self.endpoint = endpoint
        self.health = Health(clock())
        self.load = Load()
        self.unanswered = 0
        self._reactor = reactor
        self._policy = policy
        self._clock = clock
        self._changed = changed
        self._probe = self._make_probe()
        self._timer: IDelayedCall | None = None
        self._sent: float | None = None  # the probe without an answer, by the reactor

    def start(self) -> None:
        """
        Begin to ask.
        """
        self._ask()

    def stop(self) -> None:
        """
        Ask no more.
        """
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._probe.stop()

    def change(self, policy: Policy) -> None:
        """
        Ask otherwise from the next probe on.
        """
        before, self._policy = self._policy, policy
        if policy.probe is not before.probe:
            self._probe.stop()
            self._sent = None
            self._probe = self._make_probe()

    # What calls tell of it

    def unheard(self) -> None:
        """
        Hear that a call had no answer in time.
        """
        self.unanswered += 1
        self._note(self.health.unheard(self._clock(), "a call: no answer"))

    def unreachable(self, why: str) -> None:
        """
        Hear that there was no way to bring it a call.
        """
        self.unanswered += 1
        self._note(self.health.refused(self._clock(), why))

    # What probes tell of it

    def answered(self, endpoint: Endpoint, response: Response) -> None:
        """
        Take the answer to a probe.
        """
        if self._sent is None:
            return
        took, self._sent = self._reactor.seconds() - self._sent, None
        told, now = f"{response.status} {response.reason}", self._clock()
        if self._probe.is_healthy(response):
            self.load.told(calls_told(response))
            self._note(self.health.answered(now, told, took))
        elif response.status == 503 and RETRY_AFTER.name in response:
            # It has too much to do, and says so: nobody is to take its dialogues away.
            self._note(self.health.busy(now, told, took))
        else:
            self._note(self.health.unwell(now, told))

    def refused(self, endpoint: Endpoint) -> None:
        """
        Hear that nobody listens there.
        """
        self._sent = None
        self._note(self.health.refused(self._clock(), "nobody listens there"))

    # For people

    def row(self) -> dict[str, Any]:
        """
        Tell how it is, and why.
        """
        health, load, due, now = self.health, self.load, None, self._clock()
        if self._timer is not None and self._timer.active():
            due = self._timer.getTime() - self._reactor.seconds()
        return {
            "state": health.state.value,
            "since": health.since,
            "for": max(0.0, now - health.since),
            "why": health.why,
            "calls": load.calls,
            "setting_up": load.setting_up,
            "given": load.given,
            "unanswered": self.unanswered,
            "asked_at": health.asked_at,
            "last_probe": _since(health.asked_at, now),
            "answered_at": health.answered_at,
            "answer": health.answer,
            "round_trip": health.round_trip,
            "next_probe": due,
        }

    # Inside

    def _make_probe(self) -> Probe | StreamProbe:
        kinds = {Transport.UDP: Probe, Transport.TCP: StreamProbe}
        make: Any = kinds[self.endpoint.transport]
        probe: Probe | StreamProbe = make(
            self._reactor, self.endpoint, self._policy.probe, self
        )
        return probe

    def _ask_soon(self) -> None:
        # If it is we who were late, the answer is in our socket, which is read before
        # the next turn.
        self._timer = self._reactor.callLater(0, self._ask)

    def _ask(self) -> None:
        if self._sent is not None:
            self._note(self.health.missed(self._clock(), "a probe: no answer"))
        delay = self._policy.interval * random.uniform(1 - _JITTER, 1 + _JITTER)
        self._timer = self._reactor.callLater(delay, self._ask_soon)
        self._sent = self._reactor.seconds()
        self.health.asked(self._clock())
        self.load.asked()
        try:
            self._probe.ask()
        except CannotListenError as error:
            self._sent = None
            why = f"it cannot be asked: {error.socketError}"
            self._note(self.health.missed(self._clock(), why))

    def _note(self, changed: bool) -> None:
        if changed:
            if self.health.state is State.DOWN:
                self.load.lost()
            self._changed(self)


def _since(then: float | None, now: float) -> float | None:
    return None if then is None else max(0.0, now - then)
