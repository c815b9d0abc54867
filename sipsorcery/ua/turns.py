"""
Requests of ours that change a session, one after the other.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime

from sipsorcery.ua.errors import SessionEnded


class Turns:
    """
    Let one INVITE or UPDATE of ours wait for the other, and between two tries.

    :ivar lock: is held by the one whose turn it is.
    :ivar awaits_ack: whether it waits until the peer has acknowledged.
    """

    __slots__ = ("_is_over", "_pausing", "awaits_ack", "lock")

    def __init__(self) -> None:
        self.lock = DeferredLock()
        self.awaits_ack = False
        self._pausing: Deferred[None] | None = None
        self._is_over = False

    async def pause(
        self, clock: IReactorTime, seconds: float, *, until_ack: bool = False
    ) -> None:
        """
        Wait a while.

        :param until_ack: whether that is over as soon as the peer has acknowledged.
        :raises SessionEnded: if the session is over before.
        """
        self._pausing = Deferred()
        self.awaits_ack = until_ack
        timer = clock.callLater(seconds, self.wake)
        try:
            await self._pausing
        finally:
            self._pausing, self.awaits_ack = None, False
            if timer.active():
                timer.cancel()
        if self._is_over:
            raise SessionEnded("the session is over")

    def wake(self) -> None:
        """
        End the pause.
        """
        pausing, self._pausing = self._pausing, None
        if pausing is not None:
            pausing.callback(None)

    def end(self) -> None:
        """
        End the pause, because the session is over.
        """
        self._is_over = True
        self.wake()
