"""
Lists of ``;name=value`` parameters, as URIs and header fields carry them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.grammar import is_quoted, split_list

# A name is a token, or paramchars of a URI; the RFC's two sets in one.
_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~\[\]/:&$()]++").fullmatch
# A value is a token, a host or paramchars. Seen beyond the RFC: "=" in base64
# values, "@" in user=phone contexts, UTF-8 (RFC 4475, 3.1.1.2), "?" in
# methods="..." of old Microsoft clients; what may not be is what would end the
# parameter or the line.
_VALUE = re.compile(r"[^\x00-\x20\x7f;,\"<>]*+").fullmatch


class Parameters:
    """
    Parameters in their order, as spelled; names are looked up without case.

    A value is kept as spelled, quotes included (see
    :func:`~sipsorcery.sip.grammar.unquote`); a parameter without value has the
    value ``None``. Where a name is doubled, the first one counts. Values of this
    class do not change: :meth:`set` and :meth:`remove` return new ones.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str | None]] = ()) -> None:
        self._items = tuple(items)

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """
        Read ``;name=value;flag``; blanks round ``;`` and ``=`` are dropped.

        :raises ParseError: if a name is missing or a value breaks the grammar.
        """
        if not text or text.isspace():
            return NONE
        parts = text.split(";") if '"' not in text else split_list(text, ";")
        if parts[0].strip(" \t"):
            raise ParseError(f"expected ';' before {excerpt(text)}")
        return cls(map(_parse_one, parts[1:]))

    def get(self, name: str, default: str | None = None) -> str | None:
        """
        Return the value of *name* as spelled, or *default* if it has none.
        """
        name = name.lower()
        for key, value in self._items:
            if key == name or key.lower() == name:
                return default if value is None else value
        return default

    def set(self, name: str, value: str | None = None) -> Parameters:
        """
        Return a copy in which *name* has *value*, in its old place or at the end.

        :raises LocalProtocolError: if the value could not be read back.
        """
        if _NAME(name) is None or not (value is None or _writable(value)):
            raise LocalProtocolError(f"bad parameter {excerpt(f'{name}={value}')}")
        low = name.lower()
        items = [
            (key, value) if key.lower() == low else (key, old)
            for key, old in self._items
        ]
        if name not in self:
            items.append((name, value))
        return Parameters(items)

    def remove(self, *names: str) -> Parameters:
        """
        Return a copy without the parameters of these *names*.
        """
        lows = {name.lower() for name in names}
        return Parameters(item for item in self._items if item[0].lower() not in lows)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(
            key.lower() == name.lower() for key, _ in self._items
        )

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __str__(self) -> str:
        return "".join(
            f";{name}" if value is None else f";{name}={value}"
            for name, value in self._items
        )

    def __repr__(self) -> str:
        return f"Parameters({str(self)!r})"

    def _comparable(self) -> dict[str, str | None]:
        # Values are compared without case unless quoted (RFC 3261, 7.3.1).
        return {
            name.lower(): value.lower() if value and value[0] != '"' else value
            for name, value in reversed(self._items)
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        return self._items == other._items or self._comparable() == other._comparable()

    def __hash__(self) -> int:
        return hash(frozenset(self._comparable().items()))


def _parse_one(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    name = name.strip(" \t")
    if _NAME(name) is None:
        raise ParseError(f"bad parameter {excerpt(text)}")
    if not equals:
        return name, None
    value = value.strip(" \t")
    if not _writable(value):
        raise ParseError(f"bad value of parameter {name}: {excerpt(value)}")
    return name, value


def _writable(value: str) -> bool:
    return is_quoted(value) if value[:1] == '"' else _VALUE(value) is not None


#: No parameters.
NONE = Parameters()
