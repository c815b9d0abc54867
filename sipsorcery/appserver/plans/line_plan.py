"""
Line plans: dialplans of lines such as ``exten => _9.,1,Dial(user,pass,${dst:1}@h)``.

The first line whose pattern matches what was dialled decides. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sipsorcery.appserver.dial.dial_string import parse_asterisk_form
from sipsorcery.appserver.errors import DialStringError, PatternError, PlanErrors
from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Step,
    Value,
)
from sipsorcery.appserver.plans.pattern import Pattern, read_pattern
from sipsorcery.sip.errors import excerpt
from sipsorcery.sip.status import reason_phrase

#: Characters of a plan, as many as the directory keeps.
MAX_PLAN = 256 * 1024
#: Lines of a plan. Each is tried for each call; five thousand take some milliseconds.
MAX_LINES = 5000
#: Regular expressions of a plan, and characters of a number that is looked for: with
#: both at their limits and the worst expressions, to find its line takes a fifth of a
#: second.
MAX_EXPRESSIONS = 250
MAX_NUMBER = 128
# Plans that an engine remembers. Most have ten lines and take 10 kB; with a thousand of
# the largest there are, it would be a gigabyte, so it is fewer.
_REMEMBERED = 200
#: Faults that are told of one plan; who has more than that has mistaken the file.
MAX_FAULTS = 100

_EXTEN = re.compile(r"exten[ \t]*(=~|=>|==|=)[ \t]*", re.IGNORECASE)
_DELIMITED = re.compile(r"(/(?:[^/\\]++|\\.)*+/)[ \t]*,")
_PLAIN = re.compile(r"((?:\[[^\]]*+\]|[^,\[])*+),")
_PRIORITY = re.compile(r"[ \t]*([0-9]{1,9})[ \t]*,")
_APPLICATION = re.compile(r"[ \t]*([A-Za-z]{1,32})[ \t]*\(")
# The data ends with its bracket. One in quotes or in angle brackets is part of it.
_DATA = re.compile(r"((?:\"[^\"]*+\"|'[^']*+'|<[^>]*+>|[^)\"'<])*+)\)")


class Application(StrEnum):
    """
    Name what a line does.
    """

    DIAL = "dial"
    RESPOND = "respond"


_APPLICATIONS: Mapping[str, Application] = {
    "dial": Application.DIAL,
    "switch": Application.DIAL,
    "respond": Application.RESPOND,
    "sipreply": Application.RESPOND,
}


@dataclass(frozen=True, slots=True)
class Line:
    """
    One extension.

    :ivar number: of the line, from 1.
    :ivar call: what is asked of the host.
    :ivar is_expression: whether the pattern is a regular expression.
    """

    number: int
    pattern: Pattern
    call: HostCall
    is_expression: bool = False


@dataclass(frozen=True, slots=True)
class LinePlan:
    """
    A plan that has been read.
    """

    lines: tuple[Line, ...]

    @classmethod
    def parse(cls, text: str) -> LinePlan:
        """
        Read a plan.

        A line without ``exten`` that is neither empty nor a comment is a fault, as it
        does not do what somebody has thought that it does.

        :raises PlanErrors: with all faults.
        """
        if len(text) > MAX_PLAN:
            raise PlanErrors([(1, f"a plan has {MAX_PLAN} characters at most")])
        lines: list[Line] = []
        faults: list[tuple[int, str]] = []
        for number, written in enumerate(text.split("\n"), 1):
            stripped = written.strip()
            if not stripped or stripped[0] == ";":
                continue
            try:
                lines.append(_read_line(number, stripped))
            except (PatternError, _LineError) as error:
                faults.append((number, str(error)))
                if len(faults) == MAX_FAULTS:
                    break
            if len(lines) > MAX_LINES:
                faults.append((number, f"a plan has {MAX_LINES} extensions at most"))
                break
        if sum(line.is_expression for line in lines) > MAX_EXPRESSIONS:
            text = f"a plan has {MAX_EXPRESSIONS} regular expressions at most"
            faults.append((1, text))
        if faults:
            raise PlanErrors(faults)
        return cls(tuple(lines))

    def matching(self, number: str) -> Iterator[Line]:
        """
        Give the lines for a number, in their order; none if it is too long for one.
        """
        if len(number) > MAX_NUMBER:
            return iter(())
        return (line for line in self.lines if line.pattern.matches(number))


class _LineError(Exception):
    """
    Says what is wrong in a line.
    """


def _read_line(number: int, text: str) -> Line:
    start = _EXTEN.match(text)
    if start is None:
        raise _LineError(f"{excerpt(text)} is neither an extension nor a comment")
    is_regex = start[1] == "=~"
    pattern = (_DELIMITED if is_regex else _PLAIN).match(text, start.end())
    if pattern is None and is_regex:
        pattern = _PLAIN.match(text, start.end())
    if pattern is None:
        raise _LineError("there is no comma behind the pattern")
    priority = _PRIORITY.match(text, pattern.end())
    if priority is None:
        raise _LineError("a priority, such as 1, has to follow the pattern")
    application = _APPLICATION.match(text, priority.end())
    if application is None:
        raise _LineError(
            "an application, such as Dial(...), has to follow the priority"
        )
    data = _DATA.match(text, application.end())
    if data is None:
        raise _LineError(f"the bracket of {application[1]} is not closed")
    known = _APPLICATIONS.get(application[1].lower())
    if known is None:
        raise _LineError(
            f"there is no application {application[1]}, only Dial, Switch, Respond and "
            "SIPReply"
        )
    return Line(
        number,
        read_pattern(pattern[1].strip(), is_regex=is_regex),
        _dial(data[1]) if known is Application.DIAL else _respond(data[1]),
        is_regex,
    )


def _dial(data: str) -> HostCall:
    try:
        parse_asterisk_form(data)
    except DialStringError as error:
        raise _LineError(str(error)) from None
    return HostCall(Application.DIAL.value, {"account": data})


def _respond(data: str) -> HostCall:
    code, _, reason = data.partition(",")
    code = code.strip()
    if not (code.isascii() and code.isdigit() and 100 <= int(code[:9]) <= 699):
        raise _LineError(f"{excerpt(code)} is no status code")
    status = int(code)
    if 200 <= status < 400:
        # There is nobody who could answer the call, and nowhere to redirect it to.
        raise _LineError(
            f"a line plan cannot respond {status}, only 1xx and 4xx to 6xx"
        )
    reason = reason.strip().strip("\"'") or reason_phrase(status)
    return HostCall(Application.RESPOND.value, {"status": status, "reason": reason})


class LineRun:
    """
    One run of a line plan.

    :param lines: those for the number.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._responded = False

    def begin(self) -> Step:
        """
        Give the first step: what the first matching line says, or 404.
        """
        return self._next(End(404, "There is no extension for this number"))

    async def resume(self, value: Value | HostError) -> Step:
        """
        Go on with what the host call has come to.

        A failed dial is the end; behind a provisional response the next matching line
        follows.
        """
        if self._responded:
            self._responded = False
            return self._next(End(480, "No extension has come to an end"))
        match value:
            case {"status": int(status), "reason": str(reason)} if 300 <= status < 700:
                return End(status, reason)
        return End(480, "All forwards failed")

    def dump(self) -> bytes | None:
        """
        Give nothing: behind a dial no other line follows.
        """
        return None if self._responded else b""

    def _next(self, otherwise: End) -> Step:
        line = next(self._lines, None)
        if line is None:
            return otherwise
        match line.call.arguments:
            case {"status": int(status), "reason": str(reason)} if status >= 400:
                return End(status, reason)
            case {"status": _}:
                self._responded = True
        return line.call


class LineEngine:
    """
    The engine of line plans. What it has read it remembers.
    """

    def __init__(self) -> None:
        self._read = lru_cache(_REMEMBERED)(LinePlan.parse)

    async def start(self, script: str, request: PlanRequest) -> tuple[LineRun, Step]:
        """
        Start a run.

        :raises PlanErrors: if the script has faults.
        """
        run = LineRun(self._read(script).matching(request.caller.dialled))
        return run, run.begin()

    def restore(self, dumped: bytes, request: PlanRequest) -> LineRun:
        """
        Go on with a run that waits for a dial.
        """
        return LineRun(iter(()))
