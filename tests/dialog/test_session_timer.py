"""
Tests for :mod:`sipsorcery.dialog.session_timer`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.session_timer import (
    MAXIMUM,
    Expired,
    Refresh,
    Refresher,
    SessionTimer,
    SessionTimerSettings,
)
from sipsorcery.sip.fields import MIN_SE, REQUIRE, SESSION_EXPIRES
from sipsorcery.sip.parameterised import Seconds
from tests.dialog.messages import BOB_TAG, request, response

SUPPORTED = "Supported: timer"


def written(fields: list[FieldValue]) -> list[str]:
    """
    Write fields as lines.
    """
    return [
        f"{field if isinstance(field, str) else field.name}: {value}"
        for field, value in fields
    ]


def timer(
    interval: int = 1800, min_se: int = 90, *, insists: bool = True
) -> SessionTimer:
    """
    Make a timer with these settings.
    """
    return SessionTimer(SessionTimerSettings(interval, min_se, insists))


class AskingTests(SynchronousTestCase):
    """
    INVITE and UPDATE of ours.
    """

    def test_first(self) -> None:
        """
        The first request leaves it to the peer who refreshes (RFC 4028, 7.1).
        """
        self.assertEqual(written(timer().ask()), ["Session-Expires: 1800"])

    def test_own_minimum(self) -> None:
        """
        A minimum of ours is told if it is not the usual one.
        """
        self.assertEqual(
            written(timer(600, 300).ask()), ["Session-Expires: 600", "Min-SE: 300"]
        )
        self.assertEqual(
            written(timer(60, 120).ask()), ["Session-Expires: 120", "Min-SE: 120"]
        )

    def test_roles(self) -> None:
        """
        The 2xx says who refreshes; a request after it keeps it so, named as the peer
        sees it (7.2, 7.4).
        """
        for role, refresher, said in (
            ("uac", Refresher.Local, "uac"),
            ("uas", Refresher.Remote, "uas"),
        ):
            timers = timer()
            line = f"Session-Expires: 600;refresher={role}"
            timers.answered(response(200, line), now=0.0)
            self.assertEqual((timers.interval, timers.refresher), (600, refresher))
            self.assertEqual(
                written(timers.ask()), [f"Session-Expires: 600;refresher={said}"]
            )

    def test_nobody_is_named(self) -> None:
        """
        Where the 2xx forgets who refreshes, we do.
        """
        timers = timer()
        timers.answered(response(200, "x: 600"), now=0.0)
        self.assertIs(timers.refresher, Refresher.Local)

    def test_peer_without_timers(self) -> None:
        """
        A peer that knows no timers is refreshed by us, for our own sake, or by nobody
        (7.2). A field that cannot be read is as good as none.
        """
        for lines in ((), ("Session-Expires: soon",)):
            timers = timer()
            timers.ask()
            timers.answered(response(200, *lines), now=0.0)
            self.assertEqual(
                (timers.interval, timers.refresher), (1800, Refresher.Local)
            )
            timers = timer(insists=False)
            timers.answered(response(200, *lines), now=0.0)
            self.assertEqual((timers.interval, timers.refresher), (None, None))
            self.assertIsNone(timers.next_timer())

    def test_turned_off(self) -> None:
        """
        A later 2xx without a Session-Expires turns the timer off (7.2).
        """
        timers = timer(insists=False)
        timers.answered(response(200, "Session-Expires: 600;refresher=uac"), now=0.0)
        timers.answered(response(200), now=10.0)
        self.assertIsNone(timers.next_timer())
        self.assertEqual(written(timers.ask()), ["Session-Expires: 1800"])

    def test_bounds(self) -> None:
        """
        No peer makes us refresh more often than every 45 seconds, or never.
        """
        for said, interval in ((1, 90), (89, 90), (4294967295, MAXIMUM)):
            timers = timer()
            line = f"Session-Expires: {said};refresher=uac"
            timers.answered(response(200, line), now=0.0)
            self.assertEqual(timers.interval, interval)
            self.assertEqual(timers.next_timer(), interval / 2)

    def test_too_small(self) -> None:
        """
        After a 422 the request goes again with the Min-SE that it gives, which counts
        from then on (7.3).
        """
        timers = timer(120)
        timers.ask()
        self.assertTrue(timers.too_small(response(422, "Min-SE: 300")))
        expected = ["Session-Expires: 300", "Min-SE: 300"]
        self.assertEqual(written(timers.ask()), expected)
        self.assertTrue(timers.too_small(response(422, "Min-SE: 600")))
        timers.ask()
        timers.answered(response(200, "Session-Expires: 600;refresher=uac"), now=0.0)
        self.assertEqual(
            written(timers.ask()),
            ["Session-Expires: 600;refresher=uac", "Min-SE: 600"],
        )

    def test_422_that_does_not_help(self) -> None:
        """
        A 422 without a Min-SE, or with one that we have met, or that nobody wants, is a
        failure like any other.
        """
        for lines in (
            (),
            ("Min-SE: x",),
            ("Min-SE: 1800",),
            ("Min-SE: 90",),
            (f"Min-SE: {MAXIMUM + 1}",),
        ):
            timers = timer()
            timers.ask()
            self.assertFalse(timers.too_small(response(422, *lines)), lines)
            self.assertEqual(written(timers.ask()), ["Session-Expires: 1800"])


class AcceptingTests(SynchronousTestCase):
    """
    INVITE and UPDATE of the peer.
    """

    def test_too_small(self) -> None:
        """
        A shorter interval than ours is refused with 422, if the peer knows what that is
        (9).
        """
        timers = timer(min_se=300)
        line = "Session-Expires: 299"
        self.assertEqual(
            timers.receive(request("INVITE", SUPPORTED, line)),
            Refusal(422, fields=((MIN_SE, Seconds(300)),)),
        )
        self.assertIsNone(timers.receive(request("INVITE", line)))
        for passed in ("Session-Expires: 300", "X-None: 1"):
            self.assertIsNone(timers.receive(request("INVITE", SUPPORTED, passed)))

    def test_lower_bound(self) -> None:
        """
        The minimum is 90 seconds, whatever the settings say (4).
        """
        invite = request("INVITE", SUPPORTED, "Session-Expires: 89")
        refusal = timer(min_se=1).receive(invite)
        self.assertEqual(refusal, Refusal(422, fields=((MIN_SE, Seconds(90)),)))

    def test_broken(self) -> None:
        """
        A field that cannot be read is refused with 400.
        """
        for line in (
            "Session-Expires: x",
            "Min-SE: -1",
            "Supported: <",
            "x: 99999999999",
        ):
            refusal = timer().receive(request("INVITE", line))
            assert refusal is not None
            self.assertEqual(refusal.status, 400, line)

    def test_who_refreshes(self) -> None:
        """
        Who knows no timers does not refresh, and else the UAC has its way; if it does
        not care it refreshes (9, Table 2).
        """
        for lines, said, refresher in (
            (("Session-Expires: 600",), "uas", Refresher.Local),
            (("Session-Expires: 600;refresher=uac",), "uas", Refresher.Local),
            ((SUPPORTED, "Session-Expires: 600"), "uac", Refresher.Remote),
            (
                (SUPPORTED, "Session-Expires: 600;refresher=uac"),
                "uac",
                Refresher.Remote,
            ),
            (
                (SUPPORTED, "Session-Expires: 600;refresher=UAS"),
                "uas",
                Refresher.Local,
            ),
            (
                (SUPPORTED, "Session-Expires: 600;refresher=x"),
                "uac",
                Refresher.Remote,
            ),
        ):
            timers = timer()
            invite = request("INVITE", *lines)
            self.assertIsNone(timers.receive(invite))
            expected = [f"Session-Expires: 600;refresher={said}"]
            if SUPPORTED in lines:
                # The peer must look at the answer, or should at least.
                expected.append("Require: timer")
            self.assertEqual(written(timers.accept(invite, now=0.0)), expected)
            self.assertIs(timers.refresher, refresher)

    def test_interval(self) -> None:
        """
        Ours is taken where the peer's is longer or there is none; it never goes below
        the Min-SE, or above what the peer asks (9).
        """
        for lines, interval in (
            (("Session-Expires: 3600",), 1800),
            (("Session-Expires: 900",), 900),
            (("Session-Expires: 7200", "Min-SE: 3600"), 3600),
            ((), 1800),
            (("Min-SE: 3600",), 3600),
            ((f"Min-SE: {MAXIMUM + 1}",), 1800),
        ):
            timers = timer()
            invite = request("INVITE", SUPPORTED, *lines)
            self.assertIsNone(timers.receive(invite))
            timers.accept(invite, now=0.0)
            self.assertEqual(timers.interval, interval, lines)

    def test_peer_without_timers(self) -> None:
        """
        A peer without timers is refreshed by us, or by nobody.
        """
        timers = timer()
        invite = request("INVITE")
        timers.receive(invite)
        self.assertEqual(
            written(timers.accept(invite, now=0.0)),
            ["Session-Expires: 1800;refresher=uas"],
        )
        self.assertIs(timers.refresher, Refresher.Local)
        timers = timer(insists=False)
        self.assertEqual(timers.accept(invite, now=0.0), [])
        self.assertIsNone(timers.next_timer())

    def test_too_small_for_a_peer_without_timers(self) -> None:
        """
        An interval that a proxy has asked for, which cannot be refused, counts for at
        least 90 seconds.
        """
        timers = timer()
        invite = request("INVITE", "Session-Expires: 30")
        self.assertIsNone(timers.receive(invite))
        timers.accept(invite, now=0.0)
        self.assertEqual(timers.interval, 90)

    def test_minimum_of_the_peer_stays(self) -> None:
        """
        The Min-SE of a request goes into our own requests after it (7.4).
        """
        timers = timer()
        invite = request("INVITE", SUPPORTED, "Session-Expires: 600", "Min-SE: 300")
        timers.receive(invite)
        timers.accept(invite, now=0.0)
        self.assertEqual(
            written(timers.ask()),
            ["Session-Expires: 600;refresher=uas", "Min-SE: 300"],
        )

    def test_fields(self) -> None:
        """
        What is given are typed fields.
        """
        invite = request("INVITE", SUPPORTED)
        fields = [field for field, _ in timer().accept(invite, now=0.0)]
        self.assertEqual(fields, [SESSION_EXPIRES, REQUIRE])


class TimeTests(SynchronousTestCase):
    def refreshed_by(self, role: str, *more: str, interval: int = 1800) -> SessionTimer:
        """
        Make a timer whose session was agreed upon at 1000 seconds.
        """
        timers = timer()
        line = f"Session-Expires: {interval};refresher={role}"
        timers.answered(response(200, line, *more), now=1000.0)
        return timers

    def test_refresh(self) -> None:
        """
        Who refreshes does it after half of the interval (7.2).
        """
        timers = self.refreshed_by("uac")
        self.assertEqual(timers.next_timer(), 1900.0)
        timers.handle_timer(1899.9)
        self.assertEqual(timers.take_effects(), [])
        timers.handle_timer(1900.0)
        self.assertEqual(timers.take_effects(), [Refresh("INVITE")])
        timers.answered(response(200, "Session-Expires: 1800;refresher=uac"), 1901.0)
        self.assertEqual(timers.next_timer(), 2801.0)

    def test_method(self) -> None:
        """
        It is done by UPDATE where the peer allows that, in what it said last.
        """
        timers = self.refreshed_by("uac", "Allow: INVITE, UPDATE, BYE")
        timers.handle_timer(1900.0)
        self.assertEqual(timers.take_effects(), [Refresh("UPDATE")])
        timers.receive(request("UPDATE", "X-None: 1", to_tag=BOB_TAG))
        timers.resume(1800, Refresher.Local, refreshed_at=0.0)
        timers.handle_timer(900.0)
        self.assertEqual(timers.take_effects(), [Refresh("UPDATE")])
        timers.receive(request("INVITE", "Allow: INVITE", to_tag=BOB_TAG))
        timers.resume(1800, Refresher.Local, refreshed_at=0.0)
        timers.handle_timer(900.0)
        self.assertEqual(timers.take_effects(), [Refresh("INVITE")])

    def test_broken_allow(self) -> None:
        """
        An Allow that cannot be read says nothing.
        """
        timers = self.refreshed_by("uac", "Allow: <")
        timers.handle_timer(1900.0)
        self.assertEqual(timers.take_effects(), [Refresh("INVITE")])

    def test_expiry_of_the_peer(self) -> None:
        """
        Who does not refresh hangs up "slightly before the session expiration": 32
        seconds, or a third of the interval (10).
        """
        for interval, expires in ((1800, 1768.0), (96, 64.0), (90, 60.0)):
            timers = self.refreshed_by("uas", interval=interval)
            self.assertEqual(timers.next_timer(), 1000.0 + expires)
            timers.handle_timer(1000.0 + expires)
            self.assertEqual(timers.take_effects(), [Expired()])
            self.assertIsNone(timers.next_timer())
            self.assertIsNone(timers.refresher)

    def test_refresh_of_the_peer(self) -> None:
        """
        Each request of the peer that is accepted lets it run anew.
        """
        timers = self.refreshed_by("uas")
        update = request(
            "UPDATE", SUPPORTED, "Session-Expires: 1800;refresher=uac", to_tag=BOB_TAG
        )
        self.assertIsNone(timers.receive(update))
        self.assertEqual(timers.next_timer(), 2768.0)
        timers.accept(update, now=1500.0)
        self.assertEqual(timers.next_timer(), 3268.0)

    def test_refresh_without_an_answer(self) -> None:
        """
        Where our refresh comes to nothing the session expires, too.
        """
        timers = self.refreshed_by("uac")
        timers.handle_timer(1900.0)
        timers.take_effects()
        self.assertEqual(timers.next_timer(), 2768.0)
        timers.handle_timer(2768.0)
        self.assertEqual(timers.take_effects(), [Expired()])

    def test_late_timer(self) -> None:
        """
        Where the time to refresh was slept over, it has expired.
        """
        timers = self.refreshed_by("uac")
        timers.handle_timer(5000.0)
        self.assertEqual(timers.take_effects(), [Expired()])

    def test_postponed(self) -> None:
        """
        A refresh that crossed a request of the peer is done a little later, at the
        latest when the session expires.
        """
        timers = self.refreshed_by("uac")
        timers.handle_timer(1900.0)
        timers.take_effects()
        timers.postpone(2.5, now=1901.0)
        self.assertEqual(timers.next_timer(), 1903.5)
        timers.handle_timer(1903.5)
        self.assertEqual(timers.take_effects(), [Refresh("INVITE")])
        timers.postpone(5000.0, now=1904.0)
        self.assertEqual(timers.next_timer(), 2768.0)

    def test_nothing_to_postpone(self) -> None:
        """
        Who does not refresh has nothing to postpone.
        """
        timers = self.refreshed_by("uas")
        timers.postpone(1.0, now=1001.0)
        self.assertEqual(timers.next_timer(), 2768.0)

    def test_stop(self) -> None:
        """
        After the call nothing is left.
        """
        timers = self.refreshed_by("uac")
        timers.stop()
        self.assertIsNone(timers.next_timer())
        timers.handle_timer(9999.0)
        self.assertEqual(timers.take_effects(), [])

    def test_resume(self) -> None:
        """
        The timer of a stored session runs from the start.
        """
        timers = timer()
        timers.resume(600, Refresher.Remote, refreshed_at=50.0)
        self.assertEqual(timers.next_timer(), 618.0)
        self.assertEqual((timers.interval, timers.refresher), (600, Refresher.Remote))
