"""
Tests for calls that ring at an application server which is killed and does not come
back: another one sees to them.
"""

from __future__ import annotations

from sipsorcery.sip.fields import REASON, TO, VIA
from sipsorcery.sip.request import Request
from sipsorcery.store.claims import CLAIMS, claim_key
from sipsorcery.store.directory import Language
from tests.appserver.restarting import RestartingCase
from tests.appserver.test_restarting import LINES, TWICE
from tests.appserver.test_service import HOST

#: The machine of the other server.
OTHER = "127.0.0.2"
# Seconds after which a silent server is taken for dead for certain.
_LEASE = 13


class OtherServerTests(RestartingCase):
    """
    Two servers that share the live state; the first one has the calls.
    """

    more = '\n[storage]\nlive = "redis://127.0.0.1:6379/0"\n'

    def setUp(self) -> None:
        super().setUp()
        self.other, self.there, workers = self.start(OTHER)
        self.addCleanup(workers.stop)
        self.pass_time(15)  # both have said for long enough that they live

    def stop(self) -> None:
        """
        Stop the server that is left.
        """
        self.end(self.other)

    def pass_time(self, seconds: int) -> None:
        """
        Let time pass, second by second.
        """
        for _ in range(seconds):
            self.settle(1)

    def lose(self, seconds: int = _LEASE) -> None:
        """
        Kill the first server, and let time pass.
        """
        self.kill()
        self.proxy.requests.clear()
        self.proxy.responses.clear()
        self.pass_time(seconds)

    def test_goes_on(self) -> None:
        """
        After ten seconds the phone gets a CANCEL with the branch of its INVITE, and the
        dialplan dials the next one; whoever answers is connected.
        """
        self.plan(TWICE)
        self.ring()
        self.lose(8)
        self.assertEqual(self.methods(), [])
        self.pass_time(5)
        cancel, invite = self.last("CANCEL"), self.last("INVITE")
        self.assertEqual(cancel[VIA].branch, self.leg[VIA].branch)
        self.assertEqual(invite.request_uri, "sip:two@192.0.2.2")
        self.assertEqual(invite[VIA].host, OTHER)
        self.proxy.send(invite.respond(180, to_tag="c"), OTHER)
        self.settle()
        self.assertEqual(self.statuses(), [100, 180])
        self.proxy.send(invite.respond(486, to_tag="c"), OTHER)
        self.settle(0.2)
        self.assertEqual(self.statuses(), [100, 180, 486])
        self.assertEqual(self.records(), [])

    def test_no_more(self) -> None:
        """
        Where the dialplan dials nobody else the caller hears why, in the same early
        dialog, and the record of his leg is closed.
        """
        self.plan(LINES, Language.LINES)
        self.ring()
        before = self.proxy.responses[-1][TO].tag
        self.lose()
        self.assertEqual(self.statuses()[:2], [100, 480])
        final = self.final()
        self.assertEqual(final.reason, "The server was restarted")
        self.assertEqual(final[REASON].text, "not-answered")
        self.assertEqual(final[TO].tag, before)
        self.settle(3)
        cdrs = self.do(self.directory.everyone.cdrs.recent())
        self.assertEqual([each.ended_at is not None for each in cdrs], [True, True])

    def test_claim(self) -> None:
        """
        The call is the other server's from then on.
        """
        self.plan(TWICE)
        self.ring()
        self.lose()
        record = self.given(self.live.get(CLAIMS.name, claim_key("call1", "1", 1)))
        assert record is not None
        self.assertEqual(CLAIMS.read(record).server, f"udp:{OTHER}:5065")
        self.assertEqual(self.ringing().server, f"udp:{OTHER}:5065")

    def test_back_too_late(self) -> None:
        """
        The first server, back after all, leaves what the other one goes on with.
        """
        self.plan(TWICE)
        self.ring()
        self.lose()
        second = self.last("INVITE")
        self.service, self.machine, self.workers = self.start(HOST)
        self.addCleanup(lambda: self.end(self.service))
        self.pass_time(2)
        self.assertEqual({each[VIA].host for each in self.invites()}, {OTHER})
        self.proxy.send(second.respond(486, to_tag="c"), OTHER)
        self.settle(0.2)
        self.assertEqual(self.statuses()[-1], 486)

    def invites(self) -> list[Request]:
        """
        Give the INVITEs that have come to the proxy.
        """
        return [each for each in self.proxy.requests if each.method == "INVITE"]

    def test_was_only_slow(self) -> None:
        """
        A server that stood still and goes on writes nothing over what the other one has
        written, and answers nobody a second time.
        """
        self.plan(TWICE)
        self.ring()
        self.lose()
        self.proxy.send(self.last("INVITE").respond(486, to_tag="c"), OTHER)
        self.settle(0.2)
        self.assertEqual(self.statuses(), [100, 486])
        self.network.bring_back(self.machine)
        self.addCleanup(lambda: self.end(self.service))
        self.pass_time(5)
        self.assertEqual(self.records(), [])
