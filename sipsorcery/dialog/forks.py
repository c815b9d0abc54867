"""
One INVITE and all that comes of it, seen from who sent it.

Proxies on the way may fork it, so there may be several early dialogs and several 2xx
(:rfc:`3261#section-13.2.2`). Each of them is a dialog of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from sipsorcery.dialog.acknowledgement import Acknowledgement
from sipsorcery.dialog.bodies import refuse_offer
from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.effects import Send, Terminated
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.machine import Machine
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.dialog.reliable_client import ReliableReceiver
from sipsorcery.sip.cseq import RAck
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transaction.timers import Timers

#: Early dialogs of one INVITE: more than phones that ring at once, too few to fill the
#: memory by one INVITE that some server answers for ever.
MAX_FORKS = 64

#: Forks in all: a 2xx of a phone that did not ring is hung up, too. Beyond, a server
#: makes phones up, to have us send an ACK and a BYE for each, and neither is sent.
MAX_ANSWERS = 2 * MAX_FORKS


@dataclass(frozen=True, slots=True)
class Progressed:
    """
    Tell of a provisional response.

    :ivar dialog: the early dialog, ``None`` if the response makes none.
    :ivar rack: what to put into the PRACK that it asks for.
    """

    dialog: Dialog | None
    response: Response
    rack: RAck | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """
    Tell of the first 2xx of a dialog, which waits for :meth:`DialogSet.acknowledge`.
    """

    dialog: Dialog
    response: Response


@dataclass(frozen=True, slots=True)
class Unwanted:
    """
    Tell of a 2xx in a dialog that nobody wants any more.

    Another one was first, or the call has been given up meanwhile. The ACK and the BYE
    for it are the next effects.
    """

    dialog: Dialog
    response: Response


@dataclass(frozen=True, slots=True)
class Ended:
    """
    Tell that an early dialog is over.
    """

    dialog: Dialog


@dataclass(frozen=True, slots=True)
class Rejected:
    """
    Tell that the INVITE has failed.

    :ivar response: ``None`` if there was none, which counts as 408 or 503
        (:rfc:`3261#section-8.1.3.1`).
    """

    response: Response | None


ForkEffect: TypeAlias = (
    Progressed | Answered | Unwanted | Ended | Rejected | Send | Terminated
)


@dataclass(slots=True)
class _Fork:
    dialog: Dialog
    receiver: ReliableReceiver = field(default_factory=ReliableReceiver)
    is_answered: bool = False
    acknowledgement: Acknowledgement | None = None


class DialogSet(Machine[ForkEffect]):
    """
    Sort the responses to an initial INVITE into dialogs.

    Of several 2xx the first one counts, unless *keep_all*; the others are acknowledged
    and hung up at once.

    :ivar invite: as the transaction sent it.
    """

    __slots__ = (
        "_abandoned",
        "_forks",
        "_has_failed",
        "_has_winner",
        "_keep_all",
        "_over_tls",
        "_timers",
        "invite",
    )

    def __init__(
        self,
        invite: Request,
        *,
        over_tls: bool = False,
        keep_all: bool = False,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__()
        self.invite = invite
        self._over_tls = over_tls
        self._keep_all = keep_all
        self._timers = timers
        self._forks: dict[str, _Fork] = {}
        self._abandoned = False
        self._has_winner = False
        self._has_failed = False

    @property
    def dialogs(self) -> tuple[Dialog, ...]:
        """
        Give the dialogs that are not over, in the order in which they came.
        """
        dialogs = (fork.dialog for fork in self._forks.values())
        return tuple(each for each in dialogs if each.state is not State.Terminated)

    def receive(self, response: Response, now: float) -> None:
        """
        Take a response to the INVITE.

        One that is of another request, or breaks the grammar, is passed over. But a
        failure ends the transaction that it has come to, whatever it says else.
        """
        if response.status >= 300:
            self.fail(response)
            return
        try:
            if not self._is_ours(response):
                return
            if response.is_provisional:
                self._receive_provisional(response)
            else:
                self._receive_success(response, now)
        except ParseError:
            pass

    def acknowledge(
        self,
        dialog: Dialog,
        now: float,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
    ) -> None:
        """
        Send the ACK for the 2xx of a dialog; it is sent again when that is repeated.

        :raises LocalProtocolError: if the dialog has no 2xx to this INVITE.
        """
        fork = self._forks.get(dialog.remote_tag)
        if fork is None or fork.dialog is not dialog or not fork.is_answered:
            raise LocalProtocolError("ACK without a 2xx")
        ack = dialog.acknowledge(self.invite, fields, body)
        fork.acknowledgement = Acknowledgement(ack, now, self._timers)
        self._pass_on(fork.acknowledgement)

    def abandon(self) -> None:
        """
        Want no answer any more: the call is being cancelled.

        A 2xx that has crossed the CANCEL is acknowledged and hung up
        (:rfc:`3261#section-9.1`).
        """
        self._abandoned = True

    def fail(self, response: Response | None = None) -> None:
        """
        End with a failure, or with none at all: a time-out, or no way to send.

        "When a UAC receives a final failure response [...] all early dialogs are
        considered terminated" (:rfc:`3261#section-13.2.2.3`).
        """
        if self._has_winner or self._has_failed:
            return
        self._has_failed = True
        self._end_early()
        self._act(Rejected(response), Terminated())

    def _is_ours(self, response: Response) -> bool:
        return (
            response[CALL_ID] == self.invite[CALL_ID]
            and response[FROM].tag == self.invite[FROM].tag
            and response[CSEQ] == self.invite[CSEQ]
        )

    def _receive_provisional(self, response: Response) -> None:
        if self._has_winner or self._has_failed:
            return
        tag = response[TO].tag
        if tag is None or response.status == 100:
            self._act(Progressed(None, response))
            return
        fork = self._find(tag, response, MAX_FORKS)
        if fork is None or fork.dialog.state is not State.Early:
            return
        receipt = fork.receiver.receive(response)
        if receipt is None:
            return
        fork.dialog.receive_response(self.invite, response)
        self._act(Progressed(fork.dialog, response, receipt.rack))
        if response.status == 199:  # "early dialog terminated" (RFC 6228)
            self._end(fork)

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response[TO].tag or ""
        has_room = tag in self._forks or len(self._forks) < MAX_FORKS
        fork = self._find(tag, response, MAX_ANSWERS)
        if fork is None:
            return
        if fork.is_answered:
            if fork.acknowledgement is not None:
                fork.acknowledgement.receive(response)
                self._pass_on(fork.acknowledgement)
            return
        is_wanted = self._wants_another(has_room)
        fork.is_answered = True
        if fork.dialog.state is State.Terminated:  # a 199 has said too much
            fork.dialog.state = State.Early
        fork.dialog.receive_response(self.invite, response)
        if self._due is None:
            self._due = now + self._timers.timer_m
        if is_wanted:
            self._has_winner = True
            self._act(Answered(fork.dialog, response))
        else:
            self._hang_up(fork, response, now)

    def _wants_another(self, has_room: bool) -> bool:
        if self._abandoned or self._has_failed:
            return False
        return not self._has_winner or (self._keep_all and has_room)

    def _hang_up(self, fork: _Fork, response: Response, now: float) -> None:
        dialog = fork.dialog
        self._act(Unwanted(dialog, response))
        fields, body = refuse_offer(self.invite, response)
        ack = dialog.acknowledge(self.invite, fields, body)
        fork.acknowledgement = Acknowledgement(ack, now, self._timers)
        self._pass_on(fork.acknowledgement)
        self._act(Send(dialog.request("BYE")))
        dialog.terminate()

    def _find(self, tag: str, response: Response, limit: int) -> _Fork | None:
        """
        Find the fork of a tag, or make it; ``None`` if there are too many.
        """
        fork = self._forks.get(tag)
        if fork is None and len(self._forks) < limit:
            fork = self._forks[tag] = _Fork(self._dialog_of(response))
        return fork

    def _dialog_of(self, response: Response) -> Dialog:
        return Dialog.of_response(self.invite, response, over_tls=self._over_tls)

    def _pass_on(self, acknowledgement: Acknowledgement) -> None:
        self._act(*acknowledgement.take_effects())

    def _end_early(self) -> None:
        for fork in self._forks.values():
            if fork.dialog.state is State.Early:
                self._end(fork)

    def _end(self, fork: _Fork) -> None:
        fork.dialog.terminate()
        self._act(Ended(fork.dialog))

    def _fire(self, now: float) -> None:
        # "64*T1 seconds after the reception of the first 2xx response [...] all the
        # early dialogs that have not transitioned to established dialogs are
        # terminated" (13.2.2.4)
        self._end_early()
        self._act(Terminated())
