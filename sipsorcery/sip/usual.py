"""
The hot path: a request as nearly all devices write it.

One match finds what a proxy asks for and rules out all that is odd: it stands for
the line ends, the limits and the framing that :mod:`sipsorcery.sip.scanner` and
:mod:`sipsorcery.sip.parser` check step by step. The header section is not even
turned into text before somebody reads or changes a field, and what a proxy does to
every request is done to the bytes. ``benchmarks/messages.py`` says what that buys.
"""

from __future__ import annotations

import re
from typing import Any

from sipsorcery.sip.fields import ROUTE, Field
from sipsorcery.sip.glance import ADDRESS, Glance
from sipsorcery.sip.limits import MAX_FIELDS
from sipsorcery.sip.message import Message
from sipsorcery.sip.request import Request
from sipsorcery.sip.via import glance_at_via

# Lines that are neither Route, Content-Length nor Max-Forwards in any spelling, nor
# compact, nor the fold of another, nor shorter than six characters. Each ends at its
# first CR, which LF must follow.
_LINES = (
    rb"(?:[ABD-KN-QS-Z][^\r]{5,}+\r\n"
    rb"|C(?:[Sa-n]|o(?![Nn][Tt][Ee][Nn][Tt]-[Ll][Ee]))[^\r]{4,}+\r\n"
    rb"|M(?![Aa][Xx]-[Ff])[^\r]{5,}+\r\n"
    rb"|R(?![Oo][Uu][Tt][Ee][ \t]*+:)[^\r]{5,}+\r\n)*+"
)
# Parameters of a Via, but none that a server has a say in: received, rport.
_PARAMETERS = rb"(?:;(?!r)[a-z]++(?:=[A-Za-z0-9.\-_~]++)?+)*+"
_USUAL = re.compile(
    rb"(?P<method>[A-Z]++) (?P<uri>[!-~]++) SIP/2\.0\r\n"
    rb"Via: SIP/2\.0/[A-Z]++ (?P<host>[A-Za-z0-9.\-]++)(?::[1-5]?[0-9]{1,4})?+"
    rb"(?P<noted>" + _PARAMETERS + rb"(?P<rport>;rport)?+)" + _PARAMETERS + rb"\r\n"
    rb"(?:Via: [^\r]*+\r\n)*+"
    rb"(?:Record-Route: [^\r]*+\r\n)*+"  # where proxies put it
    rb"(?:Max-Forwards: (?P<hops>[0-9]{1,2})\r\n)?+"
    + _LINES
    + rb"(?P<routes>(?:Route: [^\r]*+\r\n)*+)"
    + _LINES
    + rb"Content-Length: (?P<length>[0-9]{1,4})\r\n"
    + _LINES
    + rb"\r\n"
).match
# The match knows of each CR that LF follows it. Where LF stands alone the next server
# might see a field that we do not.
BARE_LF = re.compile(rb"\n(?<!\r\n)").search
# Groups of the match. What note_source writes goes to the end of NOTED.
_URI, _HOST, _NOTED, _RPORT, _HOPS, _ROUTES = 2, 3, 4, 5, 6, 7
_NAMES = re.compile(rb"\n([A-Z][A-Za-z0-9\-]++):").findall
# What may come more than once, as nearly everybody spells it.
_MANY = frozenset({b"Via", b"Route", b"Record-Route"})
_MANY_KEYS = frozenset(map(bytes.lower, _MANY))
_VIAS = re.compile(rb"\n[Vv](?:[Ii][Aa])?+[ \t]*+:([^\r]*+)").findall
# The first To, in any spelling; what it says only if that is written as usual.
_TO = re.compile(
    rb"\n[Tt][Oo]?+[ \t]*+:(?P<usual> " + ADDRESS.encode() + rb"\r)?"
).search
_TO_TAG = 2
# Every Call-ID, likewise.
_CALL_IDS = re.compile(
    rb"\n(?:[Cc][Aa][Ll][Ll]-[Ii][Dd]|[Ii])[ \t]*+:(?: ([!-+\--:<-~]++)\r)?"
).findall
_VIA = len(b" SIP/2.0\r\nVia: ")  # from the end of the Request-URI
# Bytes of a header section that can break no limit: six characters a line and CRLF.
SMALL = 8 * MAX_FIELDS

