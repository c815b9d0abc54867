"""
Addresses: the name-addr and addr-spec of From, To, Contact, Route and many more.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.parameters import NONE, PLAIN, PLAIN_IN_URI, Parameters
from sipsorcery.sip.uri import SIPURI, URI, parse_uri

# name-addr = [ display-name ] LAQUOT addr-spec RAQUOT. An unquoted display name
# is a row of tokens; phones also leave UTF-8, "/", ":", "(", "@" unquoted, which
# does no harm. A comma does (RFC 4475, 3.1.2.15): the list would split there.
_NAME_ADDR = re.compile(
    rf'(?:(?P<quoted>{grammar.QUOTED_STRING})|(?P<plain>[^",;<>]*+))'
    rf"{grammar.SWS}<{grammar.SWS}(?P<uri>[^<>]*+)>{grammar.SWS}(?P<parameters>.*+)",
    re.DOTALL,
).fullmatch

#: The value of ``Contact: *``.
STAR: Final = "*"

# How nearly all devices write an address of a sip URI: one match instead of five.
_USUAL = re.compile(
    r"(?:\"([^\"\\]*+)\" ?|([A-Za-z0-9._\-]*+) ?)<"
    r"(sips?):(?:([A-Za-z0-9+_.\-]++)@)?+([A-Za-z0-9.\-]++)(?::([1-5]?[0-9]{1,4}))?+"
    rf"({PLAIN_IN_URI})>({PLAIN})"
).fullmatch

_make = tuple.__new__

# qvalue allows three digits behind the point; some clients send more.
_QVALUE = re.compile(r"0?\.[0-9]{1,8}|[01](?:\.[0-9]{0,8})?").fullmatch


class Address(NamedTuple):
    """
    A URI with a display name and header parameters (:rfc:`3261#section-20.10`).

    :ivar display_name: without quotes and escapes; ``None`` where there is none.
    :ivar parameters: those of the field, not those of the URI.
    """

    uri: URI
    display_name: str | None = None
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Address:
        """
        Read one name-addr or addr-spec.

        Without angle brackets all parameters belong to the field, and the URI may
        hold neither comma nor question mark (:rfc:`3261#section-20`).

        :raises ParseError: if *text* breaks the grammar.
        """
        if (usual := _USUAL(text)) is not None:
            quoted, plain, scheme, user, host, port, inner, outer = usual.groups()
            number = None if port is None else int(port)
            parameters = Parameters.trusted(inner) if inner else NONE
            # Past the signatures of the two, which cost as much as all the rest.
            sip = _make(SIPURI, (scheme, user, host, number, parameters, (), None))
            parameters = Parameters.trusted(outer) if outer else NONE
            return _make(cls, (sip, quoted or plain or None, parameters))
        # An addr-spec may have "<" in a quoted parameter: a +sip.instance has.
        match = _NAME_ADDR(text) if "<" in text else None
        if match is None:
            return cls._parse_addr_spec(text)
        quoted, plain, uri, rest = match.groups()
        # Parameters right after ">" without ";" are sent by some gateways.
        if rest and rest[0] != ";":
            rest = f";{rest}"
        return cls(
            parse_uri(uri.rstrip(" \t")),
            (grammar.unquote(quoted) if quoted else plain.strip(" \t")) or None,
            Parameters.parse(rest) if rest else NONE,
        )

    @classmethod
    def _parse_addr_spec(cls, text: str) -> Address:
        uri, semicolon, rest = text.partition(";")
        if "," in uri or "?" in uri:
            raise ParseError(f"no address, or no brackets round it: {excerpt(text)}")
        return cls(
            parse_uri(uri.rstrip(" \t")),
            parameters=Parameters.parse(semicolon + rest),
        )

    @property
    def tag(self) -> str | None:
        """
        The tag of a From or To.
        """
        return self.parameters.get("tag")

    @property
    def expires(self) -> int | None:
        """
        The expires parameter of a Contact in seconds, ``None`` if absent.

        :raises ParseError: if it is no number below 2**32.
        """
        text = self.parameters.get("expires")
        if text is None:
            return None
        return grammar.number(text, grammar.MAX_SECONDS, "expires of a contact")

    @property
    def q(self) -> float | None:
        """
        The preference of a Contact, 0 to 1, ``None`` if absent.

        :raises ParseError: if it is no qvalue.
        """
        text = self.parameters.get("q")
        if text is None:
            return None
        if _QVALUE(text) is None or float(text) > 1:
            raise ParseError(f"bad q value {excerpt(text)}")
        return float(text)

    def with_parameter(self, name: str, value: str | None = None) -> Address:
        """
        Return a copy in which the field parameter *name* has *value*.
        """
        return self._replace(parameters=self.parameters.set(name, value))

    def with_tag(self, tag: str) -> Address:
        """
        Return a copy with this *tag*.
        """
        return self.with_parameter("tag", tag)

    def __str__(self) -> str:
        name = f"{grammar.quote(self.display_name)} " if self.display_name else ""
        return f"{name}<{self.uri}>{self.parameters}"


def parse_contact(text: str) -> Address | str:
    """
    Read one Contact value: an address, or :data:`STAR`.

    :raises ParseError: if *text* is neither.
    """
    return STAR if text == STAR else Address.parse(text)
