"""
What users notice of an application server that is killed under their calls: behind a
proxy, with two others that share its live state, of which none knows beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import monotonic

from twisted.internet.defer import Deferred

from sipsorcery.dialog.routing import contact_uri
from sipsorcery.endpoint import Endpoint
from sipsorcery.sip.fields import (
    CALL_ID,
    CSEQ,
    SESSION_EXPIRES,
    TO,
)
from sipsorcery.sip.parser import parse as parse_message
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.store.directory import CDR
from sipsorcery.ua import Session
from tests import LONG
from tests.integration.killed import (
    DOMAIN,
    MEDIA,
    KilledServer,
    OldPhone,
    Phone,
    RedisPhonesCase,
    sleep,
    wait_for,
    wait_until,
)
from tests.integration.test_dispatching import Suite

SERVERS = 3
BOB = f"sip:101@{DOMAIN}"
CAROL = f"sip:102@{DOMAIN}"
# Calls until one server has enough: one in a million times they are too few.
_CALLS = 60


class LostCase(RedisPhonesCase):
    """
    Three phones, and the loss of a server.
    """

    server: Suite

    def make_server_with(self, folder: Path, redis: str) -> Suite:
        return Suite(folder, redis, SERVERS)

    async def start(self) -> None:
        """
        Switch a third phone on, too.
        """
        await super().start()
        self.carol = Phone(self.server, "102")
        await self.carol.start()
        await self.carol.register()

    async def stop(self) -> None:
        """
        Switch it off.
        """
        await self.carol.stop()
        await super().stop()

    async def connect(self) -> tuple[Session, Session]:
        """
        Let alice call bob; give the sessions of both.
        """
        before = len(self.bob.sessions)
        caller = await self.alice.call("101")
        await wait_for(lambda: len(self.bob.sessions) > before)
        return caller, self.bob.sessions[-1]

    async def server_of(self, call_id: str) -> Endpoint:
        """
        Find the server that has a call.
        """
        for end in self.server.servers:
            for row in await self.server.ask(f"appserver-{end.port}", "calls"):
                if call_id in row["call_ids"]:
                    return end
        raise AssertionError("nobody has it")

    async def assert_recorded(self, call_ids: Iterable[str]) -> None:
        """
        Each call has a record of each of its legs, and it says when and why it was
        answered and ended: not that its server was.
        """
        ids = [*call_ids]

        async def are_over() -> list[list[CDR]]:
            rows = await self.server.cdrs()
            calls = [_legs(rows, id) for id in ids]
            is_over = all(row.ended_at for row in rows) and all(calls)
            return calls if is_over else []

        for legs in await wait_until(are_over):
            self.assertEqual(len(legs), 2, legs)
            for leg in legs:
                self.assertIsNotNone(leg.answered_at, leg)
                self.assertNotEqual(leg.ended_reason, "server ended", leg)


def _legs(rows: list[CDR], call_id: str) -> list[CDR]:
    """
    Give the records of the two legs of a call; none, if they are not there yet.
    """
    bridges = [row.bridge for row in rows if row.call_id == call_id]
    legs = [row for row in rows if row.bridge in bridges]
    return legs if len(bridges) == 1 and len(legs) > 1 else []


class EstablishedTests(LostCase):
    """
    Calls that were established.
    """

    async def test_used(self) -> None:
        """
        Either party can hold the call and take it back, transfer the other one, and
        hang up, while the server is away; and each leg has one record, which is right
        also after the server is back.
        """
        end, pairs = await self.calls_of_one(6)
        await self.server.kill_server(end)
        await self.hold(*pairs[0])
        await self.hold(*reversed(pairs[1]))
        await self.transfer(*pairs[2])
        await self.transfer(*reversed(pairs[3]))
        await self.hang_up(*pairs[4])
        await self.hang_up(*reversed(pairs[5]))
        await self.server.start_server(end)
        await self.server.states(*["up"] * SERVERS)
        await self.hang_up(*pairs[0])
        await self.hang_up(*reversed(pairs[1]))
        for session in self.carol.sessions:
            await session.bye()
        ids = [pairs[number][0].dialog.call_id for number in (0, 1, 4, 5)]
        await self.assert_recorded(ids)

    async def calls_of_one(
        self, count: int
    ) -> tuple[Endpoint, list[tuple[Session, Session]]]:
        """
        Call until one server has so many; hang the others up.
        """
        found: dict[Endpoint, list[tuple[Session, Session]]] = {}
        for _ in range(_CALLS):
            pair = await self.connect()
            end = await self.server_of(pair[0].dialog.call_id)
            found.setdefault(end, []).append(pair)
            if len(found[end]) == count:
                break
        else:
            self.fail(f"they are too few: {found}")
        for other, pairs in found.items():
            for caller, callee in pairs if other != end else ():
                await self.hang_up(caller, callee)
        return end, found[end]

    async def hold(self, one: Session, other: Session) -> None:
        """
        Let one party hold the other one, and take it back.
        """
        await one.hold()
        self.assertTrue(other.is_held)
        await one.resume()
        self.assertFalse(other.is_held)

    async def transfer(self, one: Session, other: Session) -> None:
        """
        Let one party transfer the other one to carol.
        """
        before, over = len(self.carol.sessions), one.ended()
        await one.refer(CAROL)
        await wait_for(lambda: len(self.carol.sessions) > before)
        await over
        self.assertFalse(other.is_over)
        await self.hold(other, self.carol.sessions[-1])

    async def hang_up(self, one: Session, other: Session) -> None:
        """
        Let one party hang up: the other one hears of it.
        """
        over = other.ended()
        await one.bye()
        await over


class ScriptedPhone(OldPhone):
    """
    A phone that answers and acknowledges when a test lets it.

    :ivar asked: the re-INVITEs that it has not answered.
    :ivar acks: the numbers that ACKs have come with.
    :ivar answers: whether it answers re-INVITEs by itself.
    :ivar is_over: whether it was hung up.
    """

    def __init__(self, server: KilledServer) -> None:
        self.asked: list[Request] = []
        self.acks: set[int] = set()
        self.answers = False
        self.is_over = False
        self._acknowledged = False
        super().__init__(server)

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Keep what comes.
        """
        message = parse_message(datagram)
        if isinstance(message, Response):
            self.responses.append(message)
            if self._acknowledged and message[CSEQ].method == "INVITE":
                self.acknowledge(message)  # it has been lost, or forgotten
        elif message.method == "ACK":
            self.acks.add(message[CSEQ].number)
        elif message.method == "INVITE" and not self.answers:
            self.asked.append(message)
        else:
            self.is_over = self.is_over or message.method == "BYE"
            self.answer(message)

    def answer(self, request: Request) -> None:
        """
        Answer a request with 200.
        """
        if request.method != "INVITE":
            self._write(request.respond(200))
            return
        fields = [("Content-Type", "application/sdp"), ("Contact", self.contact)]
        self._write(request.respond(200, None, fields, bytes(MEDIA)))

    async def answered(self, *more: tuple[str, str]) -> Response:
        """
        Call bob, and wait for his 200.

        :param more: fields of the INVITE.
        """
        self.send("INVITE", BOB, 1, f"<{BOB}>", bytes(MEDIA), more)
        await wait_for(lambda: 200 in [one.status for one in self.responses])
        return self.responses[-1]

    def acknowledge(self, answer: Response) -> None:
        """
        Send the ACK to bob's 200, from now on each time that it comes.
        """
        self._acknowledged = True
        self.send("ACK", str(contact_uri(answer)), 1, str(answer[TO]))

    async def acknowledged(self, request: Request) -> None:
        """
        Answer a re-INVITE again and again, until the ACK comes.
        """

        async def is_acknowledged() -> bool:
            self.answer(request)
            await sleep(0.5)
            return request[CSEQ].number in self.acks

        await wait_until(is_acknowledged)


