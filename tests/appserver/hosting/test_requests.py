"""
Tests for :mod:`sipsorcery.appserver.hosting.requests`.
"""

from __future__ import annotations

from sipsorcery.appserver.hosting.guest import Given, Guest
from sipsorcery.appserver.hosting.requests import RequestFunctions
from sipsorcery.appserver.plans.engine import Value
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from tests.appserver.hosting.cases import HostingCase
from tests.appserver.hosting.serving import FakeAgent


class RequestTests(HostingCase):
    def setUp(self) -> None:
        super().setUp()
        self.agent = FakeAgent()
        proxy = SIPURI("sip", None, "127.0.0.1", 5070)
        self.functions = RequestFunctions(self.reactor, self.agent, proxy).of

    def send(self, guest: Guest | None = None, **arguments: Value) -> Given:
        """
        Send a request.
        """
        guest = guest or self.guest()
        return self.ask(self.functions, guest, "send_request", **arguments)

    def test_message(self) -> None:
        """
        A message goes to a stranger with its body, and the answer is told.
        """
        given = self.send(method="message", to="al@example.net", body="hello")
        self.assertEqual(given, {"status": 202, "reason": "Accepted"})
        ((method, uri, rest),) = self.agent.sent
        self.assertEqual((method, uri), ("MESSAGE", "sip:al@example.net"))
        self.assertEqual(rest["body"], b"hello")
        self.assertEqual(rest["fields"], [("Content-Type", "text/plain")])
        self.assertEqual(str(rest["account"].address.uri), "sip:100@example.com")
        self.assertIsNone(rest["account"].secret)

    def test_credentials(self) -> None:
        """
        Credentials that are given are for the server that is asked alone.
        """
        self.send(
            method="OPTIONS", to="x@pbx.example", username="42", password="secret"
        )
        account = self.agent.sent[0][2]["account"]
        self.assertEqual(account.realms, frozenset({"pbx.example"}))

    def test_phones(self) -> None:
        """
        To an account of ours it goes to the phones, and the best answer counts.
        """
        self.register("101")
        self.agent.answer = Response(486, "Busy Here")
        given = self.send(method="NOTIFY", to="101@local")
        self.assertEqual(given, {"status": 486, "reason": "Busy Here"})
        self.assertEqual(self.agent.sent[0][1], "sip:101@192.0.2.9")

    def test_methods(self) -> None:
        """
        What begins or changes calls is not sent.
        """
        for method in ("INVITE", "REGISTER", "BYE", "CANCEL", "ACK", "REFER", "X Y"):
            self.refused(
                self.functions,
                self.guest(),
                "send_request",
                method=method,
                to="a@b.net",
            )
        self.assertEqual(self.agent.sent, [])

    def test_no_answer(self) -> None:
        """
        Without an answer it ends after eight seconds.
        """
        self.agent.answer = None
        waiting = self.begin(
            self.functions(self.guest())["send_request"](
                {"method": "OPTIONS", "to": "a@b.net", "wait": 60}
            )
        )
        self.reactor.advance(7.9)
        self.assertNoResult(waiting)
        self.reactor.advance(0.2)
        self.assertIsNone(self.successResultOf(waiting))

    def test_too_many(self) -> None:
        """
        A run sends ten.
        """
        guest = self.guest()
        for _ in range(10):
            self.send(guest, method="OPTIONS", to="a@b.net")
        self.refused(
            self.functions, guest, "send_request", method="OPTIONS", to="a@b.net"
        )
        self.assertEqual(len(self.agent.sent), 10)
