"""
One call: the caller's leg, the run of the dialplan, and the leg that it comes to.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.admission import Admitted, Challenged
from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.caller_side import CallerSide
from sipsorcery.appserver.calls.chronicle import Chronicle
from sipsorcery.appserver.calls.connection import REMOTE_HUNG_UP, Connection, Side
from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Errand, Listener
from sipsorcery.appserver.calls.recorded_leg import RecordedLeg
from sipsorcery.appserver.calls.ringing import Ringing
from sipsorcery.appserver.dial.dial_string import MAX_LEGS
from sipsorcery.appserver.dial.dialling import Answered, Budget, NotAnswered
from sipsorcery.appserver.dial.forking import MAX_RINGING
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.run_state import RunState
from sipsorcery.appserver.plans.story import Story
from sipsorcery.appserver.plans.telling import tell_story
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.appserver.refusals import Code, Refused, explain
from sipsorcery.appserver.sources import Source
from sipsorcery.appserver.tools import Tools
from sipsorcery.sdp import SDPError
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.response import Response
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.errors import StoreError
from sipsorcery.store.ringing import RingingCall
from sipsorcery.ua import (
    CallCancelled,
    Ending,
    ServerCall,
    Session,
    UserAgentError,
)

# What a dial has come to that was cut off with its process.
_CUT = NotAnswered(480, "The server was restarted")


class Call:
    """
    One call, from its INVITE to its end.

    :ivar id: its identifier, and that of its dialogue.
    :ivar chronicle: whose it is, and what is told of it.
    :ivar caller: the session with who calls.
    :ivar connection: the established call; None: nobody has answered.
    """

    _log = Logger()

    def __init__(
        self, tools: Tools, incoming: ServerCall, source: Source, id: str
    ) -> None:
        self.id = id
        self.chronicle = Chronicle(tools, incoming, source, id)
        self.caller = incoming.session
        self.connection: Connection | None = None
        self._tools = tools
        self._incoming = incoming
        self._request = incoming.request
        self._source = source
        self._execution: Execution | None = None
        self._running: Deferred[None] | None = None
        self._answers: dict[Session, LegCDR] = {}
        self._ringing: Ringing | None = None  # until somebody answers
        self._reason = "Client cancelled"  # if it ends without an answer
        self._is_claimed = False
        self._side = CallerSide(
            incoming,
            seen=source.remote.host,
            public=tools.public,
            is_trusted=source.is_trunk,
        )

    def start(self) -> None:
        """
        Begin: say that we have it, and find out what is to become of it.
        """
        self._begin(self._run())

    def resume(self, before: RingingCall, state: RunState | None) -> LegCDR | None:
        """
        Go on with a call that rang when the process before this one was killed.

        :param state: of the run of its dialplan; None: that cannot go on.
        :return: the record of the caller's leg.
        """
        self._is_claimed = True
        cdr = self.chronicle.resume(before)
        self._begin(self._go_on(before, state))
        return cdr

    def hang_up(self, reason: str) -> None:
        """
        End it, on both sides.

        :param reason: for its call detail records.
        """
        if self.connection is not None:
            self.connection.hang_up(reason)
        elif self._incoming.is_pending:
            self._reason = reason
            self._incoming.reject(480, fields=explain(Code.HUNG_UP, 480, reason))

    def describe(self) -> tuple[RingingCall, RunState | None] | None:
        """
        Write it down as it rings, and the run of its dialplan; None if it is over.
        """
        return None if self._ringing is None else self._ringing.describe()

    # What the run tells

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response of a leg.
        """
        if not self._incoming.is_pending or response.status <= 100:
            return
        self._side.progress(response, session)
        self._has_told()
        self.chronicle.progressed(response)

    def responded(self, status: int, reason: str) -> None:
        """
        Hear a provisional response of the dialplan.
        """
        if self._incoming.is_pending and status > 100:
            self._incoming.ring(status)
            self._has_told()

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what a dialplan does.
        """
        self.chronicle.stepped(story, text)

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make the leg to somebody who is no dialplan here.
        """
        recorded = RecordedLeg(
            listener,
            lambda: self.chronicle.leg(target, story),
            self._answers.__setitem__,
            self._changed,
        )
        if self._ringing is not None:
            self._ringing.add(recorded)
        errand = Errand(
            call=self.id,
            owner=story.account.owner,
            name=story.caller.name,
            hops=story.hops - 1,
            inquiry=self._side.inquiry(),
            sent=recorded.sent,
        )
        return recorded.of(self._tools.make_leg(target, recorded, errand))

    # Inside

    def _begin(self, deciding: Coroutine[Any, Any, Answered | None]) -> None:
        self._tools.calls.add(self)
        self._incoming.contact = self._tools.contacts.of_call(self._request, self.id)
        self._incoming.answered().addErrback(self._gone)
        self._incoming.ring(100)
        self._running = Deferred.fromCoroutine(self._settle(deciding))
        self._running.addErrback(self._fail)

    def _changed(self) -> None:
        """
        Have it written down, while it rings.
        """
        self._tools.ringing.changed(self)

    def _has_told(self) -> None:
        """
        Have written down what there is, now that the caller hears that it rings.
        """
        if self._ringing is not None and self._ringing.is_outdated:
            self._changed()
        self._tools.ringing.rings(self.id)

    async def _run(self) -> Answered | None:
        admitted = await self._tools.admission.admit(self._request, self._source)
        came_from = self._incoming.flow.remote
        claim = await self._tools.claims.take(
            self._request, self.id, MAX_RINGING, came_from
        )
        if claim is None:
            self._leave()
            return None
        self._is_claimed = True
        self.chronicle.begin(admitted)
        if self._incoming.replaced is not None:
            await self._take_place()
            return None
        return _answered(await self._execute(admitted, MAX_LEGS).run())

    async def _go_on(
        self, before: RingingCall, state: RunState | None
    ) -> Answered | None:
        if state is None:
            raise Refused(Code.RESTARTED)
        admitted = await self._tools.admission.again(
            before.username,
            before.domain,
            before.direction,
            plan=before.plan,
            language=before.language,
            version=before.version,
        )
        self.chronicle.account = admitted.account
        execution = self._execute(admitted, state.legs)
        return _answered(await execution.resume(state, _CUT))

    async def _settle(self, deciding: Coroutine[Any, Any, Answered | None]) -> None:
        try:
            answered = await deciding
            if answered is not None:
                await self._connect(answered)
        except Challenged as challenged:
            self._reason = "asked for credentials"
            self.chronicle.challenged()
            self._incoming.reject(challenged.status, fields=challenged.fields)
        except Refused as refused:
            await self._let_go(refused)
            self._refuse(refused)
        except (ParseError, SDPError) as error:
            status: int = getattr(error, "status", 400)
            self._refuse(Refused(Code.FAULT, str(error), status))

    async def _let_go(self, refused: Refused) -> None:
        """
        Say what other servers shall do with a call, which a proxy asks after a 503.
        """
        if refused.status != 503 or not self._is_claimed:
            return
        claims, request = self._tools.claims, self._request
        if refused.is_of_server:
            self._is_claimed = False
            await claims.give_up(request)
        else:
            await claims.refuse(request, self.id, refused.status, refused.phrase)

    def _execute(self, admitted: Admitted, legs: int) -> Execution:
        """
        Make the run of the dialplan, and have the call written down from now on.
        """
        story = tell_story(admitted, self._request, str(self._source.remote))
        execution = self._tools.execution(story, Budget(legs), self)
        self._execution = execution
        self._ringing = Ringing(
            self.id,
            self._incoming,
            admitted,
            self.chronicle.started,
            self.chronicle.run,
            self.chronicle.cdr,
            execution,
        )
        self._changed()
        return execution

    async def _take_place(self) -> None:
        """
        Be a leg of another call from now on, whose party the caller replaces.
        """
        chronicle = self.chronicle
        is_ours = chronicle.direction is Direction.OUT
        proven = chronicle.owner if is_ours else ""
        try:
            await self._tools.replace(self._incoming, chronicle.side, proven)
        except StoreError as error:
            raise Refused(Code.STORE_AWAY) from error
        if chronicle.cdr is not None:
            chronicle.cdr.answered()
        self._forget()

    async def _connect(self, answered: Answered) -> None:
        """
        Answer the caller with what the callee has said.
        """
        session, target = answered.session, answered.target
        if session.is_over or not self._incoming.is_pending:
            cdr = self._answers.pop(session, None)
            if cdr is not None:
                cdr.ended(REMOTE_HUNG_UP if session.is_over else self._reason)
            if session.is_over:
                raise Refused(Code.NOT_ANSWERED, "The callee has hung up", 480)
            await session.bye()  # the caller has given up in this moment
            return
        connection = self._connection(session, target)
        self.connection = connection
        self.chronicle.answered(target)
        connection.ended().addCallback(self._ended)

        async def store(response: Response) -> None:
            await self._tools.records.store(connection, response)

        try:
            await self._side.answer(session, storing=store)
        except Exception:
            connection.hang_up("The caller cannot be connected")
            raise
        connection.changed()
        bridge, delay = connection.bridge, target.options.reinvite_delay
        if isinstance(bridge, Bridge):  # or it is over already
            bridge.on_agreed = connection.agreed  # anew, from now on
            if delay:
                session.core.spawn(bridge.renew(delay))
        # Calls last long, and what the INVITE has said is with the others by now.
        self._ring_no_more()
        self._request.compact(keep_body=False)

    def _connection(self, session: Session, target: Target) -> Connection:
        chronicle = self.chronicle
        assert chronicle.account is not None  # or nobody would have been called
        now, options = self._tools.now(), target.options
        limit = options.max_duration
        cdr = self._answers.pop(session, None)
        connection = Connection(
            id=self.id,
            owner=chronicle.owner,
            sides=(chronicle.side, Side(session=session, name=self.id, cdr=cdr)),
            account=chronicle.account.aor,
            direction=chronicle.direction,
            started=chronicle.started,
            answered=now,
            limit=None if limit is None else now + limit,
            transfer=str(options.transfer),
            run=chronicle.run,
            bridge_id=new_identifier(),
        )
        for side in connection.sides:
            if side.cdr is not None:
                side.cdr.answered()
                side.cdr.bridged(connection.bridge_id)
        self._side.on_agreed = connection.changed
        connection.bridge = self._side.join(session)
        self._tools.connections.add(connection)
        return connection

    # The end

    def _ended(self, ending: Ending) -> None:
        """
        Hear that an established call is over.
        """
        self.chronicle.ended(ending.reason)
        self._forget()

    def _leave(self) -> None:
        """
        Be silent, because another server has the call.
        """
        self._reason = "another server has it"
        self._running = None  # it is what calls this
        if self._incoming.is_pending:
            self._incoming.leave()

    def _refuse(self, refused: Refused) -> None:
        self._reason = refused.text
        self.chronicle.refused(refused)
        if self._incoming.is_pending:
            self._incoming.reject(refused.status, refused.phrase, fields=refused.fields)

    def _gone(self, failure: Failure) -> None:
        """
        Hear that nobody waits for an answer any more.

        The caller has given up, or we have refused the call.
        """
        failure.trap(UserAgentError)
        if self.connection is not None:
            return  # it hangs up by itself
        if failure.check(CallCancelled):
            self.chronicle.ended(self._reason)
        if self.chronicle.cdr is not None:
            self.chronicle.cdr.ended(self._reason, 487)
        if self._execution is not None:
            self._execution.stop()
        if self._running is not None:
            self._running.cancel()
        self._forget()

    def _forget(self) -> None:
        self._tools.calls.remove(self)
        self._ring_no_more()
        if self._is_claimed:
            self._tools.claims.release(self._request)

    def _ring_no_more(self) -> None:
        self._execution = self._ringing = None
        self._tools.ringing.ended(self.id)

    def _fail(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if failure.check(UserAgentError) and not self._incoming.is_pending:
            return  # it is over already, and whoever waits has heard
        call_id = self._request.get("Call-ID") or ""
        self._log.failure("Call {call_id!r} has failed", failure, call_id=call_id)
        self._refuse(Refused(Code.FAULT))


def _answered(result: Answered | Delivered | Refused) -> Answered:
    """
    Give who has answered.

    :raises Refused: if nobody has.
    """
    if isinstance(result, Refused):
        raise result
    assert isinstance(result, Answered)  # it is an INVITE that was sent
    return result
