"""
Tests for `sipsorcery.proxy.responses`: the script's look at responses.
"""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred

from sipsorcery.monitor.event import EventKind
from sipsorcery.sip import Request
from tests.proxy.world import PHONE_B, ProxyWorld

BOB = "sip:bob@example.com"
# What the script of some tests waits for.
WAITING: list[Deferred[None]] = []


class ResponseHookCase(ProxyWorld):
    """
    A proxy whose script has a ``response``.
    """

    text = ""

    def setUp(self) -> None:
        self.script = Path(self.mktemp())
        self.script.write_text(self.text)
        super().setUp()

    def relayed(self) -> Request:
        """
        Let A call bob; give what bob's phone got.
        """
        self.register(BOB, f"sip:bob@{PHONE_B}")
        self.a.send(self.a.make("INVITE", BOB))
        self.a.inbox.clear()
        return self.b.request()

    def forwarded(self) -> Request:
        """
        Let a trunk send to somebody; give what that one got.
        """
        self.trunk.send(self.trunk.make("MESSAGE", f"sip:x@{PHONE_B}"))
        return self.b.request()


class ChangeTests(ResponseHookCase):
    """
    A script that changes responses.
    """

    text = (
        "def response(sys, resp):\n"
        "    resp.set('X-From', str(sys.received_from))\n"
        "    resp.set('X-On', str(sys.received_on))\n"
        "    resp.set('X-Trusted', f'{sys.is_trusted} {sys.is_trunk}')\n"
        "    sys.fix_contact()\n"
    )

    def test_relayed(self) -> None:
        """
        Every response of a relayed request is seen, and leaves as it was changed.
        """
        invite = self.relayed()
        contact = [("Contact", "<sip:bob@10.0.0.5>")]
        for status in (180, 200):
            self.b.send(invite.respond(status, to_tag="b", fields=contact))
            response = self.a.response()
            self.assertEqual(response.get("X-From"), f"udp:{PHONE_B}:5060")
            self.assertEqual(response.get("X-On"), "udp:203.0.113.1:5060")
            self.assertEqual(response.get("X-Trusted"), "False False")
            self.assertEqual(response.get("Contact"), f"<sip:bob@{PHONE_B}:5060>")

    def test_forwarded(self) -> None:
        """
        So does the response to one that was forwarded without state.
        """
        self.b.send(self.forwarded().respond(202))
        self.assertEqual(self.trunk.response().get("X-From"), f"udp:{PHONE_B}:5060")

    def test_strays(self) -> None:
        """
        What answers nothing of ours is not even looked at.
        """
        stray = self.a.make("MESSAGE", BOB).respond(200)
        self.b.send(stray)
        self.assertEqual((self.a.inbox, self.bus.events), ([], []))


class FailureTests(ResponseHookCase):
    """
    A script that fails.
    """

    text = "def response(sys, resp):\n    resp.set('X', '1')\n    1 / 0\n"

    def test_goes_on(self) -> None:
        """
        The response goes on, and the monitor hears of the script.
        """
        self.b.send(self.relayed().respond(200, to_tag="b"))
        self.assertEqual(self.a.response().status, 200)
        self.b.send(self.forwarded().respond(200))
        self.assertEqual(self.trunk.response().status, 200)
        kinds = [each.kind for each in self.bus.events]
        self.assertEqual(kinds, [EventKind.SCRIPT_FAILED] * 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class WaitingTests(ResponseHookCase):
    """
    A script that waits.
    """

    text = """
from twisted.internet.defer import Deferred
from tests.proxy.test_responses import WAITING

async def response(sys, resp):
    WAITING.append(Deferred())
    await WAITING[-1]
    if resp.status == 486:
        raise RuntimeError
    resp.set("X", "seen")
"""

    def setUp(self) -> None:
        super().setUp()
        WAITING.clear()
        self.addCleanup(WAITING.clear)

    def go_on(self) -> None:
        """
        Let the first that waits go on.
        """
        WAITING.pop(0).callback(None)
        self.network.advance()

    def test_order(self) -> None:
        """
        The responses of one branch leave in the order that they came.
        """
        invite = self.relayed()
        for status in (180, 183, 200):
            self.b.send(invite.respond(status, to_tag="b"))
        self.assertEqual((len(WAITING), self.a.inbox), (1, []))
        for status in (180, 183, 200):
            self.go_on()
            response = self.a.response()
            self.assertEqual((response.status, response.get("X")), (status, "seen"))
        self.assertEqual(len(self.board.reviews), 0)

    def test_branches_do_not_wait_for_each_other(self) -> None:
        """
        Those of other branches are shown at the same time.
        """
        self.b.send(self.relayed().respond(180, to_tag="b"))
        self.b.send(self.forwarded().respond(200))
        self.assertEqual(len(WAITING), 2)
        WAITING.pop().callback(None)
        self.network.advance()
        self.assertEqual(self.trunk.statuses(), [200])
        self.assertEqual(self.a.inbox, [])

    def test_failure_later(self) -> None:
        """
        One that fails after a while goes on, and so does what waits behind it.
        """
        message = self.forwarded()
        self.b.send(message.respond(486))
        self.b.send(message.respond(487))
        self.go_on()
        self.assertEqual(self.trunk.statuses(), [486])
        self.go_on()
        self.assertEqual(self.trunk.statuses(), [487])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_for_ever(self) -> None:
        """
        A script that takes too long is not waited for.
        """
        self.b.send(self.forwarded().respond(200))
        self.network.advance(31)
        self.assertEqual(self.trunk.inbox, [])
        self.network.advance(2)
        self.assertEqual(self.trunk.statuses(), [200])
        self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_behind(self) -> None:
        """
        Behind one that waits there is room for so many of its branch; the rest is lost.
        """
        message = self.forwarded()
        for _ in range(30):
            self.b.send(message.respond(200))
        while WAITING:
            self.go_on()
        self.assertEqual(self.trunk.statuses(), [200] * 9)

    def test_limit(self) -> None:
        """
        Only so many branches wait at a time; others are lost, as on a full line.
        """
        self.board.reviews.limit = 1
        message = self.forwarded()
        invite = self.relayed()
        self.b.send(message.respond(200))
        self.b.send(invite.respond(180, to_tag="b"))
        self.assertEqual(len(WAITING), 1)
        self.go_on()
        self.b.send(invite.respond(180, to_tag="b"))
        self.go_on()
        self.assertEqual(self.a.statuses(), [180])
