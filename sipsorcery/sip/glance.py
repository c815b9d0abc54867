"""
The hot path of a server: a request whose mandatory fields are all written as usual.

One match finds them, checks their grammar and takes from them what tells transactions
and dialogs apart, and the lines that every answer repeats. What it makes of a request
is what the values of the fields would say; where it cannot be sure it sees nothing, and
the fields are parsed one by one. ``benchmarks/transactions.py`` says what that buys.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sipsorcery.sip.parameters import PLAIN_IN_URI

# Without leading zeros, which are not kept, and within bounds.
_PORT = r"(?::(?:[1-5][0-9]{4}|6[0-4][0-9]{3}|[1-9][0-9]{0,3}))?+"
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
_HOST = r"[A-Za-z0-9.\-]++"
_URI = rf"sips?:(?:[A-Za-z0-9\-_.!~*+%]++@)?+{_HOST}{_PORT}{PLAIN_IN_URI}"
#: Of From and To: no parameter but the tag, which is a group.
ADDRESS = rf"(?:\"[^\"\\\r]*+\"|[A-Za-z0-9._\- ]*+) ?<{_URI}>(?:;tag=({_TOKEN}))?"
_VIA = rf"Via: SIP/2\.0/[A-Z]++ {_HOST}{_PORT}"
_PARAMETER = r"[a-z]++(?:=[A-Za-z0-9.\-_~:]++)?+"
_BUT_BRANCH = rf"(?:;(?!branch){_PARAMETER})*+"
# The last alternative takes what none of the others will. With nothing behind them the
# match never goes back for another try: it costs no more than the section is long.
_MATCH = re.compile(
    rf"([A-Z]++) {_URI} SIP/2\.0\r\n"
    rf"(Via: SIP/2\.0/[A-Z]++ ({_HOST}{_PORT}){_BUT_BRANCH}"
    rf";branch=(z9hG4bK{_TOKEN}){_BUT_BRANCH}\r\n"
    rf"(?:{_VIA}(?:;{_PARAMETER})*+\r\n)*+)"
    r"(?:Max-Forwards: ([0-9]{1,2})\r\n"
    rf"|(From: {ADDRESS}\r\n)"
    rf"|(To: {ADDRESS}\r\n)"
    r"|(Call-ID: ([!-+\--:<-~]++)\r\n)"
    r"|(CSeq: (0|[1-9][0-9]{0,8}) \1\r\n)"
    r"|[A-UW-Z][A-Za-z0-9\-]++:[^\r]*+\r\n)*"
).match


class Glance(NamedTuple):
    """
    What a server sees of a usual request at one glance.

    :ivar branch: of the topmost Via, with the magic cookie.
    :ivar sent_by: of the topmost Via: host, and port where there is one, as spelled.
    :ivar sequence: the number of the CSeq, in digits.
    :ivar via_lines: the Vias, as they are in the header section; so are ``from_line``,
        ``to_line``, ``call_id_line`` and ``cseq_line``.
    """

    method: str
    via_lines: str
    sent_by: str
    branch: str
    max_forwards: str
    from_line: str
    from_tag: str | None
    to_line: str
    to_tag: str | None
    call_id_line: str
    call_id: str
    cseq_line: str
    sequence: str

    @classmethod
    def at(cls, head: str) -> Glance | None:
        """
        Look at a header section in which no field comes twice that should not.

        :param head: as `sipsorcery.sip.scanner` promises it.
        :return: None if any mandatory field is missing or odd.
        """
        match = _MATCH(head)
        if match is None or match.end() != len(head):
            return None
        seen = match.group(*_MANDATORY)
        return None if None in seen else _make(cls, match.groups())


_MANDATORY = (5, 6, 8, 10, 12)  # Max-Forwards, From, To, Call-ID, CSeq
_make = tuple.__new__
