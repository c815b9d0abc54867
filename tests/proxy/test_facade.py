"""
Tests for `sipsorcery.proxy.facade`: what scripts can find out and do.
"""

from __future__ import annotations

from pathlib import Path

from sipsorcery.sip import Request
from sipsorcery.sip.fields import RECORD_ROUTE, VIA
from tests.proxy.world import INSIDE, PHONE_A, PHONE_B, ProxyWorld

BOB = "sip:bob@example.com"


class FacadeCase(ProxyWorld):
    """
    A proxy with a script whose only function has these lines.
    """

    def use(self, *lines: str) -> None:
        """
        Start with a script.
        """
        self.script = Path(self.mktemp())
        body = "".join(f"    {line}\n" for line in lines)
        self.script.write_text(f"async def request(sys, req):\n{body}")
        self.loaded._file = self.script
        self.loaded.stop()
        self.loaded.start()

    def tell(
        self, *expressions: str, method: str = "MESSAGE", uri: str = BOB
    ) -> list[str]:
        """
        Have a script say the values of expressions, and give them.
        """
        values = ", ".join(f"str({each})" for each in expressions)
        self.use(f"sys.respond(299, fields=[('X', each) for each in ({values},)])")
        self.a.send(self.a.make("MESSAGE", BOB))
        return list(self.a.response().all("X"))


class FactsTests(FacadeCase):
    """
    What a script can know.
    """

    def test_request(self) -> None:
        """
        Where a request came from and to, by whom, and whether it is for us.
        """
        self.assertEqual(
            self.tell(
                *("sys.received_from", "sys.received_on", "sys.is_trusted"),
                *("sys.is_trunk", "sys.is_ours", "sys.has_flow", "sys.knows_users"),
            ),
            [
                *(f"udp:{PHONE_A}:33000", "udp:203.0.113.1:5060", "False"),
                *("False", "True", "False", "True"),
            ],
        )

    def test_places(self) -> None:
        """
        The roles, our listeners, and servers for a URI.
        """
        self.assertEqual(
            self.tell(
                "sys.roles['registrar']",
                "sys.get_default_endpoint('udp')",
                "sys.get_default_endpoint('tcp')",
                "sys.get_default_endpoint('tls')",
                "sys.get_app_server()",
                "sys.dispatcher_lookup()",
                "(await sys.resolve(req.uri.parse('sip:192.0.2.5:5070')))[0]",
                "await sys.lookup(req.uri)",
                "await sys.caller_domain()",
            ),
            [
                *("udp:10.0.0.2:5001", "udp:203.0.113.1:5060", "tcp:203.0.113.1:5060"),
                *("None", "None", "None", "udp:192.0.2.5:5070", "None", "None"),
            ],
        )

    def test_nobody_to_ask(self) -> None:
        """
        Where nobody can tell who somebody is, nobody is let in.
        """
        self.use("await sys.authenticate()")
        self.a.send(self.a.make("MESSAGE", BOB))
        self.assertEqual(self.a.statuses(), [403])


class SendingTests(FacadeCase):
    """
    The ways to send.
    """

    def receive(self, *lines: str, method: str = "MESSAGE") -> Request:
        """
        Have a script send, and give what B got.
        """
        self.use(*lines)
        self.a.send(
            self.a.make(method, f"sip:bob@{PHONE_B}", "Contact: <sip:a@10.1.1.1>")
        )
        return self.b.request()

    def test_internal(self) -> None:
        """
        A role is told where the request came from.
        """
        self.use("await sys.send_internal('registrar')")
        self.a.send(self.a.make("MESSAGE", BOB))
        received = self.role.request()
        self.assertEqual(received.get("Proxy-ReceivedFrom"), f"udp:{PHONE_A}:33000")
        self.assertEqual(received[VIA].sent_by, f"{INSIDE}:5059")

    def test_external(self) -> None:
        """
        Anybody else is told nothing; the address may be given.
        """
        end = f"type(sys.received_from).parse('udp:{PHONE_B}:5060')"
        for to in ("", end):
            received = self.receive(f"await sys.send_external({to})")
            self.assertNotIn("Proxy-ReceivedFrom", received)
            self.assertEqual(len(received.all(VIA)), 2)

    def test_transparent(self) -> None:
        """
        Somebody who refuses more sees one Via.
        """
        received = self.receive("await sys.send_transparent()")
        self.assertEqual(len(received.all(VIA)), 1)

    def test_nat(self) -> None:
        """
        A script can put the Contact right, for peers that ignore Record-Route.
        """
        received = self.receive(
            "assert sys.fix_contact() and not sys.fix_sdp()",
            "await sys.relay()",
            method="INVITE",
        )
        self.assertEqual(received.get("Contact"), f"<sip:a@{PHONE_A}:33000>")
        self.assertEqual(len(received.all(RECORD_ROUTE)), 2)
        self.network.advance(40)