class ScriptedCase(LostCase):
    """
    A phone besides that does what a test says.
    """

    async def dial(self, *more: tuple[str, str]) -> Response:
        """
        Let a new phone call bob; give his 200.

        :param more: fields of the INVITE.
        """
        before = len(self.bob.sessions)
        self.phone = ScriptedPhone(self.server)
        self.addCleanup(self.phone.stop)
        answer = await self.phone.answered(*more)
        await wait_for(lambda: len(self.bob.sessions) > before)
        return answer

    async def lose(self, answer: Response) -> Endpoint:
        """
        Kill the server of the phone's call for good.
        """
        end = await self.server_of(answer[CALL_ID])
        await self.server.kill_server(end)
        return end


class BetweenTests(ScriptedCase):
    """
    Servers that are killed between a request and what ends it.
    """

    async def test_between(self) -> None:
        """
        The call goes on, and there is a right record of each leg.
        """
        steps = (self._re_invite, self._late_ack, self._no_ack)
        for step in steps:
            answer = await self.dial()
            await step(answer)
            await self.assert_recorded([answer[CALL_ID]])

    async def _no_ack(self, answer: Response) -> None:
        """
        Between the 200 to the caller and its ACK: another one repeats the 200, until
        the ACK comes.
        """
        await self.lose(answer)
        self.phone.responses.clear()
        await wait_for(lambda: 200 in self.phone.statuses())  # nobody has asked for it
        self.phone.acknowledge(answer)
        await self.bob.sessions[-1].bye()
        await wait_for(lambda: self.phone.is_over)

    async def _late_ack(self, answer: Response) -> None:
        """
        Likewise, and the ACK comes before anybody has noticed: the caller hangs up.
        """
        contact, to = str(contact_uri(answer)), str(answer[TO])
        end = await self.lose(answer)
        self.phone.acknowledge(answer)
        over = self.bob.sessions[-1].ended()

        async def is_hung_up() -> bool:
            # As a phone does until it is answered: one server is down unnoticed.
            self.phone.send("BYE", contact, 2, to)
            await sleep(0.5)
            answers = self.phone.responses
            return any(one[CSEQ].method == "BYE" and one.is_success for one in answers)

        await wait_until(is_hung_up)
        await over
        await self.server.start_server(end)

    async def _re_invite(self, answer: Response) -> None:
        """
        Between a re-INVITE to the caller and his 200: that is acknowledged all the
        same, by whoever takes the call over, and so the callee holds the call at last,
        and hangs up.
        """
        self.phone.acknowledge(answer)
        await wait_until(lambda: self._is_settled(answer))
        callee = self.bob.sessions[-1]
        holding = Deferred.fromCoroutine(callee.hold())
        await wait_for(lambda: self.phone.asked)
        end = await self.lose(answer)
        self.phone.answers = True
        await self.phone.acknowledged(self.phone.asked[0])
        await holding
        self.assertFalse(callee.is_over or self.phone.is_over)
        await callee.resume()
        await callee.bye()
        await wait_for(lambda: self.phone.is_over)
        await self.server.start_server(end)

    async def _is_settled(self, answer: Response) -> bool:
        end = await self.server_of(answer[CALL_ID])
        (row,) = await self.server.ask(f"appserver-{end.port}", "calls")
        return bool(row["state"] == "established")


class RefreshTests(ScriptedCase):
    """
    A session that its server has to refresh.
    """

    skip = None if LONG else "a session lasts 90 seconds: set SIPSORCERY_LONG=1"

    async def test_on_time(self) -> None:
        """
        Another server does it, in time, without anybody having asked for anything.
        """
        fields = [("Session-Expires", "90;refresher=uas"), ("Supported", "timer")]
        answer = await self.dial(*fields)
        begun = monotonic()
        self.assertEqual(answer[SESSION_EXPIRES].refresher, "uas")
        self.phone.acknowledge(answer)
        await self.lose(answer)
        await wait_for(lambda: self.phone.asked or self.phone.is_over)
        self.assertFalse(self.phone.is_over)
        took = monotonic() - begun
        print(f"\na session of 90 s was refreshed after {took:.0f} s")
        self.assertLess(took, 60)  # then the phone would hang up (RFC 4028, 10)
        self.phone.answers = True
        await self.phone.acknowledged(self.phone.asked[0])
        await self.bob.sessions[-1].bye()
        await wait_for(lambda: self.phone.is_over)
        await self.assert_recorded([answer[CALL_ID]])
