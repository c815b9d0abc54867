"""
The lines that people type: which command, which filter, and what may come next. Pure.

What is no command is a filter: whoever knew the original logs in, types one, and sees
the events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sipsorcery.console.errors import Refused, WrongUsage
from sipsorcery.monitor.errors import FilterError
from sipsorcery.monitor.filter.completion import complete as complete_filter
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.filter.keywords import KEYWORDS

_JSON = "--json"


@dataclass(frozen=True, slots=True)
class Command:
    """
    Something that can be typed.

    :ivar usage: its arguments; those in brackets may be left out.
    :ivar values: of its first argument, where these are known.
    """

    name: str
    usage: str
    summary: str
    for_admins: bool = False
    values: tuple[str, ...] = ()

    @property
    def needs(self) -> int:
        """
        The number of arguments that there have to be.
        """
        return len([word for word in self.usage.split() if word[0] != "["])

    @property
    def takes(self) -> int | None:
        """
        The number of arguments that there can be; None: any.
        """
        return None if self.name == "tail" else len(self.usage.split())


#: In the order of the help.
COMMANDS = {
    command.name: command
    for command in (
        Command("tail", "[FILTER]", "show events as they come; q ends it"),
        Command("calls", "", "show the calls that are up, again and again"),
        Command("call", "ID", "show what there is of a call, and its ladder"),
        Command("ladder", "ID", "draw the messages of a call"),
        Command("registrations", "", "list where the phones are"),
        Command(
            "trace",
            "on|off [ACCOUNT]",
            "let tail show SIP messages, too: all, or those of an account",
            values=("on", "off"),
        ),
        Command("stats", "", "show numbers"),
        Command("who", "", "list who is logged in to the console"),
        Command("set", "color on|off", "have colours, or none", values=("color",)),
        Command("as", "[USER]", "see what a user sees; alone: be yourself again", True),
        Command("users", "", "list the users", True),
        Command("kick", "USER|SESSION", "end sessions of the console", True),
        Command("ban", "ADDRESS [SECONDS]", "listen to an address no more", True),
        Command("unban", "ADDRESS", "listen to an address again", True),
        Command("bans", "", "list who is banned", True),
        Command("dispatch", "", "show where the proxy sends calls", True),
        Command("workers", "", "show the workers of the watchtower", True),
        Command("hangup", "ID", "end a call on both sides", True),
        Command("help", "[COMMAND]", "show this"),
        Command("quit", "", "leave"),
    )
}


@dataclass(frozen=True, slots=True)
class Typed:
    """
    A line, taken apart.

    :ivar rest: all behind the name of the command, as it stands.
    :ivar position: where *rest* begins in the line.
    """

    command: Command
    rest: str = ""
    position: int = 0
    as_json: bool = False

    @property
    def arguments(self) -> list[str]:
        """
        The words of the rest.
        """
        return self.rest.split()


def read(line: str, *, is_admin: bool) -> Typed:
    """
    Read a line that is a command or a filter.

    :raises WrongUsage: if a command has other arguments.
    :raises Refused: if it is for administrators.
    """
    line = line.rstrip()
    as_json = line == _JSON or line.endswith(f" {_JSON}")
    if as_json:
        line = line[: -len(_JSON)].rstrip()
    start = len(line) - len(line.lstrip())
    name, gap, _ = line[start:].partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        return Typed(COMMANDS["tail"], line[start:], start, as_json)
    if command.for_admins and not is_admin:
        raise Refused(f"'{command.name}' is for administrators")
    position = start + len(name) + len(gap)
    typed = Typed(command, line[position:], position, as_json)
    _check(typed)
    return typed


def _check(typed: Typed) -> None:
    command, count = typed.command, len(typed.arguments)
    if count < command.needs:
        raise WrongUsage(f"usage: {usage_of(command)}")
    if command.takes is not None and count > command.takes:
        raise WrongUsage(f"usage: {usage_of(command)}", typed.position)


def usage_of(command: Command) -> str:
    """
    Give how a command is written.
    """
    return f"{command.name} {command.usage}".rstrip()


def fault_of(line: str, viewer: Viewer, *, is_admin: bool, now: float) -> int | None:
    """
    Tell from where on a line is wrong while it is being typed.

    :return: None: it is not, or what is missing may yet come.
    """
    try:
        typed = read(line, is_admin=is_admin)
    except WrongUsage as error:
        return error.position
    except Refused:
        return 0
    if typed.command.name != "tail":
        return None
    try:
        Filter.parse(typed.rest, viewer, now=now)
    except FilterError as error:
        place = typed.position + error.position
        end = len(line.rstrip())
        # The last word may go on, whatever it is.
        is_last = " " not in line[place:].strip() and not line.endswith(" ")
        return None if place >= end or is_last else place
    return None


def complete(line: str, *, is_admin: bool) -> Sequence[str]:
    """
    Give the words that the last one of a line may become.
    """
    words = line.split()
    if not words or (len(words) == 1 and not line.endswith(" ")):
        part = words[0].lower() if words else ""
        names = [
            command.name
            for command in COMMANDS.values()
            if is_admin or not command.for_admins
        ]
        return sorted(
            word
            for word in (
                *names,
                *(KEYWORDS if part else ()),
                *(("not",) if part else ()),
            )
            if word.startswith(part)
        )
    command = COMMANDS.get(words[0].lower())
    if command is None:
        return complete_filter(line)
    if command.name == "tail":
        return complete_filter(line.lstrip()[len("tail") :].lstrip())
    if command.name == "help":
        return complete(line.lstrip()[len("help") :].lstrip(), is_admin=is_admin)
    if len(words) + line.endswith(" ") == 2:
        part = "" if line.endswith(" ") else words[1].lower()
        return [value for value in command.values if value.startswith(part)]
    return ()
