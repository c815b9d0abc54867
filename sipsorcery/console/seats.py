"""
Who is logged in, and how many may be. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sipsorcery.access.networks import source_of
from sipsorcery.console.history import History
from sipsorcery.monitor.filter.filter import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """
    How many may be connected.

    :ivar idle: seconds that somebody may leave the prompt alone.
    :ivar longest: seconds that a session may last.
    :ivar strangers: connections that have yet to log in, in all.
    :ivar strangers_of: such connections of one source.
    """

    sessions: int = 500
    of_user: int = 10
    of_source: int = 50
    strangers: int = 100
    strangers_of: int = 20
    idle: float = 3600.0
    longest: float = 86_400.0


@dataclass(slots=True, eq=False)
class Seat:
    """
    One who is logged in, by one connection.

    :ivar since: when they came, in seconds since the epoch.
    :ivar began: the same, on the clock of the reactor.
    :ivar touched: when they pressed a key last, likewise.
    :ivar doing: the command that runs; empty: none.
    :ivar seen_as: the user whose view an administrator has taken; empty: their own.
    :ivar traced: whether `tail` shows the messages of SIP, too: of this account, or ""
        of all; None: it does not.
    :ivar end: is called, with a sentence, to end the session.
    """

    number: int
    user: str
    is_admin: bool
    address: str
    since: float
    began: float
    touched: float
    history: History
    end: Callable[[str], object]
    doing: str = ""
    seen_as: str = ""
    traced: str | None = None

    @property
    def viewer(self) -> Viewer:
        """
        Who looks.
        """
        if self.seen_as:
            return Viewer(self.seen_as)
        return Viewer(self.user, is_admin=self.is_admin)

    def owned(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """
        Give those of a list that are for them to see.
        """
        viewer = self.viewer
        return [row for row in rows if viewer.is_admin or row["owner"] == viewer.user]


# Users whose history is kept when they have left: at the most 400 kB each.
_HISTORIES = 200


class Seats:
    """
    All who are logged in.

    :ivar taken: how many have been so far.
    """

    def __init__(self, caps: Caps | None = None) -> None:
        self._caps = caps or Caps()
        self._seats: dict[int, Seat] = {}
        self._histories: dict[str, History] = {}
        self._strangers: dict[str, int] = {}
        self.taken = 0

    def __iter__(self) -> Iterator[Seat]:
        return iter(list(self._seats.values()))

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def strangers(self) -> int:
        """
        Count the connections that have yet to log in.
        """
        return sum(self._strangers.values())

    def admit(self, host: str) -> bool:
        """
        Count a connection that has yet to log in, if there is room for it.
        """
        source = source_of(host)
        count = self._strangers.get(source, 0)
        if count >= self._caps.strangers_of:
            return False
        if self.strangers >= self._caps.strangers:
            return False
        self._strangers[source] = count + 1
        return True

    def forget(self, host: str) -> None:
        """
        Count a connection no more: it has logged in, or is gone.
        """
        source = source_of(host)
        count = self._strangers.get(source, 0) - 1
        if count > 0:
            self._strangers[source] = count
        else:
            self._strangers.pop(source, None)

    def is_full(self, user: str, host: str) -> str:
        """
        Tell why somebody cannot come in now; empty: they can.
        """
        source = source_of(host)
        if len(self._seats) >= self._caps.sessions:
            return "too many sessions"
        if sum(seat.user == user for seat in self) >= self._caps.of_user:
            return f"too many sessions of {user}"
        if sum(source_of(seat.address) == source for seat in self) >= (
            self._caps.of_source
        ):
            return f"too many sessions from {host}"
        return ""

    def take(
        self,
        user: str,
        host: str,
        now: float,
        end: Callable[[str], object],
        *,
        since: float = 0.0,
        is_admin: bool = False,
    ) -> Seat:
        """
        Let somebody in.

        :param now: on the clock of the reactor.
        :param since: the same, in seconds since the epoch.
        """
        self.taken += 1
        seat = Seat(
            number=self.taken,
            user=user,
            is_admin=is_admin,
            address=host,
            since=since,
            began=now,
            touched=now,
            history=self._history(user),
            end=end,
        )
        self._seats[seat.number] = seat
        return seat

    def leave(self, seat: Seat) -> None:
        """
        Let somebody go.
        """
        self._seats.pop(seat.number, None)

    def overdue(self, now: float) -> list[tuple[Seat, str]]:
        """
        Give who has been here for too long, and why that is.

        Who watches something does not press keys.
        """
        caps, found = self._caps, []
        for seat in self:
            if now - seat.began >= caps.longest:
                found.append((seat, "This session has lasted as long as one may."))
            elif not seat.doing and now - seat.touched >= caps.idle:
                found.append((seat, "Nobody has typed anything for too long."))
        return found

    def _history(self, user: str) -> History:
        history = self._histories.pop(user, None) or History()
        self._histories[user] = history
        if len(self._histories) > _HISTORIES:
            del self._histories[next(iter(self._histories))]
        return history
