"""
One call: the caller's leg, the run of the dialplan, and the leg that it comes to.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sipsorcery.appserver.admission import Admitted, Challenged
from sipsorcery.appserver.core import user_of
from sipsorcery.appserver.dial_string import MAX_LEGS
from sipsorcery.appserver.dialling import Answered, Budget
from sipsorcery.appserver.engine import PlanRequest
from sipsorcery.appserver.execution import Execution, Story
from sipsorcery.appserver.forking import MAX_RINGING
from sipsorcery.appserver.legs import CallLeg, Listener
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.resolution import Target
from sipsorcery.appserver.sources import Source
from sipsorcery.appserver.template import Caller
from sipsorcery.appserver.tools import Tools
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import MAX_FORWARDS
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import Ending, ServerCall, Session, UserAgentError

# "SHOULD be 70" of a request that does not say (RFC 3261, 16.6).
_HOPS = 70


class Call:
    """
    One call, from its INVITE to its end.

    :ivar id: its identifier, and that of its dialogue.
    :ivar owner: the user whose call it is; "": nobody knows yet.
    :ivar account: the account that calls or is called.
    :ivar caller: the session with who calls.
    :ivar callee: the session with who has answered; None: nobody has.
    :ivar started: seconds since the epoch, as is
    :ivar answered: None: it has not been.
    """

    _log = Logger()

    def __init__(
        self, tools: Tools, incoming: ServerCall, source: Source, id: str
    ) -> None:
        self.id = id
        self.owner = ""
        self.account: Account | None = None
        self.direction = Direction.IN
        self.caller = incoming.session
        self.callee: Session | None = None
        self.started = tools.now()
        self.answered: float | None = None
        self._tools = tools
        self._incoming = incoming
        self._request = incoming.request
        self._source = source
        self._execution: Execution | None = None
        self._running: Deferred[None] | None = None
        self._rings_with_media = False
        self._has_rung = False

    def start(self) -> None:
        """
        Begin: say that we have it, and find out what is to become of it.
        """
        self._tools.calls.add(self)
        self._incoming.answered().addErrback(self._gone)
        self._incoming.ring(100)
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._fail)

    async def hang_up(self, reason: str) -> None:
        """
        End it, on both sides.
        """
        raise NotImplementedError

    # What the run tells

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response of a leg.
        """
        if not self._incoming.is_pending or response.status <= 100:
            return
        remote = None if session is None else session.remote
        if remote is not None and not self._rings_with_media:
            self._rings_with_media = True
            self._incoming.ring(183, remote)
        elif not self._has_rung and remote is None:
            self._has_rung = True
            self._incoming.ring(response.status)
        self._tell(
            EventKind.CALL_PROGRESS,
            f"{response.status} {response.reason}",
            status=str(response.status),
        )

    def responded(self, status: int, reason: str) -> None:
        """
        Hear a provisional response of the dialplan.
        """
        if self._incoming.is_pending and status > 100:
            self._incoming.ring(status)

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what a dialplan does.
        """
        self._tools.events.emit(
            EventKind.DIALPLAN_STEP,
            text,
            call=self.id,
            call_id=self._call_id,
            owner=story.plan.owner,
            plan=story.plan.name,
        )

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make the leg to somebody who is no dialplan here.
        """
        return self._tools.make_leg(target, listener, story.caller.name, self._incoming)

    # Inside

    async def _run(self) -> None:
        try:
            admitted = await self._tools.admission.admit(self._request, self._source)
            self._belongs_to(admitted)
            claim = await self._tools.claims.take(self._request, self.id, MAX_RINGING)
            if claim is None:
                return  # another server has it
            result = await self._execute(admitted)
            if isinstance(result, Refused):
                raise result
            await self._connect(result)
        except Challenged as challenged:
            self._incoming.reject(challenged.status, fields=challenged.fields)
            self._tools.calls.remove(self)
        except Refused as refused:
            self._refuse(refused)
        except ParseError as error:
            self._refuse(Refused(Code.FAULT, error.text, error.status))

    def _belongs_to(self, admitted: Admitted) -> None:
        self.account = admitted.account
        self.owner = admitted.account.owner
        self.direction = admitted.intent.direction
        self._tell(
            EventKind.CALL_STARTED,
            f"{self._incoming.caller.uri} calls {self._request.uri}",
            direction=str(self.direction),
            account=self.account.aor,
            **{"from": str(self._incoming.caller.uri), "to": str(self._request.uri)},
        )

    async def _execute(self, admitted: Admitted) -> Answered | Refused:
        account, plan = admitted.account, admitted.plan
        sender = self._incoming.caller
        is_out = admitted.intent.direction is Direction.OUT
        uri = sender.uri
        caller = Caller(
            user_of(self._request.uri),
            sender.display_name or "",
            user_of(uri),
            uri.host if isinstance(uri, SIPURI) else "",
        )
        hops = self._request.get(MAX_FORWARDS)
        story = Story(
            account=account,
            plan=plan,
            direction=admitted.intent.direction,
            caller=caller,
            sender=uri if isinstance(uri, SIPURI) else None,
            network_id=account.network_id if is_out else "",
            hops=_HOPS if hops is None else hops,
            before=frozenset({plan.key}),
            request=PlanRequest(
                self._request.method,
                caller,
                str(admitted.intent.direction),
                plan.owner,
                f"{account.username}@{account.domain}",
                plan.name,
                str(self._request.uri),
                body=self._request.body,
                received=str(self._source.remote),
            ),
        )
        self._execution = self._tools.execution(story, Budget(MAX_LEGS), self)
        return await self._execution.run()

    async def _connect(self, answered: Answered) -> None:
        """
        Answer the caller with what the callee has said.
        """
        self.callee = callee = answered.session
        self.answered = self._tools.now()
        callee.ended().addCallback(self._ended, self.caller)
        self._tell(
            EventKind.CALL_ANSWERED,
            f"{answered.target.uri} has answered",
            to=str(answered.target.uri),
        )
        await self._incoming.answer(callee.remote)
        self.caller.ended().addCallback(self._ended, callee)

    def _ended(self, ending: Ending, other: Session) -> None:
        self._tools.calls.remove(self)
        self._tell(EventKind.CALL_ENDED, ending.reason, reason=ending.reason)
        other.core.spawn(other.bye())

    def _refuse(self, refused: Refused) -> None:
        if self._incoming.is_pending:
            self._incoming.reject(refused.status, refused.phrase, fields=refused.fields)
        self._tools.calls.remove(self)
        self._tell(
            EventKind.CALL_REFUSED,
            str(refused),
            status=str(refused.status),
            code=str(refused.code),
        )

    def _gone(self, failure: Failure) -> None:
        """
        Hear that the caller has given up, or that we have refused the call.
        """
        failure.trap(UserAgentError)
        if self._execution is not None:
            self._execution.stop()
        if self._running is not None:
            self._running.cancel()
        self._tools.calls.remove(self)

    def _fail(self, failure: Failure) -> None:
        if failure.check(CancelledError, UserAgentError):
            return
        self._log.failure("A call has failed", failure, call_id=self._call_id)
        self._refuse(Refused(Code.FAULT))

    @property
    def _call_id(self) -> str:
        return self._request.get("Call-ID") or ""

    def _tell(self, kind: EventKind, message: str, **detail: str) -> None:
        self._tools.events.emit(
            kind,
            message,
            call=self.id,
            call_id=self._call_id,
            owner=self.owner,
            remote=self._source.remote,
            **detail,
        )
