"""
Tests for what must not get into, or stay in, a message.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.address import Address
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.errors import LocalProtocolError, ParseError
from sipsorcery.sip.fields import (
    CONTACT,
    CSEQ,
    FROM,
    PROXY_RECEIVED_FROM,
    SUBJECT,
    SUPPORTED,
    USER_AGENT,
    VIA,
)
from sipsorcery.sip.message import Message
from sipsorcery.sip.parser import parse
from sipsorcery.sip.uri import SIPURI
from sipsorcery.sip.via import Via
from tests.sip.samples import message, request

A = Address.parse("<sip:a>")


class SmugglingTests(SynchronousTestCase):
    """
    What an attacker would like to bring in, or to keep.
    """

    def test_every_spelling_is_removed(self) -> None:
        """
        A private field goes in whatever spelling it comes, in any number.
        """
        spellings = (
            "Proxy-ReceivedFrom: x",
            "proxy-receivedfrom:x",
            "PROXY-RECEIVEDFROM : x",
            "Proxy-ReceivedFrom\t \t:x",
            "Proxy-ReceivedFrom:\r\n x",
            "Proxy-ReceivedFrom: x\r\n\ty\r\n z",
            "Proxy-ReceivedFrom:",
        )
        made = request(*spellings, "X-Kept: a\r\n Proxy-ReceivedFrom: b", "l: 0")
        made.check()
        made.remove(PROXY_RECEIVED_FROM)
        self.assertNotIn(PROXY_RECEIVED_FROM, made)
        self.assertEqual(made, request("X-Kept: a\r\n Proxy-ReceivedFrom: b", "l: 0"))

    def test_compact_and_long_are_removed(self) -> None:
        """
        So does a field that has a compact form.
        """
        made = request("k: a", "Supported: b", "K :c", "l: 0")
        made.remove(SUPPORTED)
        self.assertEqual(made, request("l: 0"))
        made = request("k: a", "Supported: b", "K :c", "l: 0")
        made.remove("supported")
        self.assertEqual(made, request("l: 0"))

    def test_bare_line_ends(self) -> None:
        """
        What stands behind a bare LF, or behind CR and SP, is a field of its own, as the
        next server might see it, and is written as one.
        """
        for end in ("\n", "\r "):
            made = request(f"Subject: a{end}Proxy-ReceivedFrom: x", "l: 0")
            self.assertEqual(made.get(PROXY_RECEIVED_FROM), "x")
            self.assertEqual(made.get(SUBJECT), "a")
            made.remove(PROXY_RECEIVED_FROM)
            self.assertEqual(made, request("Subject: a", "l: 0"))

    def test_fold_of_the_start_line(self) -> None:
        """
        A start line has no second line: a field that is put below the first would get
        between the two.
        """
        for start in ("OPTIONS sip:a SIP/2.0", "SIP/2.0 200 OK"):
            for blank in " \t":
                with self.assertRaises(ParseError):
                    parse(message(start, f"{blank};received=192.0.2.66", "l: 0"))

    def test_line_ends_in_values(self) -> None:
        """
        A value that would be more than its line is refused, however it comes.
        """
        evil = "a\r\nX-Evil: b"
        edits: list[Callable[[Message], None]] = [
            lambda made: made.set(SUBJECT, evil),
            lambda made: made.set(SUBJECT, "a\nX-Evil: b"),
            lambda made: made.set(SUBJECT, "a\rX-Evil: b"),
            lambda made: made.set(SUBJECT, "a\r\n folded"),
            lambda made: made.set("X-Y", evil),
            lambda made: made.set_all(SUBJECT, ["a", evil]),
            lambda made: made.add(USER_AGENT, evil),
            lambda made: made.prepend(SUBJECT, evil),
            lambda made: made.prepend(VIA, Via("UDP", evil)),
            lambda made: made.replace_first(FROM, Address(A.uri, evil)),
            lambda made: made.set(CONTACT, Address(SIPURI("sip", evil, "b"))),
            lambda made: made.set(CSEQ, CSeq(1, evil)),
        ]
        for edit in edits:
            made = request()
            before = made.to_bytes()
            with self.assertRaises(LocalProtocolError):
                edit(made)
            self.assertEqual(made.to_bytes(), before)

    def test_names(self) -> None:
        """
        So is a name that is none.
        """
        for name in ("", "X-Y: a\r\nX-Evil", "a b", "X-Y:", "X-Y "):
            with self.assertRaises(LocalProtocolError):
                request().set(name, "x")

    def test_what_is_no_text(self) -> None:
        """
        A lone surrogate, which JSON can bring, is refused; those that stand for octets
        are written as they came.
        """
        made = request()
        with self.assertRaises(LocalProtocolError):
            made.set(SUBJECT, "\ud800")
        made.set(SUBJECT, "\udcff\u00e9")
        self.assertIn(b"Subject: \xff\xc3\xa9\r\n", made.to_bytes())
