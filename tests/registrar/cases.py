"""
What the tests of the registrar share: requests of phones, and decisions on them.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.endpoint import Endpoint
from sipsorcery.registrar.core import Outcome, register
from sipsorcery.registrar.errors import Refused
from sipsorcery.registrar.origin import Origin
from sipsorcery.registrar.registration import (
    Registration,
    read_aor,
    read_registration,
)
from sipsorcery.registrar.rules import Rules
from sipsorcery.sip.request import Request
from sipsorcery.store.bindings import Bindings
from tests.access.cases import NOW

AOR = "sip:bob@example.com"
SOURCE = Endpoint.parse("udp:192.0.2.4:5060")
VIA = "SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK74bf9"
PROXY_VIA = "SIP/2.0/UDP 127.0.0.1:5059;branch=z9hG4bKproxy"


def make_request(
    *contacts: str,
    expires: int | str | None = None,
    cseq: int = 1,
    call_id: str = "1j9FpLxk3uxtm8tn@biloxi.example.com",
    fields: Sequence[tuple[str, str]] = (),
    vias: Sequence[str] = (VIA,),
    to: str = f"<{AOR}>",
    method: str = "REGISTER",
    uri: str = "sip:example.com",
) -> Request:
    """
    Make a REGISTER as a phone sends it.
    """
    lines = [("Via", via) for via in vias]
    lines += [
        ("Max-Forwards", "70"),
        ("From", "Bob <sip:bob@example.com>;tag=a73kszlfl"),
        ("To", to),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
    ]
    lines += [("Contact", contact) for contact in contacts]
    if expires is not None:
        lines.append(("Expires", str(expires)))
    return Request(method, uri, [*lines, *fields])


def read(request: Request, *, is_trusted: bool = False) -> Registration:
    """
    Read a REGISTER.
    """
    return read_registration(request, read_aor(request), is_trusted=is_trusted)


class CoreCase(SynchronousTestCase):
    """
    The bindings of one address-of-record, which each request changes or not.
    """

    rules = Rules()
    origin = Origin(SOURCE)

    def setUp(self) -> None:
        self.bindings = Bindings()
        self.now = NOW
        self.cseq = 0

    def register(self, *contacts: str, **how: object) -> Outcome:
        """
        Decide on the next request of one phone, and keep what comes of it.
        """
        self.cseq += 1
        given: dict[str, object] = {"cseq": self.cseq, **how}
        request = make_request(*contacts, **given)  # type: ignore[arg-type]  # as given
        outcome = register(
            read(request), self.bindings, self.rules, self.origin, self.now
        )
        self.bindings = outcome.bindings
        return outcome

    def assert_refused(self, status: int, *contacts: str, **how: object) -> Refused:
        """
        Check that a request fails, and that nothing has changed then.
        """
        before = self.bindings
        refused: Refused = self.assertRaises(Refused, self.register, *contacts, **how)
        self.assertEqual(refused.status, status, refused)
        self.assertEqual(self.bindings, before)
        return refused

    def contacts(self) -> list[str]:
        """
        Give the URIs that are bound.
        """
        return [each.contact for each in self.bindings]

    def fates(self, outcome: Outcome) -> list[tuple[str, str]]:
        """
        Give what has happened to which URI.
        """
        return [(each.fate, each.binding.contact) for each in outcome.changes]
