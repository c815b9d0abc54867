"""
Tests for `sipsorcery.proxy.registered`: connections that registrations keep open.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sipsorcery.config import Config
from sipsorcery.monitor.event import EventKind
from tests.proxy.house import HouseCase

IDLE = 120


class ConnectionCase(HouseCase):
    """
    A phone on a TLS connection.
    """

    def is_open(self) -> bool:
        """
        Tell whether the connection is there.
        """
        return not [each for each in self.events if each.kind is EventKind.FLOW_CLOSED]

    def assert_lasts(self, seconds: float) -> None:
        """
        Check that the connection is idle for so long, and then closed.
        """
        self.network.advance(seconds - 1)
        self.assertTrue(self.is_open())
        self.network.advance(10)
        self.assertFalse(self.is_open())


class RegisteredFlowsTests(ConnectionCase):
    """
    A phone on a TLS connection that registers.
    """

    def register(self, *contacts: str, status: int = 200, **fields: str) -> None:
        """
        Let the registrar answer a REGISTER with these contacts.
        """
        self.b.send(self.b.make("REGISTER", "sip:example.com"))
        self.b.flow.hold()  # the phone leaves it to us
        lines = [("Contact", each) for each in contacts]
        lines += list(fields.items())
        self.registrar.answer(self.registrar.request(), status, fields=lines)

    def test_without(self) -> None:
        """
        Without a registration a connection on which nothing moves is closed.
        """
        self.b.send(self.b.make("OPTIONS", "sip:example.com"))
        self.b.flow.hold()
        self.assert_lasts(IDLE)

    def test_registered(self) -> None:
        """
        One that a registration uses stays as long as the last binding, and as any other
        after that.
        """
        self.register("<sip:b@x>;expires=600", "<sip:c@x>;expires=900", Expires="10")
        self.assert_lasts(900 + IDLE)

    def test_default(self) -> None:
        """
        A binding that does not say how long it lasts lasts as long as Expires says.
        """
        self.register("<sip:b@x>", Expires="700")
        self.assert_lasts(700 + IDLE)

    def test_refreshed(self) -> None:
        """
        Each refresh counts from then on.
        """
        self.register("<sip:b@x>;expires=600")
        self.network.advance(500)
        self.register("<sip:b@x>;expires=600")
        self.assert_lasts(600 + IDLE)

    def test_removed(self) -> None:
        """
        When the last binding is removed, the connection is as any other.
        """
        self.register("<sip:b@x>;expires=600")
        self.register()
        self.assert_lasts(IDLE)

    def test_refused(self) -> None:
        """
        A registration that is refused keeps nothing.
        """
        self.register("<sip:b@x>;expires=600", status=403)
        self.assert_lasts(IDLE)

    def test_others_do_not_count(self) -> None:
        """
        What somebody outside answers to a REGISTER keeps nothing either.
        """
        self.appserver.send(
            self.appserver.make(
                "REGISTER", "sip:192.0.2.80", ("Route", "<sip:127.0.0.1:5059;lr>")
            )
        )
        fields = [("Contact", "<sip:b@x>;expires=600")]
        self.provider.answer(self.provider.request(), 200, fields=fields)
        self.assertEqual(self.appserver.response().status, 200)

    def test_unreadable(self) -> None:
        """
        An answer that cannot be read is passed on, and keeps nothing.
        """
        self.register("<sip:b@x>;expires=never")
        self.assertEqual(self.b.response().status, 200)
        self.assert_lasts(IDLE)

    def test_stop(self) -> None:
        """
        Nothing is left of them when the proxy stops.
        """
        self.register("<sip:b@x>;expires=600")
        self.stop()
        self.assertEqual(
            [each for each in self.machine.getDelayedCalls() if each.getTime() > 600],
            [],
        )


class CallingTests(ConnectionCase):
    """
    A phone on a TLS connection that is not registered, and calls.
    """

    def parsed(self) -> Config:
        """
        Let a script send everything to the application server.
        """
        config = super().parsed()
        script = Path(self.mktemp())
        script.write_text(
            'async def request(sys, req):\n    await sys.forward("appserver")\n'
        )
        return replace(config, proxy=replace(config.proxy, script=script))

    def call(self, method: str, status: int) -> None:
        """
        Let the phone send a request, which is answered.
        """
        self.b.send(self.b.make(method, "sip:101@example.com"))
        self.b.flow.hold()  # the phone leaves it to us
        self.appserver.answer(self.appserver.request(), status)
        self.assertEqual(self.b.response().status, status)

    def test_answered(self) -> None:
        """
        It is there to hear the end of a call in which nothing has moved for hours.
        """
        self.call("INVITE", 200)
        self.assert_lasts(4 * 3600 + IDLE)

    def test_refused(self) -> None:
        """
        A call that does not come about keeps nothing.
        """
        self.call("INVITE", 486)
        self.network.advance(IDLE + 60)  # its transaction waits for an ACK first
        self.assertFalse(self.is_open())

    def test_no_call(self) -> None:
        """
        Nor does anything but a call.
        """
        self.call("MESSAGE", 200)
        self.assert_lasts(IDLE)
