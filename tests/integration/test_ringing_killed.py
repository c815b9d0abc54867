"""
Calls that ring while their server is killed, and started again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from sipsorcery.appserver.records.rescue import RESTARTED
from sipsorcery.config import parse
from sipsorcery.store.directory import Language
from sipsorcery.store.live import LocalReader
from sipsorcery.store.ringing import RINGING, RingingCall
from sipsorcery.tap.stores import WritableStores
from sipsorcery.ua import (
    CallCancelled,
    ClientCall,
    RequestFailed,
    ServerCall,
    Session,
)
from tests import LONG
from tests.integration.killed import (
    DOMAIN,
    MEDIA,
    KilledServer,
    Phone,
    sleep,
    wait_for,
)

ROUNDS = 15 if LONG else 2

PLAN = f"""\
result = sys.dial("101@{DOMAIN}")
if sys.dialplan_name == "twice":
    result = sys.dial("102@{DOMAIN}")
sys.log(f"it has come to {{result.status}}")
sys.respond(486, "Sorry")
"""


class RingingPhone(Phone):
    """
    A phone that rings, and that nobody answers.

    :ivar calls: those that came in, in their order.
    """

    def __init__(self, server: KilledServer, user: str) -> None:
        super().__init__(server, user)
        self.calls: list[ServerCall] = []

    @property
    def rings(self) -> bool:
        """
        Whether it rings now.
        """
        return any(call.is_pending for call in self.calls)

    async def _answer(self, call: ServerCall) -> None:
        call.answered().addErrback(lambda failure: None)  # nobody is at home
        call.ring(180)
        self.calls.append(call)


class RingingCase(TestCase):
    """
    A server; alice, who calls; and bob, who is not at home.

    :cvar plan: the name of the dialplan.
    :cvar whose: the account that has it.
    :cvar use: for which calls.
    """

    timeout = 240 + 60 * ROUNDS
    plan = "twice"
    whose = "101"
    use = "in_dialplan"

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits
        self.server = KilledServer(Path(self.mktemp()))
        self.alice = Phone(self.server, "100")
        self.bob = RingingPhone(self.server, "101")
        self.phones = [self.alice, self.bob]
        self.addCleanup(lambda: Deferred.fromCoroutine(self.stop()))
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """
        Start everything.
        """
        await self.server.prepare()
        stores = WritableStores(reactor, parse(self.server.text.encode()))
        stores.startService()
        joe = stores.directory.of("joe")
        await joe.dialplans.put(self.plan, PLAN, Language.PYTHON)
        await joe.accounts.change(self.whose, DOMAIN, **{self.use: self.plan})
        await stores.stopService()
        await self.server.start()
        for phone in self.phones:
            await phone.start()
            await phone.register()

    async def stop(self) -> None:
        """
        Stop everything.
        """
        for phone in self.phones:
            await phone.stop()
        await self.server.stop()

    async def ring(self) -> ClientCall:
        """
        Let alice call, and bob's phone ring, until that is written down.
        """
        call = self.alice.agent.invite(f"sip:101@{DOMAIN}", MEDIA)
        await self.wait(call, lambda: self.bob.rings)
        reader = LocalReader(self.server.folder / "data")
        written: list[RingingCall] = []
        while not any(one.legs for one in written):
            await self.wait(call, lambda: True)
            written = [RINGING.read(one) async for one in reader.scan(RINGING.name)]
            await sleep(0.02)
        reader.stop()
        return call

    async def wait(self, call: ClientCall, condition: Callable[[], object]) -> None:
        """
        Wait until something is so, or the call has failed, which is told.
        """
        failures: list[object] = []
        call.answered().addErrback(lambda failure: failures.append(failure.value))
        await wait_for(lambda: condition() or failures)
        self.assertEqual(failures, [], "\n".join(self.output()))

    def output(self) -> list[str]:
        """
        Give what the server has written last.
        """
        process = self.server.process
        return [] if process is None else process.lines[-30:]

    async def restart(self) -> None:
        """
        Kill the server, and start it again.
        """
        await self.server.kill()
        await self.server.start()


class TwiceTests(RingingCase):
    """
    A dialplan of bob's that dials carol, if he does not answer.
    """

    async def test_next(self) -> None:
        """
        After the kill bob's phone is told to ring no more, and the dialplan dials
        carol, who answers; alice and carol talk, and either can hang up.
        """
        carol = Phone(self.server, "102")
        self.phones.append(carol)
        await carol.start()
        await carol.register()
        for turn in range(ROUNDS):
            call = await self.ring()
            await self.restart()
            await self.wait(call, lambda: not self.bob.rings)
            one: Session = await call.answered()
            await wait_for(lambda: carol.sessions)
            (other,) = carol.sessions
            one, other = (one, other) if turn % 2 else (other, one)
            ended = other.ended()
            await one.bye()
            await ended
            carol.sessions.clear()
        await self.server.stop()
        cdrs = await self.server.cdrs()
        self.assertEqual([one for one in cdrs if one.ended_at is None], [])
        cut = [one for one in cdrs if one.ended_reason == RESTARTED]
        # Of what another kill follows within a second, no record may be left.
        self.assertEqual({one.destination_user for one in cut}, {"101"})
        self.assertGreaterEqual(len([one for one in cdrs if one.answered_at]), 2)

    async def test_caller_gives_up(self) -> None:
        """
        Alice can give up: while the server is away, and after it has gone on; then the
        phone that rings by then is told.
        """
        carol = RingingPhone(self.server, "102")
        self.phones.append(carol)
        await carol.start()
        await carol.register()
        call = await self.ring()
        await self.restart()
        await self.wait(call, lambda: carol.rings)
        await self.give_up(call)
        await wait_for(lambda: not (carol.rings or self.bob.rings))
        call = await self.ring()
        await self.server.kill()
        given_up = Deferred.fromCoroutine(self.give_up(call))
        await self.server.start()
        await given_up
        await wait_for(lambda: not (carol.rings or self.bob.rings))
        self.assertEqual(await self.server.command("calls"), [])

    async def give_up(self, call: ClientCall) -> None:
        """
        Let alice give up, until the server has confirmed it.
        """
        call.cancel()
        with self.assertRaises(CallCancelled):
            await call.answered()
        await call.stop()


class OnceTests(RingingCase):
    """
    A dialplan of alice's that ends, if bob does not answer.
    """

    plan = "once"
    whose = "100"
    use = "out_dialplan"

    async def test_refused(self) -> None:
        """
        After the kill bob's phone is told to ring no more, and alice hears what the
        dialplan says. Killed as soon as it rings, before that may be written down, the
        server still gives her a final answer.
        """
        for turn in range(ROUNDS):
            is_written = turn % 2 == 0
            call = await (self.ring() if is_written else self.ring_unwritten())
            await self.restart()
            with self.assertRaises(RequestFailed) as caught:
                await call.answered()
            response = caught.exception.response
            assert response is not None
            if is_written or response.status != 503:
                self.assertEqual((response.status, response.reason), (486, "Sorry"))
                await wait_for(lambda: not self.bob.rings)
            self.bob.calls.clear()

    async def ring_unwritten(self) -> ClientCall:
        """
        Let alice call, until bob's phone rings.
        """
        call = self.alice.agent.invite(f"sip:101@{DOMAIN}", MEDIA)
        await self.wait(call, lambda: self.bob.rings)
        return call
