"""
How a call went, in one line.
"""

from __future__ import annotations

from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.ladder.ladder import Participant, safe
from sipsorcery.monitor.ladder.reading import Reading

# To these a phone answers with another INVITE: nobody has decided anything yet.
_CHALLENGES = (401, 407)


class Outcome:
    """
    Listens to the messages of a call, in order.
    """

    def __init__(self) -> None:
        self._title = ""
        self._leg: int | None = None  # that of the caller
        self._begun = 0.0
        self._status, self._answer, self._answered = 0, "", 0.0
        self._byes: list[tuple[float, int]] = []  # when, and from whom

    def heard(self, event: Event) -> None:
        """
        Take what is no message.
        """
        if event.kind is EventKind.CALL_STARTED and event.message:
            self._title = event.message

    def passed(self, reading: Reading, time: float, leg: int, source: int) -> None:
        """
        Take a message.

        :param source: the column that it came from.
        """
        if reading.begins and self._leg is None:
            self._leg, self._begun = leg, time
            if not self._title and reading.sender and reading.called:
                verb = "calls" if reading.method == "INVITE" else "asks"
                self._title = f"{reading.sender} {verb} {reading.called}"
        decides = reading.method in ("INVITE", "REGISTER", "MESSAGE", "OPTIONS")
        if reading.status >= 200 and leg == self._leg and decides:
            if not self._status or self._status in _CHALLENGES:
                self._status, self._answered = reading.status, time
                self._answer = reading.label.partition(" (")[0]
        elif reading.method == "BYE" and not reading.status:
            self._byes.append((time, source))

    def title(self) -> str:
        """
        Say who calls whom.
        """
        return safe(self._title)

    def text(self, participants: tuple[Participant, ...]) -> str:
        """
        Say what the caller was told, and how it ended.
        """
        if self._leg is None:
            return ""
        if not self._status:
            return "no final answer"
        text = f"{self._answer} after {_lasted(self._answered - self._begun)}"
        # The last one that is not ours: what we send follows from it.
        theirs = [bye for bye in self._byes if not participants[bye[1]].is_ours]
        if self._byes and self._status < 300:
            at, source = (theirs or self._byes)[-1]
            lasted = _lasted(max(0.0, at - self._answered))
            text += f", ended by {participants[source].name} after {lasted}"
        return safe(text)


def _lasted(seconds: float) -> str:
    if seconds < 0.95:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s"
