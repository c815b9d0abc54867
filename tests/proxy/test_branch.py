"""
Tests for `sipsorcery.proxy.branch`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.proxy.branch import Branches, Kind
from sipsorcery.sip import Request
from sipsorcery.sip.fields import VIA
from tests.proxy.flows import make_request

RFC3261 = "SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKa"
RFC2543 = "SIP/2.0/UDP 10.0.0.7:5060"


class BranchesTests(SynchronousTestCase):
    """
    Branches, and the responses that carry them back.
    """

    def setUp(self) -> None:
        self.branches = Branches(b"v" * 32)

    def make(
        self, request: Request, target: str = "t", kind: Kind = Kind.FORWARDED
    ) -> str:
        """
        Make a branch.
        """
        loop = self.branches.loop_hash(request, "outside")
        return self.branches.make(kind, loop, target, request)

    def request(
        self, method: str = "INVITE", via: str = RFC3261, **more: str
    ) -> Request:
        """
        Make a request.
        """
        return make_request(method, "sip:bob@example.com", via=via, **more)

    def test_follows_the_invite(self) -> None:
        """
        CANCEL, the ACK to a failure and what is sent again have the branch of their
        INVITE (RFC 3261, 16.11), also those of a client that gives no branch.
        """
        for via in (RFC3261, RFC2543):
            branches = {
                self.make(self.request("INVITE", via)),
                self.make(self.request("INVITE", via)),
                self.make(self.request("CANCEL", via)),
                self.make(self.request("ACK", via, to_tag="failure")),
            }
            self.assertEqual(len(branches), 1, via)

    def test_differs(self) -> None:
        """
        Another branch, sent-by, target or manner makes another branch, and so does
        another secret.
        """
        other = Branches(b"w" * 32)
        request = self.request()
        branches = [
            self.make(request),
            self.make(self.request(via=RFC3261 + "b")),
            self.make(self.request(via=RFC3261.replace("5060", "5070"))),
            self.make(self.request(via=RFC2543)),
            self.make(request, "u"),
            self.make(request, kind=Kind.RELAYED),
            other.make(
                Kind.FORWARDED, other.loop_hash(request, "outside"), "t", request
            ),
        ]
        self.assertEqual(len(set(branches)), len(branches))

    def test_made(self) -> None:
        """
        A response shows by branch and next Via that its request went through us.
        """
        for via in (RFC3261, RFC2543):
            request = self.request(via=via)
            branch = self.make(request)
            response = request.respond(200, to_tag="x")
            below = response[VIA]
            made = self.branches.made
            self.assertTrue(made(Kind.FORWARDED, branch, response, below))
            self.assertFalse(made(Kind.RELAYED, branch, response, below))
            victim = below._replace(host="192.0.2.66")
            self.assertFalse(made(Kind.FORWARDED, branch, response, victim))

    def test_forged(self) -> None:
        """
        A branch of which any character was changed is not ours, nor any other text.
        """
        request = self.request()
        branch = self.make(request)
        response = request.respond(200)
        below = response[VIA]
        forged = [
            branch[:place] + ("0" if old != "0" else "1") + branch[place + 1 :]
            for place, old in enumerate(branch)
        ]
        for text in (*forged, branch[:-1], branch + "0", "", None, "z9hG4bKa"):
            made = self.branches.made(Kind.FORWARDED, text, response, below)
            self.assertFalse(made, text)

    def test_nothing_to_go_by(self) -> None:
        """
        A response that lacks what a branch was made of is not ours.
        """
        request = self.request(via=RFC2543)
        branch = self.make(request)
        response = request.respond(200)
        response.remove("Call-ID")
        below = response[VIA]
        self.assertFalse(self.branches.made(Kind.FORWARDED, branch, response, below))
