"""
Tests for `sipsorcery.appserver.calls.caller_side` and `sipsorcery.appserver.calls.leg`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from sipsorcery.appserver.dial.dial_string import Credentials
from sipsorcery.dialog.bodies import description_in
from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.cseq import RAck
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    MAX_FORWARDS,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    RACK,
    REQUIRE,
    RSEQ,
    SUPPORTED,
    TO,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import MediaType
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from tests.appserver.bridged import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    PEER_MEDIA,
    BridgedCase,
)
from tests.ua.cases import Peer

OFFER, ANSWER = bytes(ALICE_MEDIA), bytes(PEER_MEDIA)
OTHER = bytes(PEER_MEDIA).replace(b"m=audio 6000", b"m=audio 6002")
MIXED = MediaType.parse('multipart/mixed;boundary="mark"')
RELIABLE = (SUPPORTED, "100rel")


def parts(description: bytes) -> bytes:
    """
    Put a description beside something that nobody here understands.
    """
    isup = b"Content-Type: application/isup\r\n\r\n\x00\x01\xff"
    sdp = b"Content-Type: application/sdp\r\n\r\n" + description
    return b"--mark\r\n" + sdp + b"\r\n--mark\r\n" + isup + b"\r\n--mark--"


class TwoPhonesCase(BridgedCase):
    """
    A caller and a callee who do what the test says.
    """

    def setUp(self) -> None:
        super().setUp()
        self.caller = Peer(self.machines[ALICE], ALICE)
        self.callee = self.peer()

    def call(self, *fields: tuple[Any, Any], body: bytes = OFFER) -> Request:
        """
        Call the server, and give the INVITE that the callee gets.
        """
        self.invite = self.caller.request("INVITE", *fields, body=body, host=BOB)
        self.network.advance()
        return self.callee.last("INVITE")

    def respond(self, status: int, *fields: tuple[Any, Any], **more: Any) -> None:
        """
        Let the callee answer its INVITE.
        """
        self.callee.respond(self.callee.last("INVITE"), status, *fields, **more)
        self.network.advance()

    @property
    def heard(self) -> Response:
        """
        What the caller has heard last.
        """
        return self.caller.responses[-1]

    def within(
        self, method: str, number: int, *fields: tuple[Any, Any], body: bytes = b""
    ) -> Request:
        """
        Send a request of the caller in the dialog.
        """
        request = self.caller.request(
            method,
            *fields,
            number=number,
            to_tag=self.heard[TO].tag,
            body=body,
            host=BOB,
        )
        self.network.advance()
        return request

    def described(self, response: Request | Response) -> str:
        """
        Give the ports of what a message describes; "" if it describes nothing.
        """
        description = description_in(response)
        if description is None:
            return ""
        return " ".join(str(media.port) for media in description.media)

    def end(self, number: int = 9) -> None:
        """
        Let the caller hang up, and check that nothing is left.
        """
        self.within("BYE", number)
        self.callee.respond(self.callee.last("BYE"), 200, tag=None)
        self.assert_settled()


class ProgressTests(TwoPhonesCase):
    """
    Before the call is answered.
    """

    def test_unreadable(self) -> None:
        """
        What nobody can read of a callee is not passed on, and he may answer all the
        same.
        """
        self.call()
        self.respond(183, ("Content-Type", "x"), body=ANSWER)
        self.respond(180)
        self.assertEqual(self.caller.statuses, [180])
        self.respond(200, body=ANSWER)
        self.assertEqual(self.heard.status, 200)
        self.within("ACK", 1)
        self.end()

    def test_statuses(self) -> None:
        """
        Each status passes once, with its reason and what may pass beside it.
        """
        self.call()
        self.respond(180, ("Alert-Info", "<http://x/tone>"), ("X-Secret", "1"))
        self.assertEqual(self.heard.get("Alert-Info"), "<http://x/tone>")
        self.assertNotIn("X-Secret", self.heard)
        self.respond(180)
        self.respond(182)
        self.respond(199)
        self.assertEqual(self.caller.statuses, [180, 182])
        self.respond(486)
        self.assertEqual(self.caller.statuses[-1], 486)
        self.within("ACK", 1)
        self.network.advance(70.0)

    def test_early_media(self) -> None:
        """
        Early media passes, and so does the answer, which may say the same again.
        """
        self.call()
        self.respond(183, body=ANSWER)
        self.assertEqual((self.heard.status, self.described(self.heard)), (183, "6000"))
        early = self.heard.body
        self.respond(200, body=ANSWER)
        self.assertEqual((self.heard.status, self.heard.body), (200, early))
        self.within("ACK", 1)
        self.assertEqual(self.caller.methods, [])  # there is nothing to put right
        self.end()

    def test_callee_has_gone(self) -> None:
        """
        An ACK that comes when the callee has hung up already does no harm.
        """
        self.call()
        self.respond(200, body=ANSWER)
        self.bridge.dissolve()  # as the end of a call does
        self.within("ACK", 1)
        session = self.successResultOf(self.calls[-1].incoming.answered())
        self.assertTrue(session.is_established)
        self.end()

    def test_other_fork_answers(self) -> None:
        """
        The first description is the answer (RFC 3261, 13.2.1), so that of another phone
        comes in a re-INVITE; the media of a third one is not heard.
        """
        self.call()
        self.respond(183, tag="one", body=ANSWER)
        self.respond(183, tag="two", body=OTHER)
        self.assertEqual(self.caller.statuses, [183])
        self.respond(200, tag="two", body=OTHER)
        self.assertEqual(self.described(self.heard), "6000")
        self.within("ACK", 1)
        again = self.caller.last("INVITE")
        self.assertEqual(self.described(again), "6002")
        self.caller.respond(again, 200, tag=None, body=OFFER)
        self.network.advance()
        self.callee.respond(self.callee.last("INVITE"), 200, tag=None, body=OTHER)
        self.network.advance()
        self.end()

    def test_two_answers(self) -> None:
        """
        The second 2xx of one leg gets an ACK and a BYE (RFC 3261, 13.2.2.4).
        """
        invite = self.call()
        self.callee.respond(invite, 200, tag="one", body=ANSWER)
        self.callee.respond(invite, 200, tag="two", body=OTHER)
        self.network.advance()
        self.within("ACK", 1)
        self.network.advance(40.0)
        byes = [one for one in self.callee.requests if one.method == "BYE"]
        self.assertEqual({one[TO].tag for one in byes}, {"two"})
        acks = [one for one in self.callee.requests if one.method == "ACK"]
        self.assertEqual({one[TO].tag for one in acks}, {"one", "two"})
        self.callee.respond(byes[-1], 200, tag=None)
        self.end()

    def test_given_up(self) -> None:
        """
        The caller's CANCEL cancels the leg.
        """
        invite = self.call()
        self.respond(180)
        via = self.invite.get("Via") or ""
        branch = via.partition("branch=")[2].partition(";")[0]
        self.caller.request("CANCEL", branch=branch, host=BOB)
        self.network.advance()
        self.assertIn(487, self.caller.statuses)
        self.callee.respond(self.callee.last("CANCEL"), 200)
        self.callee.respond(invite, 487)
        self.within("ACK", 1)
        self.assert_settled()


class ReliableTests(TwoPhonesCase):
    """
    Reliable provisional responses (RFC 3262), each leg for itself.
    """

    def test_caller_only(self) -> None:
        """
        The caller, who can, confirms what the callee has just said.
        """
        self.call(RELIABLE)
        self.respond(183, body=ANSWER)
        self.assertIn("100rel", self.heard.all(REQUIRE))
        self.assertNotIn("PRACK", self.callee.methods)
        rack = RAck(self.heard[RSEQ], self.invite[CSEQ])
        self.within("PRACK", 2, (RACK, rack))
        self.assertEqual((self.heard.status, self.heard[CSEQ].method), (200, "PRACK"))
        self.respond(200)
        self.assertEqual((self.heard.status, self.described(self.heard)), (200, ""))
        self.within("ACK", 1)
        self.end()

    def test_callee_only(self) -> None:
        """
        We confirm what the callee insists on, and the caller just hears it.
        """
        invite = self.call()
        self.assertIn("100rel", invite.all(SUPPORTED))
        self.respond(183, (REQUIRE, "100rel"), (RSEQ, 7), body=ANSWER)
        self.assertEqual(self.callee.last("PRACK")[RACK].rseq, 7)
        self.callee.respond(self.callee.last("PRACK"), 200)
        self.assertNotIn(REQUIRE, self.heard)
        self.assertEqual(self.described(self.heard), "6000")
        self.respond(200)
        self.assertEqual(self.described(self.heard), "6000")
        self.within("ACK", 1)
        self.end()

    def test_both(self) -> None:
        """
        Both, with numbers of their own; the 2xx waits for the caller's PRACK.
        """
        self.call(RELIABLE)
        self.respond(183, (REQUIRE, "100rel"), (RSEQ, 7), body=ANSWER)
        self.callee.respond(self.callee.last("PRACK"), 200)
        first = self.heard
        self.assertNotEqual(first[RSEQ], 7)
        self.respond(200)
        self.assertEqual(self.heard.status, 183)
        self.within("PRACK", 2, (RACK, RAck(first[RSEQ], self.invite[CSEQ])))
        self.assertEqual(self.caller.statuses[-2:], [200, 200])
        self.within("ACK", 1)
        self.end()

    def test_update_before_the_answer(self) -> None:
        """
        An UPDATE of the early dialog passes as one.
        """
        self.call(RELIABLE)
        self.respond(183, (REQUIRE, "100rel"), (RSEQ, 7), body=ANSWER)
        self.callee.respond(self.callee.last("PRACK"), 200)
        self.within("PRACK", 2, (RACK, RAck(self.heard[RSEQ], self.invite[CSEQ])))
        self.within("UPDATE", 3, body=OFFER + b"a=sendonly\r\n")
        update = self.callee.last("UPDATE")
        self.assertIn(b"a=sendonly", update.body)
        self.callee.respond(update, 200, tag=None, body=ANSWER + b"a=recvonly\r\n")
        self.network.advance()
        self.assertEqual((self.heard.status, self.heard[CSEQ].method), (200, "UPDATE"))
        self.assertIn(b"a=recvonly", self.heard.body)
        self.respond(200)
        self.within("ACK", 1)
        self.end()


class LateOfferTests(TwoPhonesCase):
    """
    An INVITE without an offer.
    """

    def test_in_the_2xx(self) -> None:
        """
        The callee's offer is in the 2xx to the caller, whose answer is in our ACK.
        """
        invite = self.call(body=b"")
        self.assertEqual(invite.body, b"")
        # A reliable response might have the offer, and the caller cannot answer that.
        self.assertNotIn("100rel", invite.all(SUPPORTED))
        self.respond(200, body=ANSWER)
        self.assertEqual(self.described(self.heard), "6000")
        self.assertNotIn("ACK", self.callee.methods)
        self.within("ACK", 1, body=OFFER)
        self.assertEqual(self.described(self.callee.last("ACK")), "4000")
        self.end()

    def test_in_a_reliable_response(self) -> None:
        """
        Where both can confirm, an offer in a 183 is answered in the PRACK.
        """
        invite = self.call(RELIABLE, body=b"")
        self.assertIn("100rel", invite.all(SUPPORTED))
        self.respond(183, (REQUIRE, "100rel"), (RSEQ, 7), body=ANSWER)
        self.assertNotIn("PRACK", self.callee.methods)
        self.assertEqual(self.described(self.heard), "6000")
        rack = RAck(self.heard[RSEQ], self.invite[CSEQ])
        self.within("PRACK", 2, (RACK, rack), body=OFFER)
        prack = self.callee.last("PRACK")
        self.assertEqual(self.described(prack), "4000")
        self.callee.respond(prack, 200)
        self.respond(200)
        self.within("ACK", 1)
        self.assertEqual(self.callee.last("ACK").body, b"")
        self.end()

    def test_no_answer(self) -> None:
        """
        Where the caller never answers, both legs end, and the callee's 2xx has an ACK.
        """
        self.call(body=b"")
        self.respond(200, body=ANSWER)
        self.network.advance(40.0)
        self.assertIn("ACK", self.callee.methods)
        self.assertIn("BYE", self.callee.methods)
        self.assertIn("BYE", self.caller.methods)
        self.network.advance(70.0)
        self.assertEqual(self.server.core.dialogs, {})


class MessageTests(TwoPhonesCase):
    """
    What else an INVITE and its answers take along.
    """

    def test_fields(self) -> None:
        """
        The INVITE has our Contact, fewer hops, and what the policy lets pass.
        """
        diversion = ("Diversion", "<sip:x@y>;reason=busy")
        asserted = ("P-Asserted-Identity", "<sip:boss@y>")
        invite = self.call(diversion, asserted, (MAX_FORWARDS, 10), ("X-Mine", "1"))
        self.assertEqual(invite.get("Diversion"), "<sip:x@y>;reason=busy")
        self.assertNotIn("P-Asserted-Identity", invite)  # from anybody
        self.assertNotIn("X-Mine", invite)
        self.assertEqual(invite[MAX_FORWARDS], 9)
        contact = invite[CONTACT]
        self.assertEqual(str(contact), f"<sip:name-of-b@{BOB}>")
        self.respond(200, body=ANSWER)
        self.assertEqual(str(self.heard[CONTACT]), f"<sip:name-of-a@{BOB}>")
        self.within("ACK", 1)
        self.end()

    def test_multipart(self) -> None:
        """
        A description among other parts stays among them, in the answer, too.
        """
        invite = self.call((CONTENT_TYPE, MIXED), body=parts(OFFER))
        self.assertEqual(invite[CONTENT_TYPE], MIXED)
        self.assertIn(b"application/isup\r\n\r\n\x00\x01\xff\r\n", invite.body)
        self.assertEqual(self.described(invite), "4000")
        self.respond(200, (CONTENT_TYPE, MIXED), body=parts(ANSWER))
        self.assertEqual(self.heard[CONTENT_TYPE], MIXED)
        self.assertEqual(self.described(self.heard), "6000")
        self.within("ACK", 1)
        self.end()

    def test_no_description(self) -> None:
        """
        A body that describes no session passes as it is, and so does its answer.
        """
        text = (CONTENT_TYPE, MediaType("text", "x-else"))
        invite = self.call(text, body=b"whatever")
        self.assertEqual((invite.body, invite[CONTENT_TYPE]), (b"whatever", text[1]))
        self.respond(200, text, body=b"agreed")
        self.assertEqual(self.heard.body, b"agreed")
        self.assertEqual(self.heard[CONTENT_TYPE], text[1])
        self.within("ACK", 1)
        self.end()

    def test_addresses(self) -> None:
        """
        Private addresses give way to the ones that were seen, early ones included.
        """
        self.side = {"seen": "198.51.100.7"}
        private = OFFER.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 192.168.1.2")
        invite = self.call(body=private)
        self.assertIn(b"c=IN IP4 198.51.100.7", invite.body)
        theirs = ANSWER.replace(b"c=IN IP4 192.0.2.3", b"c=IN IP4 10.0.0.3")
        seen = ("Proxy-ReceivedFrom", "udp:198.51.100.9:5060")
        self.respond(183, seen, body=theirs)
        self.assertIn(b"c=IN IP4 198.51.100.9", self.heard.body)
        self.respond(200, seen, body=theirs)
        self.within("ACK", 1)
        self.within("INVITE", 2, body=private + b"a=sendonly\r\n")
        self.assertIn(b"c=IN IP4 198.51.100.7", self.callee.last("INVITE").body)
        self.callee.respond(
            self.callee.last("INVITE"), 200, tag=None, body=theirs + b"a=recvonly\r\n"
        )
        self.network.advance()
        self.assertIn(b"c=IN IP4 198.51.100.9", self.heard.body)
        self.within("ACK", 2)
        self.end()

    def test_addresses_of_the_answer(self) -> None:
        """
        They do in a 2xx that nothing with media came before, too.
        """
        self.call()
        theirs = ANSWER.replace(b"c=IN IP4 192.0.2.3", b"c=IN IP4 10.0.0.3")
        seen = ("Proxy-ReceivedFrom", "udp:198.51.100.9:5060")
        self.respond(180, seen)
        self.respond(200, seen, body=theirs)
        self.assertIn(b"c=IN IP4 198.51.100.9", self.heard.body)
        self.within("ACK", 1)
        self.end()

    def test_addresses_stay(self) -> None:
        """
        Not so where the leg does not want that.
        """
        self.side = {"seen": "198.51.100.7"}
        self.target = replace(self.target, rewrites_sdp=False)
        private = OFFER.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 192.168.1.2")
        self.assertIn(b"192.168.1.2", self.call(body=private).body)
        theirs = ANSWER.replace(b"c=IN IP4 192.0.2.3", b"c=IN IP4 10.0.0.3")
        seen = ("Proxy-ReceivedFrom", "udp:198.51.100.9:5060")
        self.respond(200, seen, body=theirs)
        self.assertIn(b"10.0.0.3", self.heard.body)
        self.within("ACK", 1)
        self.end()

    def test_stored_before_it_leaves(self) -> None:
        """
        The 2xx waits until it is stored, but no longer than two seconds.
        """
        stored: list[Response] = []
        done: Deferred[None] = Deferred()

        async def storing(response: Response) -> None:
            stored.append(response)
            await done

        self.storing = storing
        self.call()
        self.respond(200, body=ANSWER)
        self.assertEqual([one.status for one in stored], [200])
        self.assertNotIn(200, self.caller.statuses)
        done.callback(None)
        self.network.advance()
        self.assertEqual(self.caller.statuses[-1], 200)
        self.within("ACK", 1)
        self.end()

    def test_store_is_away(self) -> None:
        """
        Without a store the call goes on after two seconds.
        """

        async def storing(response: Response) -> None:
            await Deferred()

        self.storing = storing
        self.call()
        self.respond(200, body=ANSWER)
        self.network.advance(1.9)
        self.assertNotIn(200, self.caller.statuses)
        self.network.advance(0.2)
        self.assertEqual(self.caller.statuses[-1], 200)
        self.within("ACK", 1)
        self.end()

    def test_over_before_it_is_stored(self) -> None:
        """
        If the callee hangs up meanwhile, the caller is told that there is no call.
        """

        async def storing(response: Response) -> None:
            await Deferred()

        self.storing = storing
        invite = self.call()
        self.respond(200, body=ANSWER)
        callee = self.calls[0].callee
        assert callee is not None
        self.callee.request(
            "BYE",
            number=1,
            call_id=invite.get("Call-ID") or "",
            to_tag=callee.dialog.local_tag,
            host=BOB,
        )
        self.network.advance()
        self.assertEqual(self.caller.statuses[-1], 487)
        self.network.advance(3.0)
        self.assertNotIn(200, self.caller.statuses)
        self.within("ACK", 1)
        self.network.advance(70.0)
        self.assertEqual(self.server.core.dialogs, {})


class ProviderTests(TwoPhonesCase):
    """
    A leg to a provider that wants proofs.
    """

    def setUp(self) -> None:
        super().setUp()
        self.target = replace(
            self.target,
            credentials=Credentials("us", "secret"),
            realms=("provider.example",),
        )

    def challenge(self, request: Request, realm: str, **more: Any) -> None:
        """
        Ask for a proof.
        """
        nonce = len(self.callee.requests)  # another one each time
        challenge = Challenge.parse(
            f'Digest realm="{realm}", nonce="{nonce}", qop="auth"'
        )
        self.callee.respond(request, 407, (PROXY_AUTHENTICATE, challenge), **more)
        self.network.advance()

    def test_in_every_request(self) -> None:
        """
        Its challenges are answered in INVITE, re-INVITE and BYE, with this leg's name.
        """
        self.challenge(self.call(), "provider.example")
        invite = self.callee.last("INVITE")
        self.assertEqual(invite[PROXY_AUTHORIZATION].get("username"), "us")
        self.respond(200, body=ANSWER)
        self.within("ACK", 1)
        self.within("INVITE", 2, body=OFFER + b"a=sendonly\r\n")
        self.challenge(self.callee.last("INVITE"), "provider.example", tag=None)
        again = self.callee.last("INVITE")
        self.assertEqual(again[PROXY_AUTHORIZATION].get("username"), "us")
        self.callee.respond(again, 200, tag=None, body=ANSWER + b"a=recvonly\r\n")
        self.network.advance()
        self.assertEqual(self.heard.status, 200)
        self.within("ACK", 2)
        self.within("BYE", 3)
        self.challenge(self.callee.last("BYE"), "provider.example", tag=None)
        bye = self.callee.last("BYE")
        self.assertEqual(bye[PROXY_AUTHORIZATION].get("username"), "us")
        self.callee.respond(bye, 200, tag=None)
        self.assert_settled()

    def test_other_realm(self) -> None:
        """
        Nobody else's challenge is answered (CVE-2021-41158): it is a failure, and the
        caller never sees it.
        """
        self.challenge(self.call(), "far.example")
        self.assertEqual(self.calls[0].failures[0][0], 407)
        invites = [one for one in self.callee.requests if one.method == "INVITE"]
        self.assertFalse(any(PROXY_AUTHORIZATION in one for one in invites))
        self.assertFalse(any(AUTHORIZATION in one for one in invites))
        self.assertNotIn(WWW_AUTHENTICATE, self.heard)
        self.within("ACK", 1)
        self.network.advance(70.0)

    def test_redirect(self) -> None:
        """
        Whoever redirects is not followed here: the dial decides, the best one first.
        """
        self.call()
        self.respond(302, (CONTACT.name, f"<sip:b@{ALICE}>;q=0.1, <sip:a@{ALICE}>"))
        status, _, contacts = self.calls[0].failures[0]
        self.assertEqual(status, 302)
        # The phone of the tests names itself as well.
        self.assertEqual([one.user for one in contacts], [None, "a", "b"])
        self.within("ACK", 1)
        self.network.advance(70.0)
