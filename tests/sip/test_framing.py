"""
Tests for :mod:`sipsorcery.sip.framing`.
"""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, TO
from sipsorcery.sip.framing import Framer, Kind, Ping, Pong, Received, demultiplex
from sipsorcery.sip.limits import MAX_FIELD, MAX_FIELDS, MAX_MESSAGE
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.request import Request, error_response
from sipsorcery.sip.response import Response
from tests.sip.samples import request_bytes, response

OPTIONS = request_bytes("Content-Length: 0")
MESSAGE = request_bytes(
    "Content-Type: text/plain", "l: 5", method="MESSAGE", body=b"\r\n\r\nx"
)
OK = response("Content-Length: 0").to_bytes()

PADDING = (b"", b"\r\n", b"\r\n\r\n", b"jaK\0", b"png", b"\0\0\0\0", b" \t", b"\r")


def messages(received: list[Received]) -> list[bytes]:
    """
    Return the bytes of every message in *received*.
    """
    return [item.to_bytes() for item in received if isinstance(item, Message)]


def feed(framer: Framer, *chunks: bytes) -> list[Received]:
    """
    Give the *chunks* to *framer*, all at once in time.
    """
    return [item for chunk in chunks for item in framer.receive(chunk, 0.0)]


def each_byte(data: bytes) -> list[bytes]:
    """
    Split *data* into its bytes.
    """
    return [data[i : i + 1] for i in range(len(data))]


