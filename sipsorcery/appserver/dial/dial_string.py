"""
Dial strings: whom to call, in which order, and how. Pure.

::

    dial-string = stage *( "|" stage )      each tried when the one before has failed
    stage       = leg *( "&" leg )          rung together
    leg         = destination [ "[" option *( "," option ) "]" ]
    destination = [ "sip:" / "sips:" ] [ user "@" ] host [ parameters ] [ "?" header ]

A dial string is read before its variables are filled in, so that no caller can add a
leg or an option. Reading takes time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from sipsorcery.appserver.dial.destination import Destination, FromTemplate
from sipsorcery.appserver.dial.options import NO_OPTIONS, LegOptions, read_options
from sipsorcery.appserver.errors import DialStringError
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.uri import SIPURI

#: Characters of one dial string: twenty legs with a dozen options each.
MAX_LENGTH = 8192
#: Legs of one dial string: as many as one run of a dialplan may have.
MAX_LEGS = 20

# Up to what ends a destination. A bracket at the start of the host is an IPv6 address.
_PLAIN = re.compile(
    r"[ \t]*+(?:[Ss][Ii][Pp][Ss]?:)?(?:(?:\$\{[^}]{0,24}\}|[^@|&\[\]])*+@)?"
    r"(?:\[[0-9A-Fa-f:.]*+\])?(?:\$\{[^}]{0,24}\}|[^|&\[\]])*+"
)
_SPACE = re.compile(r"[ \t\r\n]*+")
_SINGLE = re.compile(r"\S[^,]*+,[^,]*+,[^,]*\S", re.DOTALL)
_QUOTES = "\"'"
_ELEMENT = re.compile(r"(?:\"[^\"]*+\"|'[^']*+'|<[^>]*+>|[^,\"'<])*+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What a leg answers challenges with.
    """

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Leg:
    """
    One destination and how it is called.

    :ivar credentials: those that the dial string itself holds (Asterisk form).
    :ivar sender: the From that the dial string itself holds (Asterisk form).
    :ivar route: where the request goes instead of to its destination.
    :ivar position: where it stands in the dial string; of no account for equality.
    """

    destination: Destination
    options: LegOptions = NO_OPTIONS
    credentials: Credentials | None = None
    sender: FromTemplate | None = None
    route: SIPURI | None = None
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.destination}{self.options}"


@dataclass(frozen=True, slots=True)
class DialString:
    """
    A dial string that has been read.

    As text it has the form with legs and options; what only the Asterisk form can say,
    a password among it, is left out.

    :ivar stages: the legs that ring together, stage by stage.
    """

    stages: tuple[tuple[Leg, ...], ...]

    @property
    def legs(self) -> Iterator[Leg]:
        """
        All legs, in order.
        """
        return (leg for stage in self.stages for leg in stage)

    def __str__(self) -> str:
        return "|".join("&".join(map(str, stage)) for stage in self.stages)


def parse_dial_string(text: str) -> DialString:
    """
    Read a dial string of either form.

    Empty legs, as in ``a&&b``, are left out.

    :raises DialStringError: if anything in it is not understood.
    """
    _check_length(text)
    if is_asterisk_form(text):
        return parse_asterisk_form(text)
    stages: list[tuple[Leg, ...]] = []
    stage: list[Leg] = []
    count = position = 0
    while True:
        leg, position = _read_leg(text, position)
        if leg is not None:
            stage.append(leg)
            count += 1
            if count > MAX_LEGS:
                raise DialStringError(
                    f"there are more than {MAX_LEGS} legs", leg.position
                )
        is_end = position == len(text)
        if stage and (is_end or text[position] == "|"):
            stages.append(tuple(stage))
            stage = []
        if is_end:
            break
        position += 1
    if not stages:
        raise DialStringError("a dial string has to name somebody", 0)
    return DialString(tuple(stages))


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise DialStringError(
            f"a dial string has {MAX_LENGTH} characters at most", MAX_LENGTH
        )


