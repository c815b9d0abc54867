"""
SIP messages, mutated and made of nothing: only ParseError may come out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip import uri
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import (
    CONTENT_LENGTH,
    CONTENT_TYPE,
    MAX_FORWARDS,
    ROUTE,
    VIA,
    Field,
    known_fields,
)
from sipsorcery.sip.framing import Framer, Kind, demultiplex
from sipsorcery.sip.message import Message
from sipsorcery.sip.multipart import parse_multipart
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from sipsorcery.sip.via import Via
from tests.sip.hostile import FILLERS
from tests.sip.samples import FIELDS, message, request_bytes, response
from tests.sip.test_fields import SAMPLES

_NAMES = [name for name in SAMPLES if not any(f"{name}: " in x for x in FIELDS)]
#: Messages with every field of the table, a few at a time.
SEEDS = [
    request_bytes("Content-Length: 0"),
    request_bytes(
        "Content-Type: multipart/mixed;boundary=b",
        "Content-Length: 24",
        method="INVITE",
        body=b"--b\r\n\r\nHello\r\n--b--\r\n\r\n\r\n",
    ),
    response("Content-Length: 0").to_bytes(),
    *(
        request_bytes(*(f"{name}: {next(iter(SAMPLES[name]))}" for name in names))
        for names in (_NAMES[start::10] for start in range(10))
    ),
]

# What is put into messages: what the grammar is made of, and more of it than it likes.
FRAGMENTS = [
    *(piece.encode("utf-8", "surrogateescape") for piece in FILLERS.values()),
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n ",
        b"\r ",
        b"\0",
        b"\x7f",
        b"\xe2\x80\xa8",
    ),
    *(
        b"SIP/2.0",
        b"sip:",
        b"sips:a",
        b"tel:",
        b"[::1]",
        b"[",
        b"%00",
        b"%",
        b"'",
        b"/",
    ),
    *(b"Via: ", b"v:", b"Route: ", b"l: 1", b"Content-Length: ", b"4294967296", b"-1"),
    *(
        b";received=x",
        b";rport=99999",
        b";tag=",
        b";expires=x",
        b";q=2",
        b"Digest ",
        b"*",
    ),
]
fragments = st.sampled_from(FRAGMENTS) | st.binary(max_size=8)
mutations = st.lists(
    st.tuples(
        st.sampled_from(["insert", "replace", "delete", "double", "cut", "flip"]),
        st.integers(0, 2**16),
        st.integers(0, 40),
        fragments,
    ),
    min_size=1,
    max_size=6,
)


def mutate(data: bytes, steps: list[tuple[str, int, int, bytes]]) -> bytes:
    """
    Change *data*, one step after the other.
    """
    for step, where, length, fragment in steps:
        # Small numbers are drawn most; the start line is not where most is to be seen.
        at = where * 7919 % (len(data) + 1)
        end = at + length
        match step:
            case "insert":
                data = data[:at] + fragment + data[at:]
            case "replace":
                data = data[:at] + fragment + data[end:]
            case "delete":
                data = data[:at] + data[end:]
            case "double":
                data = data[:end] + data[at:]
            case "cut":
                data = data[:at]
            case _:
                data = data[:at] + bytes(b ^ 1 for b in data[at:end]) + data[end:]
    return data


mutants = st.builds(mutate, st.sampled_from(SEEDS), mutations)
garbage = st.lists(fragments, max_size=30).map(b"".join) | st.binary(max_size=200)
# A start line that can be read lets the rest come to its turn.
halves = st.builds(
    lambda start, rest: message(start)[:-2] + rest,
    st.sampled_from(["OPTIONS sip:a SIP/2.0", "SIP/2.0 200 OK", "ACK sip:a SIP/2.0"]),
    garbage,
)
messages = mutants | mutants | mutants | garbage | halves


def attempt(step: Callable[..., object], *arguments: object) -> object:
    """
    Do a *step* that may be refused.
    """
    try:
        return step(*arguments)
    except ParseError as error:
        assert 400 <= error.status <= 699
        assert error.text
        return error


class MessageTests(SynchronousTestCase):
    """
    Whole messages.
    """

    def exercise(self, made: Message) -> None:
        """
        Read all that a message has, in the ways that there are, and write it.
        """
        for field in known_fields():
            first = attempt(made.get, field)
            every = attempt(made.all, field)
            if isinstance(every, tuple) and every:
                self.assertEqual(every[0], first)
            attempt(made.__getitem__, field)
        attempt(made.items)
        attempt(made.check)
        attempt(made.check, *known_fields())
        data = made.to_bytes()
        again = parse(data)
        self.assertEqual(again.to_bytes(), data)
        self.assertEqual(again.body, made.body)
        for field in known_fields():
            if field is CONTENT_LENGTH and field not in made:
                continue  # which is written all the same
            self.assertEqual(
                self.outcome(again, field), self.outcome(made, field), field.name
            )

    def outcome(self, made: Message, field: Field[Any]) -> object:
        """
        Return all values of *field*, or why there are none.
        """
        values = attempt(made.all, field)
        return values.text if isinstance(values, ParseError) else values

    @given(messages)
    def test_parse(self, data: bytes) -> None:
        """
        A datagram is a message, or refused; what is read is written and read again,
        value by value.
        """
        demultiplex(data)
        made = attempt(parse, data)
        if isinstance(made, Message):
            self.exercise(made)
            attempt(self.split_body, made)

    def split_body(self, made: Message) -> None:
        """
        Read the parts of a body that has any.
        """
        content_type = made.get(CONTENT_TYPE)
        if content_type is not None and content_type.type == "multipart":
            for part in parse_multipart(content_type, made.body):
                attempt(lambda part=part: part.content_type)

    @given(messages)
    def test_requests(self, data: bytes) -> None:
        """
        Whatever can be done to a request can be done to this one.
        """
        made = attempt(parse, data)
        if not isinstance(made, Request):
            return
        attempt(lambda: made.uri)
        copy = made.copy()
        attempt(copy.note_source, "192.0.2.77", 6000)
        forwarded = parse(copy.forwarded("SIP/2.0/UDP a;branch=z9hG4bK1", 69))
        self.assertEqual(forwarded.get(MAX_FORWARDS), 69)
        self.assertEqual(forwarded[VIA].host, "a")
        for status in (100, 200, 404):
            answer = made.respond(status, to_tag="1")
            self.assertEqual(parse(answer.to_bytes()), answer)
        self.edit(copy)
        self.assertEqual(made, attempt(parse, data))

    def edit(self, made: Request) -> None:
        """
        Change a request as a proxy does.
        """
        attempt(made.pop_first, VIA) if made.all("Via") and _has(made, VIA) else None
        made.prepend(VIA, Via("UDP", "b"))
        made.set(ROUTE, Address.parse("<sip:a;lr>"))
        made.add("X-Y", "z")
        made.remove("Record-Route")
        made.body = b"new"
        made.uri = uri.SIPURI("sip", None, "c")
        again = parse(made.to_bytes())
        self.assertEqual(again, made)
        self.assertEqual(again.body, b"new")
        self.assertEqual(again[VIA].host, "b")
        self.assertEqual([str(route) for route in again.all(ROUTE)], ["<sip:a;lr>"])

    @given(messages)
    def test_answers(self, data: bytes) -> None:
        """
        What is refused is answered with a message that can be read, or not at all.
        """
        error = attempt(parse, data)
        if isinstance(error, Message):
            error = attempt(error.check)
        if not isinstance(error, ParseError):
            return
        answer = error_response(error, to_tag="1")
        if answer is not None:
            again = parse(answer.to_bytes())
            assert isinstance(again, Response)
            self.assertEqual(again, answer)
            self.assertEqual(again.status, error.status)
            self.assertEqual(again.body, b"")

    @given(messages, messages, st.lists(st.integers(1, 60), min_size=1, max_size=5))
    def test_streams(self, one: bytes, other: bytes, sizes: list[int]) -> None:
        """
        A stream yields the same messages however it is cut, until it breaks.
        """
        stream = one + SEEDS[0] + other
        whole = Framer()
        expected = [x for x in whole.receive(stream, 0.0) if isinstance(x, Message)]
        pieces = Framer()
        received = []
        place = turn = 0
        while place < len(stream):
            size = sizes[turn % len(sizes)]
            received += pieces.receive(stream[place : place + size], 0.0)
            place += size
            turn += 1
        self.assertEqual([x for x in received if isinstance(x, Message)], expected)
        self.assertEqual(pieces.broken, whole.broken)
        self.assertEqual(pieces.next_timer() is None, whole.next_timer() is None)
        for framer in (whole, pieces):
            framer.handle_timer(5.0)
            self.assertIsNone(framer.next_timer())

    @given(st.binary(max_size=60))
    def test_demultiplex(self, data: bytes) -> None:
        """
        A datagram is of exactly one kind, whatever it holds.
        """
        kind = demultiplex(data)
        if kind is Kind.STUN:
            self.assertGreaterEqual(len(data), 20)
        if kind is Kind.PING:
            self.assertIsInstance(attempt(parse, data), ParseError)


def _has(made: Message, field: Field[Any]) -> bool:
    values = attempt(made.all, field)
    return isinstance(values, tuple) and bool(values)


class ValueTests(SynchronousTestCase):
    """
    Values of fields.
    """

    @given(
        st.sampled_from(known_fields()),
        st.lists(
            fragments
            | st.sampled_from([t.encode() for x in SAMPLES.values() for t in x])
        )
        .map(b"".join)
        .map(lambda data: data.decode("utf-8", "surrogateescape")),
    )
    def test_values(self, field: Field[Any], text: str) -> None:
        """
        Any text is a value of a field, which can be written and read again, or refused.
        """
        values = attempt(lambda: [field.parse(x) for x in field.split(text)])
        if isinstance(values, ParseError):
            return
        assert isinstance(values, list)
        for value in values:
            written = field.write(value)
            self.assertEqual(field.parse(written), value, written)

    @given(st.lists(fragments).map(b"".join), st.lists(fragments).map(b"".join))
    def test_uris(self, one: bytes, other: bytes) -> None:
        """
        Any text is a URI that can be compared with any other, or refused.
        """
        found = []
        for data in (one, other, b"sip:" + one, b"sip:" + other, b"sip:a@" + one):
            text = data.decode("utf-8", "surrogateescape")
            attempt(uri.parse_relaxed, text)
            parsed = attempt(uri.parse_uri, text)
            if isinstance(parsed, uri.URI):
                found.append(parsed)
        for first in found:
            self.assertTrue(first.is_equivalent(first))
            self.assertTrue(first.is_equivalent(uri.parse_uri(str(first))))
            for second in found:
                self.assertEqual(
                    first.is_equivalent(second), second.is_equivalent(first)
                )

    @given(st.text(), st.text())
    def test_setting_text(self, name: str, text: str) -> None:
        """
        Any text can be set, and is one line then, or is refused.
        """
        made = parse(SEEDS[0])
        try:
            made.set(f"X-{name}", text)
        except LocalProtocolError:
            return
        again = parse(made.to_bytes())
        self.assertEqual(again.get(f"X-{name}"), text.strip(" \t"))
        self.assertLessEqual(len(again.items()), len(parse(SEEDS[0]).items()) + 1)
