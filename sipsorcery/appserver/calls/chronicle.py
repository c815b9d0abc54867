"""
What is told of one call: its events, its call detail records, and whose traces it has.
"""

from __future__ import annotations

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.admission import Admitted
from sipsorcery.appserver.calls.connection import Side
from sipsorcery.appserver.dial.resolution import Target
from sipsorcery.appserver.plans.story import Story
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.appserver.refusals import Refused
from sipsorcery.appserver.sources import Source
from sipsorcery.appserver.tools import Tools
from sipsorcery.appserver.trace_owners import Belonging
from sipsorcery.monitor.event import EventKind
from sipsorcery.sip.address import Address
from sipsorcery.sip.response import Response
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.store.ringing import RingingCall
from sipsorcery.ua import ServerCall


class Chronicle:
    """
    Keeps who a call is of, and tells what becomes of it.

    :ivar id: the identifier of the call, and that of its dialogue.
    :ivar owner: the user whose call it is; "": nobody knows yet.
    :ivar account: the account that calls or is called.
    :ivar started: seconds since the epoch.
    :ivar run: the same in the records of all legs.
    :ivar cdr: the record of the caller's leg; None: nobody has been let in.
    """

    def __init__(
        self, tools: Tools, incoming: ServerCall, source: Source, id: str
    ) -> None:
        self.id = id
        self.owner = ""
        self.account: Account | None = None
        self.direction = Direction.IN
        self.started = tools.now()
        self.run = ""
        self.cdr: LegCDR | None = None
        self._tools = tools
        self._incoming = incoming
        self._request = incoming.request
        self._call_id = incoming.request.get("Call-ID") or ""
        self._source = source

    # Whose it is

    def begin(self, admitted: Admitted) -> None:
        """
        Hear that the call was let in.
        """
        self.account = account = admitted.account
        self.direction = admitted.intent.direction
        self.run = new_identifier()
        self.belongs_to(account.owner)
        self.cdr = self._tools.cdrs.begin(
            owner=self.owner,
            direction=Direction.IN,
            call_id=self._call_id,
            destination=self._request.uri,
            caller=self._incoming.caller,
            account=account.aor,
            account_code=account.account_code,
            dialplan=admitted.plan.name,
            dialplan_version=admitted.plan.version or None,
            run=self.run,
            local=self._source.received_on,
            remote=self._source.remote,
            detail={"direction": str(self.direction)},  # what a replay needs to know
        )
        self._tools.events.counters.started += 1
        if self._tools.events.wants(EventKind.CALL_STARTED):
            caller, called = str(self._incoming.caller.uri), str(self._request.uri)
            self._tell(
                EventKind.CALL_STARTED,
                f"{caller} calls {called}",
                direction=str(self.direction),
                account=account.aor,
                **{"from": caller, "to": called},
            )

    def resume(self, before: RingingCall) -> LegCDR | None:
        """
        Go on with what was told of a call by the process before this one.

        :return: the record of the caller's leg.
        """
        self.direction, self.started = before.direction, before.started
        self.run = before.run
        if before.cdr is not None:
            self.cdr = self._tools.cdrs.resume(before.cdr)
        self.belongs_to(before.owner)
        return self.cdr

    def belongs_to(self, owner: str) -> None:
        """
        Let the owner see what is sent and received for the call.
        """
        self.owner = owner
        if self._source.is_near:
            whose = Belonging(owner, self.id)
            tag = self._incoming.session.dialog.id.local_tag
            remote = self._source.remote
            self._tools.owners.received(self._request, whose, tag, remote)

    # What becomes of it

    def challenged(self) -> None:
        """
        Tell that the caller is asked for credentials.
        """
        if self._source.is_near:
            self._tools.owners.challenged(self._request, self._source.remote)

    def stepped(self, story: Story, text: str) -> None:
        """
        Tell what a dialplan does.
        """
        self._tools.events.emit(
            EventKind.DIALPLAN_STEP,
            text,
            call=self.id,
            call_id=self._call_id,
            owner=story.plan.owner,
            plan=story.plan.name,
        )

    def leg(self, target: Target, story: Story) -> LegCDR:
        """
        Begin the record of a leg to somebody.
        """
        name = story.caller.name if target.sender_name is None else target.sender_name
        options = target.options
        return self._tools.cdrs.begin(
            owner=story.account.owner,
            direction=Direction.REDIRECT if target.redirects else Direction.OUT,
            call_id="",  # it is not made yet
            destination=target.uri,
            caller=Address(target.sender, name or None),
            account=story.account.aor,
            account_code=options.account_code or story.account.account_code,
            dialplan=story.plan.name,
            dialplan_version=story.plan.version or None,
            run=self.run,
            detail={"to": str(target.to)},  # whom it is for, wherever they are
        )

    def progressed(self, response: Response) -> None:
        """
        Tell that the caller has heard a provisional response.
        """
        if self.cdr is not None:
            self.cdr.progress(response.status, response.reason)
        self._tell(
            EventKind.CALL_PROGRESS,
            f"{response.status} {response.reason}",
            status=str(response.status),
        )

    def answered(self, target: Target) -> None:
        """
        Tell who has answered.
        """
        counters = self._tools.events.counters
        counters.answered += 1
        counters.answering.observe(self._tools.now() - self.started)
        if self._tools.events.wants(EventKind.CALL_ANSWERED):
            who = str(target.uri)
            self._tell(EventKind.CALL_ANSWERED, f"{who} has answered", to=who)

    def refused(self, refused: Refused) -> None:
        """
        Tell why the call was refused.
        """
        if refused.owner and not self.owner:
            self.belongs_to(refused.owner)
        self._tools.events.counters.refused[refused.code] += 1
        self._tell(
            EventKind.CALL_REFUSED,
            str(refused),
            status=str(refused.status),
            code=str(refused.code),
        )
        if self.cdr is not None:
            self.cdr.ended(refused.phrase, refused.status)

    def ended(self, reason: str) -> None:
        """
        Tell that the call is over, which somebody has ended.
        """
        self._tell(EventKind.CALL_ENDED, reason, reason=reason)

    @property
    def side(self) -> Side:
        """
        The caller, as a party of an established call.
        """
        return Side(
            session=self._incoming.session,
            name=self.id,
            cdr=self.cdr,
            source=str(self._source.remote),
        )

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