_head = Message._head  # type: ignore[misc]  # the slot, which a property covers below
_read_slot = _head.__get__  # type: ignore[attr-defined]
_write_slot = _head.__set__  # type: ignore[attr-defined]


_new = object.__new__


class Lazy(Message):
    """
    A message that still is the bytes that came, until somebody looks closer.

    Its slots are those of the classes below: only one of several bases may have any.
    """

    __slots__ = ()

    # The match, as long as the fields are what came, but for what section() adds.
    _usual: re.Match[bytes] | None
    # Whether the header section has been made text.
    _settled: bool

    @property
    def _head(self) -> str:
        if not self._settled:
            assert self._usual is not None  # it goes when the text changes
            section = self._section(self._usual)
            _write_slot(self, section.decode("utf-8", "surrogateescape"))
            self._settled = True  # type: ignore[misc]  # a slot of the classes below
        text: str = _read_slot(self)
        return text

    @_head.setter
    def _head(self, head: str) -> None:
        _write_slot(self, head)
        self._settled = True  # type: ignore[misc]  # likewise
        self._usual = None  # type: ignore[misc]  # likewise

    def compact(self, *, keep_body: bool = True) -> None:
        """
        Let go of what was parsed, and of the bytes if there is a text.
        """
        if self._settled or not keep_body:
            self._head = self._head
        super().compact(keep_body=keep_body)

    def count_vias(self) -> int:
        """
        Count the Vias, of which those further down may be broken.
        """
        if self._usual is not None:
            lines = _VIAS(self._usual.string, 0, self._usual.end())
            if all(b"," not in line and line.strip() for line in lines):
                return len(lines)
        return super().count_vias()

    def _section(self, usual: re.Match[bytes]) -> bytes:
        """
        Give the header section without the blank line.
        """
        return usual.string[: usual.end() - len(b"\r\n")]


