"""
Tests for `sipsorcery.appserver.records.claiming`.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.appserver.records.claiming import LINGER, Claims, key_of
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.request import Request
from sipsorcery.store.claims import CLAIMS, claim_key
from sipsorcery.store.live import Record
from tests.access.cases import NOW, StoreCase

S1 = Endpoint.parse("udp:127.0.0.1:5065")
S2 = Endpoint.parse("udp:127.0.0.1:5066")
RINGING = 180.0


def make_request(
    method: str = "INVITE",
    cseq: int = 1,
    *,
    call_id: str = "a84b4c76e66710",
    tag: str = "a1",
) -> Request:
    """
    Make a request of one call.
    """
    every = {
        "From": f"<sip:alice@example.com>;tag={tag}",
        "To": "<sip:bob@example.com>",
        "Call-ID": call_id,
        "CSeq": f"{cseq} {method}",
    }
    return Request(method, "sip:bob@example.com", list(every.items()))


class ClaimsTests(StoreCase):
    """
    Two servers that get the same calls.
    """

    def setUp(self) -> None:
        super().setUp()
        self.first = self.server(S1, "one")
        self.second = self.server(S2, "two")

    def server(self, listens: Endpoint, incarnation: str) -> Claims:
        """
        Start a server.
        """
        return Claims(
            self.reactor, self.live, listens, incarnation, now=self.reactor.seconds
        )

    def take(self, claims: Claims, request: Request) -> bool:
        """
        Let a server claim the call of a request.
        """
        taken = self.wait(claims.take(request, "0123456789abcdef", RINGING))
        return taken is not None

    def stored(self, request: Request) -> Record | None:  # type: ignore[override]  # not bindings
        """
        Give the record of a claim.
        """
        return self.wait(self.live.get(CLAIMS.name, key_of(request)))

    def test_one_wins(self) -> None:
        """
        Of two servers that get a call, the first one has it.
        """
        self.assertTrue(self.take(self.first, make_request()))
        self.assertFalse(self.take(self.second, make_request()))

    def test_other_calls(self) -> None:
        """
        Another Call-ID, another From tag or another attempt is another call.
        """
        self.assertTrue(self.take(self.first, make_request()))
        for other in (
            make_request(cseq=2),
            make_request(call_id="other"),
            make_request(tag="a2"),
        ):
            self.assertTrue(self.take(self.second, other))

    def test_keys_do_not_run_into_each_other(self) -> None:
        """
        What a caller puts into his Call-ID and tag makes no key of another call.
        """
        self.assertNotEqual(claim_key("a b", "c", 1), claim_key("a", "b c", 1))
        self.assertNotEqual(claim_key("1 a", "c", 1), claim_key("a", "c", 11))

    def test_long_call_id(self) -> None:
        """
        A Call-ID as long as a datagram, with bytes that are no UTF-8, has a key.
        """
        request = make_request(call_id="x" * 60_000 + "\udcff")
        self.assertTrue(self.take(self.first, request))
        self.assertFalse(self.take(self.second, request))

    def test_expires(self) -> None:
        """
        A claim lasts as long as the phones may ring, and a minute.
        """
        self.take(self.first, make_request())
        record = self.stored(make_request())
        assert record is not None
        self.assertEqual(record.expiry, NOW + RINGING + 60)

    def test_owner(self) -> None:
        """
        A CANCEL or ACK that reaches the other server finds who has the call.
        """
        self.take(self.first, make_request())
        for method in ("CANCEL", "ACK"):
            stray = make_request(method)
            self.assertEqual(self.wait(self.second.owner(stray)), S1)
            self.assertIsNone(self.wait(self.first.owner(stray)))
        self.assertIsNone(self.wait(self.second.owner(make_request("ACK", cseq=2))))

    def test_killed(self) -> None:
        """
        A server that was killed and started again takes what it has claimed before.
        """
        self.take(self.first, make_request())
        again = self.server(S1, "three")
        self.assertTrue(self.take(again, make_request()))
        self.assertFalse(self.take(self.second, make_request()))

    def test_take_over(self) -> None:
        """
        It takes over a call that it goes on with, also if the claim has expired; not
        what is another call by now, or no more that server's which had it.
        """
        self.take(self.first, make_request())
        again = self.server(S1, "three")
        self.assertTrue(self.take_over(again))
        record = self.stored(make_request())
        assert record is not None
        self.assertEqual(CLAIMS.read(record).incarnation, "three")
        self.assertFalse(self.take_over(self.server(S1, "four"), "another"))
        self.assertFalse(self.take_over(self.second, before=S2))
        self.wait(self.live.discard(CLAIMS.name, record.key))
        self.assertTrue(self.take_over(again))

    def take_over(
        self, claims: Claims, dialogue: str = "0123456789abcdef", before: Endpoint = S1
    ) -> bool:
        """
        Let a server take over the claim of a call.
        """
        taking = claims.take_over(make_request(), dialogue, RINGING, str(before))
        return self.wait(taking)

    def test_repeated(self) -> None:
        """
        What comes to the same server once more is refused: "the request has arrived
        more than once [...] most likely due to forking" (RFC 3261, 8.2.2.2).
        """
        self.take(self.first, make_request())
        refused = self.refused(self.first)
        self.assertEqual((refused.status, refused.code), (482, Code.MERGED))

    def refused(self, claims: Claims) -> Refused:
        """
        Let a server be refused the claim of a call.
        """
        taking = claims.take(make_request(), "0123456789abcdef", RINGING)
        failure = self.failureResultOf(Deferred.fromCoroutine(taking), Refused)
        assert isinstance(failure.value, Refused)
        return failure.value

    def test_given_up(self) -> None:
        """
        What a server cannot take now another one may take at once.
        """
        self.take(self.first, make_request())
        self.wait(self.first.give_up(make_request()))
        self.assertTrue(self.take(self.second, make_request()))

    def test_refused_for_good(self) -> None:
        """
        A refusal that is the last word about a call is that of all servers, for as long
        as a proxy may ask them.
        """
        self.take(self.first, make_request())
        self.wait(self.first.refuse(make_request(), "0123", 503, "Not today"))
        for claims in (self.first, self.second, self.server(S1, "three")):
            refused = self.refused(claims)
            self.assertEqual((refused.status, refused.text), (503, "Not today"))
        self.reactor.advance(LINGER + 1)
        self.assertTrue(self.take(self.second, make_request()))

    def test_release(self) -> None:
        """
        A call that is over keeps its claim for as long as its INVITE may be repeated.
        """
        self.take(self.first, make_request())
        self.take(self.first, make_request(cseq=2))
        self.first.release(make_request())
        self.reactor.advance(LINGER / 2)
        self.first.release(make_request(cseq=2))
        self.reactor.advance(LINGER / 2 - 1)
        self.assertIsNotNone(self.stored(make_request()))
        self.reactor.advance(1)
        self.assertIsNone(self.stored(make_request()))
        self.assertIsNotNone(self.stored(make_request(cseq=2)))
        self.reactor.advance(LINGER / 2)
        self.assertIsNone(self.stored(make_request(cseq=2)))

    def test_stop(self) -> None:
        """
        A server that stops leaves no timer behind, nor does a call that ends only then.
        """
        self.take(self.first, make_request())
        before = len(self.reactor.getDelayedCalls())
        self.first.release(make_request())
        self.first.stop()
        self.first.release(make_request())
        self.assertEqual(len(self.reactor.getDelayedCalls()), before)

    def test_store_is_full(self) -> None:
        """
        A store that takes nothing keeps nobody from calling.
        """
        self.wait(self.live.stop())
        self.assertTrue(self.take(self.first, make_request()))
        self.assertIsNone(self.wait(self.first.owner(make_request("ACK"))))
        self.live.start()
