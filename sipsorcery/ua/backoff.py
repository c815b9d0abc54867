"""
How long a registration waits after a failure. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

# Seconds. A network that is away comes back soon, and thousands of others wait for the
# same server: up to five minutes, as RFC 5626, 4.5 has it but sooner at first.
_FIRST, _LONGEST = 5.0, 300.0
# Who is refused needs a person to look into it; to ask often gets an address banned.
_FIRST_REFUSED, _LONGEST_REFUSED, _GROWTH_REFUSED = 200.0, 1800.0, 3.0
# What a server may ask for by Retry-After.
_LONGEST_ASKED = 3600.0

#: Refusals that sending again does not mend: who we are, or what we ask for.
REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 407, 410, 416, 420, 433, 501, 604})


@dataclass(slots=True)
class Backoff:
    """
    Count failures in a row.
    """

    failures: int = 0

    def succeeded(self) -> None:
        """
        Begin anew.
        """
        self.failures = 0

    def failed(self, status: int, retry_after: float | None, chance: float) -> float:
        """
        Take a failure, and give how many seconds to wait.

        It never gives up: a server that is away for a day is found again.

        :param status: 408 or 503 where there was no response.
        :param retry_after: what the response asks for.
        :param chance: a random number from 0 to 1, so that not all come at once.
        """
        self.failures += 1
        past = min(self.failures - 1, 16)  # enough to reach the longest
        if status in REFUSALS:
            delay = min(_FIRST_REFUSED * _GROWTH_REFUSED**past, _LONGEST_REFUSED)
        else:
            delay = min(_FIRST * 2.0**past, _LONGEST)
        delay *= 0.5 + chance / 2
        if retry_after is not None:
            delay = max(delay, min(retry_after, _LONGEST_ASKED))
        return delay
