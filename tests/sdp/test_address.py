"""
Tests for :mod:`sipsorcery.sdp.address`.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sdp import (
    LocalProtocolError,
    SessionDescription,
    is_private,
    replace_addresses,
)
from tests.sdp.samples import ASTERISK, EDGE, PION, SAMPLES, body

PRIVATE = body("""
v=0
o=- 1 1 IN IP4 10.0.0.4
s=-
c=IN IP4 10.0.0.4
t=0 0
m=audio 4000 RTP/AVP 0
a=rtcp:4005 IN IP4 192.168.1.9
m=video 4002 RTP/AVP 31
c=IN IP4 172.16.0.1
a=rtcp:4007
m=image 4004 udptl t38
c=IN IP4 198.51.100.9
m=text 4006 RTP/AVP 98
c=IN IP6 fd00::1
""")


def replaced(
    data: bytes,
    address: str,
    *,
    where: Callable[[str], bool] = is_private,
    origin: bool = False,
    rtcp: bool = True,
) -> list[str]:
    """
    Give the lines that change when *address* is put into a body.
    """
    before = SessionDescription.parse(data)
    after = replace_addresses(before, address, where=where, origin=origin, rtcp=rtcp)
    return [
        new
        for old, new in zip(
            str(before).splitlines(), str(after).splitlines(), strict=True
        )
        if old != new
    ]


class PrivateTests(SynchronousTestCase):
    def test_private(self) -> None:
        """
        Private is what is routed nowhere (RFC 1918, 6598, 3927, 4193, loopback).
        """
        for address in (
            *("10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255"),
            *("192.168.0.0", "192.168.255.255", "100.64.0.0", "100.127.255.255"),
            *("169.254.1.1", "127.0.0.1", "127.1.2.3", "::1", "fe80::1", "fd12::1"),
            *("fc00::1", "::ffff:10.0.0.1"),
        ):
            with self.subTest(address=address):
                self.assertTrue(is_private(address))

    def test_public(self) -> None:
        """
        The neighbours of private networks, groups, names and nothing are not private.
        """
        for address in (
            *("9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0"),
            *("192.167.255.255", "192.169.0.0", "100.63.255.255", "100.128.0.0"),
            *("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "2000::1"),
            *("0.0.0.0", "::", "224.2.1.1", "ff15::1", "::ffff:192.0.2.1"),
            *("pbx.example.com", "10.example", "", "010.0.0.1", "10.0.0.1/8"),
        ):
            with self.subTest(address=address):
                self.assertFalse(is_private(address))


class ReplaceTests(SynchronousTestCase):
    def test_private_addresses(self) -> None:
        """
        Private addresses go, of all media and of RTCP; ports, o= and the rest stay.
        """
        self.assertEqual(
            replaced(PRIVATE, "203.0.113.1"),
            [
                "c=IN IP4 203.0.113.1",
                "a=rtcp:4005 IN IP4 203.0.113.1",
                "c=IN IP4 203.0.113.1",
                "c=IN IP4 203.0.113.1",
            ],
        )

    def test_by_default(self) -> None:
        """
        Whoever says no more than the address gets that: all but o= is changed.
        """
        description = SessionDescription.parse(PRIVATE)
        done = replace_addresses(description, "203.0.113.1")
        self.assertEqual(done.origin, description.origin)
        self.assertEqual(
            [str(media.connection) for media in done.media],
            [
                *("IN IP4 203.0.113.1", "IN IP4 203.0.113.1"),
                *("IN IP4 198.51.100.9", "IN IP4 203.0.113.1"),
            ],
        )
        self.assertEqual(str(done.media[0].rtcp), "4005 IN IP4 203.0.113.1")

    def test_address_type(self) -> None:
        """
        With an address of IPv6 the address type becomes IP6, and the other way round.
        """
        self.assertEqual(
            set(replaced(PRIVATE, "2001:DB8:0::1", rtcp=False)),
            {"c=IN IP6 2001:db8::1"},
        )

    def test_origin(self) -> None:
        """
        The origin is changed only if that is asked for.
        """
        self.assertEqual(
            replaced(PRIVATE, "203.0.113.1", origin=True)[0],
            "o=- 1 1 IN IP4 203.0.113.1",
        )

    def test_as_told(self) -> None:
        """
        Whoever calls may say which addresses are meant.
        """
        self.assertEqual(
            replaced(PRIVATE, "203.0.113.1", where=lambda old: old == "198.51.100.9"),
            ["c=IN IP4 203.0.113.1"],
        )
        self.assertEqual(
            len(replaced(PRIVATE, "203.0.113.1", where=lambda old: True, origin=True)),
            6,
        )

    def test_nothing_to_replace(self) -> None:
        """
        Where nothing is to be replaced, the very same description comes back.
        """
        for data, address in (
            (ASTERISK, "203.0.113.1"),
            (PRIVATE, "203.0.113.1"),
            (SAMPLES["UNTIDY"], "203.0.113.1"),
        ):
            description = SessionDescription.parse(data)
            done = replace_addresses(description, address)
            self.assertIs(replace_addresses(done, address), done)

    def test_hold_is_kept(self) -> None:
        """
        0.0.0.0 is a hold, and stays one, whatever is asked for.
        """
        held = PRIVATE.replace(b"IP4 10.0.0.4", b"IP4 0.0.0.0").replace(
            b"IP6 fd00::1", b"IP6 ::"
        )
        lines = replaced(held, "203.0.113.1", where=lambda old: True, origin=True)
        self.assertEqual(len(lines), 3)  # RTCP, video and image
        self.assertEqual(replaced(PION, "203.0.113.1", where=lambda old: True), [])

    def test_candidates_stay(self) -> None:
        """
        ICE candidates are left alone, as is RTCP at 0.0.0.0 (Microsoft Edge).
        """
        data = EDGE.replace(
            b"a=rtcp-mux\r\n", b"a=candidate:1 1 udp 1 10.0.75.1 7038 typ host\r\n"
        )
        self.assertEqual(replaced(data, "203.0.113.1"), ["c=IN IP4 203.0.113.1"])

    def test_groups_and_names(self) -> None:
        """
        A group that is replaced loses TTL and count; names are replaced if told so.
        """
        data = PRIVATE.replace(
            b"IP4 10.0.0.4\r\nt", b"IP4 224.2.1.1/127/3\r\nt"
        ).replace(b"172.16.0.1", b"pbx.example.com")
        lines = replaced(data, "203.0.113.1", where=lambda old: True, rtcp=False)
        self.assertEqual(lines, ["c=IN IP4 203.0.113.1"] * 4)

    def test_other_networks(self) -> None:
        """
        Addresses of other networks than the Internet are none of ours.
        """
        data = PRIVATE.replace(b"IN IP4 172.16.0.1", b"ATM NSAP 47.0091.8100")
        lines = replaced(data, "203.0.113.1", where=lambda old: True, rtcp=False)
        self.assertEqual(len(lines), 3)

    def test_malformed_rtcp(self) -> None:
        """
        An a=rtcp that cannot be understood is left alone.
        """
        data = ASTERISK + b"a=rtcp:x IN IP4 10.0.0.1\r\na=rtcp\r\na=rtcp:1 IN IP4\r\n"
        self.assertEqual(replaced(data, "203.0.113.1"), [])

    def test_no_address(self) -> None:
        """
        What is put in has to be an address.
        """
        description = SessionDescription.parse(PRIVATE)
        for address in ("", "pbx.example.com", "1.2.3", "fe80::1%eth0", "1.2.3.4\r\n"):
            with self.subTest(address=address):
                self.assertRaises(
                    LocalProtocolError, replace_addresses, description, address
                )
