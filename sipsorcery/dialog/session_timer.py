"""
Session timers: refreshes that show that the peer is still there (:rfc:`4028`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sipsorcery.dialog.extensions import TIMER, supports
from sipsorcery.dialog.machine import Machine
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import ALLOW, MIN_SE, REQUIRE, SESSION_EXPIRES
from sipsorcery.sip.message import Message
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.sip.parameters import NONE, Parameters
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response

#: "the minimum session interval MUST NOT be lower than 90 seconds" (4): whoever asks
#: for less does not get it.
MINIMUM = 90

#: The longest interval that a peer can talk us into: a day. What is looked after more
#: rarely might as well have no timer.
MAXIMUM = 86400


class Refresher(Enum):
    """
    Name who refreshes the session.
    """

    Local = "Local"
    Remote = "Remote"


@dataclass(frozen=True, slots=True)
class SessionTimerSettings:
    """
    What we want of session timers.

    :ivar interval: the session interval that we ask for, in seconds.
    :ivar min_se: the shortest that we accept.
    :ivar insists: whether we refresh for our own sake where the peer knows no timers.
    """

    interval: int = 1800
    min_se: int = MINIMUM
    insists: bool = True


@dataclass(frozen=True, slots=True)
class Refresh:
    """
    Refresh the session now.

    :ivar method: ``UPDATE`` without a body, or ``INVITE`` with what we offered last.
    """

    method: str


@dataclass(frozen=True, slots=True)
class Expired:
    """
    Hang up: the session has not been refreshed.
    """


SessionTimerEffect: TypeAlias = Refresh | Expired


class SessionTimer(Machine[SessionTimerEffect]):
    """
    The session timer of one dialog.

    Every INVITE and UPDATE in the dialog counts as a refresh when it is answered with a
    2xx, whatever it is for, so each of them and the 2xx have what :meth:`ask` and
    :meth:`accept` give.

    :ivar interval: the session interval in seconds, ``None`` while there is none.
    :ivar refresher: who refreshes, ``None`` while nobody does.
    :ivar refreshed_at: when the session was last refreshed.
    """

    __slots__ = (
        "_asked",
        "_expires_at",
        "_min_se",
        "_peer_updates",
        "_settings",
        "interval",
        "refreshed_at",
        "refresher",
    )

    def __init__(
        self,
        settings: SessionTimerSettings = SessionTimerSettings(),
    ) -> None:
        super().__init__()
        self._settings = settings
        self._asked = settings.interval
        self._min_se = max(settings.min_se, MINIMUM)
        self._peer_updates = False
        self._expires_at = 0.0
        self.interval: int | None = None
        self.refresher: Refresher | None = None
        self.refreshed_at = 0.0

    # Our requests

    def ask(self) -> list[FieldValue]:
        """
        Give the fields for an INVITE or UPDATE of ours; Supported is not among them.

        The roles stay as they are: the refresher is named as the peer would see it.
        """
        self._asked = max(self.interval or self._asked, self._min_se)
        parameters = NONE
        if self.refresher is not None:
            role = "uac" if self.refresher is Refresher.Local else "uas"
            parameters = Parameters([("refresher", role)])
        fields: list[FieldValue] = [(SESSION_EXPIRES, Seconds(self._asked, parameters))]
        if self._min_se > MINIMUM:
            fields.append((MIN_SE, Seconds(self._min_se)))
        return fields

    def answered(self, response: Response, now: float) -> None:
        """
        Take the 2xx to an INVITE or UPDATE of ours.

        Without a Session-Expires the peer has no timer; then we refresh on our own, or
        nobody does. A field that breaks the grammar is as if it were not there.
        """
        self._look_at(response)
        granted = _session_expires(response)
        if granted is None:
            if self._settings.insists:
                self._start(self._asked, Refresher.Local, now)
            else:
                self.stop()
        elif granted.refresher == "uas":
            self._start(granted.seconds, Refresher.Remote, now)
        else:  # also where nobody is named, which no UAS may do: somebody must refresh
            self._start(granted.seconds, Refresher.Local, now)

    def too_small(self, response: Response) -> bool:
        """
        Take a 422 to an INVITE or UPDATE of ours.

        :returns: whether to send the request again, with what :meth:`ask` gives then.
        """
        try:
            minimum = response.get(MIN_SE)
        except ParseError:
            return False
        if minimum is None or not self._asked < minimum.seconds <= MAXIMUM:
            return False  # it would say the same again
        # "the largest value amongst all Min-SE header field values returned in all 422
        # responses" (7.4)
        self._min_se = minimum.seconds
        return True

    def postpone(self, delay: float, now: float) -> None:
        """
        Refresh later, because the peer has refused it for now.

        :param delay: in seconds; not later than when the session expires.
        """
        if self.refresher is Refresher.Local:
            self._due = min(now + delay, self._expires_at)

    # The peer's requests

    def receive(self, request: Request) -> Refusal | None:
        """
        Judge an INVITE or UPDATE of the peer.

        :returns: a 422 if its interval is too small, ``None`` if it may be accepted.
        """
        try:
            asked, minimum = request.get(SESSION_EXPIRES), request.get(MIN_SE)
            # Others do not know what a 422 is.
            can_retry = supports(request, TIMER)
        except ParseError as error:
            return Refusal.of(error)
        self._look_at(request)
        floor = max(self._settings.min_se, MINIMUM)
        if asked is not None and asked.seconds < floor and can_retry:
            return Refusal(422, fields=((MIN_SE, Seconds(floor)),))
        if minimum is not None and minimum.seconds <= MAXIMUM:
            # Our own requests go by it from now on (7.4).
            self._min_se = max(self._min_se, minimum.seconds)
        return None

    def accept(self, request: Request, now: float) -> list[FieldValue]:
        """
        Give the fields for the 2xx to an INVITE or UPDATE that :meth:`receive` passed.

        The session counts as refreshed: the 2xx is sent now.
        """
        knows_timers, asked = supports(request, TIMER), request.get(SESSION_EXPIRES)
        if asked is None and not knows_timers and not self._settings.insists:
            self.stop()
            return []
        # "The UAS MUST NOT increase the value", nor go below the Min-SE (9).
        interval = max(self._settings.interval, self._min_se)
        if asked is not None:
            interval = max(min(interval, asked.seconds), MINIMUM)
        # Table 2: who knows no timers does not refresh, and else the UAC has its way.
        role = "uac" if knows_timers else "uas"
        if knows_timers and asked is not None and asked.refresher == "uas":
            role = "uas"
        refresher = Refresher.Local if role == "uas" else Refresher.Remote
        self._start(interval, refresher, now)
        parameters = Parameters([("refresher", role)])
        fields: list[FieldValue] = [(SESSION_EXPIRES, Seconds(interval, parameters))]
        if knows_timers:
            fields.append((REQUIRE, TIMER))
        return fields

    # Time

    def resume(self, interval: int, refresher: Refresher, refreshed_at: float) -> None:
        """
        Go on with the timer of a stored session, which may be over already.
        """
        self._start(interval, refresher, refreshed_at)

    def stop(self) -> None:
        """
        End the timer, because the session is over or has none any more.
        """
        self.interval = self.refresher = self._due = None

    def _start(self, interval: int, refresher: Refresher, now: float) -> None:
        self.interval = min(max(interval, MINIMUM), MAXIMUM)
        self.refresher = refresher
        self.refreshed_at = now
        # "slightly before the session expiration. The minimum of 32 seconds and one
        # third of the session interval is RECOMMENDED" (10)
        self._expires_at = now + self.interval - min(32, self.interval / 3)
        if refresher is Refresher.Local:
            self._due = now + self.interval / 2
        else:
            self._due = self._expires_at

    def _fire(self, now: float) -> None:
        if now >= self._expires_at:
            self.stop()
            self._act(Expired())
        else:
            self._due = self._expires_at
            self._act(Refresh("UPDATE" if self._peer_updates else "INVITE"))

    def _look_at(self, message: Message) -> None:
        """
        See from Allow whether the peer takes an UPDATE (:rfc:`3311#section-4`).
        """
        try:
            allowed = message.all(ALLOW)
        except ParseError:
            return
        if allowed:
            self._peer_updates = "UPDATE" in allowed


def _session_expires(response: Response) -> Seconds | None:
    try:
        return response.get(SESSION_EXPIRES)
    except ParseError:
        return None
