"""
The header fields of SIP: their names, compact forms and what their values mean.

A :class:`Field` is the key to a message: ``message.get(CSEQ)`` is a
:class:`~sipsorcery.sip.cseq.CSeq`, or ``None``. A :class:`ListField` may hold
several values, in one line or in many. All names are those of the `registry
<https://www.iana.org/assignments/sip-parameters>`_ but for a few private ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sipsorcery.sip import scalars
from sipsorcery.sip.address import Address, parse_contact
from sipsorcery.sip.auth import AuthenticationInfo, Challenge, Credentials
from sipsorcery.sip.cseq import CSeq, RAck
from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.grammar import TOKEN, split_list
from sipsorcery.sip.parameterised import (
    DialogReference,
    Event,
    MediaType,
    Parameterised,
    Reason,
    Seconds,
    SubscriptionState,
)
from sipsorcery.sip.via import Via

T = TypeVar("T")

_NAME = re.compile(TOKEN).fullmatch

#: The lower-case key of every field name we know, long and compact.
KEYS: dict[str, str] = {}


class Field(Generic[T]):
    """
    A header field that holds one value.

    :ivar name: as the registry spells it.
    :ivar key: the name in lower case.
    :ivar every: the key with a comma, under which a message keeps all values.
    :ivar compact: the compact form, or ``None``.
    :ivar parse: reads one value, unfolded and stripped; raises ParseError.
    :ivar write: makes the text of a value.
    :ivar find: matches the line of the field in a header section, in any spelling;
        group 1 is its value, folds included. The search costs no more than the
        section is long.
    """

    __slots__ = ("compact", "every", "find", "key", "name", "parse", "write")

    def __init__(
        self,
        name: str,
        parse: Callable[[str], T],
        compact: str | None = None,
        write: Callable[[T], str] = str,
    ) -> None:
        self.name = name
        self.key = name.lower()
        self.every = f"{self.key},"
        self.compact = compact
        self.parse = parse
        self.write = write
        self.find = _line_pattern(name, compact)

    def split(self, text: str) -> list[str]:
        """
        Split the text of one line into the texts of its values.
        """
        return [text]

    def read(self, text: str) -> tuple[T, ...]:
        """
        Read all values of the text of one line.

        :raises ParseError: if it breaks the grammar.
        """
        return tuple(self.parse(value) for value in self.split(text))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class ListField(Field[T]):
    """
    A header field that holds a list of values, separated by commas.

    A line without any, as Accept and Supported may be, holds none.
    """

    __slots__ = ()

    def split(self, text: str) -> list[str]:
        """
        Split the text of one line into the texts of its values.

        :raises ParseError: if a quote or angle bracket is not closed.
        """
        if "," in text:
            return split_list(text)
        return [text] if text else []


class TokenListField(ListField[str]):
    """
    A list of tokens: Allow, Supported, Require.

    Doubled and trailing commas, as several devices send, are passed over.
    """

    __slots__ = ()

    def split(self, text: str) -> list[str]:
        """
        Split the text of one line into its tokens.
        """
        return [token for token in split_list(text) if token]

    def read(self, text: str) -> tuple[str, ...]:
        """
        Read all tokens of the text of one line.
        """
        return _tokens_in(text) if len(text) <= _SHORT else super().read(text)


# What devices say of themselves is the same in request after request, and so are many
# small values. As many texts as all models around have; 0.4 MB if hostile peers choose
# them.
_REMEMBERED = 1024
_SHORT = 256  # characters, as many as the longest Allow of a telephone


@lru_cache(maxsize=_REMEMBERED)
def _tokens_in(text: str) -> tuple[str, ...]:
    tokens = split_list(text)
    return tuple(scalars.parse_token(token) for token in tokens if token)


def _remembering(parse: Callable[[str], T]) -> Callable[[str], T]:
    """
    Let a parser remember what short texts mean.
    """
    known = lru_cache(maxsize=_REMEMBERED)(parse)

    def read(text: str) -> T:
        return known(text) if len(text) <= _SHORT else parse(text)

    return read


def _line_pattern(name: str, compact: str | None) -> re.Pattern[str]:
    # Spelled-out cases keep the literal "\n" at the front, which makes the search
    # skip from line to line; re.IGNORECASE would try every character.
    names = "|".join(
        "".join(
            f"[{letter.upper()}{letter.lower()}]"
            if letter.isalpha()
            else re.escape(letter)
            for letter in spelling
        )
        for spelling in filter(None, (name, compact))
    )
    return re.compile(rf"\n(?:{names})[ \t]*+:[ \t]*+([^\r]*+(?:\r\n[ \t][^\r]*+)*+)\r")


_FIELDS: dict[str, Field[Any]] = {}

F = TypeVar("F", bound=Field[Any])


def _known(field: F) -> F:
    _FIELDS[field.key] = field
    for spelling in filter(None, (field.name, field.compact)):
        KEYS[spelling] = KEYS[spelling.lower()] = field.key
    return field


def _one(
    name: str,
    parse: Callable[[str], T],
    compact: str | None = None,
    write: Callable[[T], str] = str,
) -> Field[T]:
    return _known(Field(name, parse, compact, write))


def _list(
    name: str,
    parse: Callable[[str], T],
    compact: str | None = None,
    write: Callable[[T], str] = str,
) -> ListField[T]:
    return _known(ListField(name, parse, compact, write))


def _text(name: str, compact: str | None = None) -> Field[str]:
    return _one(name, scalars.parse_text, compact)


def _tokens(name: str, compact: str | None = None) -> TokenListField:
    return _known(TokenListField(name, scalars.parse_token, compact))


def _words(name: str, compact: str | None = None) -> ListField[Parameterised]:
    return _list(name, Parameterised.parse, compact)


# RFC 3261: routing and identification.
VIA = _list("Via", Via.parse, "v")
FROM = _one("From", Address.parse, "f")
TO = _one("To", Address.parse, "t")
CALL_ID = _one("Call-ID", scalars.parse_call_id, "i")
CSEQ = _one("CSeq", _remembering(CSeq.parse))
MAX_FORWARDS = _one("Max-Forwards", scalars.parse_max_forwards)
CONTACT = _list("Contact", parse_contact, "m")
ROUTE = _list("Route", Address.parse)
RECORD_ROUTE = _list("Record-Route", Address.parse)
REPLY_TO = _one("Reply-To", Address.parse)
EXPIRES = _one("Expires", scalars.parse_seconds)
MIN_EXPIRES = _one("Min-Expires", scalars.parse_seconds)
RETRY_AFTER = _one("Retry-After", Seconds.parse)
TIMESTAMP = _one("Timestamp", scalars.Timestamp.parse)
DATE = _one("Date", scalars.parse_date, write=scalars.write_date)

# RFC 3261: the body.
CONTENT_LENGTH = _one("Content-Length", scalars.parse_content_length, "l")
CONTENT_TYPE = _one("Content-Type", _remembering(MediaType.parse), "c")
CONTENT_DISPOSITION = _one("Content-Disposition", Parameterised.parse)
CONTENT_ENCODING = _tokens("Content-Encoding", "e")
CONTENT_LANGUAGE = _tokens("Content-Language")
MIME_VERSION = _text("MIME-Version")

# RFC 3261: capabilities.
ACCEPT = _list("Accept", MediaType.parse)
ACCEPT_ENCODING = _words("Accept-Encoding")
ACCEPT_LANGUAGE = _words("Accept-Language")
ALLOW = _tokens("Allow")
SUPPORTED = _tokens("Supported", "k")
REQUIRE = _tokens("Require")
PROXY_REQUIRE = _tokens("Proxy-Require")
UNSUPPORTED = _tokens("Unsupported")

# RFC 3261: for people.
ALERT_INFO = _list("Alert-Info", Address.parse)
CALL_INFO = _list("Call-Info", Address.parse)
ERROR_INFO = _list("Error-Info", Address.parse)
IN_REPLY_TO = _list("In-Reply-To", scalars.parse_call_id)
ORGANIZATION = _text("Organization")
PRIORITY = _one("Priority", scalars.parse_token)
SERVER = _text("Server")
SUBJECT = _text("Subject", "s")
USER_AGENT = _text("User-Agent")
WARNING = _list("Warning", scalars.WarningValue.parse)

# Authentication: several challenges are several lines (RFC 3261, 20.7, 20.44).
WWW_AUTHENTICATE = _known(Field("WWW-Authenticate", Challenge.parse))
PROXY_AUTHENTICATE = _known(Field("Proxy-Authenticate", Challenge.parse))
AUTHORIZATION = _known(Field("Authorization", Credentials.parse))
PROXY_AUTHORIZATION = _known(Field("Proxy-Authorization", Credentials.parse))
AUTHENTICATION_INFO = _one("Authentication-Info", AuthenticationInfo.parse)
PROXY_AUTHENTICATION_INFO = _one("Proxy-Authentication-Info", AuthenticationInfo.parse)

# Reliable provisional responses, session timers (RFC 3262, 4028).
RSEQ = _one("RSeq", scalars.parse_rseq)
RACK = _one("RAck", RAck.parse)
SESSION_EXPIRES = _one("Session-Expires", _remembering(Seconds.parse), "x")
MIN_SE = _one("Min-SE", _remembering(Seconds.parse))

# Registration, outbound, GRUU (RFC 3327, 3608, 5626, 3455).
PATH = _list("Path", Address.parse)
SERVICE_ROUTE = _list("Service-Route", Address.parse)
FLOW_TIMER = _one("Flow-Timer", scalars.parse_seconds)
P_ASSOCIATED_URI = _list("P-Associated-URI", Address.parse)

# Events and publication (RFC 6665, 3903).
EVENT = _one("Event", Event.parse, "o")
ALLOW_EVENTS = _tokens("Allow-Events", "u")
SUBSCRIPTION_STATE = _one("Subscription-State", SubscriptionState.parse)
SIP_ETAG = _one("SIP-ETag", scalars.parse_token)
SIP_IF_MATCH = _one("SIP-If-Match", scalars.parse_token)

# Transfer and dialog references (RFC 3515, 3892, 4488, 3891, 3911, 4538).
REFER_TO = _one("Refer-To", Address.parse, "r")
REFERRED_BY = _one("Referred-By", Address.parse, "b")
REFER_SUB = _one("Refer-Sub", Parameterised.parse)
REPLACES = _one("Replaces", DialogReference.parse)
JOIN = _one("Join", DialogReference.parse)
TARGET_DIALOG = _one("Target-Dialog", DialogReference.parse)

# Identity, privacy, history (RFC 3325, 3323, 8224, 7044, 5806).
P_ASSERTED_IDENTITY = _list("P-Asserted-Identity", Address.parse)
P_PREFERRED_IDENTITY = _list("P-Preferred-Identity", Address.parse)
REMOTE_PARTY_ID = _list("Remote-Party-ID", Address.parse)
PRIVACY = _one("Privacy", scalars.parse_privacy, write=scalars.write_privacy)
IDENTITY = _text("Identity", "y")
IDENTITY_INFO = _text("Identity-Info", "n")
HISTORY_INFO = _list("History-Info", Address.parse)
DIVERSION = _list("Diversion", Address.parse)
USER_TO_USER = _text("User-to-User")

# Caller preferences (RFC 3841).
ACCEPT_CONTACT = _words("Accept-Contact", "a")
REJECT_CONTACT = _words("Reject-Contact", "j")
REQUEST_DISPOSITION = _tokens("Request-Disposition", "d")

# The rest that we read somewhere.
REASON = _list("Reason", Reason.parse)
GEOLOCATION = _list("Geolocation", Address.parse)
SECURITY_CLIENT = _words("Security-Client")
SECURITY_SERVER = _words("Security-Server")
SECURITY_VERIFY = _words("Security-Verify")
FEATURE_CAPS = _words("Feature-Caps")
INFO_PACKAGE = _one("Info-Package", Parameterised.parse)
RECV_INFO = _words("Recv-Info")
MAX_BREADTH = _one("Max-Breadth", scalars.parse_seconds)
SESSION_ID = _one("Session-ID", Parameterised.parse)

# Private to the suite: between the proxy and the roles, and from the original.
PROXY_RECEIVED_FROM = _text("Proxy-ReceivedFrom")
PROXY_RECEIVED_ON = _text("Proxy-ReceivedOn")
PROXY_RECEIVED_TRUNK = _text("Proxy-ReceivedTrunk")
PROXY_SEND_FROM = _text("Proxy-SendFrom")
SWITCHBOARD_ORIGINAL_CALL_ID = _text("Switchboard-OriginalCallID")
SWITCHBOARD_LINE_NAME = _text("Switchboard-LineName")
SWITCHBOARD_OWNER = _text("Switchboard-Owner")
SWITCHBOARD_TERMINATE = _text("Switchboard-Terminate")
CRM_PERSON_NAME = _text("CRM-PersonName")
CRM_COMPANY_NAME = _text("CRM-CompanyName")
CRM_PICTURE_URL = _text("CRM-PictureURL")


#: Keys of fields that a message holds at most once, and that somebody acts upon.
SINGLE = frozenset(
    field.key
    for field in _FIELDS.values()
    if not isinstance(field, ListField)
    and field.parse not in (scalars.parse_text, Challenge.parse, Credentials.parse)
)


def known_fields() -> tuple[Field[Any], ...]:
    """
    Return every field of the table.
    """
    return tuple(_FIELDS.values())


@lru_cache(maxsize=256)  # more names than one installation uses
def text_field(name: str) -> Field[str]:
    """
    Return a field of free text for a *name*, long or compact, in any case.

    :raises LocalProtocolError: if the name is no token.
    """
    if _NAME(name) is None:
        raise LocalProtocolError(f"no field name: {excerpt(name)}")
    low = name.lower()
    known = _FIELDS.get(KEYS.get(low, low))
    if known is None:
        return Field(name, scalars.parse_text)
    return Field(known.name, scalars.parse_text, known.compact)


#: How many unknown spellings of names are remembered: more than any set of
#: devices uses, too few to matter when a hostile one invents them.
_REMEMBERED = 4096
_remembered: dict[str, str] = dict(KEYS)
#: Gives the key of a spelling that has been seen before, ``None`` for any other.
remembered_key = _remembered.get


def key_of(spelling: str) -> str:
    """
    Return the lower-case key of a field name as a message spells it.

    The name may be long or compact; blanks before the colon are dropped.

    :raises ParseError: if it is no token.
    """
    key = _remembered.get(spelling)
    if key is not None:
        return key
    name = spelling.rstrip(" \t")
    if _NAME(name) is None:
        raise ParseError(f"bad field name {excerpt(spelling)}")
    low = name.lower()
    key = KEYS.get(low, low)
    if len(_remembered) < _REMEMBERED and len(spelling) < 64:
        _remembered[spelling] = key
    return key
