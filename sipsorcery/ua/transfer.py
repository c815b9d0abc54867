"""
Transfers that we ask for: REFER in a session, and what is told of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from twisted.internet.defer import Deferred

from sipsorcery.dialog.dialog import Dialog
from sipsorcery.dialog.effects import Send
from sipsorcery.dialog.refer import is_subscribed, refer_fields
from sipsorcery.dialog.sipfrag import read_sipfrag
from sipsorcery.dialog.subscriber import (
    Notified,
    Subscriber,
    SubscriberEffect,
    SubscriptionEnded,
)
from sipsorcery.sip.address import Address
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import URI, parse_uri
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.errors import RequestFailed, SessionEnded
from sipsorcery.ua.outcome import News, Outcome

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session
    from sipsorcery.ua.shared import SharedDialog


class TransferProgress(NamedTuple):
    """
    How far the call is that the peer makes for us.
    """

    status: int
    reason: str


class Transfer:
    """
    One REFER of ours. `Session.refer` makes it.

    It outlives the session, which may be hung up as soon as the REFER is accepted.

    :ivar progress: what the peer tells, for ``async for``.
    """

    def __init__(self, shared: SharedDialog) -> None:
        core = shared.core
        self.progress: News[TransferProgress] = News(core.settings.responses)
        self._shared = shared
        self._core = core
        self._driven: Driven[Subscriber, SubscriberEffect] | None = None
        self._last: TransferProgress | None = None
        self._done: Outcome[TransferProgress | None] = Outcome()
        shared.join(self)

    def done(self) -> Deferred[TransferProgress | None]:
        """
        Wait for the end, and learn what the peer told last; None: nothing.
        """
        return self._done.wait()

    # What the session tells

    def sent(self, request: Request) -> None:
        """
        Take the REFER as it is sent: its first NOTIFY may come before the 2xx.
        """
        if self._driven is not None:
            self._driven.stop()
        core = self._core
        machine = Subscriber(
            request,
            core.clock.seconds(),
            dialog=self._shared.dialog,
            timers=core.settings.timers,
        )
        self._driven = Driven(core, machine, self._act)
        self._driven.run()

    def accepted(self, response: Response) -> None:
        """
        Take the 2xx to it.
        """
        if not is_subscribed(response):
            self.end()  # the peer does it, and tells nothing (RFC 4488)
        elif self._driven is not None:
            self._driven.machine.receive_response(response, self._core.clock.seconds())
            self._driven.run()

    def end(self) -> None:
        """
        Wait for nothing more.
        """
        if self._driven is not None:
            self._driven.stop()
        self._shared.leave(self)
        self.progress.close()
        self._done.succeed(self._last)

    # What the dialog brings

    def receive(self, transaction: ServerTransaction) -> bool:
        """
        Take a NOTIFY.
        """
        request, driven = transaction.request, self._driven
        if request.method != "NOTIFY" or driven is None:
            return False
        if not driven.machine.is_for(request):
            return False
        refusal = driven.machine.receive(request, self._core.clock.seconds())
        if refusal is not None:
            transaction.send(refusal.response(request))
        else:
            transaction.respond(200)
        driven.run()
        return True

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK, which means nothing here.
        """

    def dialog_ended(self, reason: str) -> None:
        """
        Hear that the dialog is over.
        """
        self.end()

    async def stop(self) -> None:
        """
        End it because the user agent stops.
        """
        self.end()

    def _act(self, effect: SubscriberEffect) -> None:
        match effect:
            case Send(request):
                assert isinstance(request, Request)
                self._core.spawn(self._refresh(request))
            case Notified(request, _):
                told = read_sipfrag(request)
                if told is not None:
                    self._last = TransferProgress(*told)
                    self.progress.put(self._last)
            case SubscriptionEnded():
                self.end()
            case _:
                assert_never(effect)

    async def _refresh(self, request: Request) -> None:
        try:
            response = await self._shared.send(request)
        except RequestFailed:
            self.end()
        else:
            assert self._driven is not None  # which has made the request
            self._driven.machine.receive_response(response, self._core.clock.seconds())
            self._driven.run()


async def refer(
    session: Session,
    target: str | URI,
    replaced: Dialog | None,
    referred_by: Address | None,
    subscribes: bool,
) -> Transfer:
    """
    Ask the peer of a session to call somebody else; see `Session.refer`.

    :param replaced: the dialog that the new call is to replace.
    """
    fields = refer_fields(
        parse_uri(target) if isinstance(target, str) else target,
        replaced=replaced,
        referred_by=referred_by or Address(session.dialog.local.uri),
        subscribes=subscribes,
    )
    transfer = Transfer(session.shared)
    try:
        response = await session.shared.request(
            session, "REFER", fields, sent=transfer.sent
        )
        if not response.is_success:
            answer = f"{response.status} {response.reason}"
            raise RequestFailed(f"REFER to {session.peer.uri}: {answer}", response)
    except (RequestFailed, SessionEnded):
        transfer.end()
        raise
    transfer.accepted(response)
    return transfer
