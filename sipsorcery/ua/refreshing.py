"""
The session timer of a session at work (:rfc:`4028`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.dialog.session_timer import (
    Expired,
    Refresh,
    SessionTimer,
    SessionTimerEffect,
    SessionTimerSettings,
)
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.ua import modifying
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.errors import RequestFailed, SessionEnded

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session


class Refreshing(Driven[SessionTimer, SessionTimerEffect]):
    """
    Refresh a session in time, and hang up where the peer should have and has not.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Session, settings: SessionTimerSettings) -> None:
        super().__init__(session.core, SessionTimer(settings), self._act_on)
        self._session = session

    def accept(self, request: Request) -> list[FieldValue]:
        """
        Give what our 2xx to an INVITE or UPDATE says of the session timer.
        """
        fields = self.machine.accept(request, self._core.clock.seconds())
        self.run()
        return fields

    def follow(self, response: Response) -> None:
        """
        Take what a 2xx of the peer says of the session timer.
        """
        self.machine.answered(response, self._core.clock.seconds())
        self.run()

    def _act_on(self, effect: SessionTimerEffect) -> None:
        match effect:
            case Refresh(method):
                self._core.spawn(self._refresh(method))
            case Expired():
                self._core.spawn(self._expire())
            case _:
                assert_never(effect)

    async def _expire(self) -> None:
        if await self._is_ours():
            self._session.hang_up("the session was not refreshed")

    async def _is_ours(self) -> bool:
        ask = self._core.is_ours
        return ask is None or await ask(self._session)

    async def _refresh(self, method: str) -> None:
        if not await self._is_ours():
            return
        try:
            await modifying.modify(self._session, method, None)
        except (RequestFailed, SessionEnded):
            pass  # then it expires
