"""
Tests for :mod:`sipsorcery.dialog.subscriber`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.effects import Send
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.event_state import LATER, Phase, again_after
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.dialog.subscriber import (
    MAX_EXPIRES,
    Notified,
    Subscriber,
    SubscriberEffect,
    SubscriptionEnded,
)
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import ACCEPT, CSEQ, EVENT, EXPIRES, TO
from sipsorcery.sip.parameterised import SubscriptionState
from sipsorcery.sip.request import Request
from tests.dialog.messages import alices_dialog, from_bob, request, response

SUBSCRIBE = request(
    "SUBSCRIBE", "Event: presence;id=7", "Expires: 600", "Accept: application/pidf+xml"
)
ACTIVE = "Subscription-State: active;expires=600"


def notify(
    state: str = ACTIVE,
    *more: str,
    cseq: int = 1,
    event: str = "Event: presence;id=7",
    tag: str = "b1",
) -> Request:
    """
    Make a NOTIFY of Bob.
    """
    return from_bob("NOTIFY", event, state, *more, cseq=cseq, from_tag=tag)


class SubscriberTestCase(SynchronousTestCase):
    """
    Alice subscribes at 1000 seconds.
    """

    def setUp(self) -> None:
        self.begin()

    def begin(self, first: Request = SUBSCRIBE, dialog: Dialog | None = None) -> None:
        """
        Subscribe.
        """
        self.subscriber = Subscriber(first, now=1000.0, dialog=dialog)

    def receive(self, received: Request, now: float = 1000.0) -> None:
        """
        Let a NOTIFY come that counts.
        """
        dialog = self.subscriber.dialog
        if dialog is not None:
            self.assertIsNone(dialog.receive(received))
        self.assertIsNone(self.subscriber.receive(received, now))
        effects = self.subscriber.take_effects()
        assert effects and isinstance(effects[0], Notified)
        self.assertEqual(effects[0].request, received)
        self.later = effects[1:]

    def respond(
        self, status: int = 200, *lines: str, now: float = 1000.0
    ) -> list[SubscriberEffect]:
        """
        Let a response come.
        """
        self.subscriber.receive_response(response(status, *lines), now)
        return self.subscriber.take_effects()

    def establish(self, state: str = ACTIVE) -> None:
        """
        Let the subscription be accepted.
        """
        self.respond(200, "Expires: 600")
        self.receive(notify(state))

    def sent(self, effects: list[SubscriberEffect] | None = None) -> Request:
        """
        Check that a SUBSCRIBE is sent, and return it.
        """
        (effect,) = self.subscriber.take_effects() if effects is None else effects
        assert isinstance(effect, Send) and isinstance(effect.message, Request)
        self.assertEqual(effect.message.method, "SUBSCRIBE")
        return effect.message

    def assert_ended(
        self,
        effects: list[SubscriberEffect],
        reason: str | None,
        again: float | None,
        status: int | None = None,
    ) -> None:
        """
        Check that the subscription has ended so, and nothing is left.
        """
        (effect,) = effects
        assert isinstance(effect, SubscriptionEnded)
        self.assertEqual((effect.reason, effect.again_after), (reason, again))
        found = None if effect.response is None else effect.response.status
        self.assertEqual(found, status)
        self.assertIs(self.subscriber.phase, Phase.Terminated)
        self.assertIsNone(self.subscriber.next_timer())


class BeginningTests(SubscriberTestCase):
    def test_response_first(self) -> None:
        """
        After the 2xx it still waits for the NOTIFY, which makes the dialog
        (RFC 6665, 4.1.2).
        """
        self.assertIs(self.subscriber.phase, Phase.NotifyWait)
        self.assertEqual(self.respond(200, "Expires: 600"), [])
        self.assertIs(self.subscriber.phase, Phase.NotifyWait)
        self.assertIsNone(self.subscriber.dialog)
        self.receive(notify())
        self.assertIs(self.subscriber.phase, Phase.Active)
        assert self.subscriber.dialog is not None
        self.assertEqual(self.subscriber.dialog.remote_tag, "b1")

    def test_notify_first(self) -> None:
        """
        A NOTIFY may overtake the 2xx; what it says of the duration counts more.
        """
        self.receive(notify("Subscription-State: pending;expires=60"), now=1000.0)
        self.assertIs(self.subscriber.phase, Phase.Pending)
        self.assertEqual(self.respond(202, "Expires: 600"), [])
        self.assertEqual(self.subscriber.expires_at, 1060.0)

    def test_duration(self) -> None:
        """
        The 2xx may shorten the duration and not prolong it; what it does not say is as
        asked for. A NOTIFY has the last word.
        """
        for lines, expires_at in (
            (("Expires: 300",), 1300.0),
            (("Expires: 9999",), 1600.0),
            ((), 1600.0),
            (("Expires: x",), 1600.0),
        ):
            self.begin()
            self.respond(200, *lines)
            self.assertEqual(self.subscriber.expires_at, expires_at)
            self.receive(notify("Subscription-State: active"))
            self.assertEqual(self.subscriber.expires_at, expires_at)
            self.receive(notify("Subscription-State: active;expires=50", cseq=2))
            self.assertEqual(self.subscriber.expires_at, 1050.0)

    def test_notify_says_too_much(self) -> None:
        """
        No NOTIFY makes it last for ever.
        """
        self.receive(notify("Subscription-State: active;expires=4294967295"))
        self.assertEqual(self.subscriber.expires_at, 1000.0 + MAX_EXPIRES)

    def test_timer_n(self) -> None:
        """
        Without a NOTIFY within 64*T1 it has failed, also after a 2xx (4.1.2.4).
        """
        for status in (None, 200):
            self.begin()
            if status is not None:
                self.respond(status)
            self.assertEqual(self.subscriber.next_timer(), 1032.0)
            self.subscriber.handle_timer(1031.9)
            self.assertEqual(self.subscriber.take_effects(), [])
            self.subscriber.handle_timer(1032.0)
            self.assert_ended(self.subscriber.take_effects(), None, LATER)

    def test_no_notification(self) -> None:
        """
        After a 204 no NOTIFY is to come (RFC 5839).
        """
        self.receive(notify())
        self.subscriber.refresh(1100.0)
        self.subscriber.take_effects()
        self.respond(204, "Expires: 600", now=1100.0)
        self.assertEqual(self.subscriber.next_timer(), 1668.0)

    def test_rejected(self) -> None:
        """
        A failure ends it, and may say when to try again. What a 423 asks for, or a 401,
        is up to the user, who makes another one.
        """
        for status, lines, again in (
            (403, (), None),
            (489, (), None),
            (423, ("Min-Expires: 3600",), None),
            (503, ("Retry-After: 120",), 120.0),
            (503, ("Retry-After: x",), None),
            (481, (), None),
        ):
            self.begin()
            self.assert_ended(self.respond(status, *lines), None, again, status)

    def test_no_response(self) -> None:
        """
        So does having no response.
        """
        self.subscriber.give_up()
        self.assert_ended(self.subscriber.take_effects(), None, LATER)
        self.subscriber.give_up()
        self.assertEqual(self.subscriber.take_effects(), [])

    def test_provisional_response(self) -> None:
        """
        A provisional response says nothing.
        """
        self.assertEqual(self.respond(100), [])
        self.assertEqual(self.subscriber.next_timer(), 1032.0)


class NotifyTests(SubscriberTestCase):
    def test_states(self) -> None:
        """
        Each NOTIFY says where the subscription stands; what nobody knows is not active.
        """
        self.establish()
        for cseq, (state, phase) in enumerate(
            (
                ("pending", Phase.Pending),
                ("ACTIVE", Phase.Active),
                ("x-new", Phase.Pending),
            ),
            2,
        ):
            self.receive(notify(f"Subscription-State: {state}", cseq=cseq))
            self.assertIs(self.subscriber.phase, phase)

    def test_terminated(self) -> None:
        """
        The reason says whether to subscribe again, and when (4.1.3).
        """
        for parameters, reason, again in (
            ("", None, LATER),
            (";retry-after=5", None, 5.0),
            (";reason=deactivated;retry-after=5", "deactivated", 0.0),
            (";reason=TIMEOUT", "timeout", 0.0),
            (";reason=probation", "probation", LATER),
            (";reason=probation;retry-after=5", "probation", 5.0),
            (";reason=giveup;retry-after=5", "giveup", 5.0),
            (";reason=rejected;retry-after=5", "rejected", None),
            (";reason=noresource", "noresource", None),
            (";reason=invariant", "invariant", None),
            (";reason=x-new", "x-new", LATER),
        ):
            self.begin()
            self.receive(notify(f"Subscription-State: terminated{parameters}"))
            self.assert_ended(self.later, reason, again)

    def test_after_the_end(self) -> None:
        """
        A NOTIFY after the end finds nothing, and a response changes nothing.
        """
        self.establish()
        self.receive(notify("Subscription-State: terminated", cseq=2))
        self.assertEqual(self.subscriber.receive(notify(cseq=3), 1000.0), Refusal(481))
        self.assertEqual(self.respond(481), [])
        self.subscriber.unsubscribe(1000.0)
        self.assertEqual(self.subscriber.take_effects(), [])
        self.assertRaises(LocalProtocolError, self.subscriber.refresh, 1000.0)

    def test_not_ours(self) -> None:
        """
        Event with its id, Call-ID and both tags tell subscriptions apart (4.1.2).
        """
        self.establish()
        elsewhere = notify(cseq=2)
        elsewhere.set("Call-ID", "other")
        other_tag = notify(cseq=2)
        other_tag.set("To", "<sip:alice@example.com>;tag=other")
        for received in (
            notify(event="Event: presence"),
            notify(event="Event: presence;id=8"),
            notify(event="Event: dialog;id=7"),
            notify(tag="b2"),
            elsewhere,
            other_tag,
        ):
            self.assertFalse(self.subscriber.is_for(received))
            refusal = self.subscriber.receive(received, 1000.0)
            self.assertEqual(refusal, Refusal(481))
        self.assertTrue(self.subscriber.is_for(notify()))

    def test_broken(self) -> None:
        """
        What cannot be read gets a 400 and changes nothing.
        """
        for received in (
            from_bob("NOTIFY", "Event: presence;id=7", from_tag="b1"),
            from_bob("NOTIFY", ACTIVE, from_tag="b1"),
            notify("Subscription-State: ;"),
            notify("Subscription-State: active;expires=x"),
            notify("Subscription-State: terminated;retry-after=-1"),
            notify(ACTIVE, "Record-Route: <tel:1>"),
        ):
            refusal = self.subscriber.receive(received, 1000.0)
            assert refusal is not None
            self.assertEqual(refusal.status, 400)
        without_contact = from_bob(
            "NOTIFY", "Event: presence;id=7", ACTIVE, contact=None, from_tag="b1"
        )
        refusal = self.subscriber.receive(without_contact, 1000.0)
        assert refusal is not None
        self.assertEqual(refusal.status, 400)
        self.assertIs(self.subscriber.phase, Phase.NotifyWait)
        self.assertIsNone(self.subscriber.dialog)
        self.assertEqual(self.subscriber.take_effects(), [])

    def test_order(self) -> None:
        """
        A NOTIFY that comes out of order is refused by the dialog.
        """
        self.receive(notify(cseq=5))
        assert self.subscriber.dialog is not None
        refusal = self.subscriber.dialog.receive(notify(cseq=4))
        assert refusal is not None
        self.assertEqual(refusal.status, 500)

    def test_effect(self) -> None:
        """
        The state comes with the NOTIFY.
        """
        received = notify("Subscription-State: active;expires=10")
        self.subscriber.receive(received, 1000.0)
        state = SubscriptionState.parse("active;expires=10")
        self.assertEqual(self.subscriber.take_effects(), [Notified(received, state)])


class RefreshTests(SubscriberTestCase):
    def test_refresh(self) -> None:
        """
        It is refreshed 32 seconds before its end, or after half of it (4.1.2.2).
        """
        for expires, due in ((600, 1568.0), (64, 1032.0), (20, 1010.0)):
            self.begin()
            self.receive(notify(f"Subscription-State: active;expires={expires}"))
            self.assertEqual(self.subscriber.next_timer(), due)
            self.subscriber.handle_timer(due)
            self.assertEqual(self.sent()[EXPIRES], 600)

    def test_duration_of_the_response(self) -> None:
        """
        A 2xx with a short duration is refreshed in time as well, once a NOTIFY, which
        says nothing about it, has brought the dialog.
        """
        self.respond(200, "Expires: 20")
        self.assertEqual(self.subscriber.next_timer(), 1020.0)
        self.receive(notify("Subscription-State: active"), now=1004.0)
        self.assertEqual(self.subscriber.next_timer(), 1012.0)
        self.subscriber.handle_timer(1012.0)
        self.sent()

    def test_fields(self) -> None:
        """
        The refresh goes in the dialog, with Event, Expires and Accept as before.
        """
        self.establish()
        self.subscriber.refresh(1100.0)
        again = self.sent()
        self.assertEqual(str(again[EVENT]), "presence;id=7")
        self.assertEqual(again[EXPIRES], 600)
        self.assertEqual([f"{each}" for each in again.all(ACCEPT)], [PIDF])
        self.assertEqual((again[CSEQ].number, again[TO].tag), (2, "b1"))

    def test_accepted(self) -> None:
        """
        The 2xx prolongs it, the NOTIFY after it confirms that.
        """
        self.establish()
        self.subscriber.handle_timer(1568.0)
        self.sent()
        self.assertEqual(self.subscriber.next_timer(), 1600.0)
        self.respond(200, "Expires: 500", now=1569.0)
        self.assertEqual(self.subscriber.expires_at, 2069.0)
        self.receive(notify(ACTIVE, cseq=2), now=1570.0)
        self.assertEqual(self.subscriber.next_timer(), 1570.0 + 568.0)

    def test_no_notify(self) -> None:
        """
        Without a NOTIFY after a refresh, Timer N ends it (4.1.2.2).
        """
        self.establish()
        self.subscriber.refresh(1100.0)
        self.sent()
        self.respond(200, "Expires: 600", now=1100.0)
        self.assertEqual(self.subscriber.next_timer(), 1132.0)
        self.subscriber.handle_timer(1132.0)
        self.assert_ended(self.subscriber.take_effects(), None, LATER)

    def test_failures(self) -> None:
        """
        Some failures end it; after a 481 it is begun anew at once. After the others it
        stands as long as it did, and is tried again in the middle of what remains.
        """
        for status in (404, 405, 410, 416, 480, 482, 483, 484, 485, 489, 501, 604):
            self.begin()
            self.establish()
            self.subscriber.refresh(1100.0)
            self.sent()
            effects = self.respond(status, now=1100.0)
            self.assert_ended(effects, None, None, status)
        self.begin()
        self.establish()
        self.assert_ended(self.respond(481), None, 0.0, 481)
        for status in (400, 401, 403, 500, 503, 603):
            self.begin()
            self.establish()
            self.subscriber.refresh(1500.0)
            self.sent()
            self.assertEqual(self.respond(status, now=1500.0), [])
            self.assertEqual(self.subscriber.expires_at, 1600.0)
            self.assertEqual(self.subscriber.next_timer(), 1550.0)
            self.subscriber.handle_timer(1550.0)
            self.sent()

    def test_retry_after(self) -> None:
        """
        The peer may say when to try again.
        """
        self.establish()
        self.subscriber.refresh(1500.0)
        self.sent()
        self.respond(503, "Retry-After: 7", now=1500.0)
        self.assertEqual(self.subscriber.next_timer(), 1507.0)

    def test_too_brief(self) -> None:
        """
        A 423 is followed at once with the duration that it asks for, once.
        """
        self.establish()
        self.subscriber.refresh(1500.0)
        self.sent()
        again = self.sent(self.respond(423, "Min-Expires: 3600", now=1500.0))
        self.assertEqual(again[EXPIRES], 3600)
        for lines in (
            ("Min-Expires: 3600",),
            (),
            ("Min-Expires: x",),
            (f"Min-Expires: {MAX_EXPIRES + 1}",),
        ):
            self.assertEqual(self.respond(423, *lines, now=1500.0), [])

    def test_expiry(self) -> None:
        """
        Where no refresh succeeds it expires.
        """
        self.establish()
        self.subscriber.handle_timer(1568.0)
        self.sent()
        self.respond(500, now=1568.0)
        self.subscriber.handle_timer(1584.0)
        self.sent()
        self.subscriber.handle_timer(1600.0)
        self.assert_ended(self.subscriber.take_effects(), None, LATER)

    def test_dialog_that_is_over(self) -> None:
        """
        Where the dialog has ended there is nothing to refresh.
        """
        self.establish()
        assert self.subscriber.dialog is not None
        self.subscriber.dialog.terminate()
        self.subscriber.handle_timer(1568.0)
        self.assert_ended(self.subscriber.take_effects(), None, LATER)

    def test_too_early(self) -> None:
        """
        Before the first NOTIFY there is no dialog to refresh it in.
        """
        self.assertRaises(LocalProtocolError, self.subscriber.refresh, 1000.0)


class UnsubscribeTests(SubscriberTestCase):
    def test_unsubscribe(self) -> None:
        """
        A SUBSCRIBE of 0 seconds ends it, which a last NOTIFY confirms (4.1.2.3).
        """
        self.establish()
        self.subscriber.unsubscribe(1100.0)
        self.assertEqual(self.sent()[EXPIRES], 0)
        self.respond(200, "Expires: 0", now=1100.0)
        self.receive(notify("Subscription-State: active;expires=500", cseq=2), 1100.0)
        self.assertEqual(self.later, [])
        self.receive(
            notify("Subscription-State: terminated;reason=timeout", cseq=3), 1100.0
        )
        self.assert_ended(self.later, "timeout", None)

    def test_no_last_notify(self) -> None:
        """
        Without one it ends by Timer N.
        """
        self.establish()
        self.subscriber.unsubscribe(1100.0)
        self.sent()
        self.respond(200, "Expires: 0", now=1100.0)
        self.assertEqual(self.subscriber.next_timer(), 1132.0)
        self.subscriber.handle_timer(1132.0)
        self.assert_ended(self.subscriber.take_effects(), None, None)

    def test_before_the_first_notify(self) -> None:
        """
        It waits for the first NOTIFY, which brings the dialog.
        """
        self.subscriber.unsubscribe(1000.0)
        self.assertEqual(self.subscriber.take_effects(), [])
        self.receive(notify(), now=1001.0)
        self.assertEqual(self.sent(self.later)[EXPIRES], 0)
        self.receive(notify(cseq=2), now=1002.0)
        self.assertEqual(self.later, [])


class ForkTests(SubscriberTestCase):
    def test_fork(self) -> None:
        """
        A NOTIFY with another tag is of another notifier that the SUBSCRIBE has reached:
        a subscription of its own for who wants it (4.1.2.4).
        """
        self.receive(notify())
        second = notify(tag="b2")
        other = self.subscriber.fork(second, now=1010.0)
        assert other is not None
        self.assertEqual(other.next_timer(), 1032.0)
        self.assertIsNone(other.receive(second, 1010.0))
        assert other.dialog is not None
        self.assertEqual(other.dialog.remote_tag, "b2")
        self.assertEqual(other.next_timer(), 1578.0)
        self.assertTrue(other.is_for(second))
        self.assertFalse(self.subscriber.is_for(second))

    def test_too_late(self) -> None:
        """
        After Timer N nobody else comes, and a NOTIFY for another subscription is none.
        """
        self.receive(notify())
        self.assertIsNone(self.subscriber.fork(notify(tag="b2"), now=1032.0))
        other = notify(tag="b2", event="Event: dialog")
        self.assertIsNone(self.subscriber.fork(other, now=1001.0))
        broken = notify(tag="b2", event="Event: ;")
        self.assertRaises(ParseError, self.subscriber.fork, broken, 1001.0)


class ReferTests(SubscriberTestCase):
    """
    The subscription that comes with a REFER.
    """

    def setUp(self) -> None:
        self.dialog = alices_dialog()
        refer = self.dialog.request("REFER", [("Refer-To", "<sip:c@example.org>")])
        self.begin(refer, self.dialog)

    def test_event(self) -> None:
        """
        The Event is refer, with the number of the REFER or without (RFC 3515, 2.4.6).
        """
        for event, is_ours in (
            ("refer", True),
            ("refer;id=2", True),
            ("refer;id=3", False),
            ("presence", False),
        ):
            received = from_bob("NOTIFY", f"Event: {event}", ACTIVE)
            self.assertIs(self.subscriber.is_for(received), is_ours, event)

    def test_end(self) -> None:
        """
        It is not refreshed by itself, and not begun anew.
        """
        self.respond(202)
        self.receive(from_bob("NOTIFY", "Event: refer", ACTIVE), now=1000.0)
        self.assertEqual(self.subscriber.next_timer(), 1600.0)
        end = "Subscription-State: terminated"
        self.receive(from_bob("NOTIFY", "Event: refer", end, cseq=2))
        self.assert_ended(self.later, None, None)

    def test_refused(self) -> None:
        """
        A REFER that is refused makes none.
        """
        self.assert_ended(self.respond(603), None, None, 603)

    def test_unsubscribe(self) -> None:
        """
        Who has heard enough may say so.
        """
        self.receive(from_bob("NOTIFY", "Event: refer", ACTIVE), now=1000.0)
        self.subscriber.unsubscribe(1001.0)
        self.assertEqual(str(self.sent()[EVENT]), "refer")

    def test_refresh(self) -> None:
        """
        A refresh asks for no duration, as the REFER did not.
        """
        self.receive(from_bob("NOTIFY", "Event: refer", ACTIVE), now=1000.0)
        self.subscriber.refresh(1001.0)
        self.assertNotIn(EXPIRES, self.sent())


class AgainTests(SynchronousTestCase):
    def test_retry_after_counts_only_where_it_may(self) -> None:
        """
        Retry-after has no meaning with deactivated, timeout, and what is for ever.
        """
        self.assertEqual(again_after("timeout", 9), 0.0)
        self.assertEqual(again_after("giveup", 9), 9.0)
        self.assertIsNone(again_after("invariant", 9))


PIDF = "application/pidf+xml"
