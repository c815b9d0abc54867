"""
SIP messages: header fields in their order and as spelled, typed when asked for.

A message keeps its header section as the one text that came. Reading a field
searches that text and parses what it finds, once; changing a field replaces its
line and nothing else. So what nobody touches leaves as it came, byte for byte, and
a proxy pays for the four fields it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar, overload

from sipsorcery.sip import scanner
from sipsorcery.sip.errors import LocalProtocolError, ParseError, excerpt
from sipsorcery.sip.fields import (
    CALL_ID,
    CONTENT_LENGTH,
    CSEQ,
    FROM,
    SINGLE,
    TO,
    VIA,
    Field,
    text_field,
)
from sipsorcery.sip.grammar import unfold

T = TypeVar("T")

_MANDATORY: tuple[Field[Any], ...] = (VIA, FROM, TO, CALL_ID, CSEQ)
_UNREAD = object()


class Message:
    """
    What requests and responses share: header fields and a body.

    A field is named by its :class:`~sipsorcery.sip.fields.Field`, which gives and
    takes typed values, or by its name, which gives and takes the text of a line.
    Values are parsed when first asked for; so every reading method raises
    :class:`~sipsorcery.sip.errors.ParseError` (400, with this message as its
    ``partial``) where the peer's text is broken.
    """

    __slots__ = ("_body", "_head", "_index", "_values")

    _head: str  # as scanner.py promises it
    _body: bytes
    _index: dict[str, list[str]] | None  # of _head, if somebody asked for it
    _values: dict[str, Any]  # parsed: key of a field to the first, its every to all

    def _adopt(self, head: str, body: bytes) -> Self:
        self._head = head
        self._body = body
        self._index = None
        self._values = {}
        return self

    def compact(self, *, keep_body: bool = True) -> None:
        """
        Let go of what was parsed, which takes twice the room of the text.

        It is for a message that is kept for long, and will hardly be read again.

        :param keep_body: else it is no message any more, but has its fields.
        """
        self._index = None
        self._values = {}
        if not keep_body:
            self._body = b""

    @property
    def size(self) -> int:
        """
        The octets of the text, as long as it is ASCII, and of the body.
        """
        return len(self._head) + len(self._body)

    # Reading

    @property
    def head(self) -> str:
        """
        Start line and fields as they are on the wire, each ended by CRLF.
        """
        return self._head

    @property
    def start_line(self) -> str:
        """
        The request or status line, without its line end.
        """
        return self._head[: self._head.index("\r")]

    @overload
    def get(self, field: Field[T]) -> T | None: ...
    @overload
    def get(self, field: str) -> str | None: ...
    def get(self, field: Field[Any] | str) -> Any:
        """
        Return the first value of *field*, ``None`` where there is none.
        """
        if isinstance(field, str):
            return self._first_text(text_field(field))
        value = self._values.get(field.key, _UNREAD)
        if value is not _UNREAD:
            return value
        if self._index is not None and field.key not in self._index:
            return None
        text = self._first_text(field)
        if text is None:
            return None
        try:
            values = field.split(text) if "," in text or not text else (text,)
            value = field.parse(values[0]) if values else None
        except ParseError as error:
            raise self._blame(error, field) from None
        if not values:  # a line may hold none, and the next one some
            value = next(iter(self.all(field)), None)
        self._values[field.key] = value
        return value

    @overload
    def all(self, field: Field[T]) -> tuple[T, ...]: ...
    @overload
    def all(self, field: str) -> tuple[str, ...]: ...
    def all(self, field: Field[Any] | str) -> tuple[Any, ...]:
        """
        Return all values of all lines of *field*, from the top down.
        """
        if isinstance(field, str):
            return tuple(self._texts(text_field(field)))
        known: tuple[Any, ...] | None = self._values.get(field.every)
        if known is not None:
            return known
        if self._index is not None and field.key not in self._index:
            return ()
        values: tuple[Any, ...] = ()
        try:
            for text in self._texts(field):
                values += field.read(text)
        except ParseError as error:
            raise self._blame(error, field) from None
        self._values[field.every] = values
        return values

    def __getitem__(self, field: Field[T]) -> T:
        """
        Return the first value of *field*, which must be there.

        :raises ParseError: also if it is missing.
        """
        value = self.get(field)
        if value is None:
            raise ParseError(f"missing {field.name}", partial=self)
        return value

    def __contains__(self, field: object) -> bool:
        if isinstance(field, str):
            field = text_field(field)
        if not isinstance(field, Field):
            return False
        if self._values.get(field.key) is not None:
            return True
        return self._first_text(field) is not None

    def items(self) -> list[tuple[str, str]]:
        """
        Return every field line as its name, spelled as it came, and its text.
        """
        fields = scanner.split_fields(self._head)
        return [(name.rstrip(" \t"), text) for name, text in fields]

    def count_vias(self) -> int:
        """
        Count the Vias.

        :raises ParseError: if one of them cannot be read.
        """
        return len(self.all(VIA))

    def check(self, *fields: Field[Any]) -> None:
        """
        Parse all mandatory fields, and *fields* where present.

        Whoever answers or ends a message calls this first.

        :raises ParseError: if a mandatory field is missing, one of these breaks its
            grammar, a field that is single comes twice, or a line is no field.
        """
        for key, texts in self._indexed().items():
            if len(texts) > 1 and key in SINGLE and len(set(texts)) > 1:
                name = text_field(key).name
                raise ParseError(f"{name} comes {len(texts)} times", partial=self)
        vias = self.all(VIA)
        if vias:
            self._values[VIA.key] = vias[0]
        for field in _MANDATORY:
            self[field]
        for field in fields:
            self.all(field)

    # Changing

    @overload
    def set(self, field: Field[T], value: T) -> None: ...
    @overload
    def set(self, field: str, value: str) -> None: ...
    def set(self, field: Field[Any] | str, value: Any) -> None:
        """
        Make *value* the only one of *field*: in its first place, or at the end.
        """
        self.set_all(field, (value,))

    @overload
    def set_all(self, field: Field[T], values: Sequence[T]) -> None: ...
    @overload
    def set_all(self, field: str, values: Sequence[str]) -> None: ...
    def set_all(self, field: Field[Any] | str, values: Sequence[Any]) -> None:
        """
        Give *field* these values and no others, one a line.
        """
        field = text_field(field) if isinstance(field, str) else field
        lines = "".join(_line(field, value) for value in values)
        spans = self._spans(field)
        start, end = spans[0] if spans else (len(self._head), len(self._head))
        self._cut(spans[1:])
        self._replace(field, start, end, lines)

    @overload
    def add(self, field: Field[T], value: T) -> None: ...
    @overload
    def add(self, field: str, value: str) -> None: ...
    def add(self, field: Field[Any] | str, value: Any) -> None:
        """
        Put a line with *value* below the others of *field*, or at the end.
        """
        field = text_field(field) if isinstance(field, str) else field
        spans = self._spans(field)
        place = spans[-1][1] if spans else len(self._head)
        self._replace(field, place, place, _line(field, value))

    @overload
    def prepend(self, field: Field[T], value: T) -> None: ...
    @overload
    def prepend(self, field: str, value: str) -> None: ...
    def prepend(self, field: Field[Any] | str, value: Any) -> None:
        """
        Put a line with *value* on top of the others of *field*.

        The first of its kind goes below the topmost Via, for what routes a message
        belongs near the top (:rfc:`3261#section-7.3.1`).
        """
        field = text_field(field) if isinstance(field, str) else field
        head = self._head
        if (match := field.find.search(head)) is not None:
            place = match.start() + 1
        elif field is not VIA and (match := VIA.find.search(head)) is not None:
            place = match.end() + 1
        else:
            place = head.index("\n") + 1
        self._replace(field, place, place, _line(field, value))

    def replace_first(self, field: Field[T], value: T) -> None:
        """
        Put *value* in the place of the first one of *field*.

        :raises LocalProtocolError: if there is none.
        """
        for start, end, texts in self._value_lines(field):
            if texts:
                lines = _line(field, value) + _join(field, texts[1:])
                self._replace(field, start, end, lines)
                return
        raise LocalProtocolError(f"no {field.name} in {self!r}")

    def pop_first(self, field: Field[T]) -> T:
        """
        Take the first value of *field* away and return it.

        Taking away many so costs the square of their number; see :meth:`drop_first`.

        :raises LocalProtocolError: if there is none.
        """
        value = self.get(field)
        self.drop_first(field, 1)
        assert value is not None  # it could be dropped
        return value

    def drop_first(self, field: Field[Any], count: int) -> None:
        """
        Take the first *count* values of *field* away, in one go.

        :raises LocalProtocolError: if there are fewer.
        """
        pieces: list[str] = []
        place = 0  # behind the last line that was changed
        for start, end, texts in self._value_lines(field):
            if not count:
                break
            if texts:
                pieces += (self._head[place:start], _join(field, texts[count:]))
                place = end
                count -= min(count, len(texts))
        if count:
            raise LocalProtocolError(f"no {field.name} in {self!r}")
        self._head = "".join((*pieces, self._head[place:]))
        self._forget(field)

    def remove(self, field: Field[Any] | str) -> None:
        """
        Take every line of *field* away, in whatever spelling.
        """
        field = text_field(field) if isinstance(field, str) else field
        self._cut(self._spans(field))
        self._forget(field)

    @property
    def body(self) -> bytes:
        """
        The body; setting it sets Content-Length as well.
        """
        return self._body

    @body.setter
    def body(self, body: bytes) -> None:
        self._body = body
        self.set(CONTENT_LENGTH, len(body))

    def adopt_body(self, body: bytes) -> None:
        """
        Take the body that came with this header section; no field changes.
        """
        self._body = body

    def to_bytes(self) -> bytes:
        """
        Write the message, with a Content-Length where it had none.
        """
        head = self._head
        # The usual spelling is found at once.
        if "\nContent-Length: " not in head and CONTENT_LENGTH not in self:
            head += f"Content-Length: {len(self._body)}\r\n"
        return _encode(head) + b"\r\n" + self._body

    def __str__(self) -> str:
        return self.to_bytes().decode("utf-8", "backslashreplace")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {excerpt(self.start_line)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # it changes

    # The text below

    def _first_text(self, field: Field[Any]) -> str | None:
        if self._index is not None:
            texts = self._index.get(field.key)
            return texts[0] if texts else None
        match = field.find.search(self._head)
        return None if match is None else unfold(match[1]).strip(" \t")

    def _texts(self, field: Field[Any]) -> list[str]:
        if self._index is not None:
            return self._index.get(field.key, [])
        return [unfold(text).strip(" \t") for text in field.find.findall(self._head)]

    def _indexed(self) -> dict[str, list[str]]:
        if self._index is None:
            try:
                self._index = scanner.index_fields(self._head)
            except ParseError as error:
                error.partial = self
                raise
        return self._index

    def _blame(self, error: ParseError, field: Field[Any]) -> ParseError:
        return ParseError(f"{field.name}: {error.text}", error.status, self)

    def _spans(self, field: Field[Any]) -> list[tuple[int, int]]:
        # A match begins with the LF before its line and ends with the CR of it.
        return [
            (match.start() + 1, match.end() + 1)
            for match in field.find.finditer(self._head)
        ]

    def _value_lines(self, field: Field[Any]) -> Iterator[tuple[int, int, list[str]]]:
        for match in field.find.finditer(self._head):
            try:
                texts = field.split(unfold(match[1]).strip(" \t"))
            except ParseError as error:
                raise self._blame(error, field) from None
            yield match.start() + 1, match.end() + 1, texts

    def _cut(self, spans: list[tuple[int, int]]) -> None:
        for start, end in reversed(spans):
            self._head = self._head[:start] + self._head[end:]

    def _replace(self, field: Field[Any], start: int, end: int, lines: str) -> None:
        self._head = self._head[:start] + lines + self._head[end:]
        self._forget(field)

    def _forget(self, field: Field[Any]) -> None:
        self._index = None
        if self._values:
            self._values.pop(field.key, None)
            self._values.pop(field.every, None)


def _line(field: Field[T], value: T) -> str:
    text = field.write(value)
    if "\r" in text or "\n" in text:
        # What would smuggle a field of its own into the message.
        raise LocalProtocolError(f"line end in {field.name}: {excerpt(text)}")
    if not text.isascii():
        _encode(text)
    return f"{field.name}: {text}\r\n"


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"no characters: {excerpt(text)}") from None


def _join(field: Field[Any], texts: list[str]) -> str:
    return f"{field.name}: {', '.join(texts)}\r\n" if texts else ""


def head_of(start_line: str, fields: Iterable[tuple[Field[Any] | str, Any]]) -> str:
    """
    Write the head of a new message.

    :raises LocalProtocolError: if a name is no token or a value holds a line end.
    """
    if "\r" in start_line or "\n" in start_line:
        raise LocalProtocolError(f"line end in {excerpt(start_line)}")
    return f"{start_line}\r\n" + "".join(
        _line(text_field(field) if isinstance(field, str) else field, value)
        for field, value in fields
    )
