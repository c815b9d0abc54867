"""
The lines of a description, as they came and as they are to be sent.

A description is a row of lines ``<type>=<value>`` (:rfc:`8866#section-5`). A line
remembers how it was spelled, so that what nobody changes leaves octet for octet as it
came: unknown types, stray blanks, bare line feeds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from sipsorcery.sdp.errors import LocalProtocolError, ParseError, excerpt

CRLF = "\r\n"

#: The order in which the types of line follow each other. That of a media section
#: (``icbka``, after its ``m=``) is part of it (:rfc:`8866#section-9`).
ORDER = "vosiuepcbtrzka"

_TYPE = re.compile(r"[A-Za-z]=").match
# Not byte-string, which is "any byte except NUL, CR, or LF".
_BREAKS_LINE = re.compile(r"[\0\r\n]").search
# "m =video ..." is neither a stray line that can be passed over (what follows would
# belong to the section before) nor a media line.
_SPACED_TYPE = re.compile(r"[vosctm][ \t]+=").match
# Lines that are the same in call after call, and hold no secret.
_USUAL = re.compile(
    r"a=(?:rtpmap:|fmtp:|(?:max)?ptime:|rtcp-(?:mux|fb:)|sendrecv$)|[vst]="
).match
_SHORT = 80  # characters, as many as a usual line has


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line: a type of one letter and a value, which may be empty.

    :ivar type: empty for a blank or stray line, which is only kept.
    :ivar value: without the line end; all of the line where it has no type.
    :ivar indent: blanks that stood before the type.
    :ivar end: the line end: CRLF, a bare LF, or nothing after the last line.
    """

    type: str
    value: str
    indent: str = field(default="", compare=False, repr=False)
    end: str = field(default=CRLF, compare=False, repr=False)

    def __post_init__(self) -> None:
        if _BREAKS_LINE(self.value):
            raise LocalProtocolError(f"the value {excerpt(self.value)} breaks the line")
        if not self.value.isascii():
            _check_encodable(self.value)

    @classmethod
    def parse(cls, text: str, end: str = CRLF) -> Line:
        """
        Read one line, without its line end.

        A line that has no type is kept as it is: ``mid:1``, without its ``a=``, from
        Bria 4, or a blank line after the last. So are blanks before the type, another
        habit of Bria's.

        :raises ParseError: if *text* holds NUL or CR, or blanks before the ``=`` of a
            line that matters.
        """
        if len(text) <= _SHORT and _USUAL(text):
            return _usual(text, end)
        return cls._read(text, end)

    @classmethod
    def _read(cls, text: str, end: str) -> Line:
        if _BREAKS_LINE(text):
            # Without the text: it may hold a key.
            raise ParseError("a NUL or a bare carriage return")
        bare = text.lstrip(" ")
        indent = text[: len(text) - len(bare)]
        if _TYPE(bare):
            return cls(bare[0], bare[2:], indent, end)
        if _SPACED_TYPE(bare):
            raise ParseError(f"blanks before the '=' of {excerpt(text)}")
        return cls("", bare, indent, end)

    def __str__(self) -> str:
        return f"{self.indent}{self.type and self.type + '='}{self.value}"


@lru_cache(maxsize=1024)  # of what all models of telephones around say: 0.2 MB
def _usual(text: str, end: str) -> Line:
    return Line._read(text, end)


@dataclass(frozen=True, slots=True)
class Attribute:
    """
    What an ``a=`` line says: a property, or a name and a value.

    :ivar name: case-sensitive, as :rfc:`8866#section-5.13` has it.
    :ivar value: without blanks around it; ``None`` for a property.
    """

    name: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> Attribute:
        """
        Read the value of an ``a=`` line.
        """
        name, colon, value = text.partition(":")
        return cls(name.strip(" "), value.strip(" ") if colon else None)

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


def fields(text: str) -> list[str]:
    """
    Split a value at its blanks.

    One blank is the rule; devices add more, above all at the end of ``m=`` lines.
    """
    return [field for field in text.split(" ") if field]


def number(text: str, largest: int, what: str) -> int:
    """
    Read a decimal number from 0 to *largest*.

    :param what: its name, for the error.
    :raises ParseError: if *text* is no such number.
    """
    # isdecimal() alone lets the digits of other scripts pass, and int() of a long
    # text costs time. No number here has more than 20 digits (64 bits).
    if text.isascii() and text.isdecimal() and len(text) <= 20:
        value = int(text)
        if value <= largest:
            return value
    raise ParseError(f"{excerpt(text)} is no {what}")


def _check_encodable(text: str) -> None:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{excerpt(text)} cannot be sent as UTF-8") from None
