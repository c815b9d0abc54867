"""
Tests for :mod:`sipsorcery.proxy.attendance`, and for what the script makes of it.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.event import EventKind
from sipsorcery.proxy.attendance import Attendance
from sipsorcery.store.secrets import Secrets
from tests.proxy.house import APPSERVER, PHONE_A, PROVIDER, PROXY
from tests.proxy.test_accounts import BOB, AccountsCase

THERE = Endpoint.parse("udp:127.0.0.1:5065")
ROLES = {"appserver": THERE, "registrar": Endpoint.parse("udp:127.0.0.1:5001")}


class AttendanceTests(SynchronousTestCase):
    """
    Who is there.
    """

    def test_others(self) -> None:
        """
        A server of another process is there once we have heard of it.
        """
        attendance = Attendance(ROLES)
        self.assertIsNone(attendance.find("appserver"))
        attendance.note(THERE)
        self.assertEqual(attendance.find("appserver"), THERE)
        self.assertIsNone(attendance.find("registrar"))

    def test_own(self) -> None:
        """
        One of our own process is there from the start; what has no address never is.
        """
        attendance = Attendance(ROLES, {"appserver", "notifier"})
        self.assertEqual(attendance.find("appserver"), THERE)
        self.assertIsNone(attendance.find("notifier"))

    def test_strangers(self) -> None:
        """
        Who is no server of ours is nobody.
        """
        attendance = Attendance(ROLES)
        attendance.note(Endpoint.parse("udp:127.0.0.1:5066"))
        self.assertIsNone(attendance.find("appserver"))


class DispatchTests(AccountsCase):
    """
    Where new calls go once there is an application server.
    """

    def setUp(self) -> None:
        super().setUp()
        self.place(BOB, f"sip:bob@{PHONE_A}:33000")
        self.appserver.send(self.appserver.make("OPTIONS", "sip:example.com"))
        self.assertEqual(self.appserver.response().status, 200)
        self.appserver.consumer.responses.clear()

    def test_to_us(self) -> None:
        """
        A call to our domain goes there, and tells where it came from.
        """
        self.c.send(self.c.make("INVITE", BOB))
        invite = self.appserver.request()
        self.assertEqual(invite.request_uri, BOB)
        self.assertEqual(invite.get("Proxy-ReceivedFrom"), str(self.c.flow.local))
        self.assertTrue(self.a.is_quiet)

    def test_told(self) -> None:
        """
        The monitor hears which server got the call.
        """
        request = self.c.send(self.c.make("INVITE", BOB))
        self.appserver.request()
        (event,) = [each for each in self.events if each.kind is EventKind.DISPATCHED]
        self.assertEqual(event.detail, {"server": APPSERVER})
        self.assertEqual(event.call_id, request.get("Call-ID"))

    def test_from_us(self) -> None:
        """
        So does a call of one of ours, to whomever; who it is, is asked there.
        """
        for uri in (BOB, f"sip:x@{PROVIDER}"):
            self.a.send(self.make(self.a, "INVITE", uri))
            self.assertEqual(self.appserver.request().request_uri, uri)
        self.assertTrue(self.provider.is_quiet)

    def test_overloaded(self) -> None:
        """
        When it can take nothing, the caller hears so, and when to come again: whatever
        else they send to us would come to the same (:rfc:`3261#section-16.7`, 6).
        """
        self.c.send(self.c.make("INVITE", BOB))
        later = [("Retry-After", "5")]
        self.appserver.answer(self.appserver.request(), 503, fields=later)
        response = self.c.response()
        self.assertEqual(response.status, 503)
        self.assertEqual(response.get("Retry-After"), "5")

    def test_dialogue(self) -> None:
        """
        So does one of ours that names a dialogue: it is asked who it is once, there.
        """
        secrets = Secrets(self.data_dir)
        secrets.load()
        user = DialogueNames(secrets).write(Endpoint.parse(APPSERVER), "0" * 16)
        uri = f"sip:{user}@{PROXY}:5060"
        self.a.send(self.make(self.a, "INVITE", uri))
        self.assertEqual(self.appserver.request().request_uri, uri)

    def test_strangers(self) -> None:
        """
        Who is none of us calls nobody else, as ever.
        """
        self.c.send(self.c.make("INVITE", f"sip:x@{PROVIDER}"))
        self.assertEqual(self.c.response().status, 403)

    def test_from_there(self) -> None:
        """
        What it sends itself goes to the phones.
        """
        self.appserver.send(self.appserver.make("INVITE", BOB))
        self.assertEqual(self.a.request().method, "INVITE")

    def test_others(self) -> None:
        """
        What is neither call nor message goes to the phones without it.
        """
        self.c.send(self.c.make("OPTIONS", BOB))
        self.assertEqual(self.a.request().method, "OPTIONS")

    def test_messages(self) -> None:
        """
        Messages go the way of calls: there, and from there to the phones.
        """
        self.c.send(self.c.make("MESSAGE", BOB))
        self.assertEqual(self.appserver.request().request_uri, BOB)
        uri = f"sip:x@{PROVIDER}"
        self.a.send(self.make(self.a, "MESSAGE", uri))
        self.assertEqual(self.appserver.request().request_uri, uri)
        self.assertTrue(self.a.is_quiet)
        self.appserver.send(self.appserver.make("MESSAGE", BOB))
        self.assertEqual(self.a.request().method, "MESSAGE")
