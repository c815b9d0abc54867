"""
Multipart bodies: an SDP beside a PIDF, an ISUP message, a signature (:rfc:`5621`).

Every part keeps its octets, binary ones too; nothing is decoded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.fields import CONTENT_DISPOSITION, CONTENT_TYPE, Field, text_field
from sipsorcery.sip.grammar import quote, unfold, unquote
from sipsorcery.sip.message import head_of
from sipsorcery.sip.parameterised import MediaType, Parameterised
from sipsorcery.sip.parameters import NONE

T = TypeVar("T")

#: Parts of one body. Messages with more than four are rare, and a part that says
#: something takes a hundred bytes.
MAX_PARTS = 64
#: Bodies within bodies: a signature (1) of a choice (2) of related things (3), and one
#: to spare.
MAX_DEPTH = 4

# boundary := 0*69<bchars> bcharsnospace
_BOUNDARY = re.compile(
    r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]"
).fullmatch
# What may stand behind the boundary in its line.
_REST = re.compile(rb"(--)?[ \t]*+(?=\r\n|\Z)").match
_TEXT = MediaType("text", "plain")
_MESSAGE = MediaType("message", "rfc822")


@dataclass(frozen=True, slots=True)
class Part:
    """
    One part of a multipart body.

    :ivar head: its header fields as they are on the wire, each ended by CRLF.
    :ivar default: what its Content-Type is where it names none.
    :ivar depth: 1 for a part of the message's own body, 2 for a part of such a part.
    """

    head: str
    body: bytes
    default: MediaType = field(default=_TEXT, compare=False)
    depth: int = field(default=1, compare=False)

    @classmethod
    def make(
        cls, body: bytes, fields: Iterable[tuple[Field[Any] | str, Any]] = ()
    ) -> Part:
        """
        Make a part of *fields*, mostly a Content-Type and a Content-Disposition.

        :raises LocalProtocolError: if a name is no token or a value holds a line end.
        """
        return cls(head_of("", fields).removeprefix("\r\n"), body)

    @overload
    def get(self, field: Field[T]) -> T | None: ...
    @overload
    def get(self, field: str) -> str | None: ...
    def get(self, field: Field[Any] | str) -> Any:
        """
        Return the value of *field*, ``None`` where there is none.

        :raises ParseError: if it breaks its grammar.
        """
        known = text_field(field) if isinstance(field, str) else field
        match = known.find.search(f"\n{self.head}")
        return None if match is None else known.parse(unfold(match[1]).strip(" \t"))

    @property
    def content_type(self) -> MediaType:
        """
        The Content-Type, or the default one.

        :raises ParseError: if it breaks the grammar.
        """
        return self.get(CONTENT_TYPE) or self.default

    @property
    def disposition(self) -> Parameterised | None:
        """
        The Content-Disposition, ``None`` where there is none (:rfc:`5621#section-8`).

        :raises ParseError: if it breaks the grammar.
        """
        return self.get(CONTENT_DISPOSITION)

    @property
    def content_id(self) -> str | None:
        """
        The Content-ID without its brackets, as a ``cid:`` URI names it.
        """
        text = self.get("Content-ID")
        return None if text is None else text.removeprefix("<").removesuffix(">")

    def parts(self) -> tuple[Part, ...]:
        """
        Read the parts of this part.

        :raises ParseError: as :func:`parse_multipart`, and if it is too deep.
        :raises LocalProtocolError: if its Content-Type is not multipart.
        """
        if self.depth == MAX_DEPTH:
            raise ParseError(f"bodies within bodies beyond {MAX_DEPTH}")
        return _parse(self.content_type, self.body, self.depth + 1)

    def to_bytes(self) -> bytes:
        """
        Write header fields, blank line and body.
        """
        return self.head.encode("utf-8", "surrogateescape") + b"\r\n" + self.body


def parse_multipart(content_type: MediaType, body: bytes) -> tuple[Part, ...]:
    """
    Read the parts of a multipart *body* (:rfc:`2046#section-5.1`).

    What stands before the first and behind the last boundary is passed over.

    :param content_type: of the message; it names the boundary.
    :raises ParseError: if there is no boundary, no part or more than 64, or if the
        last boundary is missing.
    :raises LocalProtocolError: if *content_type* is not multipart.
    """
    return _parse(content_type, body, 1)


def _parse(content_type: MediaType, body: bytes, depth: int) -> tuple[Part, ...]:
    default = _MESSAGE if content_type.subtype == "digest" else _TEXT
    return tuple(
        _read_part(content, default, depth)
        for content in _split(body, _boundary_of(content_type))
    )


def _boundary_of(content_type: MediaType) -> bytes:
    if content_type.type != "multipart":
        raise LocalProtocolError(f"not multipart: {content_type}")
    boundary = unquote(content_type.parameters.get("boundary") or "")
    if _BOUNDARY(boundary) is None:
        raise ParseError(f"bad boundary {excerpt(boundary)}")
    return boundary.encode("ascii")


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    # Each boundary stands at the front of a line; the line end before it is not of
    # the part above.
    data = b"\r\n" + body
    delimiter = b"\r\n--" + boundary
    contents: list[bytes] = []
    begin = -1  # of the part that is being read
    place = data.find(delimiter)
    while place >= 0:
        rest = _REST(data, place + len(delimiter))
        if rest is not None:
            if begin >= 0:
                contents.append(data[begin:place])
            if len(contents) > MAX_PARTS:
                raise ParseError(f"more than {MAX_PARTS} parts in a body")
            if rest[1]:
                break
            begin = rest.end() + len(b"\r\n")
        # The line end below may begin the next delimiter.
        place = data.find(delimiter, place + len(delimiter))
    else:
        raise ParseError("multipart body without its last boundary")
    if not contents:
        raise ParseError("multipart body without parts")
    return contents


def _read_part(content: bytes, default: MediaType, depth: int) -> Part:
    if content.startswith(b"\r\n"):
        return Part("", content[2:], default, depth)
    head, _, body = content.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    if text:
        text = text.removesuffix("\r\n") + "\r\n"
    return Part(text, body, default, depth)


def write_multipart(
    parts: Sequence[Part], subtype: str = "mixed"
) -> tuple[MediaType, bytes]:
    """
    Write *parts* as one body.

    The same parts always yield the same octets, so that a retransmission is one.

    :returns: the Content-Type, with a boundary that stands in no part, and the body.
    :raises LocalProtocolError: if there is no part, or more than can be read.
    """
    if not 0 < len(parts) <= MAX_PARTS:
        raise LocalProtocolError(f"a body of {len(parts)} parts")
    contents = [part.to_bytes() for part in parts]
    boundary = _unused_boundary(contents)
    lines = [b"--%b\r\n%b\r\n" % (boundary, content) for content in contents]
    parameters = NONE.set("boundary", quote(boundary.decode("ascii")))
    body = b"".join((*lines, b"--%b--\r\n" % boundary))
    return MediaType("multipart", subtype, parameters), body


def _unused_boundary(contents: list[bytes]) -> bytes:
    boundary = b""
    while not boundary or any(boundary in content for content in contents):
        digest = hashlib.sha256(boundary + b"\0".join(contents))
        boundary = digest.hexdigest()[:32].encode("ascii")
    return boundary
