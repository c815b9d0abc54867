"""
Tests for :mod:`sipsorcery.appserver.limits.ringing_quota`.
"""

from __future__ import annotations

from sipsorcery.appserver.limits.ringing_quota import RingingQuota
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.monitor.event import EventKind
from sipsorcery.store.directory.settings import LIMITS
from sipsorcery.store.ringing import RINGING, RingingCall
from tests.appserver.limits.test_outside_calls import OutsideCase


class RingingQuotaTests(OutsideCase):
    """
    Joe may have three calls that ring.
    """

    def setUp(self) -> None:
        super().setUp()
        as_admin = self.directory.of("joe", as_admin=True).settings
        self.do(as_admin.put(LIMITS, {"ringing_at_once": 3}))
        self.quota = RingingQuota(self.live, self.one)

    def ring(self, id: str, owner: str = "joe", server: str = "a") -> None:
        """
        Have a call that rings, in some process.
        """
        call = RingingCall(
            id=id, owner=owner, server=server, incarnation="", invite=b"", source=""
        )
        record = RINGING.record(
            id, call, expiry=self.reactor.seconds() + 600, owner=owner
        )
        self.do(self.live.put(record))

    def refusal(self, owner: str) -> Refused:
        """
        Give the reason why a user may have no more calls.
        """
        begun = self.begin(self.quota.check(owner))
        refused: Refused = self.failureResultOf(begun, Refused).value
        return refused

    def test_bound(self) -> None:
        """
        A user with as many as they may have, whichever processes have them, has no
        more; nobody else is refused, and there is an event.
        """
        self.ring("1", server="a")
        self.ring("2", server="b")
        self.do(self.quota.check("joe"))
        self.ring("3", server="b")
        self.assertEqual(self.refusal("joe").code, Code.RINGING_AT_ONCE)
        self.assertEqual(self.refusal("joe").status, 480)
        self.do(self.quota.check("ann"))
        event = self.bus.events[-1]
        self.assertEqual((event.kind, event.owner), (EventKind.LIMIT_REACHED, "joe"))
        self.assertEqual(event.detail["code"], "ringing-at-once")

    def test_ends(self) -> None:
        """
        A call that is answered or over counts no more.
        """
        for id in "123":
            self.ring(id)
        self.refusal("joe")
        self.do(self.live.discard(RINGING.name, "2"))
        self.do(self.quota.check("joe"))
