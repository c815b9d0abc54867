"""
What the application server counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sipsorcery.appserver.refusals import Code
from sipsorcery.monitor.figures import SLOW, Figure, Histogram, counter, gauge


@dataclass(slots=True)
class CallCounters:
    """
    Count what became of calls, since the server began.

    :ivar refused: by the reason, of which there are as many as `Code` has.
    :ivar runs: of dialplans, those of callees among them.
    :ivar answering: seconds from the INVITE until somebody has answered.
    """

    started: int = 0
    answered: int = 0
    refused: Counter[Code] = field(default_factory=Counter)
    runs: int = 0
    answering: Histogram = field(default_factory=lambda: Histogram(SLOW))

    def figures(self, ringing: int, established: int) -> Iterator[Figure]:
        """
        Give the figures as they are now.

        :param ringing: calls that nobody has answered yet.
        :param established: those that somebody has.
        """
        for state, count in (("ringing", ringing), ("established", established)):
            yield gauge("calls", "Calls that exist.", count, state=state)
        yield counter("calls_started", "Calls that were let in.", self.started)
        yield counter("calls_answered", "Calls that were answered.", self.answered)
        for code in Code:
            count = self.refused[code]
            yield counter("calls_refused", "Calls refused.", count, code=str(code))
        yield counter("dialplan_runs", "Dialplans that were run.", self.runs)
        yield Figure("call_answering", "Time until an answer.", self.answering)
