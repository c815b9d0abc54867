"""
Tests for :mod:`sipsorcery.dialog.notifier`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.event_state import Phase
from sipsorcery.dialog.notifier import (
    Body,
    Durations,
    Notifier,
    NotifierEffect,
    StateWanted,
    check_subscribe,
)
from sipsorcery.dialog.refusal import Refusal
from sipsorcery.sip.fields import (
    ALLOW_EVENTS,
    CONTACT,
    CONTENT_TYPE,
    CSEQ,
    EVENT,
    MIN_EXPIRES,
    SUBSCRIPTION_STATE,
)
from sipsorcery.sip.parameterised import Event, MediaType
from sipsorcery.sip.request import Request
from tests.dialog.messages import BOB_CONTACT, BOB_TAG, request, response

PIDF = MediaType("application", "pidf+xml")
OPEN, BUSY, CLOSED = (Body(PIDF, each) for each in (b"open", b"busy", b"closed"))
PRESENCE = Event.parse("presence;id=7")


class CheckTests(SynchronousTestCase):
    def check(self, *lines: str, shortest: int = 60) -> int | Refusal:
        """
        Judge a SUBSCRIBE with these lines.
        """
        subscribe = request("SUBSCRIBE", *lines)
        durations = Durations(shortest=shortest)
        return check_subscribe(subscribe, ("presence", "dialog"), durations)

    def test_duration(self) -> None:
        """
        The duration is the one asked for, the usual one, or the longest; 0 is taken.
        """
        for lines, granted in (
            (("Expires: 600",), 600),
            ((), 3600),
            (("Expires: 999999",), 86400),
            (("Expires: 60",), 60),
            (("Expires: 0",), 0),
        ):
            self.assertEqual(self.check("Event: presence", *lines), granted)

    def test_too_brief(self) -> None:
        """
        A shorter one gets a 423, but never one of an hour (RFC 6665, 4.2.1.1).
        """
        self.assertEqual(
            self.check("o: dialog", "Expires: 59"),
            Refusal(423, fields=((MIN_EXPIRES, 60),)),
        )
        self.assertEqual(self.check("o: dialog", "Expires: 3600", shortest=7200), 3600)
        refusal = self.check("o: dialog", "Expires: 3599", shortest=7200)
        self.assertEqual(refusal, Refusal(423, fields=((MIN_EXPIRES, 7200),)))

    def test_unknown_package(self) -> None:
        """
        What we do not know gets a 489, which names what we do; case counts.
        """
        refusal = Refusal(
            489, fields=((ALLOW_EVENTS, "presence"), (ALLOW_EVENTS, "dialog"))
        )
        for lines in ((), ("Event: Presence",), ("Event: presence.winfo",)):
            self.assertEqual(self.check(*lines), refusal)

    def test_broken(self) -> None:
        """
        What cannot be read gets a 400.
        """
        for lines in (
            ("Event: ;",),
            ("Event: presence", "Expires: x"),
            ("Event: presence", "Expires: 4294967296"),
        ):
            refusal = self.check(*lines)
            assert isinstance(refusal, Refusal)
            self.assertEqual(refusal.status, 400)


class NotifierTestCase(SynchronousTestCase):
    """
    Bob tells Alice of his presence.
    """

    def setUp(self) -> None:
        subscribe = request("SUBSCRIBE", "Event: presence;id=7", "Expires: 600")
        self.dialog = Dialog.of_request(subscribe, BOB_TAG, BOB_CONTACT)
        self.dialog.respond(subscribe, 200)
        self.begin()

    def begin(self, expires: int = 600, phase: Phase = Phase.Active) -> None:
        """
        Begin the subscription at 1000 seconds.
        """
        self.notifier = Notifier(
            self.dialog, PRESENCE, expires, now=1000.0, phase=phase
        )
        self.assertEqual(self.notifier.take_effects(), [StateWanted()])

    def sent(self, effects: list[NotifierEffect] | None = None) -> Request:
        """
        Check that one NOTIFY is sent, and return it.
        """
        (effect,) = self.notifier.take_effects() if effects is None else effects
        assert isinstance(effect, Send) and isinstance(effect.message, Request)
        self.assertEqual(effect.message.method, "NOTIFY")
        return effect.message

    def state(self) -> str:
        """
        Check that one NOTIFY is sent, and return its Subscription-State.
        """
        return str(self.sent()[SUBSCRIPTION_STATE])

    def answer(self, status: int = 200, now: float = 1000.0) -> list[NotifierEffect]:
        """
        Let the NOTIFY be answered.
        """
        self.notifier.receive_response(response(status), now)
        return self.notifier.take_effects()


class TellingTests(NotifierTestCase):
    def test_notify(self) -> None:
        """
        A NOTIFY has the Event of the SUBSCRIBE with its id, the state with the seconds
        that remain, our Contact and the body (RFC 6665, 4.2.2).
        """
        self.notifier.notify(OPEN, now=1000.5)
        notify = self.sent()
        self.assertEqual(str(notify[EVENT]), "presence;id=7")
        self.assertEqual(str(notify[SUBSCRIPTION_STATE]), "active;expires=600")
        self.assertEqual(notify[CONTENT_TYPE], PIDF)
        self.assertEqual(notify.all(CONTACT), (BOB_CONTACT,))
        self.assertEqual(notify.body, b"open")

    def test_without_body(self) -> None:
        """
        A NOTIFY without a body has no type.
        """
        self.notifier.notify(None, now=1000.0)
        notify = self.sent()
        self.assertNotIn(CONTENT_TYPE, notify)
        self.assertEqual(notify.body, b"")

    def test_one_at_a_time(self) -> None:
        """
        The next NOTIFY waits for the response to the one before, so that none overtakes
        another; of those that wait the latest is enough.
        """
        self.notifier.notify(OPEN, now=1000.0)
        first = self.sent()
        self.notifier.notify(BUSY, now=1000.0)
        self.notifier.notify(CLOSED, now=1000.0)
        self.assertEqual(self.notifier.take_effects(), [])
        second = self.sent(self.answer())
        self.assertEqual(second.body, b"closed")
        self.assertEqual(second[CSEQ].number, first[CSEQ].number + 1)
        self.assertEqual(self.answer(), [])

    def test_provisional_response(self) -> None:
        """
        A provisional response is no answer.
        """
        self.notifier.notify(OPEN, now=1000.0)
        self.sent()
        self.notifier.notify(BUSY, now=1000.0)
        self.assertEqual(self.answer(100), [])
        self.sent(self.answer(200))

    def test_failures(self) -> None:
        """
        Some failures end the subscription (4.2.2), after the others it goes on.
        """
        for status in (404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604):
            self.begin()
            self.notifier.notify(OPEN, now=1000.0)
            self.sent()
            self.notifier.notify(BUSY, now=1000.0)
            self.assertEqual(self.answer(status), [Terminated()], status)
            self.assertIs(self.notifier.phase, Phase.Terminated)
            self.assertIsNone(self.notifier.next_timer())
        for status in (400, 401, 403, 486, 500, 503, 603):
            self.begin()
            self.notifier.notify(OPEN, now=1000.0)
            self.sent()
            self.assertEqual(self.answer(status), [], status)
            self.notifier.notify(BUSY, now=1000.0)
            self.assertEqual(self.sent().body, b"busy")

    def test_no_response(self) -> None:
        """
        A NOTIFY that gets no response ends the subscription (4.2.2).
        """
        self.notifier.notify(OPEN, now=1000.0)
        self.sent()
        self.notifier.give_up()
        self.assertEqual(self.notifier.take_effects(), [Terminated()])
        self.notifier.notify(BUSY, now=1000.0)
        self.assertEqual(self.notifier.take_effects(), [])
        self.assertEqual(self.answer(), [])

    def test_dialog_that_is_over(self) -> None:
        """
        Where the dialog has ended there is no way to the subscriber.
        """
        self.dialog.terminate()
        self.notifier.notify(OPEN, now=1000.0)
        self.assertEqual(self.notifier.take_effects(), [Terminated()])

    def test_pending(self) -> None:
        """
        A subscription that waits to be allowed says so, until it is.
        """
        self.begin(phase=Phase.Pending)
        self.notifier.notify(None, now=1000.0)
        self.assertEqual(self.state(), "pending;expires=600")
        self.answer()
        self.notifier.activate(now=1001.0)
        self.assertEqual(self.notifier.take_effects(), [StateWanted()])
        self.notifier.notify(OPEN, now=1001.0)
        self.assertEqual(self.state(), "active;expires=599")
        self.notifier.activate(now=1001.0)
        self.assertEqual(self.notifier.take_effects(), [])


class EndingTests(NotifierTestCase):
    def test_expiry(self) -> None:
        """
        A subscription that is not refreshed ends with a last NOTIFY (4.2.2).
        """
        self.assertEqual(self.notifier.next_timer(), 1600.0)
        self.notifier.handle_timer(1600.0)
        notify = self.sent()
        self.assertEqual(str(notify[SUBSCRIPTION_STATE]), "terminated;reason=timeout")
        self.assertIs(self.notifier.phase, Phase.Terminated)
        self.assertIsNone(self.notifier.next_timer())
        self.assertEqual(self.answer(), [Terminated()])

    def test_expiry_with_another_under_way(self) -> None:
        """
        The last NOTIFY waits for its turn, too.
        """
        self.notifier.notify(OPEN, now=1590.0)
        self.sent()
        self.notifier.handle_timer(1600.0)
        self.assertEqual(self.notifier.take_effects(), [])
        last = self.sent(self.answer(now=1601.0))
        self.assertEqual(str(last[SUBSCRIPTION_STATE]), "terminated;reason=timeout")
        self.assertEqual(self.answer(), [Terminated()])

    def test_refresh(self) -> None:
        """
        A SUBSCRIBE prolongs it, and gets the whole state again.
        """
        self.assertIsNone(self.notifier.refresh(300, now=1500.0))
        self.assertEqual(self.notifier.take_effects(), [StateWanted()])
        self.assertEqual(self.notifier.next_timer(), 1800.0)
        self.assertEqual(self.notifier.expires_at, 1800.0)
        self.notifier.notify(OPEN, now=1500.0)
        self.assertEqual(self.state(), "active;expires=300")

    def test_unsubscribe(self) -> None:
        """
        One of 0 seconds ends it: the state that is told then is the last (4.2.1.4).
        """
        self.assertIsNone(self.notifier.refresh(0, now=1500.0))
        self.assertEqual(self.notifier.take_effects(), [StateWanted()])
        self.notifier.notify(OPEN, now=1500.0)
        last = self.sent()
        self.assertEqual(str(last[SUBSCRIPTION_STATE]), "terminated;reason=timeout")
        self.assertEqual(last.body, b"open")
        self.assertEqual(self.notifier.refresh(600, now=1500.0), Refusal(481))
        self.assertEqual(self.answer(), [Terminated()])

    def test_fetch(self) -> None:
        """
        A first SUBSCRIBE of 0 seconds asks for one NOTIFY. Where the state does not
        come in time, the NOTIFY goes without it.
        """
        self.begin(expires=0)
        self.notifier.notify(OPEN, now=1001.0)
        self.assertEqual(self.state(), "terminated;reason=timeout")
        self.begin(expires=0)
        self.assertEqual(self.notifier.next_timer(), 1032.0)
        self.assertEqual(self.notifier.refresh(600, now=1001.0), Refusal(481))
        self.notifier.handle_timer(1032.0)
        self.assertEqual(self.state(), "terminated;reason=timeout")

    def test_terminate(self) -> None:
        """
        We end it with a reason, and say when to come back (4.1.3).
        """
        self.notifier.terminate("probation", 1000.0, body=CLOSED, retry_after=120)
        last = self.sent()
        self.assertEqual(
            str(last[SUBSCRIPTION_STATE]),
            "terminated;reason=probation;retry-after=120",
        )
        self.assertEqual(last.body, b"closed")
        self.notifier.terminate("rejected", 1000.0)
        self.notifier.notify(OPEN, 1000.0)
        self.assertEqual(self.notifier.take_effects(), [])
        self.assertEqual(self.notifier.refresh(600, now=1000.0), Refusal(481))

    def test_failure_of_the_last(self) -> None:
        """
        Whatever becomes of the last NOTIFY, it was the last.
        """
        for status in (200, 481, 500):
            self.begin()
            self.notifier.terminate("noresource", 1000.0)
            self.sent()
            self.assertEqual(self.answer(status), [Terminated()])
