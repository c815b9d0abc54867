"""
Session timers (RFC 4028) through a whole server, whose shortest interval is 90 seconds.
"""

from __future__ import annotations

from sipsorcery.ua import Session, UserAgentSettings
from tests import LONG
from tests.integration.sockets import later
from tests.integration.test_calls import CallCase
from tests.integration.test_rfc3665 import CALLS
from tests.integration.test_rfc5359 import ServiceCase

_WHY = None if LONG else "a session lasts 90 seconds: set SIPSORCERY_LONG=1"
_INTERVAL = 90
_SLACK = 60  # what a busy machine may need more


class ExpiryTests(CallCase):
    """
    A caller of SIPp who promises to refresh the session, and is gone.
    """

    skip = _WHY
    timeout = _INTERVAL + 2 * _SLACK

    async def test_expires(self) -> None:
        """
        Both legs hear BYE before the interval is over, and the records say why.
        """
        phone = self.run_sipp("callee-early-media", port=await self.register())
        await phone.ready()
        together = ("-l", str(CALLS))
        caller = self.run_sipp(
            "caller-vanishes", target=self.server.end(), options=together
        )
        for run in (caller, phone):
            await self.assert_done(run)
        reasons = [each.ended_reason for each in await self.cdrs(2 * CALLS)]
        self.assertEqual(reasons.count("remote end hungup"), CALLS)
        self.assertEqual(len(set(reasons)), 2, reasons)


class RefreshTests(ServiceCase):
    """
    Phones that refresh the session, each on its own leg.
    """

    skip = _WHY
    timeout = 2 * (_INTERVAL + _SLACK)

    async def test_refreshed(self) -> None:
        """
        A call outlives its interval on both legs, and neither phone hears of what the
        other one refreshes.
        """
        alice, bob = await self.call(self.alice, self.bob)
        self.assertEqual([_interval(alice), _interval(bob)], [_INTERVAL, _INTERVAL])
        before = alice.dialog.local_cseq, alice.dialog.remote_cseq
        await later(_INTERVAL + 15)
        self.assertFalse(alice.is_over or bob.is_over)
        self.assertNotEqual((alice.dialog.local_cseq, alice.dialog.remote_cseq), before)
        await self.assert_talks(alice, bob)
        await self.end(alice, bob)

    def settings(self) -> UserAgentSettings:
        """
        Give the settings of the phones.
        """
        return UserAgentSettings(session_expires=_INTERVAL)


def _interval(session: Session) -> int | None:
    timer = session.timer
    return None if timer is None else timer.interval
