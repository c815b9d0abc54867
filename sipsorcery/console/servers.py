"""
What the console wants from the servers. Whoever assembles a process says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Listing:
    """
    What several servers have told.

    :ivar complaint: which of them do not answer; empty: all have.
    """

    rows: list[dict[str, Any]]
    complaint: str = ""


class Servers(Protocol):
    """
    Asks the servers, and tells them what to do.

    Whether somebody may ask is decided before.
    """

    async def calls(self) -> Listing:
        """
        Give the calls of all users.
        """

    async def hang_up(self, call: str) -> bool:
        """
        End a call; tell whether there is one.

        :raises Refused: if one of those that can have it does not answer.
        """

    async def registrations(self, owner: str | None) -> list[dict[str, Any]]:
        """
        Give the bindings of a user; None: of all.
        """

    async def status(self) -> Listing:
        """
        Give what each server tells of itself.
        """

    async def bans(self) -> list[dict[str, Any]]:
        """
        Give who is banned.
        """

    async def ban(self, address: str, seconds: float | None) -> str:
        """
        Listen to an address no more; give the source that this is.

        :raises Refused: if it cannot be banned.
        """

    async def unban(self, address: str) -> bool:
        """
        Listen to an address again; tell whether it was banned.
        """

    async def dispatch(self) -> list[dict[str, Any]]:
        """
        Give where the proxy sends calls, and how that is.
        """

    async def workers(self) -> list[dict[str, Any]]:
        """
        Give the application servers of the watchtower, and what each is doing.
        """