class UsualRequest(Lazy, Request):
    """
    A request as it came.
    """

    __slots__ = ("_noted", "_origin", "_routes", "_settled", "_usual")

    # See origin.
    _origin: tuple[str, str] | None

    # What note_source puts at the end of the topmost Via.
    _noted: bytes
    # The Route lines that are left.
    _routes: bytes

    @property
    def is_untouched(self) -> bool:
        """
        Whether the fields are what came, but for what has a method here.
        """
        return self._usual is not None

    @property
    def routes(self) -> bytes:
        """
        The lines of Route, while it is untouched.
        """
        return self._routes

    @property
    def hops(self) -> int | None:
        """
        The Max-Forwards that came.
        """
        hops: int | None = self._values.get("max-forwards")
        return hops

    def has(self, text: bytes) -> bool:
        """
        Tell whether bytes stand anywhere in what came.
        """
        assert self._usual is not None
        return text in self._usual.string

    def finds(self, pattern: re.Pattern[bytes]) -> bool:
        """
        Tell whether a pattern is found in the header section that came.
        """
        return self.search(pattern) is not None

    def search(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """
        Look for a pattern in the header section that came.
        """
        assert self._usual is not None
        return pattern.search(self._usual.string, 0, self._usual.end())

    def origin(self) -> tuple[str, str] | None:
        """
        Give branch and sent-by of the topmost Via at a glance.
        """
        if self._usual is None:
            return super().origin()
        if self._origin is None:
            data = self._usual.string
            start = self._usual.end(_URI) + _VIA
            via = data[start : data.index(b"\r", start)]
            self._origin = glance_at_via(via.decode())
        return self._origin

    @property
    def received(self) -> str:
        """
        The address that was noted in the topmost Via, while it is untouched, or "".
        """
        return self._noted.partition(b"received=")[2].decode()

    def _look(self, head: str) -> Glance | None:
        usual = self._usual
        if usual is not None:
            # Nothing comes twice, not even in another spelling: that spares the index.
            names: list[bytes] = _NAMES(usual.string, 0, usual.end())
            others = [name for name in names if name not in _MANY]
            keys = set(map(bytes.lower, others))
            if (
                len(keys) == len(others)
                and keys.isdisjoint(_MANY_KEYS)
                and len(names) == usual.string.count(b"\n", 0, usual.end()) - 2
            ):
                return Glance.at(head)
        return super()._look(head)

    def to_tag(self) -> str | None:
        """
        Give the tag of the To.
        """
        if self._usual is not None:
            to = _TO(self._usual.string, 0, self._usual.end())
            if to is not None and to["usual"] is not None:
                tag = to[_TO_TAG]
                return None if tag is None else tag.decode()
        return super().to_tag()

    def call_id(self) -> str:
        """
        Give the Call-ID.
        """
        if self._usual is not None:
            found = _CALL_IDS(self._usual.string, 0, self._usual.end())
            if len(found) == 1 and found[0]:
                text: bytes = found[0]
                return text.decode()
        return super().call_id()

    def drop_routes(self) -> None:
        """
        Take away all Routes.
        """
        if self._usual is None:
            self.remove(ROUTE)
            return
        self._routes = b""
        self._forget(ROUTE)
        self._values[ROUTE.key] = None
        self._settled = False

    def _section(self, usual: re.Match[bytes]) -> bytes:
        data, place = usual.string, usual.end(_NOTED)
        start, end = usual.span(_ROUTES)
        section_end = usual.end() - len(b"\r\n")
        head = data[:place] + self._noted + data[place:start]
        return head + self._routes + data[end:section_end]

    def _first_text(self, field: Field[Any]) -> str | None:
        if field is ROUTE and self._usual is not None and (routes := self._routes):
            text = routes[len(b"Route: ") : routes.index(b"\r")]
            return text.decode("utf-8", "surrogateescape").strip(" \t")
        return super()._first_text(field)

    def note_source(self, address: str, port: int) -> None:
        """
        Note in the topmost Via where the request came from.
        """
        if self._usual is None or self._settled or self._noted:
            super().note_source(address, port)
            return
        if self._usual[_RPORT] is not None:
            self._noted = b"=%d;received=%b" % (port, address.encode())
        elif self._usual[_HOST].decode() != address:
            self._noted = b";received=%b" % address.encode()

    def forwarded(
        self, via: str, hops: int, lines: str = "", uri: str | None = None
    ) -> bytes:
        """
        Write the request as a proxy passes it on.
        """
        usual = self._usual
        if usual is None:
            return super().forwarded(via, hops, lines, uri)
        hops_start, hops_end = usual.span(_HOPS)
        if hops_start < 0:
            return super().forwarded(via, hops, lines, uri)
        data = usual.string
        line_end = usual.end(_URI) + len(b" SIP/2.0\r\n")
        place = usual.end(_NOTED)
        below = data.index(b"\n", place) + 1
        start, end = usual.span(_ROUTES)
        return b"%bVia: %b\r\n%b%b%b%b%b%d%b%b%b" % (
            data[:line_end] if uri is None else _line(self.method, uri),
            via.encode(),
            data[line_end:place],
            self._noted,
            data[place:below],
            lines.encode(),
            data[below:hops_start],
            hops,
            data[hops_end:start],
            self._routes,
            data[end:],
        )


def _line(method: str, uri: str) -> bytes:
    return f"{method} {uri} SIP/2.0\r\n".encode()


def parse_usual(data: bytes) -> UsualRequest | None:
    """
    Read a datagram that is a usual request and well framed; ``None`` for any other.
    """
    usual = _USUAL(data)
    if usual is None:
        return None
    end = usual.end()
    method, uri, hops, routes, length = usual.group(1, 2, 6, 7, 8)
    if end > SMALL or len(data) - end != int(length) or BARE_LF(data, 0, end):
        return None
    request = _new(UsualRequest)
    request.method = method.decode()
    request.request_uri = uri.decode()
    request._body = data[end:]
    request._uri = None
    request._index = None
    request._glanced_at = None
    request._usual = usual
    request._settled = False
    request._noted = b""
    request._origin = None
    request._routes = routes
    request._values = {} if routes else {"route": None}
    if hops is not None:
        request._values["max-forwards"] = int(hops)
    return request
