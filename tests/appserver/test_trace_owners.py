"""
Tests for :mod:`sipsorcery.appserver.trace_owners`; those for the service show what a
server makes of it.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.appserver.events import Events
from sipsorcery.appserver.trace_owners import Belonging, TraceOwners
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request
from sipsorcery.testing.bus import RecordingBus

PHONE = Endpoint.parse("udp:192.0.2.1:5060")
OTHER = Endpoint.parse("udp:192.0.2.2:5060")
JOES = Belonging("joe", "call-1")


def invite(branch: str, *, call_id: str = "c", tag: str = "f") -> Request:
    """
    Make a request as a proxy sends it on.
    """
    return Request(
        "INVITE",
        "sip:bob@example.com",
        [
            ("Via", f"SIP/2.0/UDP 127.0.0.1:5059;branch={branch}"),
            ("From", f"<sip:a@example.com>;tag={tag}"),
            ("To", "<sip:bob@example.com>"),
            ("Call-ID", call_id),
        ],
    )


class TraceOwnersTests(SynchronousTestCase):
    """
    Who is told to own what.
    """

    def setUp(self) -> None:
        self.bus = RecordingBus()
        self.owners = TraceOwners(Events(self.bus, lambda: 0.0), limit=3)

    def claimed(self) -> list[tuple[str, str]]:
        """
        Give the owners and the branches of what has become known.
        """
        return [(each.owner, each.detail["branch"]) for each in self.bus.events]

    def test_challenged(self) -> None:
        """
        The request that brought no credentials goes to who brings them, once.
        """
        self.owners.challenged(invite("one"), PHONE)
        self.assertEqual(self.claimed(), [])
        self.owners.received(invite("two"), JOES, "t", PHONE)
        self.assertEqual(self.claimed(), [("joe", "one"), ("joe", "two")])
        self.owners.received(invite("three"), JOES, "t", PHONE)
        self.assertEqual(self.claimed()[2:], [("joe", "three")])

    def test_somebody_else(self) -> None:
        """
        A Call-ID and a tag that others have as well give them nothing: it has to come
        from where the first one came from.
        """
        self.owners.challenged(invite("one"), PHONE)
        for request, source in (
            (invite("two"), OTHER),
            (invite("three", call_id="d"), PHONE),
            (invite("four", tag="g"), PHONE),
        ):
            self.owners.received(request, JOES, "t", source)
        branches = [branch for _, branch in self.claimed()]
        self.assertEqual(branches, ["two", "three", "four"])

    def test_bound(self) -> None:
        """
        Of many that never come back the oldest are forgotten.
        """
        for number in range(4):
            request = invite(f"b{number}", call_id=f"c{number}")
            self.owners.challenged(request, PHONE)
        for number in range(4):
            request = invite("x", call_id=f"c{number}")
            self.owners.received(request, JOES, "t", PHONE)
        branches = [branch for _, branch in self.claimed() if branch != "x"]
        self.assertEqual(branches, ["b1", "b2", "b3"])

    def test_nobody(self) -> None:
        """
        What is of no user is not claimed.
        """
        self.owners.received(invite("one"), Belonging("", "call-1"), "t", PHONE)
        self.assertEqual(self.bus.events, [])

    def test_unreadable(self) -> None:
        """
        What cannot be read, and keep-alives, pass.
        """
        for data in (b"", b"\r\n\r\n", b"\xff garbage", b"BYE sip:x SIP/2.0\r\n\r\n"):
            self.owners.trace(data, None, True)  # type: ignore[arg-type]  # not used
        self.assertEqual(self.bus.events, [])
