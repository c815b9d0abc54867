"""
Tests for :mod:`sipsorcery.dialog.extensions`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.extensions import (
    EXTENSIONS,
    RELIABLE,
    check_required,
    requires,
    supports,
)
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.fields import UNSUPPORTED
from tests.dialog.messages import request


class NegotiationTests(SynchronousTestCase):
    def test_supported_and_required(self) -> None:
        """
        Who requires an extension supports it, too; case does not count.
        """
        for line, is_required, is_supported in (
            ("X-None: 1", False, False),
            ("Supported: replaces, 100REL", False, True),
            ("k: 100rel", False, True),
            ("Require: timer, 100Rel", True, True),
            ("Supported:", False, False),
        ):
            invite = request("INVITE", line)
            self.assertIs(requires(invite, RELIABLE), is_required, line)
            self.assertIs(supports(invite, RELIABLE), is_supported, line)

    def test_unknown_extensions(self) -> None:
        """
        What we cannot do is told with 420, in Unsupported (RFC 3261, 8.2.2.3).
        """
        invite = request("INVITE", "Require: 100REL, siprec", "Require: x-other")
        refusal = check_required(invite, EXTENSIONS)
        self.assertEqual(
            refusal,
            Refusal(420, fields=((UNSUPPORTED, "siprec"), (UNSUPPORTED, "x-other"))),
        )

    def test_known_extensions(self) -> None:
        """
        A request that requires nothing, or what we can do, passes.
        """
        for lines in ((), ("Require: 100rel, Timer",)):
            self.assertIsNone(check_required(request("INVITE", *lines), EXTENSIONS))

    def test_ack_and_cancel(self) -> None:
        """
        The Require of an ACK or CANCEL, which can be refused by nobody, is passed over.
        """
        for method in ("ACK", "CANCEL"):
            self.assertIsNone(check_required(request(method, "Require: x"), ()))

    def test_broken(self) -> None:
        """
        A Require that cannot be read is refused with 400.
        """
        refusal = check_required(request("INVITE", "Require: <"), EXTENSIONS)
        assert refusal is not None
        self.assertEqual(refusal.status, 400)
