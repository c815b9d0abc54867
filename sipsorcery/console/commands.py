"""
What the commands of the console do.

Each sees and touches what the user may, and tells owners what an administrator does to
what is theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.task import deferLater

from sipsorcery.console.administration import Act, Administration
from sipsorcery.console.errors import Refused, WrongUsage
from sipsorcery.console.events import lines_of
from sipsorcery.console.painting import Palette
from sipsorcery.console.screen import Screen
from sipsorcery.console.seats import Seat, Seats
from sipsorcery.console.servers import Listing, Servers
from sipsorcery.console.showing import lines_for, show
from sipsorcery.console.telling import Telling
from sipsorcery.console.watching import Watch
from sipsorcery.console.words import COMMANDS, Command, Typed, usage_of
from sipsorcery.monitor import ladder
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.errors import MonitorError
from sipsorcery.monitor.json_form import to_json
from sipsorcery.monitor.neutral import for_line
from sipsorcery.monitor.style import Style
from sipsorcery.monitor.view import View
from sipsorcery.monitor.window import CallStory
from sipsorcery.store.directory import Directory

# Seconds between two looks at the calls.
_REFRESH = 2.0
_CALLS = ("id", "owner", "account", "direction", "state", "caller", "callee", "seconds")
_REGISTRATIONS = ("aor", "contact", "expires", "received", "user_agent")
_WHO = ("session", "user", "address", "minutes", "doing")
_STATUS = ("role", "pid", "version", "hours", "events_dropped")


class Commands:
    """
    Runs commands.

    :param reactor: has time.
    :param view: of the monitor.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        view: View,
        directory: Directory,
        servers: Servers,
        seats: Seats,
        bus: Bus,
        clock: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._view = view
        self._directory = directory
        self._servers = servers
        self._seats = seats
        self._clock = clock
        self._telling = Telling(bus, clock)
        administration = Administration(directory, servers, seats, self._telling)
        self._acts: Mapping[str, Act] = {
            "tail": self._tail,
            "calls": self._calls,
            "call": self._call,
            "ladder": self._ladder,
            "registrations": self._registrations,
            "trace": self._trace,
            "stats": self._stats,
            "who": self._who,
            "set": self._set,
            "help": self._help,
            "quit": self._quit,
            **administration.acts,
        }

    def now(self) -> float:
        """
        Give the seconds since the epoch.
        """
        return self._clock()

    async def run(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        """
        Do what was typed.

        :raises ConsoleError: if that cannot be, with the reason.
        """
        seat.doing = for_line(f"{typed.command.name} {typed.rest}".strip())
        try:
            await self._acts[typed.command.name](seat, typed, screen)
        finally:
            seat.doing = ""

    # Events and calls

    async def _tail(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        watch = Watch(self._view, seat, typed, screen, self._clock())
        if screen.is_terminal and not typed.as_json:
            what = for_line(typed.rest) or "event *"
            screen.lines([screen.palette.put(Style.DIM, f"-- {what}; q ends it --")])
        await watch.run()

    async def _calls(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        while True:
            listing = await self._calls_of(seat)
            rows = listing.rows
            if typed.as_json or not screen.is_terminal:
                await show(screen, rows, _CALLS, typed, "no calls")
                if listing.complaint:
                    raise Refused(listing.complaint)
                return
            screen.clear()
            lines = lines_for(screen, rows, _CALLS) if rows else ["no calls"]
            assert screen.size is not None
            screen.lines(lines[: max(screen.size.rows - 3, 1)])
            last = f"-- {listing.complaint or 'q ends it'} --"
            screen.lines([screen.palette.put(Style.DIM, last)])
            await screen.room()
            await deferLater(self._reactor, _REFRESH)

    async def _calls_of(self, seat: Seat) -> Listing:
        listing = await self._servers.calls()
        rows = seat.owned(listing.rows)
        rows.sort(key=lambda row: float(row["started"]))
        now = self._clock()
        for row in rows:
            row["seconds"] = max(0, round(now - (row["answered"] or row["started"])))
        return Listing(rows, listing.complaint)

    async def _call(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        story = await self._story(seat, typed, "looked at call")
        if typed.as_json:
            rows = [to_json(event) for event in story.events]
            await screen.show([json.dumps(rows)])
            return
        palette = screen.palette
        lines = [
            f"{palette.put(Style.BOLD, head.ljust(6))}{for_line(each)}"
            for head, names in (("call", story.calls), ("leg", story.call_ids))
            for each in names
        ]
        lines.append("")
        for event in story.events:
            if event.trace is None:
                shows_owner = seat.viewer.is_admin
                lines += lines_of(event, palette, shows_owner=shows_owner)
        await screen.show([*lines, "", *_ladder(story, screen)])

    async def _ladder(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        story = await self._story(seat, typed, "looked at call")
        await screen.show(_ladder(story, screen))

    async def _story(self, seat: Seat, typed: Typed, action: str) -> CallStory:
        call = typed.arguments[0]
        try:
            story = await self._view.call(seat.viewer, call)
        except MonitorError as error:
            raise Refused(str(error)) from error
        for owner in {event.owner for event in story.events}:
            self._telling.tell(seat, owner, f"{action} {call}")
        return story

    # The rest of what users can do

    async def _registrations(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        owner = None if seat.viewer.is_admin else seat.viewer.user
        rows = await self._servers.registrations(owner)
        rows.sort(key=lambda row: str(row["aor"]))
        await show(screen, rows, _REGISTRATIONS, typed, "no registrations")

    async def _trace(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        word, *account = typed.arguments
        if word.lower() not in ("on", "off"):
            raise WrongUsage("'on' or 'off' is expected", typed.position)
        if word.lower() == "off":
            seat.traced = None
            screen.lines(["tail shows no SIP messages"])
            return
        seat.traced = account[0].removeprefix("sip:") if account else ""
        if account:
            await self._check_account(seat, seat.traced)
        whose = f"of {for_line(seat.traced)}" if account else "of all accounts"
        screen.lines([f"tail shows SIP messages, too: {whose}"])

    async def _check_account(self, seat: Seat, name: str) -> None:
        user, _, domain = name.partition("@")
        everyone = seat.viewer.is_admin
        directory = self._directory
        scope = directory.everyone if everyone else directory.of(seat.viewer.user)
        account = await scope.accounts.find(user, domain)
        if account is None:
            seat.traced = None
            raise Refused(f"there is no account {for_line(name[:100])!r}")
        self._telling.tell(seat, account.owner, f"watched the messages of {name}")

    async def _stats(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        owner = None if seat.viewer.is_admin else seat.viewer.user
        calls = await self._servers.calls()
        numbers: dict[str, Any] = {
            "calls": len(seat.owned(calls.rows)),
            "registrations": len(await self._servers.registrations(owner)),
            "sessions": len(_sessions(self._seats, seat, self._clock())),
        }
        status = await self._servers.status() if seat.viewer.is_admin else Listing([])
        servers = status.rows
        for row in servers:
            row["hours"] = round((self._clock() - row["started"]) / 3600, 1)
        if typed.as_json:
            if servers:
                numbers["servers"] = servers
            await screen.show([json.dumps(numbers)])
            return
        lines = [f"{name:<14}{value}" for name, value in numbers.items()]
        if servers:
            lines += ["", *lines_for(screen, servers, _STATUS)]
        if complaint := status.complaint or calls.complaint:
            lines += ["", complaint]
        await screen.show(lines)

    async def _who(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        rows = _sessions(self._seats, seat, self._clock())
        await show(screen, rows, _WHO, typed, "nobody")

    async def _set(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        name, value = (word.lower() for word in typed.arguments)
        if name != "color" or value not in ("on", "off"):
            raise WrongUsage("usage: set color on|off", typed.position)
        screen.palette = Palette(is_on=value == "on")

    async def _help(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        if typed.arguments:
            await screen.show(_help_for(typed.arguments[0]))
            return
        commands = [
            command
            for command in COMMANDS.values()
            if seat.is_admin or not command.for_admins
        ]
        await screen.show(
            [
                *(f"{usage_of(each):<24} {each.summary}" for each in commands),
                "",
                "Anything else is a filter, such as 'event dialplan'; an empty line",
                "shows every event but SIP messages. Tab completes, Ctrl-R searches.",
                "With --json behind it, a command answers in JSON.",
            ]
        )

    async def _quit(self, seat: Seat, typed: Typed, screen: Screen) -> None:
        seat.end("")


def _ladder(story: CallStory, screen: Screen) -> list[str]:
    drawn = ladder.text(
        ladder.ladder_of(story.events),
        screen.drawing_width,
        colours=screen.palette.is_on,
    )
    lines = drawn.rstrip("\n").split("\n")
    return [*lines, "-- the call has more than this --"] if story.is_cut else lines


def _sessions(seats: Seats, seat: Seat, now: float) -> list[dict[str, Any]]:
    viewer = seat.viewer
    return [
        {
            "session": each.number,
            "user": each.user,
            "address": each.address,
            "minutes": round((now - each.since) / 60),
            "doing": each.doing,
        }
        for each in seats
        if viewer.is_admin or each.user == viewer.user
    ]


def _help_for(name: str) -> list[str]:
    command: Command | None = COMMANDS.get(name.lower())
    if command is None:
        raise Refused(f"there is no command {for_line(name[:100])!r}")
    return [usage_of(command), f"    {command.summary}"]
