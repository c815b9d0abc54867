"""
An INVITE of the peer, the first one of a session or a later one, until it is done.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from twisted.internet.defer import Deferred, TimeoutError

from sipsorcery.dialog.acceptance import Acceptance, AcceptanceEffect
from sipsorcery.dialog.effects import Acknowledged, Released, Send, Unacknowledged
from sipsorcery.dialog.extensions import RELIABLE, requires, supports
from sipsorcery.dialog.refusal import FieldValue, Refusal
from sipsorcery.dialog.reliable_server import ReliableEffect, ReliableResponses
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.driven import Driven
from sipsorcery.ua.errors import LocalProtocolError

if TYPE_CHECKING:
    from sipsorcery.ua.session import Session

_MAX_FIRST_RSEQ = 2**31 - 1  # RFC 3262, 3
# How long a 2xx waits until it is stored: callers bear that, and an INVITE by UDP has
# been repeated twice by then.
_STORING = 2.0

#: Stores what a 2xx says, before it leaves.
Storing: TypeAlias = Callable[[Response], Coroutine[Any, Any, object]]


class Answering:
    """
    One INVITE of the peer in a session.

    :param acknowledged: is given the ACK to our 2xx; None: there was none in time.
    :param given_up: is told, in a sentence, that it has been refused because the peer
        has cancelled it, or does not confirm a reliable response.
    :param before: the INVITE before it, whose ACK may be still to come.

    :ivar is_accepted: whether a 2xx was sent.
    :ivar routes: fields for a failure that say by which proxies the INVITE has come.
    """

    __slots__ = (
        "_acceptance",
        "_acknowledged",
        "_before",
        "_given_up",
        "_noted",
        "_reliable",
        "_session",
        "_storing",
        "_transaction",
        "is_accepted",
        "request",
        "routes",
    )

    def __init__(
        self,
        session: Session,
        transaction: ServerTransaction,
        acknowledged: Callable[[Request | None], object],
        given_up: Callable[[str], object],
        before: Answering | None = None,
    ) -> None:
        self.request = transaction.request
        self.is_accepted = False
        self.routes: tuple[FieldValue, ...] = ()
        self._session = session
        self._transaction = transaction
        self._acknowledged = acknowledged
        self._given_up = given_up
        self._before = None if before is None else before.unacknowledged
        self._noted: Response | None = None  # the reliable one that was sent last
        self._reliable: Driven[ReliableResponses, ReliableEffect] | None = None
        self._acceptance: Driven[Acceptance, AcceptanceEffect] | None = None
        self._storing: Storing | None = None
        transaction.user = self

    @property
    def is_pending(self) -> bool:
        """
        Whether it waits for a final response.
        """
        return self._transaction.is_pending and not self.is_accepted

    @property
    def keeps_caller_waiting(self) -> bool:
        """
        Whether it began the session, and the peer has no final response yet.
        """
        waits = self.is_pending or self._storing is not None
        return waits and self.request.to_tag() is None

    @property
    def awaits_ack(self) -> bool:
        """
        Whether its 2xx is repeated until the ACK comes.
        """
        return self._acceptance is not None

    @property
    def is_reliable(self) -> bool:
        """
        Whether a response was sent that has to be confirmed.
        """
        return self._reliable is not None

    @property
    def acceptance(self) -> Acceptance | None:
        """
        What repeats its 2xx.
        """
        return None if self._acceptance is None else self._acceptance.machine

    @property
    def unacknowledged(self) -> Answering | None:
        """
        It, or the INVITE before it, if that still awaits its ACK.
        """
        return self if self.awaits_ack else self._before

    @property
    def is_last(self) -> bool:
        """
        Whether another INVITE has to wait: two that await their ACKs are enough.
        """
        return self.awaits_ack and self._before is not None and self._before.awaits_ack

    # What we answer

    def progress(
        self,
        status: int,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        *,
        reliable: bool | None = None,
        reason: str | None = None,
    ) -> None:
        """
        Send a provisional response.

        :param reliable: None: where the caller insists, and where there is a body to
            arrive and the caller can confirm that.
        :raises LocalProtocolError: if it cannot be sent so, or comes too late.
        """
        self._check_pending()
        if not 100 <= status < 200:
            raise LocalProtocolError(f"{status} is no provisional status")
        session = self._session
        response = session.shared.dialog.respond(
            self.request, status, reason, fields, body
        )
        if self._wants_reliable(response, reliable):
            driven = self._reliable or self._start_reliable()
            driven.machine.send(response, session.core.clock.seconds())
            driven.run()
        else:
            session.note_sent(response)
            self._transaction.send(response)

    def accept(
        self,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        status: int = 200,
        storing: Storing | None = None,
    ) -> None:
        """
        Send a 2xx.

        :param storing: what is to be done before it leaves.
        :raises LocalProtocolError: if it comes too late.
        """
        self._check_pending()
        session = self._session
        self._storing = storing
        every = [*session.core.abilities, *session.accept_timer(self.request), *fields]
        self._finish(
            session.shared.dialog.respond(self.request, status, None, every, body)
        )

    def refuse(
        self, status: int, reason: str | None = None, fields: Iterable[FieldValue] = ()
    ) -> None:
        """
        Send a final response that is no 2xx.

        :raises LocalProtocolError: if it comes too late.
        """
        self._check_pending()
        if not 300 <= status < 700:
            raise LocalProtocolError(f"{status} refuses nothing")
        dialog = self._session.shared.dialog
        every = [*self.routes, *fields]
        self._finish(dialog.respond(self.request, status, reason, every))

    def drop(self) -> None:
        """
        Never answer, because somebody else does.
        """
        self._transaction.drop()

    def stop(self) -> None:
        """
        End, because the session does: what waits for an answer is terminated.
        """
        self._withdraw(487)
        if self._reliable is not None:
            self._reliable.stop()
        if self._acceptance is not None:
            self._acceptance.stop()
        if self._before is not None:
            self._before.stop()

    # What the peer sends

    def confirm(self, prack: Request) -> Refusal | None:
        """
        Take a PRACK.

        :returns: how to refuse it, ``None`` if it gets a 2xx.
        """
        driven = self._reliable
        if driven is None:
            return Refusal(481)
        refusal = driven.machine.receive(prack, self._session.core.clock.seconds())
        driven.run()
        return refusal

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK, which may have been overtaken by this INVITE.
        """
        if self._before is not None:
            self._before.acknowledge(ack)
            self._before = self._before.unacknowledged
        if self._acceptance is not None and self._acceptance.machine.receive(ack):
            self._acceptance.run()

    def cancelled(self, transaction: ServerTransaction) -> None:
        """
        Hear from the transaction layer that the peer has given up.
        """
        self._abort(487, "cancelled by the peer")

    def failed(self, transaction: ServerTransaction, error: Failure) -> None:
        """
        Hear from the transaction layer what went wrong.

        A 2xx that did not leave is repeated; that nobody has acknowledged a failure
        changes nothing.
        """

    # Inside

    def _check_pending(self) -> None:
        if not self.is_pending:
            raise LocalProtocolError("the INVITE has had its final response")

    def _abort(self, status: int, reason: str) -> None:
        given_up = self._given_up
        if self._withdraw(status):
            given_up(reason)

    def _withdraw(self, status: int) -> bool:
        """
        Refuse it, also where a 2xx is made but has not left.

        :return: whether that is not too late.
        """
        if self.is_pending:
            self.refuse(status)
            return True
        if self._storing is None or not self._transaction.is_pending:
            return False
        self._storing = None
        self.is_accepted = False  # the peer will never know that it was
        self._leave()
        self._transaction.respond(status)
        return True

    def _finish(self, response: Response) -> None:
        """
        Send the final response, or let it wait for PRACK.
        """
        if self._reliable is None:
            self._send_final(response)
        else:
            now = self._session.core.clock.seconds()
            self._reliable.machine.finish(response, now)
            self._reliable.run()

    def _send_final(self, response: Response) -> None:
        session = self._session
        session.note_sent(response)
        if not response.is_success:
            self._acknowledged = self._given_up = _nothing
            self._leave()
            self._transaction.send(response)
            return
        self.is_accepted = True
        if self._storing is None:
            self._repeat(response)
        else:
            session.core.spawn(self._store(self._storing, response))

    async def _store(self, storing: Storing, response: Response) -> None:
        """
        Let the 2xx wait until what it says is stored, but not for long.
        """
        core = self._session.core
        waiting = Deferred.fromCoroutine(storing(response))
        waiting.addTimeout(_STORING, core.clock)
        waiting.addErrback(lambda failure: failure.trap(TimeoutError))
        waiting.addErrback(core.log_failure)
        await waiting
        if self._storing is not None:  # the session is not over
            self._storing = None
            self._repeat(response)

    def _leave(self) -> None:
        """
        Let go of the transaction.

        It stays for half a minute and has nothing more to tell; the session need not
        stay as long.
        """
        self._transaction.user = None

    def _repeat(self, response: Response) -> None:
        self._leave()
        core = self._session.core
        machine = Acceptance(response, core.clock.seconds(), core.settings.timers)
        self._acceptance = Driven(core, machine, self._act)
        self._acceptance.run()

    def _act(self, effect: AcceptanceEffect) -> None:
        match effect:
            case Send(response):
                assert isinstance(response, Response)
                self._transaction.send(response)
            case Acknowledged(ack):
                self._conclude(ack)
            case Unacknowledged():
                self._conclude(None)
            case _:
                assert_never(effect)

    def _conclude(self, ack: Request | None) -> None:
        """
        Tell of the ACK, and keep nothing: the application may keep us with its call.
        """
        assert self._acceptance is not None  # it wants this
        self._acceptance.stop()
        self._acceptance = None
        acknowledged = self._acknowledged
        self._acknowledged = self._given_up = _nothing
        acknowledged(ack)

    # Reliable responses

    def _wants_reliable(self, response: Response, reliable: bool | None) -> bool:
        if response.status == 100:
            return False
        if requires(self.request, RELIABLE):
            return True
        can = supports(self.request, RELIABLE)
        if reliable and not can:
            raise LocalProtocolError("the caller knows no reliable responses")
        return can and bool(response.body) if reliable is None else reliable

    def _start_reliable(self) -> Driven[ReliableResponses, ReliableEffect]:
        core = self._session.core
        first = random.randint(1, _MAX_FIRST_RSEQ)
        machine = ReliableResponses(first, core.settings.timers)
        self._reliable = Driven(core, machine, self._act_reliably)
        return self._reliable

    def _act_reliably(self, effect: ReliableEffect) -> None:
        match effect:
            case Send(response):
                assert isinstance(response, Response)
                if response is not self._noted:
                    self._noted = response
                    self._session.note_sent(response)
                self._transaction.send(response)
            case Acknowledged():
                pass  # the PRACK is answered where it came
            case Released(response):
                self._send_final(response)
            case Unacknowledged():
                # "the UAS SHOULD reject the original request with a 5xx response"
                self._abort(504, "a reliable response was never confirmed")
            case _:
                assert_never(effect)


def _nothing(_: object) -> None:
    pass
