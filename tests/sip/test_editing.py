"""
Tests for changing messages with :mod:`sipsorcery.sip.message`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import (
    CONTACT,
    CSEQ,
    MAX_FORWARDS,
    ROUTE,
    SUBJECT,
    SUPPORTED,
    TO,
    VIA,
    Field,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from tests.sip.samples import message, request, response

A, B, C = (Address.parse(f"<sip:{name}>") for name in "abc")

#: A request in the spelling of somebody else.
ODD = (
    "OPTIONS sip:a SIP/2.0",
    "v:SIP/2.0/UDP one;branch=1 ,  SIP/2.0/TCP two",
    "X-Colour :   green  ",
    "Via\t: SIP/2.0/UDP three",
    "ROUTE: <sip:a>,",
    "\t<sip:b;lr> ,<sip:c>",
    "route: <sip:d>",
    "k:",
    "subject:\t ",
    "CSEQ: 0001   OPTIONS",
    "x-colour: blue",
)


class EditTests(SynchronousTestCase):
    """
    What changes, and that nothing else does.
    """

    def setUp(self) -> None:
        self.made = parse(message(*ODD))

    def check(self, *expected: str) -> None:
        """
        Compare the lines of the message; what is read is what was written.
        """
        self.assertEqual(self.made.head.split("\r\n")[:-1], list(expected))
        again = parse(self.made.to_bytes())
        for field in (VIA, ROUTE, SUPPORTED, CSEQ):
            self.assertEqual(self.made.all(field), again.all(field))
            self.assertEqual(self.made.get(field), again.get(field))

    def test_untouched(self) -> None:
        """
        Reading changes nothing.
        """
        for field in (VIA, ROUTE, SUPPORTED, CSEQ, SUBJECT):
            self.made.all(field)
            self.made.get(field)
        self.made.items()
        self.check(*ODD)

    def test_set(self) -> None:
        """
        A value takes the place of the first line; the other lines go.
        """
        self.made.set(CSEQ, CSeq(2, "OPTIONS"))
        self.made.set("X-COLOUR", "red")
        self.made.set(SUPPORTED, "100rel")
        self.made.set(VIA, Via("UDP", "four"))
        self.check(
            ODD[0],
            "Via: SIP/2.0/UDP four",
            "X-COLOUR: red",
            *ODD[4:7],
            "Supported: 100rel",
            ODD[8],
            "CSeq: 2 OPTIONS",
        )

    def test_set_new(self) -> None:
        """
        What is new goes to the end.
        """
        self.made.set(MAX_FORWARDS, 70)
        self.made.set("X-New", "a, b")
        self.check(*ODD, "Max-Forwards: 70", "X-New: a, b")

    def test_set_all(self) -> None:
        """
        Several values are several lines in the place of the first.
        """
        self.made.set_all(ROUTE, [C, A])
        self.made.set_all("x-colour", ["1", "2"])
        self.check(
            *ODD[:2],
            *("x-colour: 1", "x-colour: 2"),
            ODD[3],
            *("Route: <sip:c>", "Route: <sip:a>"),
            *ODD[7:10],
        )

    def test_set_all_to_nothing(self) -> None:
        """
        No values are no lines.
        """
        self.made.set_all(ROUTE, [])
        self.check(*ODD[:4], *ODD[7:])
        self.assertNotIn(ROUTE, self.made)

    def test_add(self) -> None:
        """
        A value goes below the last of its kind, or to the end.
        """
        self.made.add(ROUTE, A)
        self.made.add("X-Colour", "red")
        self.made.add(CONTACT, B)
        self.made.add(CONTACT, C)
        self.check(
            *ODD[:7],
            "Route: <sip:a>",
            *ODD[7:],
            "X-Colour: red",
            "Contact: <sip:b>",
            "Contact: <sip:c>",
        )

    def test_prepend(self) -> None:
        """
        A value goes on top of its kind.
        """
        self.made.prepend(VIA, Via("UDP", "zero"))
        self.made.prepend(ROUTE, C)
        self.made.prepend("x-Colour", "red")
        self.check(
            ODD[0],
            "Via: SIP/2.0/UDP zero",
            ODD[1],
            "x-Colour: red",
            *ODD[2:4],
            "Route: <sip:c>",
            *ODD[4:],
        )

    def test_prepend_the_first(self) -> None:
        """
        The first of its kind goes below the topmost Via, the first Via to the top.
        """
        self.made.prepend("Record-Route", "<sip:a;lr>")
        self.check(*ODD[:2], "Record-Route: <sip:a;lr>", *ODD[2:])
        self.made = parse(message("OPTIONS sip:a SIP/2.0", "X-Y: z"))
        self.made.prepend(ROUTE, A)
        self.made.prepend(VIA, Via("UDP", "b"))
        self.check(
            "OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP b", "Route: <sip:a>", "X-Y: z"
        )

    def test_prepend_without_fields(self) -> None:
        """
        A start line alone is enough.
        """
        self.made = parse(b"OPTIONS sip:a SIP/2.0")
        self.made.prepend(VIA, Via("UDP", "b"))
        self.check("OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP b")

    def test_replace_first(self) -> None:
        """
        One value changes; the others of its line come below it, as they were spelled.
        """
        self.made.replace_first(VIA, Via("UDP", "four"))
        self.made.replace_first(ROUTE, C)
        self.made.replace_first(CSEQ, CSeq(7, "OPTIONS"))
        self.check(
            ODD[0],
            *("Via: SIP/2.0/UDP four", "Via: SIP/2.0/TCP two"),
            *ODD[2:4],
            *("Route: <sip:c>", "Route: <sip:b;lr>, <sip:c>"),
            *ODD[6:9],
            "CSeq: 7 OPTIONS",
            ODD[10],
        )

    def test_pop_first(self) -> None:
        """
        Values are taken from the top, whether they share a line or not.
        """
        popped = [str(self.made.pop_first(ROUTE)) for _ in range(3)]
        self.assertEqual(popped, ["<sip:a>", "<sip:b;lr>", "<sip:c>"])
        self.assertEqual(self.made.pop_first(VIA).host, "one")
        self.check(ODD[0], "Via: SIP/2.0/TCP two", *ODD[2:4], *ODD[6:])
        self.made.pop_first(ROUTE)
        self.assertNotIn(ROUTE, self.made)

    def test_drop_first(self) -> None:
        """
        Several values are taken away at once, from as many lines as it takes.
        """
        self.made.drop_first(ROUTE, 0)
        self.check(*ODD)
        self.made.drop_first(ROUTE, 2)
        self.check(*ODD[:4], "Route: <sip:c>", *ODD[6:])
        self.made.drop_first(ROUTE, 2)
        self.check(*ODD[:4], *ODD[7:])
        self.made.drop_first(VIA, 3)
        self.check(ODD[0], ODD[2], *ODD[7:])

    def test_too_few_to_drop(self) -> None:
        """
        If there are fewer, nothing is taken away.
        """
        with self.assertRaises(LocalProtocolError):
            self.made.drop_first(ROUTE, 5)
        self.check(*ODD)

    def test_nothing_to_pop_or_replace(self) -> None:
        """
        What is not there, or is an empty list, cannot be taken or replaced.
        """
        empty: tuple[Field[Any], ...] = (CONTACT, SUPPORTED)
        for field in empty:
            with self.assertRaises(LocalProtocolError):
                self.made.pop_first(field)
        with self.assertRaises(LocalProtocolError):
            self.made.replace_first(CONTACT, A)
        with self.assertRaises(LocalProtocolError):
            self.made.replace_first(SUPPORTED, "100rel")
        self.check(*ODD)

    def test_empty_line_above(self) -> None:
        """
        The first value may stand below a line without any.
        """
        self.made = parse(message(ODD[0], "k:", "Supported: a, b"))
        self.assertEqual(self.made.pop_first(SUPPORTED), "a")
        self.check(ODD[0], "k:", "Supported: b")
        self.made.replace_first(SUPPORTED, "c")
        self.check(ODD[0], "k:", "Supported: c")

    def test_broken_value_stays(self) -> None:
        """
        What cannot be read cannot be popped, and stays.
        """
        for line in ("Route: broken", 'Route: "a, <sip:b>'):
            self.made = parse(message(ODD[0], line))
            with self.assertRaises(ParseError):
                self.made.pop_first(ROUTE)
            self.assertIn(ROUTE, self.made)
        with self.assertRaises(ParseError) as caught:
            self.made.replace_first(ROUTE, A)
        self.assertIs(caught.exception.partial, self.made)

    def test_remove(self) -> None:
        """
        All lines of a field go, folds with them; what is not there is no error.
        """
        self.made.remove(ROUTE)
        self.made.remove("x-COLOUR")
        self.made.remove(CONTACT)
        self.check(*ODD[:2], ODD[3], *ODD[7:10])

    def test_change_after_check(self) -> None:
        """
        What was read once is read anew after a change.
        """
        self.made = response("Route: <sip:a>")
        self.made.check(ROUTE)
        self.made.add(ROUTE, B)
        self.assertEqual(self.made.all(ROUTE), (A, B))
        self.made.set(TO, C)
        self.assertEqual(self.made[TO], C)
        self.assertIn("Route", dict(self.made.items()))

    def test_change_by_name(self) -> None:
        """
        A change by name is seen by who reads values, and the other way round.
        """
        for name in ("Route", "ROUTE", "rOUTE"):
            self.made = parse(message(*ODD))
            self.made.all(ROUTE)
            self.made.get(ROUTE)
            self.made.set(name, "<sip:x>, <sip:y>")
            self.assertEqual(len(self.made.all(ROUTE)), 2)
            self.assertEqual(str(self.made[ROUTE]), "<sip:x>")
            self.made.pop_first(ROUTE)
            self.assertEqual(self.made.all(name), ("<sip:y>",))
            self.made.remove(name)
            self.assertEqual(self.made.all(ROUTE), ())

    def test_own_field(self) -> None:
        """
        A field that the table does not know may have a type of its own.
        """
        colour = Field("X-Colour", str.upper)
        self.assertEqual(self.made.all(colour), ("GREEN", "BLUE"))
        self.made.set("x-colour", "red")
        self.assertEqual(self.made.all(colour), ("RED",))
        self.assertEqual(self.made[colour], "RED")


class CopyTests(SynchronousTestCase):
    """
    Copies.
    """

    def test_independent(self) -> None:
        """
        A copy has all that the original has, and neither feels what happens to the
        other.
        """
        for made in (request("Route: <sip:a>", "l: 1", body=b"x"), response("l: 0")):
            data = made.to_bytes()
            made.check(ROUTE)
            copy = made.copy()
            self.assertEqual(copy, made)
            self.assertIs(type(copy), type(made))
            copy.remove(VIA)
            copy.body = b"abc"
            copy.prepend(ROUTE, C)
            self.assertEqual(made.to_bytes(), data)
            self.assertEqual(made.body, data[-1:].strip())
            made.remove(ROUTE)
            self.assertEqual(copy.get(ROUTE), C)

    def test_own_attributes(self) -> None:
        """
        Method, Request-URI, status and reason go with the copy.
        """
        asked = request()
        copy = asked.copy()
        uri = SIPURI.parse("sip:new")
        copy.uri = uri
        self.assertEqual((copy.method, copy.uri), ("OPTIONS", uri))
        self.assertEqual(asked.request_uri, "sip:bob@example.net")
        answer = response(status="486 Taken").copy()
        self.assertEqual((answer.status, answer.reason), (486, "Taken"))


# Fields as anybody may send them; X-Own is what the edits below change.
others = st.lists(
    st.sampled_from(
        [
            "X-A:  b ",
            "x-a : c",
            "v:SIP/2.0/UDP a,SIP/2.0/UDP b",
            "Via : SIP/2.0/TCP c ",
            "Subject:\r\n\tfolded\r\n X-Own: no",
            "k:",
            "no colon",
            "X-Owner: x",
            "Not-X-Own: x",
            "\u00e9: \udcff",
        ]
    )
)
own = st.lists(st.sampled_from(["X-Own: 1", "x-own :2", "X-OWN:\r\n 3, 4", "X-own:"]))
OWN = Field("X-Own", str)
edits = st.lists(
    st.sampled_from(
        [
            lambda made: made.set(OWN, "new"),
            lambda made: made.set("x-own", "new"),
            lambda made: made.set_all(OWN, ["new", "newer"]),
            lambda made: made.add(OWN, "added"),
            lambda made: made.prepend(OWN, "top"),
            lambda made: made.prepend("X-OWN", "top"),
            lambda made: made.remove(OWN),
            lambda made: made.get(OWN),
            lambda made: made.all("X-Own"),
            lambda made: made.pop_first(OWN) if OWN in made else None,
            lambda made: made.drop_first(OWN, len(made.all("X-Own"))),
            lambda made: made.replace_first(OWN, "other") if OWN in made else None,
        ]
    )
)


def _is_own(line: str) -> bool:
    return line.partition(":")[0].strip(" \t").lower() == "x-own"


class RandomEditTests(SynchronousTestCase):
    """
    Whatever is done to one field.
    """

    @given(st.data(), others, own, edits)
    def test_other_lines_stay(
        self,
        data: Any,
        around: list[str],
        inside: list[str],
        steps: list[Callable[[Message], object]],
    ) -> None:
        """
        All other lines stay as they are, in their order, byte for byte.
        """
        lines = data.draw(st.permutations(around + inside))
        made = parse(message("OPTIONS sip:a SIP/2.0", *lines, "l: 0"))
        for step in steps:
            step(made)
            written = made.to_bytes().decode("utf-8", "surrogateescape")
            fields = _lines(written)
            self.assertEqual(
                [line for line in fields if not _is_own(line)],
                [
                    "OPTIONS sip:a SIP/2.0",
                    *(x for x in lines if not _is_own(x)),
                    "l: 0",
                ],
            )
            self.assertEqual(
                made.all("X-Own"),
                tuple(_text(line) for line in fields if _is_own(line)),
            )
            self.assertEqual(parse(made.to_bytes()), made)


def _lines(written: str) -> list[str]:
    unfolded = written.replace("\r\n ", "\0 ").replace("\r\n\t", "\0\t")
    return [line.replace("\0", "\r\n") for line in unfolded.split("\r\n")[:-2]]


def _text(line: str) -> str:
    return line.partition(":")[2].replace("\r\n", "").strip(" \t")
