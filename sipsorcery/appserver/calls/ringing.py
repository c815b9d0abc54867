"""
A call while it rings, written down for the process that may have to go on with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sipsorcery.appserver.admission import Admitted
from sipsorcery.appserver.calls.recorded_leg import RecordedLeg
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.appserver.records.invites import write_invite
from sipsorcery.store.ringing import RingingCall
from sipsorcery.ua import ServerCall


@dataclass(slots=True)
class Ringing:
    """
    What there is to write down of a call that was let in.

    :ivar execution: the run of its dialplan; None: there is none yet.
    :ivar legs: those that ring, and some that have rung.
    """

    id: str
    incoming: ServerCall
    admitted: Admitted
    started: float
    run: str
    cdr: LegCDR | None
    execution: Execution | None = None
    legs: list[RecordedLeg] = field(default_factory=list)
    _told: str | None = field(default=None, init=False)  # the tag that was written down

    @property
    def is_outdated(self) -> bool:
        """
        Whether the early dialog cannot go on any more that was written down.
        """
        return self._told is not None and self._told != self._tag

    @property
    def _tag(self) -> str:
        return "" if self.incoming.is_committed else self.incoming.tag

    def add(self, leg: RecordedLeg) -> None:
        """
        Keep a leg, and drop those that ring no more.
        """
        self.legs = [*(each for each in self.legs if not each.is_over), leg]

    def describe(self) -> tuple[RingingCall, RunState | None] | None:
        """
        Write it down; None if it is over.

        A dialplan that is between two dials is written down as it was before.
        """
        if not self.incoming.is_pending:
            return None
        execution, self._told = self.execution, self._tag
        account, plan = self.admitted.account, self.admitted.plan
        ringing = RingingCall(
            id=self.id,
            owner=account.owner,
            server="",
            incarnation="",
            invite=write_invite(self.incoming.request),
            source=str(self.incoming.flow.remote),
            tag=self._told,
            username=account.username,
            domain=account.domain,
            direction=self.admitted.intent.direction,
            plan=plan.name,
            version=plan.version,
            language="" if plan.language is None else str(plan.language),
            started=self.started,
            run=self.run,
            leases=() if execution is None else execution.leases,
            cdr=None if self.cdr is None else self.cdr.now,
            legs=tuple(
                ringing for leg in self.legs if (ringing := leg.ringing) is not None
            ),
        )
        return ringing, None if execution is None else execution.state