def _read_leg(text: str, position: int) -> tuple[Leg | None, int]:
    """
    Read a leg up to ``|``, ``&`` or the end.
    """
    match = _PLAIN.match(text, position)
    assert match is not None  # it may be empty
    written, end = match[0].strip(), match.end()
    start = position + len(match[0]) - len(match[0].lstrip())
    options = NO_OPTIONS
    if text.startswith("[", end):
        if not written:
            raise DialStringError("options need a destination before them", end)
        options, end = read_options(text, end)
        space = _SPACE.match(text, end)
        end = space.end() if space else end
    if end < len(text) and text[end] not in "|&":
        raise DialStringError(
            f"'|', '&' or the end has to follow, not {text[end]!r}", end
        )
    if not written:
        return None, end
    return Leg(Destination.parse(written, start), options, position=start), end


def is_asterisk_form(text: str) -> bool:
    """
    Tell whether *text* is ``username,password,destination`` and what may follow.

    No other dial string holds commas outside brackets.
    """
    return "[" not in text and _SINGLE.match(text.strip()) is not None


# The line of a plan says the same for each call: as many as there are of plans that are
# busy at a time; 8 MB if all are as long as they may be.
@lru_cache(maxsize=1024)
def parse_asterisk_form(text: str) -> DialString:
    """
    Read ``username,password,destination[,From[,send-to[,trace]]]``: one leg.

    Line plans always use this form, with or without quotes around each part. A username
    that starts with "anon" means that there is no account. *send-to* is the next hop;
    *trace* is accepted and means nothing.

    :raises DialStringError: if anything in it is not understood.
    """
    _check_length(text)
    parts = [*_elements(text)]
    if not 3 <= len(parts) <= 6:
        raise DialStringError(
            "this takes username,password,destination and at most From, send-to and "
            "trace behind them",
            0,
        )
    (username, _), (password, _), (destination, at), *others = parts
    if not destination:
        raise DialStringError("the destination is missing", at)
    to = Destination.parse(destination, at)
    sender = route = None
    if others and others[0][0]:
        sender = FromTemplate.parse(*others[0])
    elif username:
        sender = _default_sender(username, to, parts[0][1])
    if len(others) > 1 and others[1][0]:
        route = _read_route(*others[1])
    credentials = Credentials(username, password) if username and password else None
    return DialString(((Leg(to, NO_OPTIONS, credentials, sender, route, at),),))


def _default_sender(username: str, to: Destination, position: int) -> FromTemplate:
    is_anonymous = "anon" in username.lower()
    host = "${fromurihost}" if is_anonymous else str(to.host)
    return FromTemplate(None, Destination.parse(f"sip:{username}@{host}", position))


def _elements(text: str) -> Iterator[tuple[str, int]]:
    """
    Give the parts between commas, without the quotes around them, and their indexes.
    """
    position = 0
    while True:
        match = _ELEMENT.match(text, position)
        assert match is not None  # it may be empty
        end = match.end()
        if end < len(text) and text[end] != ",":
            raise DialStringError(f"{text[end]!r} is not closed", end)
        part = match[0].strip()
        start = position + len(match[0]) - len(match[0].lstrip())
        if (
            len(part) > 1
            and part[0] in _QUOTES
            and part.find(part[0], 1) == len(part) - 1
        ):
            part, start = part[1:-1], start + 1
        yield part, start
        if end == len(text):
            return
        position = end + 1


def _read_route(text: str, position: int) -> SIPURI:
    bare = text.removeprefix("<").removesuffix(">").strip()
    try:
        uri = SIPURI.parse(bare if bare[:3].lower() == "sip" else f"sip:{bare}")
    except ParseError:
        raise DialStringError(f"{excerpt(text)} is no next hop", position) from None
    return uri.with_parameter("lr")
