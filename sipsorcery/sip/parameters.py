"""
Lists of ``;name=value`` parameters, as URIs and header fields carry them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.grammar import QUOTED_STRING, SWS

# A name is a token, or paramchars of a URI; the RFC's two sets in one. A value is a
# token, a host or paramchars. Seen beyond the RFC: "=" in base64 values, "@" in
# user=phone contexts, UTF-8 (RFC 4475, 3.1.1.2), "?" in methods of old Microsoft
# clients; what may not be is what would end the parameter or the line.
_NAME = r"[A-Za-z0-9\-.!%*_+`'~\[\]/:&$()]++"
_VALUE = r"[^\x00-\x20\x7f;,\"<>]*+"
_ONE = rf"{SWS};{SWS}({_NAME})(?:{SWS}(=){SWS}({QUOTED_STRING}|{_VALUE}))?+"
#: Parameters without blanks, escapes in quotes and rare characters: nearly all.
PLAIN = (
    r"(?:;[A-Za-z0-9\-_.+]++"
    r"(?:=(?:[A-Za-z0-9\-_.+~:%!*\[\]/@]++|\"[^\"\\;,<>]*+\"))?+)*+"
)
#: The same in a URI, where nothing is quoted and an "@" would end the user part.
PLAIN_IN_URI = r"(?:;[A-Za-z0-9\-_.+]++(?:=[A-Za-z0-9\-_.+~:%!*\[\]/]++)?+)*+"
_IS_NAME = re.compile(_NAME).fullmatch
_IS_VALUE = re.compile(rf"{QUOTED_STRING}|{_VALUE}", re.DOTALL).fullmatch
_ALL = re.compile(rf"(?:{_ONE})*+{SWS}", re.DOTALL).fullmatch
_EACH = re.compile(_ONE, re.DOTALL).findall


class Parameters:
    """
    Parameters in their order, as spelled; names are looked up without case.

    A value is kept as spelled, quotes included (see
    :func:`~sipsorcery.sip.grammar.unquote`); a parameter without value has the
    value ``None``. Where a name is doubled, the first one counts. Values of this
    class do not change: :meth:`set` and :meth:`remove` return new ones.
    """

    __slots__ = ("_items", "_text")

    def __init__(self, items: Iterable[tuple[str, str | None]] = ()) -> None:
        """
        Make parameters of ``(name, value)`` pairs.

        :raises LocalProtocolError: if one could not be read back.
        """
        text = ""
        for name, value in items:
            if _IS_NAME(name) is None or not (value is None or _IS_VALUE(value)):
                raise LocalProtocolError(f"bad parameter {excerpt(f'{name}={value}')}")
            text += f";{name}" if value is None else f";{name}={value}"
        self._text = text
        self._items: tuple[tuple[str, str | None], ...] | None = None

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """
        Read ``;name=value;flag``; blanks round ``;`` and ``=`` are allowed.

        :raises ParseError: if a name is missing or a value breaks the grammar.
        """
        if not text:
            return NONE
        if _ALL(text) is None:
            raise ParseError(f"bad parameters {excerpt(text)}")
        return cls.trusted(text.strip(" \t"))

    @classmethod
    def trusted(cls, text: str) -> Parameters:
        """
        Make parameters of a *text* that has been checked, as by :data:`PLAIN`.
        """
        self = cls.__new__(cls)
        self._text = text
        self._items = None  # split when first asked for: most never are
        return self

    def _pairs(self) -> tuple[tuple[str, str | None], ...]:
        if self._items is None:
            self._items = tuple(
                (name, value if equals else None)
                for name, equals, value in _EACH(self._text)
            )
        return self._items

    def get(self, name: str, default: str | None = None) -> str | None:
        """
        Return the value of *name* as spelled, or *default* if it has none.
        """
        name = name.lower()
        for key, value in self._pairs():
            if key == name or key.lower() == name:
                return default if value is None else value
        return default

    def set(self, name: str, value: str | None = None) -> Parameters:
        """
        Return a copy in which *name* has *value*, in its old place or at the end.

        :raises LocalProtocolError: if the value could not be read back.
        """
        if not self._text or name not in self:
            new = Parameters([(name, value)])
            new._text = self._text + new._text
            new._items = (*self._pairs(), (name, value))
            return new
        low = name.lower()
        return Parameters(
            (key, value if key.lower() == low else old) for key, old in self._pairs()
        )

    def remove(self, *names: str) -> Parameters:
        """
        Return a copy without the parameters of these *names*.
        """
        lows = {name.lower() for name in names}
        return Parameters(item for item in self._pairs() if item[0].lower() not in lows)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(
            key.lower() == name.lower() for key, _ in self._pairs()
        )

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        return iter(self._pairs())

    def __len__(self) -> int:
        return len(self._pairs())

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Parameters({str(self)!r})"

    def _comparable(self) -> dict[str, str | None]:
        # Values are compared without case unless quoted (RFC 3261, 7.3.1).
        return {
            name.lower(): value.lower() if value and value[0] != '"' else value
            for name, value in reversed(self._pairs())
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        return self._text == other._text or self._comparable() == other._comparable()

    def __hash__(self) -> int:
        return hash(frozenset(self._comparable().items()))


#: No parameters.
NONE = Parameters()
