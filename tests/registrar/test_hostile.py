"""
Requests that nobody in their right mind would send.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.registrar.answer import Answers
from sipsorcery.registrar.core import register
from sipsorcery.registrar.errors import Refused
from sipsorcery.registrar.origin import Origin
from sipsorcery.registrar.registration import (
    check_request,
    read_aor,
    read_registration,
)
from sipsorcery.registrar.rules import Rules
from sipsorcery.sip import parse
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.store.bindings import BINDINGS, Bindings, make_record
from tests.access.cases import NOW
from tests.registrar.cases import AOR, SOURCE
from tests.registrar.test_answer import FixedGRUUs

# What the parts of a REGISTER are made of, and some of what they never should be.
_PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            '"',
            ";",
            ",",
            ":",
            "=",
            "*",
            "@",
            "?",
            "%",
            "%zz",
            "\\",
            " ",
            "\t",
        ),
        *(
            "sip:",
            "sips:",
            "mailto:",
            "tel:",
            "bob",
            "192.0.2.4",
            "[::1]",
            "[::",
            "a.b",
        ),
        *(
            "5060",
            "99999",
            ";expires=",
            ";q=",
            ";reg-id=",
            ";+sip.instance=",
            ";gr",
            "0",
        ),
        *(
            "1",
            "-1",
            "0.5",
            "4294967296",
            "<urn:uuid:1>",
            '"<urn:uuid:1>"',
            ";ob",
            ";lr",
        ),
        *("\u00e9", "\udcff", "\x00", "\x7f", "\u2028", "1" * 5000),
    ]
)
_TEXTS = st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=40)
_FIELDS = st.sampled_from(
    [
        *("Contact", "m", "Expires", "Path", "Supported", "k", "Require", "To", "t"),
        *("User-Agent", "Call-ID", "CSeq", "Via", "From", "Proxy-ReceivedFrom"),
    ]
)
_MORE = st.lists(st.tuples(_FIELDS, _TEXTS), max_size=6)
_USUAL = (
    "REGISTER sip:example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\r\n"
    "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\n"
    "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n"
)


class HostileTests(SynchronousTestCase):
    """
    Any text in any field.
    """

    @given(_MORE, st.booleans())
    def test_anything(self, more: list[tuple[str, str]], is_trusted: bool) -> None:
        """
        Whatever a request says, it is refused, or what comes of it can be stored, read
        again and told.
        """
        lines = "".join(f"{name}: {text}\r\n" for name, text in more)
        data = f"{_USUAL}{lines}Content-Length: 0\r\n\r\n"
        try:
            request = parse(data.encode("utf-8", "surrogateescape"))
            assert isinstance(request, Request)
            request.check()
            check_request(request)
            asked = read_registration(request, read_aor(request), is_trusted=is_trusted)
            outcome = register(
                asked, Bindings(), Rules(), Origin(SOURCE, is_trusted=is_trusted), NOW
            )
        except (ParseError, Refused):
            return
        if outcome.bindings:
            record = make_record(AOR, outcome.bindings, "joe")
            record.check()
            self.assertEqual(BINDINGS.read(record), outcome.bindings)
        answers = Answers(FixedGRUUs())
        fields = answers.registered(AOR, asked, outcome, Rules(), NOW)
        response = parse(request.respond(200, None, fields, to_tag="1").to_bytes())
        listed = [name for name, _ in fields].count("Contact")
        self.assertEqual(len(response.all("Contact")), listed)
