"""
The hot path: a response that a proxy has nothing to do with but to pass it on.

One match shows that it has two Vias at least, each written as usual, and nothing of
what is said between a proxy and its servers. The first Via is cut out of the bytes
that came. ``benchmarks/proxy.py`` says what that buys.
"""

from __future__ import annotations

import re
from typing import Any

from sipsorcery.sip.fields import Field
from sipsorcery.sip.glance import ADDRESS
from sipsorcery.sip.response import Response
from sipsorcery.sip.usual import BARE_LF, SMALL, Lazy
from sipsorcery.sip.via import glance_at_via

# As in sipsorcery.sip.usual, but for what a proxy takes away or adds on the way back:
# Proxy-Received..., Proxy-Send..., P-Asserted-Identity and P-Preferred-Identity.
_LINES = (
    rb"(?:[ABD-KMNOQ-Z][^\r]{5,}+\r\n"
    rb"|C(?:[Sa-n]|o(?![Nn][Tt][Ee][Nn][Tt]-[Ll][Ee]))[^\r]{4,}+\r\n"
    rb"|P(?![Rr][Oo][Xx][Yy]-(?:[Rr][Ee][Cc]|[Ss])|-[AaPp])[^\r]{5,}+\r\n)*+"
)
# The sent-by has a port that is one; parameters are none that would move the end.
_VIA = rb"SIP/2\.0/[A-Z]++ [A-Za-z0-9.\-]++(?::[1-5]?[0-9]{1,4})?+"
_PARAMETERS = rb"(?:;[a-z]++(?:=[A-Za-z0-9.\-_~]++)?+)*+"
_USUAL = re.compile(
    rb"SIP/2\.0 (?P<status>[1-6][0-9]{2}) (?P<reason>[^\r]*+)\r\n"
    rb"Via: (?P<own>" + _VIA + _PARAMETERS + rb")\r\n"
    rb"Via: (?P<next>" + _VIA + _PARAMETERS + rb")\r\n"
    rb"(?:Via: [^\r]*+\r\n)*+"
    + _LINES
    + rb"Content-Length: (?P<length>[0-9]{1,4})\r\n"
    + _LINES
    + rb"\r\n"
).match
_OWN, _NEXT = 3, 4

# The first CSeq, in any spelling; what it says only if that is written as usual.
_CSEQ = re.compile(
    rb"\n[Cc][Ss][Ee][Qq][ \t]*+:(?: (?:0|[1-9][0-9]{0,8}) (?P<method>[A-Z]++)\r)?"
).search
_NAMES = re.compile(rb"\n([A-Z][A-Za-z0-9\-]++): ").findall
_ADDRESS = ADDRESS.encode()
_MANDATORY = {
    b"From": re.compile(rb"\nFrom: " + _ADDRESS + rb"\r"),
    b"To": re.compile(rb"\nTo: " + _ADDRESS + rb"\r"),
    b"Call-ID": re.compile(rb"\nCall-ID: [!-+\--:<-~]++\r"),
    b"CSeq": re.compile(rb"\nCSeq: (?:0|[1-9][0-9]{0,8}) [A-Z]++\r"),
}
# Both Vias of the match.
_TWO = [b"Via", b"Via"]

_new = object.__new__


class UsualResponse(Lazy, Response):
    """
    A response that still is the bytes that came, until somebody looks closer.
    """

    __slots__ = ("_settled", "_usual")

    @property
    def is_untouched(self) -> bool:
        """
        Whether nothing of it has been changed.
        """
        return self._usual is not None

    @property
    def vias(self) -> tuple[str, str]:
        """
        The texts of the topmost two Vias, as they came.
        """
        assert self._usual is not None  # it is for who knows that it is untouched
        own, below = self._usual.group(_OWN, _NEXT)
        return own.decode(), below.decode()

    def origin(self) -> tuple[str, str] | None:
        """
        Give branch and sent-by of the topmost Via at a glance.
        """
        if self._usual is None:
            return None
        return glance_at_via(self._usual[_OWN].decode())

    def method(self) -> str:
        """
        Give the method of the request that this answers.
        """
        if self._usual is not None:
            cseq = _CSEQ(self._usual.string, 0, self._usual.end())
            if cseq is not None and cseq["method"] is not None:
                return cseq["method"].decode()
        return super().method()

    def check(self, *fields: Field[Any]) -> None:
        """
        Parse all mandatory fields, and *fields* where present.
        """
        if fields or self._usual is None or not _has_all(self._usual):
            super().check(*fields)

    def without_top_via(self) -> Response:
        """
        Return a response of its own without the topmost Via.
        """
        usual = self._usual
        if usual is None:
            return super().without_top_via()
        start = usual.start(_OWN) - len(b"Via: ")
        section = usual.string[:start] + self._section(usual)[usual.end(_OWN) + 2 :]
        head = section.decode("utf-8", "surrogateescape")
        other = _new(Response)._adopt(head, self._body)
        other.status, other.reason = self.status, self.reason
        return other

    def finds(self, pattern: re.Pattern[bytes]) -> bool:
        """
        Tell whether a pattern is found in the header section that came.
        """
        assert self._usual is not None
        return pattern.search(self._usual.string, 0, self._usual.end()) is not None

    def passed_back(self) -> bytes:
        """
        Write it without its topmost Via.
        """
        assert self._usual is not None
        data = self._usual.string
        start = self._usual.start(_OWN) - len(b"Via: ")
        return data[:start] + data[self._usual.end(_OWN) + len(b"\r\n") :]


def _has_all(usual: re.Match[bytes]) -> bool:
    """
    Tell whether nobody could find fault with the mandatory fields.

    Each is written as usual, and no field comes twice that may not.
    """
    data, end = usual.string, usual.end()
    names: list[bytes] = _NAMES(data, 0, end)
    # The start line has no name, nor has the blank one at the end.
    if names[:2] != _TWO or len(names) != data.count(b"\n", 0, end) - 2:
        return False
    others = [name for name in names[2:] if name != b"Record-Route"]
    keys = set(map(bytes.lower, others))
    if len(keys) != len(others) or b"via" in keys:
        return False
    return all(
        name in others and pattern.search(data, 0, end) is not None
        for name, pattern in _MANDATORY.items()
    )


def parse_usual_response(data: bytes) -> UsualResponse | None:
    """
    Read a datagram that is a usual response and well framed; ``None`` for any other.
    """
    usual = _USUAL(data)
    if usual is None:
        return None
    end = usual.end()
    status, reason, length = usual.group(1, 2, 5)
    if end > SMALL or len(data) - end != int(length) or BARE_LF(data, 0, end):
        return None
    response = _new(UsualResponse)
    response.status = int(status)
    response.reason = reason.decode("utf-8", "surrogateescape")
    response._body = data[end:]
    response._index = None
    response._usual = usual
    response._settled = False
    response._values = {}
    return response