class FramerTests(SynchronousTestCase):
    """
    A stream is cut into messages.
    """

    def error_of(self, framer: Framer, *chunks: bytes) -> ParseError:
        """
        Return the one error that comes last, after which the stream is broken.
        """
        error = feed(framer, *chunks)[-1]
        assert isinstance(error, ParseError)
        self.assertTrue(framer.broken)
        self.assertEqual(framer.receive(OPTIONS, 0.0), [])
        self.assertIsNone(framer.next_timer())
        return error

    def test_error_that_ends_nothing(self) -> None:
        """
        A request that is SIP but cannot be read does not end the stream: behind a
        proxy one connection is that of many.
        """
        for broken in (
            MESSAGE.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1),
            MESSAGE.replace(b"MESSAGE ", b"MESSAGE  ", 1),
        ):
            for chunks in ([broken + OPTIONS], each_byte(broken + OPTIONS)):
                framer = Framer()
                error, following = feed(framer, *chunks)
                assert isinstance(error, ParseError)
                self.assertFalse(framer.broken)
                assert isinstance(error.partial, Request)
                self.assertIn(CALL_ID, error.partial)
                self.assertEqual(messages([following]), [OPTIONS])

    def test_other_protocols(self) -> None:
        """
        A request of another protocol ends the stream.
        """
        error = self.error_of(Framer(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIsNone(error_response(error))

    def test_answer_to_part_of_a_header_section(self) -> None:
        """
        A header section that is too large, or takes too long, is answered with what
        has come of it.
        """
        endless = OPTIONS[:-2] + b"X: " + b"x" * MAX_MESSAGE
        for error, status in (
            (self.error_of(Framer(), endless), 513),
            (self.late(OPTIONS[:-4]), 408),
        ):
            answer = error_response(error)
            assert answer is not None
            self.assertEqual(answer.status, status)
            self.assertEqual(answer[CALL_ID], parse(OPTIONS)[CALL_ID])

    def late(self, data: bytes) -> ParseError:
        """
        Return the error of a stream that stops after *data*.
        """
        framer = Framer()
        framer.receive(data, 0.0)
        (error,) = framer.handle_timer(4.0)
        assert isinstance(error, ParseError)
        return error

    def test_one_message(self) -> None:
        """
        A message in one piece comes out as it came in.
        """
        (received,) = feed(Framer(), MESSAGE)
        assert isinstance(received, Request)
        self.assertEqual(received.body, b"\r\n\r\nx")
        self.assertEqual(received.to_bytes(), MESSAGE)

    def test_several_messages_in_one_piece(self) -> None:
        """
        Two requests and a response that arrive together come out in order.
        """
        received = feed(Framer(), OPTIONS + MESSAGE + OK)
        self.assertEqual(messages(received), [OPTIONS, MESSAGE, OK])
        self.assertIsInstance(received[2], Response)

    def test_byte_by_byte(self) -> None:
        """
        A message is complete with its last byte, not before.
        """
        framer = Framer()
        *all_but_last, last = each_byte(MESSAGE)
        self.assertEqual(feed(framer, *all_but_last), [])
        self.assertEqual(messages(feed(framer, last)), [MESSAGE])

    def test_begin_of_the_next_message_waits(self) -> None:
        """
        What follows a message is kept until the rest of it comes.
        """
        framer = Framer()
        self.assertEqual(messages(feed(framer, MESSAGE + OPTIONS[:26])), [MESSAGE])
        self.assertEqual(messages(feed(framer, OPTIONS[26:])), [OPTIONS])

    @given(
        st.lists(st.tuples(st.sampled_from(PADDING), st.sampled_from([OPTIONS, OK]))),
        st.lists(st.integers(1, 400), min_size=1),
    )
    def test_chunks_make_no_difference(
        self, parts: list[tuple[bytes, bytes]], sizes: list[int]
    ) -> None:
        """
        However a stream is cut, the same messages and pings come out, and whatever
        stands between messages to keep the way open is passed over.
        """
        stream = b"".join(padding + one for padding, one in parts)
        whole = feed(Framer(), stream)
        self.assertEqual(messages(whole), [one for _, one in parts])
        framer = Framer()
        received: list[Received] = []
        for size in itertools.cycle(sizes):
            received += feed(framer, stream[:size])
            stream = stream[size:]
            if not stream:
                break
        self.assertEqual(messages(received), messages(whole))
        self.assertEqual(received.count(Ping()), whole.count(Ping()))
        self.assertFalse(framer.broken)
        self.assertIsNone(framer.next_timer())

    def test_content_length_in_every_spelling(self) -> None:
        """
        The length counts compact, in any case, with blanks round the colon, folded,
        with zeros in front.
        """
        for field in (
            "Content-Length: 3",
            "Content-Length  :  3  ",
            "CONTENT-LENGTH:3",
            "cOnTeNt-lEnGtH\t:\t3",
            "l: 3",
            "L   :3",
            "Content-Length:\r\n 3",
            "Content-Length: 0003",
        ):
            data = request_bytes(field, body=b"abc")
            (received,) = messages(feed(Framer(), data))
            self.assertEqual(received, data)

    def test_no_content_length(self) -> None:
        """
        Without Content-Length there is no body, for the next message would be it.
        """
        data = request_bytes()
        received = feed(Framer(), data + OPTIONS)
        bodies = [one.body for one in received if isinstance(one, Message)]
        self.assertEqual(bodies, [b"", b""])

    def test_bad_content_length(self) -> None:
        """
        Where a body ends cannot be told if the length is negative, no number, empty,
        beyond any number, or doubled: 400, and the stream is lost (RFC 4475, 3.1.2.3
        and 3.3.9).
        """
        for field in (
            "Content-Length: -1",
            "Content-Length: +1",
            "Content-Length: 0x10",
            "Content-Length: ten",
            "Content-Length: 1 2",
            "Content-Length:",
            "Content-Length: \u0663",
            "Content-Length: " + "9" * 5000,
            "Content-Length: 3\r\nl: 4",
        ):
            error = self.error_of(Framer(), request_bytes(field, body=b"abc"))
            self.assertEqual(error.status, 400, field)
            answer = error_response(error)
            assert answer is not None
            self.assertEqual(answer.get(CALL_ID), "a84b4c76e66710@192.0.2.1")

    def test_doubled_content_length_that_agrees(self) -> None:
        """
        The same length twice is one length.
        """
        data = request_bytes("l: 3", "Content-Length: 3", body=b"abc")
        self.assertEqual(messages(feed(Framer(), data)), [data])

    def test_content_length_above_the_limit(self) -> None:
        """
        A message that says that it is too long is refused at once, with 513, and can
        be answered.
        """
        error = self.error_of(Framer(), request_bytes(f"l: {MAX_MESSAGE}"))
        self.assertEqual(error.status, 513)
        answer = error_response(error)
        assert answer is not None
        self.assertEqual(answer.get(TO), error.partial and error.partial.get(TO))

    def test_largest_message(self) -> None:
        """
        A message of exactly 64 KiB less one byte is accepted, one byte more is not.
        """
        room = MAX_MESSAGE - len(request_bytes("Content-Length: 65000"))
        data = request_bytes(f"Content-Length: {room}", body=b"x" * room)
        self.assertEqual(len(data), MAX_MESSAGE)
        self.assertEqual(messages(feed(Framer(), data)), [data])
        data = request_bytes(f"Content-Length: {room + 1}", body=b"x" * (room + 1))
        self.assertEqual(self.error_of(Framer(), data).status, 513)

    def test_endless_header_section(self) -> None:
        """
        A header section that does not end within the limit is refused with 513.
        """
        chunk = b"X-Padding: " + b"x" * 500 + b"\r\n"
        framer = Framer()
        received = feed(framer, OPTIONS[:-2], *[chunk] * 200)
        (error,) = received
        assert isinstance(error, ParseError)
        self.assertEqual(error.status, 513)

    def test_limit_of_fields(self) -> None:
        """
        200 fields are accepted, 201 are not: 513.
        """
        spare = MAX_FIELDS - len(OPTIONS.split(b"\r\n")) + 4
        data = request_bytes(*["X: y"] * (spare - 1), "l: 0")
        self.assertEqual(data.count(b"\r\n"), MAX_FIELDS + 2)
        self.assertEqual(messages(feed(Framer(), data)), [data])
        data = request_bytes(*["X: y"] * spare, "l: 0")
        self.assertEqual(self.error_of(Framer(), data).status, 513)

    def test_limit_of_one_field(self) -> None:
        """
        A field of 8 KiB is accepted, a longer one is not, folded or not: 513.
        """
        for fold in ("", "\r\n "):
            name = f"X: {fold}"
            value = name + "y" * (MAX_FIELD - len(name))
            data = request_bytes(value, "l: 0")
            self.assertEqual(messages(feed(Framer(), data)), [data])
            data = request_bytes(value + "y", "l: 0")
            self.assertEqual(self.error_of(Framer(), data).status, 513)

    def test_garbage(self) -> None:
        """
        What is no message breaks the stream with 400.
        """
        for garbage in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            error = self.error_of(Framer(), garbage)
            self.assertIn(error.status, (400, 505))
            self.assertIsNone(error_response(error))

    def test_empty_line_inside(self) -> None:
        """
        Where a bare LF makes an empty line, nobody can say which end is meant: 400.
        """
        data = OPTIONS.replace(b"\r\nTo", b"\n\nTo")
        self.assertEqual(self.error_of(Framer(), data).status, 400)

    def test_garbage_after_a_message(self) -> None:
        """
        A message in front of garbage is still delivered.
        """
        framer = Framer()
        first, error = feed(framer, OPTIONS + b"\x16\x03\x01\r\n\r\n")
        self.assertIsInstance(first, Request)
        self.assertIsInstance(error, ParseError)
        self.assertTrue(framer.broken)


class PingTests(SynchronousTestCase):
    """
    Keep-alives on a stream (RFC 5626, 3.5.1).
    """

    def test_ping(self) -> None:
        """
        Two empty lines are a ping, however many follow each other.
        """
        framer = Framer()
        self.assertEqual(feed(framer, b"\r\n\r\n"), [Ping()])
        self.assertEqual(feed(framer, b"\r\n\r\n\r\n\r\n"), [Ping(), Ping()])
        self.assertIsNone(framer.next_timer())

    def test_pong(self) -> None:
        """
        One empty line is a pong.
        """
        self.assertEqual(feed(Framer(), b"\r\n"), [Pong()])

    def test_ping_in_pieces(self) -> None:
        """
        A ping may be cut anywhere, also between CR and LF; nothing is late then.
        """
        for size in (1, 2, 3):
            framer = Framer()
            stream = b"\r\n\r\n"
            received = feed(framer, stream[:size], stream[size:])
            self.assertEqual(received.count(Ping()), 1)
            self.assertIsNone(framer.next_timer())
            self.assertEqual(messages(feed(framer, OPTIONS)), [OPTIONS])
        framer = Framer()
        self.assertEqual(feed(framer, *each_byte(stream)).count(Ping()), 1)
        self.assertEqual(messages(feed(framer, OPTIONS)), [OPTIONS])

    def test_ping_between_messages(self) -> None:
        """
        Messages and pings come out in their order.
        """
        received = feed(Framer(), OPTIONS + b"\r\n\r\n" + OK)
        self.assertEqual([type(one) for one in received], [Request, Ping, Response])

    def test_empty_lines_apart(self) -> None:
        """
        Empty lines before and after a message make no ping together.
        """
        received = feed(Framer(), b"\r\n" + OPTIONS + b"\r\n")
        self.assertEqual([type(one) for one in received], [Pong, Request, Pong])

    def test_other_pings(self) -> None:
        """
        The pings of Linphone (``jaK`` and NUL) and others, and the blanks that some
        gateways send, are passed over; no message is begun by them.
        """
        for ping in (b"jaK\0", b"png", b"\0\0\0\0", b"    ", b" " * 12, b"\r"):
            framer = Framer()
            self.assertEqual(feed(framer, ping), [])
            self.assertIsNone(framer.next_timer())
            self.assertEqual(messages(feed(framer, ping + OPTIONS)), [OPTIONS])


class TimeoutTests(SynchronousTestCase):
    """
    A message that does not become whole (the limit against slow senders).
    """

    def test_nothing_to_wait_for(self) -> None:
        """
        A stream on which no message has begun may be silent for ever.
        """
        framer = Framer()
        self.assertIsNone(framer.next_timer())
        framer.receive(OPTIONS + b"\r\n\r\n", 1.0)
        self.assertIsNone(framer.next_timer())
        self.assertEqual(framer.handle_timer(1000.0), [])
        self.assertFalse(framer.broken)

    def test_whole_within_four_seconds(self) -> None:
        """
        Time runs from the first byte of a message; further bytes win none.
        """
        framer = Framer()
        framer.receive(OPTIONS[:10], 10.0)
        self.assertEqual(framer.next_timer(), 14.0)
        framer.receive(OPTIONS[10:20], 13.0)
        self.assertEqual(framer.next_timer(), 14.0)
        self.assertEqual(framer.handle_timer(13.9), [])
        (error,) = framer.handle_timer(14.0)
        assert isinstance(error, ParseError)
        self.assertEqual(error.status, 408)
        self.assertTrue(framer.broken)
        self.assertIsNone(framer.next_timer())
        self.assertEqual(framer.handle_timer(20.0), [])
        self.assertEqual(framer.receive(OPTIONS[20:], 20.0), [])

    def test_missing_body(self) -> None:
        """
        Who sends all but the body is answered 408.
        """
        framer = Framer()
        framer.receive(MESSAGE[:-1], 0.0)
        (error,) = framer.handle_timer(4.0)
        assert isinstance(error, ParseError)
        answer = error_response(error)
        assert answer is not None
        self.assertEqual(answer.status, 408)

    def test_each_message_has_its_own_time(self) -> None:
        """
        The time of a message begins when the one before it is whole.
        """
        framer = Framer()
        framer.receive(OPTIONS[:10], 0.0)
        framer.receive(OPTIONS[10:] + OPTIONS[:10], 3.0)
        self.assertEqual(framer.next_timer(), 7.0)
        framer.receive(OPTIONS[10:], 6.0)
        self.assertIsNone(framer.next_timer())

    def test_own_limits(self) -> None:
        """
        Both limits can be chosen.
        """
        framer = Framer(max_message=len(OPTIONS), message_timeout=1.5)
        self.assertEqual(messages(framer.receive(OPTIONS, 0.0)), [OPTIONS])
        framer.receive(b"O", 2.0)
        self.assertEqual(framer.next_timer(), 3.5)
        (error,) = framer.receive(MESSAGE[1:], 2.0)
        assert isinstance(error, ParseError)
        self.assertEqual(error.status, 513)


class DemultiplexTests(SynchronousTestCase):
    """
    What a datagram on a SIP socket is.
    """

    def test_sip(self) -> None:
        """
        Requests and responses are SIP, also behind empty lines.
        """
        for datagram in (OPTIONS, OK, b"\r\n" + OPTIONS, b"!odd sip:a SIP/2.0", b"p"):
            self.assertIs(demultiplex(datagram), Kind.SIP, datagram)

    def test_stun(self) -> None:
        """
        Binding requests, indications, answers and errors are STUN: 20 bytes at least,
        of which the first is 0 or 1 (RFC 5389, 6).
        """
        for kind in (b"\0\1", b"\0\x11", b"\1\1", b"\1\x11"):
            datagram = kind + b"\0\0\x21\x12\xa4\x42" + b"transaction."
            self.assertIs(demultiplex(datagram), Kind.STUN)
        self.assertIs(demultiplex(b"\0\1" + b"x" * 17), Kind.SIP)

    def test_pings(self) -> None:
        """
        Empty datagrams, empty lines, Linphone's ``jaK``, ``png`` and four NULs are
        pings.
        """
        for ping in (b"", b"\r\n", b"\r\n\r\n", b"jaK\0", b"png", b"\0\0\0\0", b"\0"):
            self.assertIs(demultiplex(ping), Kind.PING, ping)
