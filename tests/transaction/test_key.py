"""
Tests for `sipsorcery.transaction.key`.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.via import Via
from sipsorcery.transaction.derived import make_ack, make_cancel
from sipsorcery.transaction.key import ack_key, client_key, merge_key, server_key
from tests.transaction.messages import make_request, make_response

OLD_VIA = "SIP/2.0/UDP 192.0.2.2:5060"
OLD_INVITE = make_request("INVITE", via=OLD_VIA)


class ServerKeyTests(SynchronousTestCase):
    """
    Requests of clients of RFC 3261 (17.2.3).
    """

    def assert_differs(self, via: str, method: str = "OPTIONS") -> None:
        """
        Check that this belongs to another transaction than the usual OPTIONS.
        """
        other = make_request(method, via=via)
        self.assertNotEqual(server_key(make_request()), server_key(other))

    def test_what_counts(self) -> None:
        """
        Branch, sent-by and method count.
        """
        self.assert_differs("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK2")
        self.assert_differs("SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bK1")
        self.assert_differs("SIP/2.0/UDP 192.0.2.2:5062;branch=z9hG4bK1")
        self.assert_differs("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1")
        self.assert_differs("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1", "INFO")

    def test_what_does_not_count(self) -> None:
        """
        Nothing else does.
        """
        other = make_request(
            uri="sip:carol@example.com",
            via="SIP/2.0/UDP 192.0.2.2:5060;rport=9;branch=z9hG4bK1;received=192.0.2.9",
            from_="<sip:x@example.com>;tag=x",
            to="<sip:y@example.com>;tag=y",
            call_id="z",
            cseq="99",
        )
        self.assertEqual(server_key(make_request()), server_key(other))

    def test_case(self) -> None:
        """
        Branch and host are compared without case (7.3.1), methods with case (7.1).
        """
        low = make_request(via="SIP/2.0/UDP host.example.com;branch=z9hG4bKab")
        high = make_request(via="SIP/2.0/UDP HOST.example.com;branch=z9hG4bKAB")
        self.assertEqual(server_key(low), server_key(high))
        self.assertNotEqual(
            server_key(make_request()), server_key(make_request("options"))
        )

    def test_ack_and_cancel(self) -> None:
        """
        They are looked for by the method of the INVITE; for itself a CANCEL is a
        transaction of its own.
        """
        invite = make_request("INVITE")
        ack = make_ack(invite, make_response(invite, 486))
        cancel = make_cancel(invite)
        for request in (ack, cancel):
            self.assertEqual(server_key(request, "INVITE"), server_key(invite))
            self.assertNotEqual(server_key(request), server_key(invite))

    def test_top_via(self) -> None:
        """
        Only the top Via counts.
        """
        one = make_request(more=["Via: SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK8"])
        two = make_request(more=["Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9"])
        self.assertEqual(server_key(one), server_key(two))

    def test_broken_via(self) -> None:
        """
        Without a Via that can be read there is no key.
        """
        for via in ("", "SIP/2.0/UDP"):
            self.assertRaises(ParseError, server_key, make_request(via=via))


class OldServerKeyTests(SynchronousTestCase):
    """
    Requests of clients of RFC 2543 (17.2.3), which have no magic cookie.
    """

    def test_what_counts(self) -> None:
        """
        Request-URI, To tag, From tag, Call-ID, CSeq and the top Via count.
        """
        others = [
            make_request("INVITE", via=OLD_VIA, uri="sip:carol@example.com"),
            make_request("INVITE", via=OLD_VIA, to="<sip:bob@example.com>;tag=b"),
            make_request("INVITE", via=OLD_VIA, from_="<sip:alice@example.com>;tag=c"),
            make_request("INVITE", via=OLD_VIA, call_id="2@there"),
            make_request("INVITE", via=OLD_VIA, cseq="8"),
            make_request("BYE", via=OLD_VIA),
            make_request("INVITE", via=f"{OLD_VIA};branch=1"),
        ]
        keys = {server_key(request) for request in [OLD_INVITE, *others]}
        self.assertEqual(len(keys), 1 + len(others))

    def test_repetition(self) -> None:
        """
        A request that comes again matches, and a CANCEL matches its INVITE.
        """
        again = make_request("INVITE", via=OLD_VIA, more=["Subject: again"])
        self.assertEqual(server_key(again), server_key(OLD_INVITE))
        cancel = make_request("CANCEL", via=OLD_VIA)
        self.assertEqual(server_key(cancel, "INVITE"), server_key(OLD_INVITE))

    def test_no_tags(self) -> None:
        """
        Clients so old may have no From tag either.
        """
        request = make_request("INVITE", via=OLD_VIA, from_="sip:alice@example.com")
        self.assertEqual(server_key(request), server_key(request.copy()))
        self.assertNotEqual(server_key(request), server_key(OLD_INVITE))

    def test_cookie_alone(self) -> None:
        """
        The cookie and nothing else identifies nothing (RFC 4475, 3.2.1).
        """
        via = f"{OLD_VIA};branch=z9hG4bK"
        one = make_request(via=via)
        two = make_request(via=via, call_id="2@there")
        self.assertNotEqual(server_key(one), server_key(two))

    def test_parts_do_not_run_together(self) -> None:
        """
        What ends one part cannot begin the next one.
        """
        one = make_request(via=OLD_VIA, call_id="1@there", cseq="11")
        two = make_request(via=OLD_VIA, call_id="1@there1", cseq="1")
        self.assertNotEqual(server_key(one), server_key(two))

    def test_broken_field(self) -> None:
        """
        Without the fields that count there is no key.
        """
        for request in (
            make_request(via=OLD_VIA, cseq="x"),
            make_request(via=OLD_VIA, call_id=""),
            make_request(via=OLD_VIA, from_="<"),
        ):
            self.assertRaises(ParseError, server_key, request)


class AckKeyTests(SynchronousTestCase):
    """
    Finding the failure that an ACK without its branch is for.
    """

    def test_match(self) -> None:
        """
        Call-ID, From tag, To tag and CSeq number tell, whatever the Via.
        """
        response = make_response(OLD_INVITE, 486)
        ack = make_ack(OLD_INVITE, response)
        ack.set(VIA, Via.parse("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKnew"))
        self.assertEqual(ack_key(ack), ack_key(response))

    def test_what_counts(self) -> None:
        """
        Each of these four counts.
        """
        to = "<sip:bob@example.com>;tag=b"
        others = [
            make_request("ACK", to=to),
            make_request("ACK", to="<sip:bob@example.com>;tag=c"),
            make_request("ACK"),
            make_request("ACK", to=to, from_="<sip:alice@example.com>;tag=c"),
            make_request("ACK", to=to, call_id="2@there"),
            make_request("ACK", to=to, cseq="8"),
        ]
        self.assertEqual(len({ack_key(request) for request in others}), len(others))


class MergeKeyTests(SynchronousTestCase):
    """
    One request that comes by several ways (RFC 3261, 8.2.2.2).
    """

    def test_match(self) -> None:
        """
        From tag, Call-ID and CSeq tell, whatever the Via and the Request-URI.
        """
        other = make_request(
            uri="sip:bob@192.0.2.7", via="SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK7"
        )
        self.assertEqual(merge_key(make_request()), merge_key(other))

    def test_what_counts(self) -> None:
        """
        Each of these counts, and the method is part of the CSeq.
        """
        requests = [
            make_request(),
            make_request(from_="<sip:alice@example.com>;tag=c"),
            make_request(call_id="2@there"),
            make_request(cseq="8"),
            make_request("INFO"),
        ]
        keys = {merge_key(request) for request in requests}
        self.assertEqual(len(keys), len(requests))

    def test_dialog(self) -> None:
        """
        Within a dialog nothing is merged.
        """
        request = make_request(to="<sip:bob@example.com>;tag=b")
        self.assertIsNone(merge_key(request))


class ClientKeyTests(SynchronousTestCase):
    """
    Responses to requests of ours (RFC 3261, 17.1.3).
    """

    def test_what_counts(self) -> None:
        """
        Branch and method count: a CANCEL has the branch of its INVITE.
        """
        via = Via.parse("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1")
        again = Via.parse("SIP/2.0/UDP 192.0.2.2;rport=5;branch=Z9hG4bK1")
        other = Via.parse("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2")
        self.assertEqual(client_key(via, "INVITE"), client_key(again, "INVITE"))
        self.assertNotEqual(client_key(via, "INVITE"), client_key(other, "INVITE"))
        self.assertNotEqual(client_key(via, "INVITE"), client_key(via, "CANCEL"))

    def test_no_branch(self) -> None:
        """
        A response without a branch has a key that no request has.
        """
        via = Via.parse("SIP/2.0/UDP 192.0.2.2")
        self.assertEqual(client_key(via, "INVITE"), "INVITE\n")


class GlanceTests(SynchronousTestCase):
    """
    Requests that are seen at a glance, and others.
    """

    @given(
        st.sampled_from(["INVITE", "ACK", "CANCEL", "OPTIONS"]),
        st.sampled_from(["", "1", "0", ".a-B"]),
        st.sampled_from(["192.0.2.2:5060", "192.0.2.2", "A.Example", "a.example:1"]),
        st.sampled_from(["", ";tag=b", ";tag=B;x=y"]),
        st.sampled_from(["", ";tag=a"]),
        st.sampled_from(["0", "7", "0007"]),
    )
    def test_same_keys(
        self,
        method: str,
        branch: str,
        sent_by: str,
        to_tag: str,
        from_tag: str,
        cseq: str,
    ) -> None:
        """
        It makes no difference to the keys which way the fields are read.
        """
        keys = []
        for more in ((), ("nothing: takes a longer look",)):
            request = make_request(
                method,
                via=f"SIP/2.0/UDP {sent_by};branch=z9hG4bK{branch}",
                from_=f"<sip:alice@example.com>{from_tag}",
                to=f"<sip:bob@example.com>{to_tag}",
                cseq=cseq,
                more=more,
            )
            keys.append(
                (
                    server_key(request),
                    server_key(request, "INVITE"),
                    merge_key(request),
                    ack_key(request),
                )
            )
        self.assertEqual(*keys)
        self.assertIsNone(request.glance())
