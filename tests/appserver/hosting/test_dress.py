"""
Tests for :mod:`sipsorcery.appserver.hosting.dress`.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.dial.dial_string import parse_dial_string
from sipsorcery.appserver.dial.extra_fields import MAX_FIELDS
from sipsorcery.appserver.dial.options import NO_OPTIONS
from sipsorcery.appserver.dial.resolution import Kind, Target, resolve
from sipsorcery.appserver.errors import DressError
from sipsorcery.appserver.hosting.dress import Dress
from sipsorcery.appserver.hosting.dressing import dressing
from sipsorcery.appserver.hosting.guest import Guest
from sipsorcery.sip.uri import SIPURI
from tests.appserver.hosting.cases import HostingCase

_URI = SIPURI("sip", "100", "example.com")
_TARGET = Target(Kind.ANYBODY, _URI, _URI, _URI, NO_OPTIONS, headers=("X-A: 1",))


class DressTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.dress = Dress()

    def test_fields(self) -> None:
        """
        Fields are added to those of the leg; one of a name replaces another.
        """
        self.dress.set_field("X-Price", "5")
        self.dress.set_field("x-price", "6")
        self.assertEqual(self.dress.put_on(_TARGET).headers, ("X-A: 1", "x-price: 6"))
        self.dress.remove_field("X-PRICE")
        self.assertEqual(self.dress.put_on(_TARGET).headers, ("X-A: 1",))

    def test_refused_fields(self) -> None:
        """
        What makes the request what it is is not a dialplan's to say, in no case and
        not by its short name.
        """
        for name in (
            *("Via", "v", "From", "f", "To", "t", "Contact", "m", "CSeq", "Call-ID"),
            *("i", "Max-Forwards", "Route", "Record-Route", "Content-Length", "l"),
            *("Content-Type", "c", "CONTENT-ENCODING", "Authorization"),
            *("Proxy-Authorization", "proxy-require", "Proxy-ReceivedFrom", "Require"),
            *("P-Asserted-Identity", "", "X Y", "X:Y", "X\r\nVia"),
        ):
            with self.assertRaises(DressError, msg=name):
                self.dress.set_field(name, "x")
        self.assertEqual(self.dress.fields, {})

    @given(st.text())
    def test_values(self, value: str) -> None:
        """
        No value begins another line, whatever it is.
        """
        dress = Dress()
        try:
            dress.set_field("X-A", value)
        except DressError:
            pass
        for line in dress.put_on(_TARGET).headers:
            self.assertEqual(len(line.splitlines()), 1)

    def test_bounds(self) -> None:
        """
        There is an end to fields, values and bodies.
        """
        for number in range(MAX_FIELDS):
            self.dress.set_field(f"X-{number}", "x")
        for act in (
            lambda: self.dress.set_field("X-More", "x"),
            lambda: self.dress.set_field("X-1", "x" * 10_000),
            lambda: self.dress.set_content("text/plain", "x" * 100_000),
            lambda: self.dress.set_content("nothing", "x"),
            lambda: self.dress.set_content("text/plain\r\nVia: x", "x"),
        ):
            self.assertRaises(DressError, act)

    def test_sender(self) -> None:
        """
        A From has to be one; what needs an escape has it.
        """
        self.dress.set_sender("Al", "a b", None)
        self.assertEqual(self.dress.from_parts, ("Al", "a%20b", None))
        for parts in (("a\r\nVia: x", None, None), (None, None, "a b"), (None, "", "")):
            with self.assertRaises(DressError, msg=parts):
                self.dress.set_sender(*parts)


class DressingTests(HostingCase):
    """
    The functions, and what becomes of what they set.
    """

    def test_from(self) -> None:
        """
        The From of what is dialled is that of the dialplan, until it is cleared.
        """
        guest = self.guest()
        self.ask(dressing, guest, "set_from_header", name="Al", user="7", host=None)
        self.assertEqual(self.sender(guest), ("Al", "sip:7@example.com"))
        self.ask(dressing, guest, "clear_from_header")
        self.assertEqual(self.sender(guest), (None, "sip:100@example.com"))

    def test_leg_goes_before(self) -> None:
        """
        What a leg says of its From goes before what the dialplan says.
        """
        guest = self.guest()
        self.ask(dressing, guest, "set_from_header", name="Al", user="7", host=None)
        dialled = "x@example.net[fu=8,fd=Bo]"
        self.assertEqual(self.sender(guest, dialled), ("Bo", "sip:8@example.com"))

    def test_provider(self) -> None:
        """
        A provider has the From that it wants; where it wants none, the dialplan's.
        """
        add = self.joe.providers.add
        self.do(add("wants", server="sip:w.example", username="42", from_uri="sip:1@w"))
        self.do(add("open", server="sip:o.example", username="42"))
        guest = self.guest()
        self.ask(dressing, guest, "set_from_header", name="Al", user="7", host=None)
        self.assertEqual(self.sender(guest, "x@wants")[1], "sip:1@w")
        self.assertEqual(self.sender(guest, "x@open"), ("Al", "sip:7@o.example"))

    def test_content(self) -> None:
        """
        A body goes in the place of the caller's, until it is cleared.
        """
        guest = self.guest()
        self.ask(dressing, guest, "set_custom_content", body="x", content_type="a/b")
        self.assertEqual(guest.dress.put_on(_TARGET).content, ("a/b", b"x"))
        self.ask(dressing, guest, "clear_custom_body")
        self.assertIsNone(guest.dress.put_on(_TARGET).content)

    def test_refused(self) -> None:
        """
        A field that a dialplan may not set is an error in the dialplan.
        """
        text = self.refused(
            dressing, self.guest(), "set_custom_sip_header", name="Via", value="x"
        )
        self.assertIn("Via", text)

    def sender(
        self, guest: Guest, dialled: str = "x@example.net"
    ) -> tuple[str | None, str]:
        """
        Give the From of what a dial string leads to.
        """
        situation = replace(guest.situation, from_parts=guest.dress.from_parts)
        resolved = self.do(resolve(parse_dial_string(dialled), situation, guest.lookup))
        ((target,),) = resolved.stages
        return target.sender_name, str(target.sender)
