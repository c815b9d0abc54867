"""
What administrators can do at the console, beside looking.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from sipsorcery.console.errors import Refused, WrongUsage
from sipsorcery.console.screen import Screen
from sipsorcery.console.seats import Seat, Seats
from sipsorcery.console.servers import Servers
from sipsorcery.console.showing import show
from sipsorcery.console.telling import Telling
from sipsorcery.console.words import Typed
from sipsorcery.dispatch.table import COLUMNS, readable
from sipsorcery.monitor.neutral import for_line
from sipsorcery.store.directory import Directory

#: Does what somebody has typed, and shows what comes of it.
Act: TypeAlias = Callable[[Seat, Typed, Screen], Awaitable[object]]

_USERS = ("name", "admin", "disabled", "sessions")
_WORKERS = ("server", "phase", "why", "pid", "calls", "failures", "is_used")


class Administration:
    """
    Runs the commands of administrators.

    :ivar acts: these, by their names.
    """

    def __init__(
        self, directory: Directory, servers: Servers, seats: Seats, telling: Telling
    ) -> None:
        self._directory = directory
        self._servers = servers
        self._seats = seats
        self._telling = telling
        self.acts: Mapping[str, Act] = {
            "as": self._as,
            "users": self._users,
            "kick": self._kick,
            "ban": self._ban,
            "unban": self._unban,
            "bans": self._bans,
            "dispatch": self._dispatch,
            "workers": self._workers,
            "hangup": self._hangup,
        }

    async def _hangup(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        call = typed.arguments[0]
        listing = await self._servers.calls()
        rows = seat.owned(listing.rows)
        found = [row for row in rows if call in (row["id"], *row["call_ids"])]
        if not found or not await self._servers.hang_up(found[0]["id"]):
            nowhere = f"there is no call {for_line(call[:100])!r}"
            raise Refused("; ".join(filter(None, (nowhere, listing.complaint))))
        self._telling.tell(seat, found[0]["owner"], f"hung up call {found[0]['id']}")
        screen.lines(["hung up"])

    async def _as(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        seat.traced = None
        if not typed.arguments:
            seat.seen_as = ""
            return
        name = typed.arguments[0]
        user = await self._directory.everyone.users.find(name)
        if user is None:
            raise Refused(f"there is no user {for_line(name[:100])!r}")
        self._telling.tell(seat, user.name, "sees what you see")
        seat.seen_as = user.name

    async def _users(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        users = await self._directory.everyone.users.all()
        rows = [
            {
                "name": user.name,
                "admin": user.is_admin,
                "disabled": user.disabled,
                "sessions": sum(each.user == user.name for each in self._seats),
            }
            for user in users
        ]
        await show(screen, rows, _USERS, typed, "no users")

    async def _kick(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        who = typed.arguments[0]
        kicked = [each for each in self._seats if who in (each.user, str(each.number))]
        if not kicked:
            raise Refused(f"nobody {for_line(who[:100])!r} is logged in")
        for each in kicked:
            action = f"ended your session from {each.address}"
            self._telling.tell(seat, each.user, action)
            each.end("An administrator has ended this session.")
        screen.lines([f"{len(kicked)} ended"])

    async def _ban(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        address, *seconds = typed.arguments
        source = await self._servers.ban(
            _address(address, typed), _seconds(seconds[0], typed) if seconds else None
        )
        self._telling.note(seat, f"banned {source}")
        screen.lines([f"{source} is banned"])

    async def _unban(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        address = typed.arguments[0]
        if not await self._servers.unban(_address(address, typed)):
            raise Refused(f"{address} is not banned")
        self._telling.note(seat, f"lifted the ban of {address}")
        screen.lines([f"{address} is not banned any more"])

    async def _bans(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        rows = await self._servers.bans()
        columns = ("source", "offence", "seconds")
        await show(screen, rows, columns, typed, "nobody is banned")

    async def _dispatch(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        rows = await self._servers.dispatch()
        shown = rows if typed.as_json else readable(rows)
        await show(screen, shown, COLUMNS, typed, "calls go nowhere")

    async def _workers(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        rows = await self._servers.workers()
        await show(screen, rows, _WORKERS, typed, "it watches nobody")


def _address(text: str, typed: Typed) -> str:
    try:
        return str(ipaddress.ip_address(text.removesuffix("/64")))
    except ValueError:
        raise WrongUsage(
            f"{for_line(text[:64])!r} is no IP address", typed.position
        ) from None


def _seconds(text: str, typed: Typed) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    # A year is as good as for ever.
    if not 1 <= seconds <= 366 * 86_400:
        place = typed.position + typed.rest.rindex(text)
        raise WrongUsage(f"{for_line(text[:64])!r} is no number of seconds", place)
    return seconds
