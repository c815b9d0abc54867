"""
Values that are one word with parameters behind it.

Many fields have this shape; what the word and the parameters mean is said by the
classes here, one a field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from sipsorcery.sip import grammar
from sipsorcery.sip.errors import ParseError, excerpt
from sipsorcery.sip.parameters import NONE, Parameters

# Beyond token: "/" of a media type, "*/*".
_WORD = re.compile(r"[^\s;,\"<>]++").fullmatch
# callid = word [ "@" word ]; a word may hold quotes and angle brackets.
_CALL_ID = re.compile(r"[^\s;,]++").fullmatch
_MEDIA_TYPE = re.compile(
    rf"({grammar.TOKEN}){grammar.SWS}/{grammar.SWS}({grammar.TOKEN})"
).fullmatch


def _split(text: str) -> tuple[str, Parameters]:
    word, semicolon, rest = text.partition(";")
    return word.rstrip(" \t"), Parameters.parse(semicolon + rest)


@dataclass(frozen=True, slots=True)
class Parameterised:
    """
    A word with parameters: Accept-Encoding, Security-Client, Feature-Caps and others.
    """

    word: str
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read one value.

        :raises ParseError: if the word or a parameter breaks the grammar.
        """
        word, parameters = _split(text)
        if _WORD(word) is None:
            raise ParseError(f"bad value {excerpt(text)}")
        return cls(word, parameters)

    def with_parameter(self, name: str, value: str | None = None) -> Self:
        """
        Return a copy in which the parameter *name* has *value*.
        """
        return replace(self, parameters=self.parameters.set(name, value))

    def __str__(self) -> str:
        return f"{self.word}{self.parameters}"

    def _seconds(self, name: str) -> int | None:
        value = self.parameters.get(name)
        if value is None:
            return None
        return grammar.number(value, grammar.MAX_SECONDS, name)


class Event(Parameterised):
    """
    An event package, with its templates (:rfc:`6665#section-8.2.1`).
    """

    __slots__ = ()

    @property
    def package(self) -> str:
        """
        The package and its templates, as spelled: case counts.
        """
        return self.word

    @property
    def id(self) -> str | None:
        """
        The id that tells two subscriptions of one dialog apart.
        """
        return self.parameters.get("id")


class SubscriptionState(Parameterised):
    """
    The state of a subscription (:rfc:`6665#section-8.2.3`).
    """

    __slots__ = ()

    @property
    def state(self) -> str:
        """
        ``active``, ``pending``, ``terminated`` or an extension, in lower case.
        """
        return self.word.lower()

    @property
    def expires(self) -> int | None:
        """
        Seconds that remain, ``None`` if not said.
        """
        return self._seconds("expires")

    @property
    def reason(self) -> str | None:
        """
        Why the subscription ended, in lower case.
        """
        value = self.parameters.get("reason")
        return None if value is None else value.lower()

    @property
    def retry_after(self) -> int | None:
        """
        Seconds to wait before subscribing again, ``None`` if not said.
        """
        return self._seconds("retry-after")


class Reason(Parameterised):
    """
    Why a request or response was sent (:rfc:`3326`).
    """

    __slots__ = ()

    @property
    def protocol(self) -> str:
        """
        ``SIP``, ``Q.850`` or another, as spelled.
        """
        return self.word

    @property
    def cause(self) -> int | None:
        """
        The status or cause code, ``None`` if not said.
        """
        value = self.parameters.get("cause")
        return None if value is None else grammar.number(value, 2**31 - 1, "cause")

    @property
    def text(self) -> str | None:
        """
        The text for people, without quotes.
        """
        value = self.parameters.get("text")
        return None if value is None else grammar.unquote(value)


@dataclass(frozen=True, slots=True)
class MediaType:
    """
    A media type or range: Content-Type, Accept (:rfc:`3261#section-20.15`).

    :ivar type: in lower case, or ``"*"``.
    :ivar subtype: in lower case, or ``"*"``.
    """

    type: str
    subtype: str
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> MediaType:
        """
        Read one value.

        :raises ParseError: if *text* breaks the grammar.
        """
        word, parameters = _split(text)
        match = _MEDIA_TYPE(word)
        if match is None:
            raise ParseError(f"bad media type {excerpt(text)}")
        return cls(match[1].lower(), match[2].lower(), parameters)

    def includes(self, other: MediaType) -> bool:
        """
        Tell whether this range of an Accept field admits *other*.
        """
        return self.type in ("*", other.type) and self.subtype in ("*", other.subtype)

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}{self.parameters}"


@dataclass(frozen=True, slots=True)
class Seconds:
    """
    A number of seconds with parameters: Session-Expires, Min-SE, Retry-After.

    :ivar comment: what a Retry-After says to people, without parentheses.
    """

    seconds: int
    parameters: Parameters = NONE
    comment: str | None = None

    @classmethod
    def parse(cls, text: str) -> Seconds:
        """
        Read one value (:rfc:`4028#section-4`, :rfc:`3261#section-20.33`).

        :raises ParseError: if there is no number below 2**32.
        """
        match = _SECONDS(text)
        if match is None:
            raise ParseError(f"bad number of seconds {excerpt(text)}")
        digits, comment, rest = match.groups()
        seconds = grammar.number(digits, grammar.MAX_SECONDS, "number of seconds")
        return cls(seconds, Parameters.parse(rest or ""), comment)

    @property
    def refresher(self) -> str | None:
        """
        Who refreshes the session, ``"uac"`` or ``"uas"``, ``None`` if not said.
        """
        value = self.parameters.get("refresher")
        return None if value is None else value.lower()

    def __str__(self) -> str:
        comment = "" if self.comment is None else f" ({self.comment})"
        return f"{self.seconds}{comment}{self.parameters}"


_SECONDS = re.compile(
    rf"([0-9]++){grammar.SWS}(?:\(([^()]*+)\))?{grammar.SWS}(;.*+)?", re.DOTALL
).fullmatch


@dataclass(frozen=True, slots=True)
class DialogReference:
    """
    Names a dialog from outside: Replaces, Join, Target-Dialog.

    Tags are kept as the field spells them; whether ``to-tag`` is the local or the
    remote one depends on who reads (:rfc:`3891#section-3`).
    """

    call_id: str
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> DialogReference:
        """
        Read one value.

        :raises ParseError: if the Call-ID is missing or a parameter is broken.
        """
        call_id, parameters = _split(text)
        if _CALL_ID(call_id) is None:
            raise ParseError(f"bad Call-ID in {excerpt(text)}")
        return cls(call_id, parameters)

    @classmethod
    def parse_escaped(cls, text: str) -> DialogReference:
        """
        Read the value as the headers of a Refer-To URI carry it, percent-encoded.
        """
        return cls.parse(grammar.unescape(text))

    @property
    def to_tag(self) -> str | None:
        """
        The to-tag (Target-Dialog: the remote-tag).
        """
        return self.parameters.get("to-tag") or self.parameters.get("remote-tag")

    @property
    def from_tag(self) -> str | None:
        """
        The from-tag (Target-Dialog: the local-tag).
        """
        return self.parameters.get("from-tag") or self.parameters.get("local-tag")

    @property
    def early_only(self) -> bool:
        """
        Whether only an early dialog may be replaced.
        """
        return "early-only" in self.parameters

    def __str__(self) -> str:
        return f"{self.call_id}{self.parameters}"

    def escaped(self) -> str:
        """
        Write the value for the headers of a URI, percent-encoded.
        """
        return grammar.escape(str(self), safe="")
