"""
What two sides do at the same time, and what comes just before or after the end.

Each race is run at every moment that it may come to: the second side acts a step later
each time, from long before to long after the first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from sipsorcery.sdp import SessionDescription
from sipsorcery.ua import (
    CallCancelled,
    NotAcknowledged,
    Referral,
    RequestFailed,
    ServerCall,
    Session,
    SessionEnded,
    UserAgent,
)
from tests import LONG
from tests.ua.cases import (
    ALICE,
    ALICE_MEDIA,
    BOB,
    BOB_MEDIA,
    BOB_URI,
    PEER_MEDIA,
    PEER_URI,
    AgentCase,
)

# A datagram takes two steps at least, so that each message is once before, once beside
# and once behind each other one.
_LATENCY = 0.05
_STEP = _LATENCY / 10 if LONG else _LATENCY / 2
_OUTCOMES = (CallCancelled, RequestFailed, SessionEnded, NotAcknowledged)


class RaceCase(AgentCase):
    """
    Two agents, far from each other.
    """

    transport = "udp"

    def races(self, seconds: float, **settings: Any) -> Iterator[float]:
        """
        Begin with two new agents for each moment, and check after it that nothing is
        left of anything.
        """
        for step in range(round(seconds / _STEP)):
            self.alice, self.bob = (self.agent(h, **settings) for h in (ALICE, BOB))
            self.network.latency = _LATENCY
            yield step * _STEP
            self.network.latency = 0.0
            self.assert_settled()
            for agent in self.agents:
                self.run_through(agent.stop())
            self.agents.clear()

    def at(self, moment: float, act: Callable[[], object]) -> None:
        """
        Let somebody act at a moment.
        """
        self.machines[ALICE].callLater(moment, act)

    def start(self, waiting: Awaitable[object]) -> Deferred[object]:
        """
        Let something be done; it may come to nothing, in any of the ways it can.
        """

        async def wait() -> object:
            try:
                return await waiting
            except _OUTCOMES as error:
                return error

        return Deferred.fromCoroutine(wait())

    def call(self) -> Any:
        """
        Let Alice call.
        """
        return self.alice.invite(f"{BOB_URI};transport={self.transport}", ALICE_MEDIA)

    def talk(self) -> tuple[Session, Session]:
        """
        Let Alice call, and Bob answer.
        """
        calls = self.answering(self.bob)
        answered = self.call().answered()
        self.network.advance(1.0)
        return self.successResultOf(answered), calls[0].session


class CancelTests(RaceCase):
    """
    A call is given up just when it is answered, refused or redirected.
    """

    def race(self, decide: Callable[[ServerCall], object]) -> set[str]:
        """
        Let Bob decide two tenths of a second after the call has come.

        :return: what came of it for Alice.
        """
        outcomes = set()
        for moment in self.races(0.6):

            async def take(call: ServerCall) -> None:
                call.ring()
                await deferLater(self.machines[BOB], 0.2)
                if call.is_pending:
                    decide(call)

            self.bob.on_invite(take)
            call = self.call()
            self.at(moment, call.cancel)
            outcome = self.start(call.answered())
            self.network.advance(2.0)
            outcomes.add(type(self.successResultOf(outcome)).__name__)
        return outcomes

    def test_answered(self) -> None:
        """
        Whichever comes first, the call is over for both in the end (RFC 3261, 9.1).
        """

        def answer(call: ServerCall) -> None:
            self.start(call.answer(BOB_MEDIA))

        self.assertEqual(self.race(answer), {"CallCancelled", "Session"})

    def test_refused(self) -> None:
        """
        So it is if the call is refused in that moment.
        """
        outcomes = self.race(lambda call: call.reject())
        self.assertEqual(outcomes, {"CallCancelled", "RequestFailed"})

    def test_redirected(self) -> None:
        """
        Or sent elsewhere, where nobody is.
        """
        outcomes = self.race(lambda call: call.redirect(call.uri))
        self.assertEqual(outcomes, {"CallCancelled", "RequestFailed"})

    def test_confirmed(self) -> None:
        """
        Or between a reliable response, its PRACK, and the 2xx that waits for it.
        """

        def answer(call: ServerCall) -> None:
            call.ring(183, BOB_MEDIA)
            self.start(call.answer(BOB_MEDIA))

        self.assertEqual(self.race(answer), {"CallCancelled", "Session"})


class TeardownTests(RaceCase):
    """
    A session ends just when something else is done in it.
    """

    def race(self, act: Callable[[Session], Awaitable[object]]) -> None:
        """
        Let Alice act, and Bob hang up at any moment from before to after that.
        """
        for moment in self.races(0.4):
            ours, theirs = self.talk()
            self.at(0.2, lambda ours=ours: self.start(act(ours)))  # type: ignore[misc]
            self.at(moment, lambda theirs=theirs: self.start(theirs.bye()))  # type: ignore[misc]
            self.network.advance(2.0)
            self.assertTrue(ours.is_over)
            self.assertTrue(theirs.is_over)

    def test_bye(self) -> None:
        """
        The other side hangs up, too.
        """
        self.race(Session.bye)

    def test_reinvite(self) -> None:
        """
        It sends a re-INVITE.
        """
        self.race(Session.hold)

    def test_update(self) -> None:
        """
        It sends an UPDATE.
        """
        self.race(Session.update)

    def test_refer(self) -> None:
        """
        It asks for a transfer, which is promised, and made.
        """

        def take(referral: Referral) -> None:
            referral.accept()
            referral.progress(200)

        def race(session: Session) -> Awaitable[object]:
            self.bob.on_refer(take)
            return session.refer(PEER_URI)

        self.race(race)

    def test_request(self) -> None:
        """
        It sends something else.
        """
        self.race(lambda session: session.request("OPTIONS"))


class StopTests(RaceCase):
    """
    An agent is stopped at any moment of a call.
    """

    def race(self, who: Callable[[], UserAgent]) -> None:
        """
        Stop an agent while a call is made, answered, changed and ended.
        """
        for moment in self.races(0.6):
            calls = self.answering(self.bob)

            async def live() -> None:
                session = await self.call().answered()
                await session.hold()
                await session.bye()

            self.start(live())
            self.at(moment, lambda: self.start(who().stop()))
            self.network.advance(40.0)
            for call in calls:
                self.assertTrue(call.session.is_over)

    def test_caller(self) -> None:
        """
        The caller's agent stops.
        """
        self.race(lambda: self.alice)

    def test_callee(self) -> None:
        """
        The callee's agent stops.
        """
        self.race(lambda: self.bob)


class StopOverTCPTests(StopTests):
    """
    So it is over TCP, where a connection ends with the agent.
    """

    transport = "tcp"


class ExpiryTests(RaceCase):
    """
    Timers that fire about the end of what they are for.
    """

    def test_session_timer(self) -> None:
        """
        The session is hung up about the time when it is to be refreshed.
        """
        for moment in self.races(0.4, session_expires=90):
            ours, theirs = self.talk()
            self.network.advance(43.8)  # of the 45 until the refresh
            self.at(moment, lambda theirs=theirs: self.start(theirs.bye()))  # type: ignore[misc]
            self.network.advance(100.0)
            self.assertTrue(ours.is_over)
            self.assertTrue(theirs.is_over)

    def test_expired(self) -> None:
        """
        It is hung up about the time when it expires, for the peer does not refresh it.
        """
        for moment in self.races(0.4, session_expires=90):
            ours, theirs = self.talk()
            self.network.drop = lambda *_: True
            self.network.advance(56.0)
            self.network.drop = None
            self.at(1.0 + moment, lambda ours=ours: self.start(ours.bye()))  # type: ignore[misc]
            self.network.advance(100.0)
            self.assertTrue(ours.is_over)
            self.assertTrue(theirs.is_over)

    def test_ring_time(self) -> None:
        """
        A call is answered about the time when we have waited for long enough.
        """
        outcomes = set()
        for moment in self.races(0.4, ring_time=3.0):

            async def take(call: ServerCall, moment: float = moment) -> None:
                await deferLater(self.machines[BOB], 2.75 + moment)
                if call.is_pending:
                    await call.answer(BOB_MEDIA)

            self.bob.on_invite(take)
            outcome = self.start(self.call().answered())
            self.network.advance(4.0)
            found = self.successResultOf(outcome)
            outcomes.add(type(found).__name__)
            if isinstance(found, Session):
                self.start(found.bye())
        self.assertEqual(outcomes, {"RequestFailed", "Session"})


class LatencyTests(AgentCase):
    """
    A BYE is answered at once, whatever we are about to do.
    """

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.agent(), self.peer()
        call = self.alice.invite(PEER_URI, ALICE_MEDIA)
        self.network.advance()
        self.bob.respond(self.bob.last("INVITE"), 200, body=bytes(PEER_MEDIA))
        self.session: Session = self.given(call.answered())

    def hang_up(self) -> None:
        """
        Let the peer hang up, and check that no time passes until the answer.
        """
        dialog = self.session.dialog
        options = {"call_id": dialog.call_id, "to_tag": dialog.local_tag}
        bye = self.bob.request("BYE", number=99, **options)  # type: ignore[arg-type]
        self.network.advance()
        answers = [r for r in self.bob.responses if r.get("CSeq") == bye.get("CSeq")]
        self.assertEqual([answer.status for answer in answers], [200])
        self.assertTrue(self.session.is_over)
        self.assert_settled()

    def test_our_request_is_open(self) -> None:
        """
        Though a request of ours waits for its answer.
        """
        for request in (self.session.hold(), self.session.request("OPTIONS")):
            self.begin(request).addErrback(lambda why: why.trap(*_OUTCOMES))
        self.hang_up()

    def test_application_takes_its_time(self) -> None:
        """
        Though the application has not said yet what an offer is answered with.
        """
        self.session.on_offer(lambda _: Deferred[SessionDescription]())
        dialog = self.session.dialog
        self.bob.request(
            "INVITE",
            number=5,
            call_id=dialog.call_id,
            to_tag=dialog.local_tag,
            body=bytes(PEER_MEDIA),
        )
        self.network.advance()
        self.hang_up()
