"""
Tests for `sipsorcery.ua.subscription`.
"""

from __future__ import annotations

from typing import Any

from sipsorcery.sip.auth import Challenge
from sipsorcery.sip.fields import (
    AUTHORIZATION,
    CALL_ID,
    CONTENT_TYPE,
    EVENT,
    EXPIRES,
    FROM,
    MIN_EXPIRES,
    SUBSCRIPTION_STATE,
    WWW_AUTHENTICATE,
)
from sipsorcery.sip.parameterised import Event, MediaType, SubscriptionState
from sipsorcery.sip.request import Request
from sipsorcery.ua import Account, RequestFailed, Subscription
from tests.ua.cases import ALICE, PEER_URI, AgentCase


class SubscriptionTests(AgentCase):
    """
    An agent that wants to be told by a peer.
    """

    def setUp(self) -> None:
        super().setUp()
        account = Account(f"sip:alice@{ALICE}", "secret", realms=["home"])
        self.alice, self.bob = self.agent(account=account), self.peer()
        self.number = 0

    def subscribe(self, **options: Any) -> Subscription:
        """
        Begin a subscription.
        """
        subscription = self.alice.subscribe(PEER_URI, "presence", **options)
        self.network.advance()
        return subscription

    @property
    def last(self) -> Request:
        """
        The last SUBSCRIBE.
        """
        return self.bob.last("SUBSCRIBE")

    def accept(self, expires: int = 3600) -> None:
        """
        Accept the last SUBSCRIBE.
        """
        self.bob.respond(self.last, 200, (EXPIRES, expires))
        self.network.advance()

    def notify(
        self, state: str = "active;expires=3600", body: bytes = b"", tag: str = "peer"
    ) -> None:
        """
        Tell something.
        """
        self.number += 1
        self.bob.request(
            "NOTIFY",
            (EVENT, Event.parse("presence")),
            (SUBSCRIPTION_STATE, SubscriptionState.parse(state)),
            (CONTENT_TYPE, MediaType("text", "plain")),
            number=self.number,
            call_id=self.last[CALL_ID],
            to_tag=self.last[FROM].tag,
            tag=tag,
            body=body,
        )
        self.network.advance()

    def end(self, subscription: Subscription) -> None:
        """
        Let it be stopped as it should be, and check that nothing is left.
        """
        stopping = self.begin(subscription.stop())
        self.assertEqual(self.last[EXPIRES], 0)
        self.accept(0)
        self.notify("terminated;reason=timeout")
        self.given(stopping)
        self.assertEqual(self.alice.core.expected, {})
        self.assertEqual(self.alice.core.subscriptions, set())
        self.assert_settled()

    def read(self, subscription: Subscription) -> bytes:
        """
        Read the next notification.
        """
        return self.run_through(subscription.news.__anext__()).request.body

    def test_told(self) -> None:
        """
        What is told can be read in its order, and the end is confirmed by the peer.
        """
        subscription = self.subscribe()
        self.assertEqual(self.last[EVENT].package, "presence")
        self.assertIn("Contact", self.last)
        self.accept()
        self.notify(body=b"open")
        self.notify(body=b"closed")
        self.assertEqual(self.bob.statuses, [200, 200])
        self.assertEqual(self.read(subscription), b"open")
        self.assertEqual(self.read(subscription), b"closed")
        self.end(subscription)

    def test_notify_first(self) -> None:
        """
        The first NOTIFY may come before the 2xx, and makes the dialog (4.1.2.4).
        """
        subscription = self.subscribe()
        self.notify(body=b"open")
        self.accept()
        self.assertEqual(self.read(subscription), b"open")
        self.end(subscription)

    def test_refreshed(self) -> None:
        """
        It is refreshed before it expires, in its dialog.
        """
        subscription = self.subscribe(expires=100)
        self.accept(100)
        self.notify("active;expires=100")
        first = self.last
        self.network.advance(68.1)
        self.assertEqual(self.last[CALL_ID], first[CALL_ID])
        self.assertEqual(self.last[EXPIRES], 100)
        self.accept(100)
        self.notify("active;expires=100")
        self.end(subscription)

    def test_refresh_is_challenged(self) -> None:
        """
        A refresh gets its proof, too, if it is asked for.
        """
        subscription = self.subscribe(expires=100)
        self.accept(100)
        self.notify("active;expires=100")
        self.network.advance(68.1)
        value = Challenge.parse('Digest realm="home", nonce="1", qop="auth"')
        self.bob.respond(self.last, 401, (WWW_AUTHENTICATE, value))
        self.network.advance()
        self.assertEqual(self.last[AUTHORIZATION].realm, "home")
        self.accept(100)
        self.notify("active;expires=100")
        self.end(subscription)

    def test_too_brief(self) -> None:
        """
        A 423 says how long is long enough.
        """
        subscription = self.subscribe(expires=10)
        self.bob.respond(self.last, 423, (MIN_EXPIRES, 90))
        self.network.advance()
        self.assertEqual(self.last[EXPIRES], 90)
        self.accept(90)
        self.notify("active;expires=90")
        self.end(subscription)

    def test_too_brief_for_ever(self) -> None:
        """
        A notifier that always wants a longer time is asked at once a few times only.
        """
        subscription = self.subscribe(expires=10)
        for number in range(10):
            self.bob.respond(self.last, 423, (MIN_EXPIRES, 90 + number))
            self.network.advance()
        self.assertEqual(self.bob.methods.count("SUBSCRIBE"), 6)
        self.assertEqual(self.refused(subscription.ended(), RequestFailed).status, 423)
        self.assert_settled()

    def test_too_brief_for_nothing(self) -> None:
        """
        A 423 that does not say how long is long enough is a refusal.
        """
        subscription = self.subscribe(expires=10)
        self.bob.respond(self.last, 423)
        self.assertEqual(self.refused(subscription.ended(), RequestFailed).status, 423)
        self.assert_settled()

    def test_refused_for_good(self) -> None:
        """
        A refusal that says nothing of later is the end.
        """
        subscription = self.subscribe()
        self.bob.respond(self.last, 489)
        error = self.refused(subscription.ended(), RequestFailed)
        self.assertEqual(error.status, 489)
        self.assert_settled()

    def test_nothing_to_tell(self) -> None:
        """
        A notifier that says that there is nothing ends it, and says why.
        """
        subscription = self.subscribe()
        self.accept()
        self.notify("terminated;reason=noresource")
        self.assertEqual(self.given(subscription.ended()), "noresource")
        self.assert_settled()

    def test_begun_again(self) -> None:
        """
        One that the notifier ends for now is begun again (4.1.3).
        """
        subscription = self.subscribe()
        self.accept()
        self.notify("terminated;reason=deactivated")
        first = self.last
        self.network.advance(1.1)
        self.assertNotEqual(self.last[CALL_ID], first[CALL_ID])
        self.accept()
        self.notify(body=b"open")
        self.end(subscription)

    def test_begun_again_much_later(self) -> None:
        """
        A notifier that wants to be left alone for years is asked again after an hour.
        """
        subscription = self.subscribe()
        self.accept()
        self.notify("terminated;reason=probation;retry-after=4294967295")
        self.network.advance(3600.1)
        self.assertEqual(self.bob.methods.count("SUBSCRIBE"), 2)
        self.accept()
        self.notify()
        self.end(subscription)

    def test_refresh_too_brief_for_ever(self) -> None:
        """
        A notifier that always wants a refresh to be longer is not asked for ever.
        """
        subscription = self.subscribe(expires=100)
        self.accept(100)
        self.notify("active;expires=100")
        self.network.advance(68.1)
        for minimum in range(101, 120):
            self.bob.respond(self.last, 423, (MIN_EXPIRES, minimum))
            self.network.advance()
        self.assertLess(self.bob.methods.count("SUBSCRIBE"), 10)
        self.end(subscription)

    def test_notifier_has_forgotten(self) -> None:
        """
        So is one that the notifier does not know any more.
        """
        subscription = self.subscribe(expires=100)
        self.accept(100)
        self.notify("active;expires=100")
        self.network.advance(68.1)
        self.bob.respond(self.last, 481)
        self.network.advance(1.1)
        self.assertEqual(self.last[EXPIRES], 100)
        self.accept(100)
        self.notify("active;expires=100")
        self.end(subscription)

    def test_nobody_answers(self) -> None:
        """
        Where nobody answers it is tried again; it can be stopped meanwhile.
        """
        subscription = self.subscribe()
        self.network.advance(33.0)
        before = len(self.bob.requests)
        self.network.advance(60.0)
        self.assertGreater(len(self.bob.requests), before)
        self.network.advance(33.0)
        self.given(self.begin(subscription.stop()))
        self.assert_settled()

    def test_stopped_before_the_first_notify(self) -> None:
        """
        One that is stopped early ends as soon as there is a dialog to say so in.
        """
        subscription = self.subscribe()
        stopping = self.begin(subscription.stop())
        self.accept()
        self.notify()
        self.assertEqual(self.last[EXPIRES], 0)
        self.accept(0)
        self.notify("terminated;reason=timeout")
        self.given(stopping)
        self.assert_settled()

    def test_another_notifier(self) -> None:
        """
        Of several notifiers one is enough; the others get a 481 (4.1.2.4).
        """
        subscription = self.subscribe()
        self.accept()
        self.notify(body=b"open")
        self.notify(body=b"other", tag="other")
        self.assertEqual(self.bob.statuses, [200, 481])
        self.end(subscription)

    def test_agent_stops(self) -> None:
        """
        The agent ends all of them when it stops.
        """
        self.subscribe()
        self.accept()
        self.notify()
        stopping = self.begin(self.alice.stop())
        self.assertEqual(self.last[EXPIRES], 0)
        self.accept(0)
        self.notify("terminated;reason=timeout")
        self.network.advance(8.0)
        self.given(stopping)
        self.assertEqual(self.machines[ALICE].getDelayedCalls(), [])
