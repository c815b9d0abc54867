"""
The options of a leg: what stands in brackets behind a destination. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from sipsorcery.appserver.dial.template import Template
from sipsorcery.appserver.errors import DialStringError
from sipsorcery.sip.errors import excerpt

#: Seconds that a leg may wait before it starts: two thirds of the longest ringing.
MAX_DELAY = 120
#: Seconds that a call may last: a week, as no call does that anybody wants.
MAX_DURATION = 7 * 24 * 3600

# A re-INVITE later than this would be heard as a gap in the talk; what people mean by
# such a number is "a little later".
_MAX_REINVITE_DELAY = 5
_REINVITE_DELAY = 2

_KEY = re.compile(r"[ \t]*+([A-Za-z]++)[ \t]*+=[ \t]*+")
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"[ \t]*+', re.DOTALL)
_BARE = re.compile(r'[^,\]"]*+')
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z0-9_.\-]{1,64}").fullmatch
_NEEDS_QUOTES = re.compile(r'[,\]"\\\s|&\[]|\A\Z').search

_Choice = TypeVar("_Choice", bound=StrEnum)


class OnRedirect(StrEnum):
    """
    Name what becomes of a leg that is redirected, as the option ``rm`` spells it.
    """

    FOLLOW = ""
    NEW_RUN = "n"
    MANUAL = "m"


class TransferMode(StrEnum):
    """
    Name what a party may do with REFER, as the option ``tr`` spells it.
    """

    DEFAULT = ""
    NOT_ALLOWED = "n"
    PASS_THROUGH = "p"
    PLACE_CALL = "c"


@dataclass(frozen=True, slots=True)
class LegOptions:
    """
    How a leg is called. Each field has the key of a dial string in its comment.

    :ivar delay: seconds to wait before it starts.
    :ivar max_duration: seconds that the answered call may last; None: no limit here.
    :ivar rewrites_sdp: whether addresses in session descriptions are replaced.
    :ivar reinvite_delay: seconds after the answer until both ends get a re-INVITE.
    """

    delay: int = 0  # dt
    max_duration: int | None = None  # cd
    on_redirect: OnRedirect = OnRedirect.FOLLOW  # rm
    rewrites_sdp: bool = True  # ma
    from_name: Template | None = None  # fd
    from_user: Template | None = None  # fu
    from_host: Template | None = None  # fh
    transfer: TransferMode = TransferMode.DEFAULT  # tr
    wants_caller_details: bool = False  # rcd
    account_code: str = ""  # ac
    rate_code: str = ""  # rc
    reinvite_delay: int = 0  # dr
    line_name: Template | None = None  # swln
    original_call_id: Template | None = None  # swcid
    switchboard_owner: Template | None = None  # swo

    def __str__(self) -> str:
        written = [
            f"{key}={_write(value)}"
            for key, name in _NAMES.items()
            if (value := getattr(self, name)) != _DEFAULTS[name]
        ]
        return f"[{','.join(written)}]" if written else ""


#: What a leg has that says nothing else.
NO_OPTIONS = LegOptions()


def _seconds(text: str, position: int, maximum: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise DialStringError(f"{excerpt(text)} is no number of seconds", position)
    return min(int(text), maximum)


def _delay(text: str, position: int) -> int:
    return _seconds(text, position, MAX_DELAY)


def _duration(text: str, position: int) -> int:
    seconds = _seconds(text, position, MAX_DURATION)
    if not seconds:
        raise DialStringError("a call cannot last 0 seconds", position)
    return seconds


def _reinvite_delay(text: str, position: int) -> int:
    seconds = _seconds(text, position, 10**9)
    return seconds if seconds <= _MAX_REINVITE_DELAY else _REINVITE_DELAY


def _flag(text: str, position: int) -> bool:
    low = text.lower()
    if low not in ("true", "false"):
        raise DialStringError(f"{excerpt(text)} is neither true nor false", position)
    return low == "true"


def _word(text: str, position: int) -> str:
    if _WORD(text) is None:
        raise DialStringError(f"{excerpt(text)} is no code", position)
    return text


def _on_redirect(text: str, position: int) -> OnRedirect:
    # Once there was "a" (add the target) and "r" (replace the leg by it); both have
    # long meant what is done without the option.
    if text in ("a", "r"):
        return OnRedirect.FOLLOW
    return _one_of(OnRedirect, text, position)


def _transfer(text: str, position: int) -> TransferMode:
    return _one_of(TransferMode, text, position)


def _one_of(choices: type[_Choice], text: str, position: int) -> _Choice:
    if text and text in [*choices]:
        return choices(text)
    letters = ", ".join(each for each in choices if each)
    raise DialStringError(f"{excerpt(text)} is none of {letters}", position)


_READERS: Mapping[str, tuple[str, Callable[[str, int], Any]]] = MappingProxyType(
    {
        "dt": ("delay", _delay),
        "cd": ("max_duration", _duration),
        "rm": ("on_redirect", _on_redirect),
        "ma": ("rewrites_sdp", _flag),
        "fd": ("from_name", Template.parse),
        "fu": ("from_user", Template.parse),
        "fh": ("from_host", Template.parse),
        "tr": ("transfer", _transfer),
        "rcd": ("wants_caller_details", _flag),
        "ac": ("account_code", _word),
        "rc": ("rate_code", _word),
        "dr": ("reinvite_delay", _reinvite_delay),
        "swln": ("line_name", Template.parse),
        "swcid": ("original_call_id", Template.parse),
        "swo": ("switchboard_owner", Template.parse),
    }
)
_NAMES = {key: name for key, (name, _) in _READERS.items()}
_DEFAULTS = {each.name: each.default for each in fields(LegOptions)}


def read_options(text: str, start: int) -> tuple[LegOptions, int]:
    """
    Read the options that an opening bracket starts.

    Keys are exact: ``rcd`` sets no ``cd``, and what stands in the value of one sets no
    other. A value that holds a comma or a bracket stands in quotes.

    :param start: the index of the bracket in *text*.
    :return: also the index behind the closing bracket.
    :raises DialStringError: if anything in there is not understood.
    """
    found: dict[str, Any] = {}
    position = start + 1
    while True:
        match = _KEY.match(text, position)
        if match is None:
            raise DialStringError(
                "an option is a key, '=' and a value, as in [dt=5]", position
            )
        key, at = match[1], match.end()
        value, position = _read_value(text, at)
        name, given = _read_one(key, value, match.start(1), at)
        if name in found:
            raise DialStringError(f"option {key!r} is there twice", match.start(1))
        found[name] = given
        if position == len(text):
            raise DialStringError("this bracket is not closed", start)
        position += 1
        if text[position - 1] == "]":
            return LegOptions(**found), position


def _read_one(key: str, value: str, at_key: int, at: int) -> tuple[str, Any]:
    if key == "ir":  # a name that "dr=2" has had for a time
        return "reinvite_delay", _REINVITE_DELAY
    if key not in _READERS:
        near = difflib.get_close_matches(key.lower(), _READERS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DialStringError(f"there is no option {excerpt(key)}{hint}", at_key)
    name, read = _READERS[key]
    return name, read(value, at)


def _read_value(text: str, position: int) -> tuple[str, int]:
    """
    Read a value up to the comma, the bracket or the end behind it.
    """
    if not text.startswith('"', position):
        match = _BARE.match(text, position)
        assert match is not None  # it may be empty
        if text.startswith('"', match.end()):
            raise DialStringError(
                "a quote stands at the start of a value only", match.end()
            )
        return match[0].strip(), match.end()
    match = _QUOTED.match(text, position)
    if match is None:
        raise DialStringError("this quote is not closed", position)
    if match.end() < len(text) and text[match.end()] not in ",]":
        raise DialStringError("a comma or ']' has to follow the quote", match.end())
    return _PAIR.sub(r"\1", match[1]), match.end()


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _NEEDS_QUOTES(text) is None:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
