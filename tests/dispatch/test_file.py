"""
Tests for `sipsorcery.dispatch.file`.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dispatch.file import Entry, parse, read, write
from sipsorcery.endpoint import Endpoint

ONE, TWO, THREE = (
    Endpoint.parse(f"udp:127.0.0.1:{port}") for port in (5070, 5071, 5072)
)
ORIGINAL = "100,udp:127.0.0.1:5070\r\n0,udp:127.0.0.1:5071\n\n-1,udp:127.0.0.1:5072\n"


class ParseTests(SynchronousTestCase):
    """
    What a file says.
    """

    def test_original(self) -> None:
        """
        The file of the original is read as it is.
        """
        listing = parse(ORIGINAL)
        self.assertEqual(
            listing.entries, (Entry(ONE, 100), Entry(TWO, 0), Entry(THREE, -1))
        )
        self.assertEqual(listing.faults, ())

    def test_more(self) -> None:
        """
        There may be comments, weights, IPv6, and URIs.
        """
        listing = parse(
            "# all of ours\n"
            " 25 , udp:127.0.0.1:5070  # the small one\n"
            "100,tcp:[2001:db8::1]:5071\n"
            "100,sip:192.0.2.1\n"
            "100,sip:192.0.2.1:5080;transport=tcp\n"
            "100,sips:192.0.2.1\n"
        )
        self.assertEqual(
            [f"{each.priority},{each.endpoint}" for each in listing.entries],
            [
                "25,udp:127.0.0.1:5070",
                "100,tcp:[2001:db8::1]:5071",
                "100,udp:192.0.2.1:5060",
                "100,tcp:192.0.2.1:5080",
                "100,tls:192.0.2.1:5061",
            ],
        )
        self.assertEqual(listing.faults, ())

    def test_faults(self) -> None:
        """
        A bad line is skipped and named, and harms no other.
        """
        listing = parse(
            "100 udp:127.0.0.1:5070\n"
            "x,udp:127.0.0.1:5070\n"
            "101,udp:127.0.0.1:5070\n"
            "-2,udp:127.0.0.1:5070\n"
            "100,udp:example.com:5070\n"
            "100,udp:127.0.0.1\n"
            "100,udp:127.0.0.1:5070\n"
            "0,udp:127.0.0.1:5070\n"
        )
        self.assertEqual(listing.entries, (Entry(ONE, 100),))
        self.assertEqual([each.line for each in listing.faults], [1, 2, 3, 4, 5, 6, 8])
        self.assertEqual(
            str(listing.faults[-1]), "line 8: udp:127.0.0.1:5070 is there already"
        )

    def test_kamailio(self) -> None:
        """
        A dispatcher.list of Kamailio is read: sets, flags and weights. A server may be
        in several sets.
        """
        listing = parse(
            "# setid destination flags priority attributes\n"
            "1 sip:127.0.0.1:5070\n"
            "1 sip:127.0.0.1:5071 1 0\n"
            "1 sip:127.0.0.1:5072 4 0\n"
            "2 sip:127.0.0.1:5073;transport=tcp 0 0 duid=x;weight=30\n"
            "2 sip:127.0.0.1:5070 8 0 rweight=50\n"
        )
        self.assertEqual(
            [f"{each.set} {each.priority},{each.endpoint}" for each in listing.entries],
            [
                "1 100,udp:127.0.0.1:5070",
                "1 0,udp:127.0.0.1:5071",
                "1 -1,udp:127.0.0.1:5072",
                "2 30,tcp:127.0.0.1:5073",
                "2 50,udp:127.0.0.1:5070",
            ],
        )
        self.assertEqual(listing.faults, ())

    def test_kamailio_unheeded(self) -> None:
        """
        What would change who gets a call there, and does not here, is told; a line that
        is no such thing is skipped.
        """
        listing = parse(
            "1 sip:127.0.0.1:5070 0 10\n"
            "1 sip:127.0.0.1:5071 0 0 maxload=20\n"
            "1 sip:127.0.0.1:5072 x 0\n"
            "1 sip:127.0.0.1:5073 0 0 weight=500\n"
            "1 sip:pbx.example.com\n"
        )
        self.assertEqual(len(listing.entries), 2)
        self.assertEqual([each.line for each in listing.faults], [1, 2, 3, 4, 5])
        told = " ".join(map(str, listing.faults))
        self.assertIn("line 1: the priority 10 orders nothing", told)
        self.assertIn("line 2: maxload limits nothing", told)

    def test_too_many(self) -> None:
        """
        There is an end to what is read.
        """
        lines = "".join(f"100,udp:127.0.0.1:{port}\n" for port in range(1, 1003))
        listing = parse(lines)
        self.assertEqual((len(listing.entries), len(listing.faults)), (1000, 2))
        file = Path(self.mktemp())
        file.write_text("# much\n" * 50_000)
        self.assertRaises(ValueError, read, file)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """
        No content breaks the reading.
        """
        parse(text)


class WriteTests(SynchronousTestCase):
    """
    What a supervisor changes.
    """

    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def test_change(self) -> None:
        """
        One priority changes, and all else stays: order, comments, and what the
        operator has taken out.
        """
        self.file.write_text(f"# ours\n{ORIGINAL}what is this\n")
        write(self.file, {TWO: 100, THREE: 100})
        self.assertEqual(
            self.file.read_text(),
            "# ours\n100,udp:127.0.0.1:5070\n100,udp:127.0.0.1:5071\n\n"
            "-1,udp:127.0.0.1:5072\nwhat is this\n",
        )

    def test_weight(self) -> None:
        """
        A server that is used already keeps its weight.
        """
        self.file.write_text("25,udp:127.0.0.1:5070\n")
        write(self.file, {ONE: 100})
        self.assertEqual(read(self.file).entries, (Entry(ONE, 25),))

    def test_comment(self) -> None:
        """
        A comment behind a server stays with it.
        """
        self.file.write_text("100,udp:127.0.0.1:5070 # the first\n")
        write(self.file, {ONE: 0})
        self.assertEqual(self.file.read_text(), "0,udp:127.0.0.1:5070  # the first\n")

    def test_kamailio(self) -> None:
        """
        A line of Kamailio stays one: its flags change, in every set, and its weight is
        there when the server is used again.
        """
        lines = (
            "1 sip:127.0.0.1:5070 8 0 weight=30 # small\n"
            "2 sip:127.0.0.1:5070\n"
            "1 sip:127.0.0.1:5071 1\n"
        )
        self.file.write_text(lines)
        write(self.file, {ONE: 0})
        self.assertEqual(
            self.file.read_text(),
            "1 sip:127.0.0.1:5070 9 0 weight=30  # small\n"
            "2 sip:127.0.0.1:5070 1\n"
            "1 sip:127.0.0.1:5071 1\n",
        )
        write(self.file, {ONE: 100, TWO: 100})
        self.assertEqual(
            read(self.file).entries,
            (Entry(ONE, 30), Entry(ONE, 100, set=2), Entry(TWO, 100)),
        )

    def test_new(self) -> None:
        """
        A server that is not in it is added, and a file that is not there is made.
        """
        write(self.file, {ONE: 100})
        write(self.file, {TWO: 0})
        self.assertEqual(read(self.file).entries, (Entry(ONE, 100), Entry(TWO, 0)))
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
