"""
Readers and writers of the simplest field values: words, lists of words, dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt

# callid = word [ "@" word ]; devices also put what a word may not hold.
_CALL_ID = re.compile(r"[^\s,;\x00-\x1f\x7f]++").fullmatch
_WARNING = re.compile(
    rf"([1-9][0-9]{{2}}){grammar.LWS}([^\s\"]++){grammar.LWS}({grammar.QUOTED_STRING})",
    re.DOTALL,
).fullmatch
# Timestamp = 1*DIGIT [ "." *DIGIT ] [ LWS delay ]. A delay of ten digits would be
# three hundred years.
_TIMESTAMP = re.compile(
    r"([0-9]++(?:\.[0-9]*+)?)(?:[ \t]++([0-9]{1,9}(?:\.[0-9]*+)?|\.[0-9]++))?"
).fullmatch
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# SIP-date = rfc1123-date, always GMT (RFC 3261, 20.17).
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), "
    rf"([0-9]{{2}}) ({_MONTHS}) ([0-9]{{4}}) ([0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}) GMT"
).fullmatch


def parse_text(text: str) -> str:
    """
    Read free text: Subject, User-Agent, Organization.
    """
    return text


def parse_token(text: str) -> str:
    """
    Read one token.

    :raises ParseError: if *text* is none.
    """
    if not grammar.is_token(text):
        raise ParseError(f"not a token: {excerpt(text)}")
    return text


def parse_call_id(text: str) -> str:
    """
    Read a Call-ID, which is compared byte by byte (:rfc:`3261#section-20.8`).

    :raises ParseError: if it is empty or holds white space or control characters.
    """
    if _CALL_ID(text) is None:
        raise ParseError(f"bad Call-ID {excerpt(text)}")
    return text


def parse_max_forwards(text: str) -> int:
    """
    Read a Max-Forwards, 0 to 255 (:rfc:`3261#section-20.22`).
    """
    return grammar.number(text, 255, "Max-Forwards")


def parse_content_length(text: str) -> int:
    """
    Read a Content-Length in bytes; what a message may hold is checked elsewhere.
    """
    return grammar.number(text, 2**31 - 1, "Content-Length")


def parse_seconds(text: str) -> int:
    """
    Read delta-seconds, below 2**32.
    """
    return grammar.number(text, grammar.MAX_SECONDS, "number of seconds")


def parse_rseq(text: str) -> int:
    """
    Read an RSeq, below 2**32 (:rfc:`3262#section-7.1`).
    """
    return grammar.number(text, 2**32 - 1, "RSeq")


def parse_privacy(text: str) -> tuple[str, ...]:
    """
    Read the priv-values of a Privacy field (:rfc:`3323#section-4.2`), in lower case.

    :raises ParseError: if one is no token.
    """
    return tuple(parse_token(value).lower() for value in grammar.split_list(text, ";"))


def write_privacy(values: tuple[str, ...]) -> str:
    """
    Write the priv-values of a Privacy field.
    """
    return ";".join(values)


def parse_date(text: str) -> datetime:
    """
    Read a Date; the result is in UTC.

    :raises ParseError: if it is no rfc1123-date in GMT.
    """
    match = _DATE(text)
    if match is None:
        raise ParseError(f"bad Date {excerpt(text)}")
    day, month, year, time = match.groups()
    number = _MONTHS.index(month) // 4 + 1
    try:
        return datetime.fromisoformat(f"{year}-{number:02}-{day}T{time}+00:00")
    except ValueError:
        raise ParseError(f"no such Date {excerpt(text)}") from None


def write_date(moment: datetime) -> str:
    """
    Write a Date in GMT.

    :param moment: with a time zone.
    """
    return format_datetime(moment.astimezone(UTC), usegmt=True)


@dataclass(frozen=True, slots=True)
class WarningValue:
    """
    One Warning value (:rfc:`3261#section-20.43`).

    :ivar code: three digits; those of SIP start with 3.
    :ivar agent: host or pseudonym of who adds the warning.
    """

    code: int
    agent: str
    text: str

    @classmethod
    def parse(cls, text: str) -> WarningValue:
        """
        Read one value.

        :raises ParseError: if *text* breaks the grammar.
        """
        match = _WARNING(text)
        if match is None:
            raise ParseError(f"bad Warning {excerpt(text)}")
        return cls(int(match[1]), match[2], grammar.unquote(match[3]))

    def __str__(self) -> str:
        return f"{self.code:03d} {self.agent} {grammar.quote(self.text)}"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """
    When a request was sent, and how long the answer took (:rfc:`3261#section-20.38`).

    :ivar sent: as spelled, for it must come back as it was.
    :ivar delay: seconds, ``None`` in requests.
    """

    sent: str
    delay: float | None = None

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """
        Read one value.

        :raises ParseError: if it is not one or two decimal numbers.
        """
        match = _TIMESTAMP(text)
        if match is None:
            raise ParseError(f"bad Timestamp {excerpt(text)}")
        return cls(match[1], None if match[2] is None else float(match[2]))

    def __str__(self) -> str:
        return self.sent if self.delay is None else f"{self.sent} {self.delay:.6f}"
