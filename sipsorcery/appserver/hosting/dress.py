"""
What a dialplan wants said in what it dials: header fields, From and the body. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.dial.template import Variable, as_host
from sipsorcery.appserver.errors import AppServerError, UnusableValue
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.fields import KEYS
from sipsorcery.sip.uri import SIPURI

#: Header fields of a dialplan, and characters of one value: more than anybody has had a
#: use for, and small beside what an INVITE has room for over UDP.
MAX_FIELDS, MAX_VALUE = 20, 512
#: Characters of a body: that of a session description with all that there is.
MAX_BODY = 16_384

# These make the request what it is: they are ours to write.
_OURS = frozenset(
    (
        *("via", "from", "to", "contact", "cseq", "call-id", "max-forwards"),
        *("route", "record-route", "require", "supported", "allow", "path"),
        *("mime-version", "www-authenticate", "session-expires", "min-se", "rack"),
        *("rseq", "refer-to", "replaces", "expires", "service-route"),
        *("p-asserted-identity", "identity", "max-breadth", "history-info"),
    )
)
_OURS_BEGIN = ("content-", "authorization", "proxy-")


class DressError(AppServerError):
    """
    Says what cannot be said in a request.
    """


def check_field(name: str, value: str) -> None:
    """
    Check that a dialplan may write a header field.

    :raises DressError: if not.
    """
    key = KEYS.get(name.lower(), name.lower())
    if not grammar.is_token(name) or len(name) > 64:
        raise DressError(f"{excerpt(name)} is no name of a header field")
    if key in _OURS or key.startswith(_OURS_BEGIN):
        raise DressError(f"{name} cannot be set by a dialplan")
    if len(value) > MAX_VALUE or not value.isprintable():
        raise DressError(f"{name}: a value is one line of at most {MAX_VALUE} letters")


def read_content(type: str, body: str) -> tuple[str, bytes]:
    """
    Read a body that a dialplan has written, and its type.

    :raises DressError: if it is too long, or of no type.
    """
    main, slash, sub = type.partition(";")[0].partition("/")
    is_type = slash and all(map(grammar.is_token, (main.strip(), sub.strip())))
    if not is_type or not type.isprintable() or len(type) > MAX_VALUE:
        raise DressError(f"{excerpt(type)} is no type of content")
    octets = body.encode("utf-8", "replace")
    if len(octets) > MAX_BODY:
        raise DressError(f"a body has at most {MAX_BODY} bytes")
    return type, octets


@dataclass(slots=True)
class Dress:
    """
    What is added to, or changed in, the INVITEs of a run from now on.

    :ivar fields: value by name; names differ by more than their case.
    :ivar from_parts: display name, user and host of From; None: as they came.
    :ivar content: type and body in place of the caller's; None: as it came.
    """

    fields: dict[str, str] = field(default_factory=dict)
    from_parts: tuple[str | None, str | None, str | None] = (None, None, None)
    content: tuple[str, bytes] | None = None

    def set_field(self, name: str, value: str) -> None:
        """
        Set a header field.

        :raises DressError: if a dialplan may not, or has too many.
        """
        check_field(name, value)
        self.remove_field(name)
        if len(self.fields) >= MAX_FIELDS:
            raise DressError(f"there are {MAX_FIELDS} header fields already")
        self.fields[name] = value

    def remove_field(self, name: str) -> None:
        """
        Leave a header field out, if it is there.
        """
        for each in [one for one in self.fields if one.lower() == name.lower()]:
            del self.fields[each]

    def set_sender(self, name: str | None, user: str | None, host: str | None) -> None:
        """
        Change From.

        :raises DressError: if no URI comes of it.
        """
        if name is not None and (len(name) > MAX_VALUE or not name.isprintable()):
            raise DressError("a name is one line of no great length")
        escaped = None if user is None else grammar.escape(user[:MAX_VALUE], _USER_SAFE)
        try:
            where = "invalid" if host is None else as_host(_HOST, host)
            SIPURI.parse(str(SIPURI("sip", escaped or None, where)))
        except (ParseError, UnusableValue) as error:
            raise DressError(f"there is no such From: {error}") from None
        self.from_parts = name, escaped or None, host

    def set_content(self, type: str, body: str) -> None:
        """
        Send another body.

        :raises DressError: if it is too long, or of no type.
        """
        self.content = read_content(type, body)

    def put_on(self, target: Target) -> Target:
        """
        Give a target what it is told beside.
        """
        if not self.fields and target.content is self.content:
            return target  # as nearly all plans want it
        lines = [f"{name}: {value}" for name, value in self.fields.items()]
        headers = (*target.headers, *lines)
        return replace(target, headers=headers, content=self.content)


_HOST = Variable("host")
# What needs no escape in a user part (RFC 3261, 25.1).
_USER_SAFE = "-_.!~*'()&=+$,;?/"
