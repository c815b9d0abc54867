"""
Tests for calls that ring when their application server is killed.
"""

from __future__ import annotations

from sipsorcery.sip.fields import REASON, VIA
from sipsorcery.store.directory import Language
from tests.appserver.restarting import RestartingCase

TWICE = """\
sys.dial("one@192.0.2.1")
sys.dial("two@192.0.2.2")
"""


class RecordTests(RestartingCase):
    """
    What is written down of a call that rings.
    """

    def test_life(self) -> None:
        """
        A record is there while it rings, and gone when the caller has an answer.
        """
        self.plan(TWICE)
        self.ring()
        call = self.ringing()
        self.assertEqual((call.owner, call.plan, call.version), ("joe", "in", 1))
        self.assertEqual(len(call.legs), 1)
        self.assertTrue(call.state)
        self.proxy.send(self.leg.respond(486, to_tag="b"))
        self.settle(0.5)
        self.assertEqual(len(self.ringing().legs), 1)
        self.proxy.send(self.last("INVITE").respond(486, to_tag="b"))
        self.settle(0.5)
        self.assertEqual(self.records(), [])


class RestartTests(RestartingCase):
    """
    What the next process does.
    """

    def test_goes_on(self) -> None:
        """
        The phone gets a CANCEL with the branch of its INVITE, and the dialplan dials
        the next one; what that says reaches the caller.
        """
        self.plan(TWICE)
        self.ring()
        self.restart()
        cancel, invite = self.last("CANCEL"), self.last("INVITE")
        self.assertEqual(cancel[VIA].branch, self.leg[VIA].branch)
        self.assertEqual(cancel.request_uri, self.leg.request_uri)
        self.assertEqual(cancel.get("Call-ID"), self.leg.get("Call-ID"))
        self.assertEqual(invite.request_uri, "sip:two@192.0.2.2")
        self.proxy.send(cancel.respond(200))
        self.proxy.send(self.leg.respond(487, to_tag="b"))
        self.proxy.send(invite.respond(180, to_tag="c"))
        self.settle()
        self.assertEqual(self.methods()[-1], "ACK")
        self.assertEqual(self.statuses(), [100, 180])
        self.proxy.send(invite.respond(486, to_tag="c"))
        self.settle(0.2)
        self.assertEqual(self.statuses(), [100, 180, 486])
        self.assertEqual(self.records(), [])

    def test_no_more(self) -> None:
        """
        A dialplan that dials nobody else ends, and the caller hears why.
        """
        self.plan("exten => _X.,1,Dial(,,bob@192.0.2.1)", Language.LINES)
        self.ring()
        self.restart()
        self.assertEqual(self.methods(), ["CANCEL"])
        self.assertEqual(self.statuses(), [100, 480])
        final = self.proxy.responses[-1]
        self.assertEqual(final.reason, "The server was restarted")
        self.assertEqual(final[REASON].text, "not-answered")
