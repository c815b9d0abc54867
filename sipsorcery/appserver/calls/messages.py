"""
Messages outside of calls (:rfc:`3428`): the dialplan decides whom each goes to.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.access.overload import come_back_later
from sipsorcery.appserver.admission import Admitted, Challenged
from sipsorcery.appserver.calls import transparency
from sipsorcery.appserver.calls.inquiry import Inquiry
from sipsorcery.appserver.calls.legs import CallLeg, Delivered, Errand, Listener
from sipsorcery.appserver.dial.dial_string import MAX_LEGS
from sipsorcery.appserver.dial.dialling import Answered, Budget
from sipsorcery.appserver.dial.resolution import Kind, Target
from sipsorcery.appserver.load import Load
from sipsorcery.appserver.plans.execution import Execution
from sipsorcery.appserver.plans.story import Story
from sipsorcery.appserver.plans.telling import tell_story
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.sources import Source, Sources
from sipsorcery.appserver.tools import Tools
from sipsorcery.appserver.trace_owners import Belonging
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua import Session

# Seconds until the sender hears that nobody has taken it: a little less than the 32 for
# which they wait (RFC 3261, 17.1.2.2).
_PATIENCE = 30.0
# Messages that wait for an answer at a time: what comes in 30 seconds at 300 a second.
_LIMIT = 10_000

MakeLeg = Callable[[Target, Listener, Errand], CallLeg]


class Messages:
    """
    Takes every MESSAGE that is of no call.

    :param make_leg: makes the leg that takes one to a phone or server.
    :param limit: how many there may be at a time.
    """

    def __init__(
        self,
        tools: Tools,
        sources: Sources,
        load: Load,
        make_leg: MakeLeg,
        limit: int = _LIMIT,
    ) -> None:
        self._tools = tools
        self._sources = sources
        self._load = load
        self._make_leg = make_leg
        self._limit = limit
        self._count = 0

    async def receive(self, transaction: ServerTransaction) -> None:
        """
        Let a message find who takes it, and answer the sender.
        """
        source = self._sources.of(transaction.request, transaction.flow.remote)
        message = _Message(self._tools, transaction, source, self._make_leg)
        try:
            self._check(transaction.request)
        except Refused as refused:
            message.refuse(refused)
            return
        self._count += 1
        try:
            await message.deliver()
        finally:
            self._count -= 1

    def _check(self, request: Request) -> None:
        if request.to_tag() is not None:
            raise Refused(Code.METHOD)  # in a call whose parties are not connected yet
        self._load.check()
        if self._count >= self._limit:
            raise Refused(Code.OVERLOADED, more=(come_back_later(),))


class _Message:
    """
    One message, from its request to the response: the audience of its run.
    """

    _log = Logger()

    def __init__(
        self,
        tools: Tools,
        transaction: ServerTransaction,
        source: Source,
        make_leg: MakeLeg,
    ) -> None:
        self._tools = tools
        self._transaction = transaction
        self._request = transaction.request
        self._source = source
        self._make_leg = make_leg
        self._id = new_identifier()
        self._owner = ""
        self._execution: Execution | None = None

    async def deliver(self) -> None:
        """
        Find who takes it, and answer the sender.
        """
        trying = Deferred.fromCoroutine(self._try())
        trying.addTimeout(_PATIENCE, self._tools.clock, _give_up)
        try:
            delivered = await trying
        except Challenged as challenged:
            if self._source.is_near:
                self._tools.owners.challenged(self._request, self._source.remote)
            self._respond(challenged.status, None, challenged.fields)
        except Refused as refused:
            self.refuse(refused)
        except ParseError as error:
            self.refuse(Refused(Code.FAULT, error.text, error.status))
        except Exception:
            self._log.failure("A message cannot be delivered")
            self.refuse(Refused(Code.FAULT))
        else:
            self._respond(delivered.status, delivered.reason, delivered.fields)
        finally:
            if self._execution is not None:
                self._execution.stop()

    def refuse(self, refused: Refused) -> None:
        """
        Tell the sender, and the monitor, why it goes to nobody.
        """
        self._owner = self._owner or refused.owner
        self._tools.events.counters.refused[refused.code] += 1
        self._tools.events.emit(
            EventKind.CALL_REFUSED,
            str(refused),
            call=self._id,
            call_id=self._request.get("Call-ID") or "",
            owner=self._owner,
            remote=self._source.remote,
            status=str(refused.status),
            code=str(refused.code),
        )
        self._respond(refused.status, refused.phrase, refused.fields)

    # What the run tells

    def progressed(self, response: Response, session: Session | None) -> None:
        """
        Hear a provisional response, which is nothing to the sender.
        """

    def responded(self, status: int, reason: str) -> None:
        """
        Likewise.
        """

    def stepped(self, story: Story, text: str) -> None:
        """
        Hear what the dialplan does.
        """
        self._tools.events.emit(
            EventKind.DIALPLAN_STEP,
            text,
            call=self._id,
            call_id=self._request.get("Call-ID") or "",
            owner=story.plan.owner,
            plan=story.plan.name,
        )

    def call(self, target: Target, listener: Listener, story: Story) -> CallLeg:
        """
        Make the leg to somebody who is no dialplan here.
        """
        inquiry = Inquiry(fields=self._fields, body=self._request.body)
        errand = Errand(
            call=self._id,
            owner=story.account.owner,
            name=story.caller.name,
            hops=story.hops - 1,
            inquiry=inquiry,
        )
        return self._make_leg(target, listener, errand)

    # Inside

    async def _try(self) -> Delivered:
        admitted = await self._tools.admission.admit(self._request, self._source)
        self._owner = admitted.account.owner
        if self._source.is_near:
            whose = Belonging(self._owner, self._id)
            remote = self._source.remote
            self._tools.owners.received(self._request, whose, "", remote)
        admitted.plan.check(self._request.method)
        result = await self._run(admitted)
        if isinstance(result, Refused):
            raise result
        assert isinstance(result, Delivered)  # no session comes of a MESSAGE
        return result

    async def _run(self, admitted: Admitted) -> Answered | Delivered | Refused:
        story = tell_story(admitted, self._request, str(self._source.remote))
        self._execution = self._tools.execution(story, Budget(MAX_LEGS), self)
        return await self._execution.run()

    def _fields(self, target: Target) -> list[FieldValue]:
        return transparency.of_message(
            self._request,
            from_trusted=self._source.is_trunk,
            to_trusted=target.kind is Kind.PROVIDER,
        )

    def _respond(
        self, status: int, reason: str | None, fields: tuple[FieldValue, ...]
    ) -> None:
        if self._transaction.is_pending:
            self._transaction.respond(status, reason, fields)


def _give_up(value: object, seconds: float) -> None:
    raise Refused(Code.NOT_ANSWERED, "Nobody has taken the message in time")
