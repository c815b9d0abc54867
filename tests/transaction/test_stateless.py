"""
Tests for `sipsorcery.transaction.stateless`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import RETRY_AFTER, TO
from sipsorcery.sip.parameterised import Seconds
from sipsorcery.transaction.derived import make_ack
from sipsorcery.transaction.stateless import StatelessAnswers, make_tag
from tests.transaction.messages import make_request

INVITE = make_request("INVITE")


class MakeTagTests(SynchronousTestCase):
    """
    The tag alone.
    """

    def test_broken_fields(self) -> None:
        """
        A request that is refused for its CSeq, or for having no Call-ID, gets a tag of
        its own, too; one whose Via is broken has no way back.
        """
        tags = set()
        for cseq in ("one", "one INVITE", ""):
            request = make_request("INVITE")
            request.set("CSeq", cseq)
            tags.add(make_tag(request, b"secret"))
            request.remove("Call-ID")
            tags.add(make_tag(request, b"secret"))
        self.assertEqual(len(tags), 4)  # the method does not count
        request.set("Via", "SIP/2.0")
        self.assertRaises(ParseError, make_tag, request, b"secret")


class StatelessAnswersTests(SynchronousTestCase):
    """
    Answers without state (RFC 3261, 8.2.7).
    """

    def setUp(self) -> None:
        self.answers = StatelessAnswers(b"secret")

    def tag(self, **changes: str) -> str | None:
        """
        Give the To tag of the answer to a request.
        """
        return self.answers.answer(make_request("INVITE", **changes), 503)[TO].tag

    def test_answer(self) -> None:
        """
        The answer is one to the request, with a tag and the fields asked for.
        """
        fields = [(RETRY_AFTER, Seconds(7))]
        response = self.answers.answer(INVITE, 503, fields)
        response.check()
        self.assertEqual((response.status, response[RETRY_AFTER].seconds), (503, 7))
        self.assertEqual(len(response[TO].tag or ""), 18)

    def test_same_tag_for_the_same_request(self) -> None:
        """
        The tag is made "in a manner that will generate the same tag for the same
        request consistently".
        """
        self.assertEqual(self.tag(), self.tag())

    def test_other_tag_for_another_request(self) -> None:
        """
        Branch, sent-by, Call-ID and CSeq make the tag another one.
        """
        tags = {
            self.tag(),
            self.tag(via="SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK2"),
            self.tag(via="SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bK1"),
            self.tag(call_id="2@there"),
            self.tag(cseq="8"),
        }
        self.assertEqual(len(tags), 5)

    def test_other_secret(self) -> None:
        """
        Whoever does not know the secret cannot make the tag.
        """
        other = StatelessAnswers(b"another").answer(INVITE, 503)
        self.assertNotEqual(self.tag(), other[TO].tag)

    def test_ack(self) -> None:
        """
        The ACK to such an answer is known by its To tag; others are not.
        """
        ack = make_ack(INVITE, self.answers.answer(INVITE, 503))
        self.assertTrue(self.answers.is_acknowledged_by(ack))
        other = make_ack(INVITE, INVITE.respond(200, to_tag="b"))
        self.assertFalse(self.answers.is_acknowledged_by(other))
        self.assertFalse(self.answers.is_acknowledged_by(make_request("ACK")))
        guessed = make_request("ACK", to="<sip:bob@example.com>;tag=" + 9 * "5a")
        self.assertFalse(self.answers.is_acknowledged_by(guessed))

    def test_ack_that_is_odd(self) -> None:
        """
        An ACK is also known where its To takes a longer look.
        """
        tag = self.answers.answer(INVITE, 503)[TO].tag
        for to in (f"<sip:bob@example.com>;tag={tag};x=y", f"sip:b@c.d;tag={tag}"):
            ack = make_request("ACK", to=to)
            self.assertTrue(self.answers.is_acknowledged_by(ack))
