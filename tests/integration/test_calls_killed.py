"""
Calls through a server that is killed under them, and started again.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from sipsorcery.dialog.routing import contact_uri
from sipsorcery.sdp import Direction
from sipsorcery.sip.fields import TO
from sipsorcery.ua import Session
from tests import LONG
from tests.integration.killed import (
    DOMAIN,
    MEDIA,
    OldPhone,
    Phone,
    TwoPhonesCase,
    sleep,
    wait_for,
)

ROUNDS = 30 if LONG else 3
CALLS = 6


class KilledCase(TwoPhonesCase):
    """
    A server, and two phones that are registered with it.
    """

    timeout = 120 + 20 * ROUNDS

    async def connect(self, calls: int = 1) -> list[tuple[Session, Session]]:
        """
        Let alice call bob some times; give the sessions of both, call by call.
        """
        pairs = []
        for _ in range(calls):
            self.bob.sessions.clear()
            ours = await self.alice.call("101")
            await wait_for(lambda: self.bob.sessions)
            pairs.append((ours, self.bob.sessions[-1]))
        return pairs

    async def restart(self) -> None:
        """
        Kill the server, and start it again.
        """
        await self.server.kill()
        await self.server.start()


class KilledTests(KilledCase):
    """
    ``kill -9`` under established calls.
    """

    async def test_calls_go_on(self) -> None:
        """
        After each restart both parties of every call can hold, take the call back and
        hang up, and the other one hears of it; the records of all legs are closed.
        """
        total = 0
        for turn in range(ROUNDS):
            pairs = await self.connect(CALLS)
            total += CALLS
            # Sometimes before the ACK is recorded, sometimes after.
            await sleep(0.3 * turn)
            await self.restart()
            for number, (caller, callee) in enumerate(pairs):
                one, other = (caller, callee) if number % 2 else (callee, caller)
                await self.use(one, other)
        await self.server.stop()
        cdrs = await self.server.cdrs()
        self.assertEqual(len([one for one in cdrs if one.answered_at]), 2 * total)
        self.assertEqual([one for one in cdrs if one.ended_at is None], [])
        reasons = {one.ended_reason for one in cdrs if one.answered_at}
        self.assertEqual(reasons, {"hung up by the peer", "remote end hungup"})

    async def use(self, one: Session, other: Session) -> None:
        """
        Let one party hold the call, take it back, and hang up.
        """
        await one.hold()
        self.assertTrue(other.is_held)
        await one.resume()
        self.assertFalse(other.is_held)
        assert one.remote is not None
        self.assertEqual(one.remote.media[0].direction, Direction.SENDRECV)
        ended = other.ended()
        await one.bye()
        await ended

    async def test_new_calls(self) -> None:
        """
        A server that has taken calls over takes new ones as well.
        """
        await self.connect()
        await self.restart()
        ((caller, callee),) = await self.connect()
        await self.use(caller, callee)

    async def test_transfer(self) -> None:
        """
        After a restart a party can transfer the other one, blind, to somebody else;
        what comes of it outlives another restart.
        """
        carol = Phone(self.server, "102")
        self.addCleanup(lambda: Deferred.fromCoroutine(carol.stop()))
        await carol.start()
        await carol.register()
        ((caller, callee),) = await self.connect()
        await self.restart()
        left = caller.ended()
        await caller.refer(f"sip:102@{DOMAIN}")
        await wait_for(lambda: carol.sessions)
        await left
        self.assertFalse(callee.is_over)
        await sleep(2)  # what has changed is stored within a second
        await self.restart()
        await self.use(callee, carol.sessions[0])

    async def test_listed(self) -> None:
        """
        ``sipsorcery calls`` lists an established call while the server runs, and while
        it does not.
        """
        ((caller, _),) = await self.connect()
        await sleep(0.5)
        (call,) = await self.server.command("calls")
        self.assertEqual((call["owner"], call["state"]), ("joe", "established"))
        self.assertIn(caller.dialog.call_id, call["call_ids"])
        await self.server.kill()
        (left,) = await self.server.command("calls")
        self.assertEqual(left["id"], call["id"])
        self.assertEqual(left["state"], "waiting for its server")
        await self.server.start()
        (again,) = await self.server.command("calls")
        self.assertEqual(again, {**call, "seconds": again["seconds"]})
        await caller.bye()
        await sleep(0.5)
        self.assertEqual(await self.server.command("calls"), [])
        legs = await self.server.command("cdrs")
        self.assertEqual(len(legs), 2)
        self.assertEqual({leg["status"] for leg in legs}, {200})
        self.assertEqual(len({leg["bridge"] for leg in legs}), 1)

    async def test_operator_restarts(self) -> None:
        """
        A server that is stopped and started by its operator hangs nobody up either.
        """
        ((caller, callee),) = await self.connect()
        await self.server.stop()
        self.assertFalse(caller.is_over or callee.is_over)
        await self.server.start()
        await self.use(caller, callee)


class OldPhoneTests(KilledCase):
    """
    A caller that ignores Record-Route, and whose ACK comes late.
    """

    async def test_unacknowledged(self) -> None:
        """
        The 200 that a killed server has sent is repeated by the next one until its ACK
        comes; and the BYE, which goes straight to the Contact, finds the call.
        """
        phone = OldPhone(self.server)
        self.addCleanup(phone.stop)
        to = f"<sip:101@{DOMAIN}>"
        phone.send("INVITE", f"sip:101@{DOMAIN}", 1, to, bytes(MEDIA))
        await wait_for(lambda: 200 in [one.status for one in phone.responses])
        answer = phone.responses[-1]
        await self.server.kill()
        phone.responses.clear()
        await self.server.start()
        await wait_for(lambda: len(phone.responses) > 1)
        self.assertEqual(set(phone.statuses()), {200})
        contact, to = str(contact_uri(answer)), str(answer[TO])
        phone.send("ACK", contact, 1, to)
        await sleep(0.2)
        phone.responses.clear()
        await sleep(1.5)
        self.assertEqual(phone.statuses(), [])
        ended = self.bob.sessions[-1].ended()
        phone.send("BYE", contact, 2, to)
        await ended
        await wait_for(lambda: phone.responses)
        self.assertEqual(phone.statuses(), [200])
