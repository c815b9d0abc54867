"""
Letting no user have more calls at a time that nobody has answered than they may.

Whoever floods one user with calls, or has a dialplan that comes to no end, shall not
fill the server that all share.
"""

from __future__ import annotations

from sipsorcery.appserver.limits.outside_calls import OutsideCalls
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.store.live import LiveReader
from sipsorcery.store.ringing import RINGING


class RingingQuota:
    """
    Counts the calls of users that ring, by their records in the live state.

    All processes share that. A call has its record a moment after it was let in, so of
    those that come within that moment, more may go on.

    :param outside: knows what each user may do, and tells them if they may not.
    """

    def __init__(self, live: LiveReader, outside: OutsideCalls) -> None:
        self._live = live
        self._outside = outside

    async def check(self, owner: str) -> None:
        """
        See whether a user may have one more.

        :raises Refused: if not.
        :raises StoreError: if the live state or the directory does not answer.
        """
        most = (await self._outside.allowance(owner)).ringing
        if most and await self._live.count(RINGING.name, owner) >= most:
            refused = Refused(Code.RINGING_AT_ONCE)
            self._outside.tell(owner, refused)
            raise refused
