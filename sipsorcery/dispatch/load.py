"""
How many calls a server has, by what it tells and what it was given since. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sipsorcery.sip.response import Response

#: In the answer to a probe: how many calls there are. The original has named it.
CALLS_FIELD = "DialPlanEngine-ExecutionCount"
# Digits of such a number: no server has more calls, and a longer one is no number.
_MAX_DIGITS = 9


def calls_told(response: Response) -> int | None:
    """
    Read how many calls a server says that it has; None: it does not say.
    """
    text = response.get(CALLS_FIELD) or ""
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return int(text)
    return None


@dataclass(slots=True)
class Load:
    """
    The calls of one server, as somebody sees them who gives it some of them.

    Others give it calls, too, and calls end without a word to us: so its own count is
    what matters. It is as old as the last probe, and what was given since comes on top.

    :ivar setting_up: how many that we gave it have no final answer yet.
    :ivar given: how many we have ever given it.
    """

    setting_up: int = 0
    given: int = 0
    _told: int | None = field(default=None, repr=False)
    _given_then: int = field(default=0, repr=False)  # when it was asked
    _given_asked: int = field(default=0, repr=False)

    @property
    def calls(self) -> int:
        """
        Give how many calls it has; of one that does not tell, those being set up.
        """
        if self._told is None:
            return self.setting_up
        return self._told + self.given - self._given_then

    def offered(self) -> None:
        """
        Note that it gets a call.
        """
        self.given += 1
        self.setting_up += 1

    def settled(self) -> None:
        """
        Note that a call has a final answer, or is with another server now.
        """
        self.setting_up = max(0, self.setting_up - 1)

    def asked(self) -> None:
        """
        Note that a probe leaves: what is given from now on it may not count.
        """
        self._given_asked = self.given

    def told(self, calls: int | None) -> None:
        """
        Take what it has answered.
        """
        self._told, self._given_then = calls, self._given_asked

    def lost(self) -> None:
        """
        Forget what it has told: it is down, and if it comes back it has other calls.
        """
        self._told = None
