"""
Calls that nobody may listen to: sips URIs (RFC 3261, 26.2.2; RFC 5630).
"""

from __future__ import annotations

from pathlib import Path

from sipsorcery.endpoint import Transport
from sipsorcery.sip.fields import CONTACT
from sipsorcery.sip.uri import SIPURI, parse_uri
from sipsorcery.transport.certificates import TLSSettings
from sipsorcery.ua import RequestFailed, ServerCall, UserAgent, UserAgentSettings
from tests.transport.authority import Authority
from tests.transport.location.zones import Zones
from tests.ua.cases import ALICE, ALICE_MEDIA, BOB, BOB_MEDIA, AgentCase


class SecureCallTests(AgentCase):
    """
    Two agents that have TLS beside UDP and TCP.
    """

    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(Path(self.mktemp()))
        self.alice, self.bob = self.secure(ALICE), self.secure(BOB)
        self.calls: list[ServerCall] = []
        self.bob.on_invite(self.calls.append)
        self.datagrams: list[bytes] = []
        self.network.drop = self.overhear

    def secure(self, host: str) -> UserAgent:
        """
        Start an agent with a certificate of its address.
        """
        machine = self.machines[host]
        tls = TLSSettings(
            (self.authority.issue(host, host),),
            authorities=self.authority.file,
            poll=1e9,
        )
        agent = UserAgent(
            machine,
            [f"udp:{host}:5060", f"tcp:{host}:5060", f"tls:{host}:5061"],
            settings=UserAgentSettings(tls=tls),
            resolver=Zones(),
            local_addresses=lambda: machine.addresses,
            source_address=machine.address_towards,
        )
        self.run_through(agent.start())
        self.addCleanup(lambda: self.run_through(agent.stop()))
        return agent

    def overhear(self, data: bytes, source: object, destination: object) -> bool:
        """
        Note what goes over UDP.
        """
        self.datagrams.append(data)
        return False

    def test_call(self) -> None:
        """
        A call to a sips URI goes by TLS, to and fro, with sips URIs as Contacts.
        """
        answered = self.alice.invite(f"sips:bob@{BOB}", ALICE_MEDIA).answered()
        self.network.advance()
        (call,) = self.calls
        self.assertIs(call.flow.remote.transport, Transport.TLS)
        self.assertTrue(str(call.request[CONTACT]).startswith("<sips:"))
        self.given(call.answer(BOB_MEDIA))
        ours = self.given(answered)
        for session in (ours, call.session):
            self.assertTrue(session.dialog.secure)
            target = session.dialog.remote_target
            assert isinstance(target, SIPURI)
            self.assertEqual(target.scheme, "sips")
        self.run_through(ours.hold())
        self.run_through(call.session.bye())
        self.assertTrue(ours.is_over)
        self.assertEqual(self.datagrams, [])

    def test_no_way(self) -> None:
        """
        Where nobody has TLS nothing is said at all.
        """
        call = self.alice.invite(f"sips:bob@{BOB}:5060", ALICE_MEDIA)
        self.network.advance(40.0)
        self.refused(call.answered(), RequestFailed)
        self.assertEqual((self.calls, self.datagrams), ([], []))

    def test_redirected(self) -> None:
        """
        Who asked for a secure call is not sent to a URI that is none (8.1.3.4).
        """
        call = self.alice.invite(f"sips:bob@{BOB}", ALICE_MEDIA)
        self.network.advance()
        self.calls[0].redirect(parse_uri(f"sip:carol@{BOB}"))
        error = self.refused(call.answered(), RequestFailed)
        self.assertEqual(error.status, 302)
        self.assertEqual(len(self.calls), 1)
        self.assertEqual(self.datagrams, [])
