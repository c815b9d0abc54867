"""
What a dialplan wants said in what it dials: header fields, From and the body. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sipsorcery.appserver.dial.extra_fields import MAX_FIELDS, MAX_VALUE, check_field
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.dial.template import Variable, as_host
from sipsorcery.appserver.errors import DressError, UnusableValue
from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.uri import SIPURI

#: Characters of a body: that of a session description with all that there is.
MAX_BODY = 16_384


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
