"""
From bytes to the text of a header section, and from there to its fields.

This is the seam of the hot path: a compiled scanner may one day stand in for the
functions here. What they promise is all that :mod:`sipsorcery.sip.message` knows
of bytes: a *head* is a text that starts with the start line, in which every line
ends with CRLF, no CR or LF stands anywhere else, and no line is empty. Octets that
are not UTF-8 are kept as lone surrogates, so a head turns back into the very bytes.
"""

from __future__ import annotations

import re
from typing import cast

from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.fields import key_of, remembered_key
from sipsorcery.sip.grammar import unfold
from sipsorcery.sip.limits import MAX_FIELD, MAX_FIELDS

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
# Some user agents end a line with CR SP (seen by the original, which mends it so).
_ODD_LINE_END = re.compile(rb"\r\n|\r |\n")
# A shorter head cannot hold more than MAX_FIELDS lines: one character and CRLF.
_SHORT = 3 * MAX_FIELDS
_LINE_END = re.compile(r"\r\n(?![ \t])")
# Fields whose text does not end with blanks: nearly all. The fold of one is none.
_PLAIN_FIELDS = re.compile(
    r"\n([^\r\n \t:][^\r\n:]*+):[ \t]*+([^\r]*+)(?<![ \t])\r"
).findall


def split_datagram(data: bytes) -> tuple[bytes, bytes]:
    """
    Split a datagram into its header section and what follows the blank line.

    Empty lines in front are passed over (:rfc:`3261#section-7.5`). Where the blank
    line is missing all is header section, as several old devices send it.
    """
    data = data.lstrip(b"\r\n")
    blank = _BLANK_LINE.search(data)
    if blank is None:
        return data.rstrip(b"\r\n") + b"\r\n", b""
    return data[: blank.start()] + b"\r\n", data[blank.end() :]


def read_head(raw: bytes) -> str:
    """
    Make the head of the bytes before a blank line, its first CRLF included.

    A bare LF, or CR and SP, is taken for the end of a line.

    :raises ParseError: at any other bare CR, or at an empty line.
    """
    if raw.replace(b"\r", b"").replace(b"\n", b"\r\n") != raw:
        raw = _ODD_LINE_END.sub(b"\r\n", raw)
        if raw.count(b"\r") != raw.count(b"\r\n"):
            raise ParseError("a line ends with CR alone")
        if b"\r\n\r\n" in raw or raw.startswith(b"\r\n"):
            raise ParseError("an empty line inside the header section")
    return raw.decode("utf-8", "surrogateescape")


def salvage_head(raw: bytes) -> str:
    """
    Make a head of bytes that are none, as far as they go, for an answer.

    A last line that is not whole is left out.
    """
    lines = [line.replace(b"\r", b" ") for line in re.split(rb"\r?\n", raw)[:-1]]
    whole = b"".join(line + b"\r\n" for line in lines if line.strip())
    return whole.decode("utf-8", "surrogateescape")


def check_limits(head: str) -> None:
    """
    Hold a head against :mod:`~sipsorcery.sip.limits`.

    :raises ParseError: with 513, if it has too many fields or one too long.
    """
    if len(head) < _SHORT:
        return
    if head.count("\n") > MAX_FIELDS + 1 and len(_lines(head)) > MAX_FIELDS + 1:
        raise ParseError(f"more than {MAX_FIELDS} header fields", status=513)
    # One character has four bytes at most.
    if 4 * len(head) > MAX_FIELD and any(
        _size(line) > MAX_FIELD for line in _lines(head)
    ):
        raise ParseError(f"a line longer than {MAX_FIELD} bytes", status=513)


def _size(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape"))


def _lines(head: str) -> list[str]:
    # Folded lines are one.
    if "\r\n " in head or "\r\n\t" in head:
        return _LINE_END.split(head[:-2])
    return head[:-2].split("\r\n")


def split_fields(head: str) -> list[tuple[str, str]]:
    """
    Read every field line of *head*: its name as spelled, and its text, unfolded.

    :raises ParseError: if a line has no colon.
    """
    fields = []
    for line in _lines(head)[1:]:
        name, colon, text = line.partition(":")
        if not colon:
            raise ParseError(f"a header line without colon: {excerpt(line)}")
        fields.append((name, unfold(text).strip(" \t")))
    return fields


def index_fields(head: str) -> dict[str, list[str]]:
    """
    Read every field of *head* by its key.

    The texts of its lines come from the top down, unfolded and stripped.

    :raises ParseError: if a line has no field name.
    """
    fields = _PLAIN_FIELDS(head)
    if len(fields) != head.count("\n") - 1:
        fields = split_fields(head)
    once = {remembered_key(spelling): [text] for spelling, text in fields}
    if len(once) == len(fields) and None not in once:
        return cast("dict[str, list[str]]", once)  # mostly no field comes twice
    index: dict[str, list[str]] = {}
    for spelling, text in fields:
        key = key_of(spelling)
        if key in index:
            index[key].append(text)
        else:
            index[key] = [text]
    return index
