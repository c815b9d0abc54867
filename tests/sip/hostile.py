"""
Messages that are made to cost as much as they can.

Every shape is made in any size up to 64 KiB: as eight lines that are short enough to be
read (`within`), and as a line that is too long (`beyond`).
"""

from __future__ import annotations

from typing import Any

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import (
    CONTENT_LENGTH,
    MAX_FORWARDS,
    ROUTE,
    TO,
    VIA,
    Field,
    known_fields,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from tests.sip.samples import message

#: What is repeated, by name.
FILLERS: dict[str, str] = {
    "blanks": " ",
    "tabs": "\t",
    "commas": ",",
    "commas and blanks": " , ",
    "semicolons": ";",
    "semicolons and blanks": " ; ",
    "equal signs": "=",
    "quotes": '"',
    "empty strings": '"",',
    "strings": '"a" ',
    "quoted quotes": '\\"',
    "backslashes": "\\",
    "opened brackets": "<",
    "closed brackets": ">",
    "brackets": "<>",
    "brackets in quotes": '"<',
    "parentheses": "(",
    "folds": "\r\n ",
    "folds and tabs": "\r\n\t",
    "percent signs": "%",
    "half escapes": "%4",
    "escapes": "%41",
    "digits": "9",
    "zeros": "0",
    "letters": "a",
    "labels": "a.",
    "at signs": "@",
    "colons": ":",
    "square brackets": "[",
    "schemes": "sip:",
    "parameters": ";a=b",
    "addresses": ",<sip:a>",
    "Vias": ",SIP/2.0/UDP a",
    "headers": "&a=b",
    "NULs": "\0",
    "letters of two octets": "\u00e9",
    "octets of no letter": "\udcff",
}

#: What stands in front of the filler, so that a reader gets as far as it.
FRONTS = (
    *("", '"', "<sip:", "<sip:a", "<sip:a>", "<sip:a>;x=", "sip:a@b", "sip:a;x", "1 "),
    *("SIP/2.0/UDP a", "SIP/2.0/UDP a;x=", "Digest ", "Digest a=", "a/b;", '"" ', "a"),
)

_NAMES = ("Via", "From", "To", "Contact", "Route", "Accept", "Warning", "Supported")
_START = "OPTIONS sip:a SIP/2.0"
# What a proxy reads before anything is checked.
_ROUTING: tuple[Field[Any], ...] = (VIA, MAX_FORWARDS, ROUTE, TO, CONTENT_LENGTH)


def within(filler: str, size: int) -> bytes:
    """
    Make a message of about *size* bytes in lines that are within the limits.
    """
    count = (size // len(_NAMES) - 40) // len(filler)
    lines = [
        f"{name}: {FRONTS[index * 5 % len(FRONTS)]}{filler * count}"
        for index, name in enumerate(_NAMES)
    ]
    return message(_START, *lines)


def beyond(filler: str, size: int) -> bytes:
    """
    Make a message of one line of about *size* bytes, and one of such a Request-URI.
    """
    count = size // len(filler) // 2
    return message(f"OPTIONS sip:{filler * count} SIP/2.0", f"Via: {filler * count}")


def special(size: int) -> dict[str, bytes]:
    """
    Make the messages of about *size* bytes that are no repetition in a line.
    """
    return {
        "CRs": _START.encode() + b"\r" * size,
        "LFs": _START.encode() + b"\r\na" + b"\n" * size,
        "CRs and blanks": _START.encode() + b"\r " * (size // 2),
        "empty lines": b"\r\n" * (size // 2),
        "empty lines after a field": b"a:b\r\n" + b"\r\n" * (size // 2),
        "fields": message(_START, *["a:b"] * (size // 5)),
        "fields of one name": message(_START, *["v:SIP/2.0/UDP a"] * (size // 17)),
        "routes": message(
            _START, *["Route: " + ",".join(["<sip:a;lr>"] * (size // 100))] * 8
        ),
        "200 fields": message(_START, *["v:" + "a" * (size // 200 - 4)] * 190),
        "unknown names": message(_START, *[f"X-{i}:" for i in range(size // 9)]),
        "names without colon": message(_START, *["X"] * (size // 3)),
        "long name": message(_START, "X" * size + ": y"),
        "method": message("A" * size + " sip:a SIP/2.0"),
        "blanks in the start line": message("OPTIONS" + " " * size + "SIP/2.0"),
        "versions": message("OPTIONS" + " SIP/2.0" * (size // 8)),
        "status lines": message("SIP/" * (size // 4)),
        "words in the host": message("OPTIONS sip:" + "a " * (size // 2) + "SIP/2.0"),
        "Content-Length": message(_START, "Content-Length: " + "9" * (size - 50)),
        "Content-Lengths": message(_START, *["l: 0"] * (size // 6)),
        "body": message(_START, body=b"\r\n" * (size // 2)),
        "nothing but NULs": b"\0" * size,
        "nothing but 0xff": b"\xff" * size,
    }


def shapes(size: int) -> dict[str, bytes]:
    """
    Make every shape in this *size*.
    """
    made = special(size)
    for name, filler in FILLERS.items():
        made[f"{name}, within the limits"] = within(filler, size)
        made[f"{name}, beyond the limits"] = beyond(filler, size)
    return made


def work(data: bytes) -> None:
    """
    Do all that a server may do with a message before it knows what it is worth.
    """
    try:
        made = parse(data)
    except ParseError as error:
        answer = error_response(error)
        if answer is not None:
            answer.to_bytes()
        return
    for field in _ROUTING:
        _read(made.get, field)
    _read(made.check)
    for field in known_fields():
        _read(made.all, field)
    _read(made.items)
    if isinstance(made, Request):
        _read(made.note_source, "192.0.2.1", 5060)
        made.respond(400, to_tag="1").to_bytes()
        made.forwarded("SIP/2.0/UDP a", 69)
    _read(_drop_routes, made)
    made.to_bytes()


def _drop_routes(made: Message) -> None:
    made.drop_first(ROUTE, len(made.all(ROUTE)))


def read(field: Field[Any], text: str) -> None:
    """
    Read one value of *field*, however long.
    """
    try:
        for value in field.split(text):
            field.parse(value)
    except ParseError:
        pass


def _read(step: object, *arguments: object) -> None:
    assert callable(step)
    try:
        step(*arguments)
    except ParseError:
        pass
