"""
Dialogs as plain data, to be stored and taken up again, perhaps by another process.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.dialog.acceptance import Acceptance
from sipsorcery.dialog.dialog import Dialog, State
from sipsorcery.dialog.offer_answer import OfferAnswer
from sipsorcery.dialog.session_timer import Refresher, SessionTimer
from sipsorcery.sdp import Origin, SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.parser import parse
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import parse_uri
from sipsorcery.transaction.timers import Timers


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogRecord:
    """
    All that must not be lost of a dialog and its session, in words and numbers.

    :ivar state: as :class:`~sipsorcery.dialog.dialog.State` names it.
    :ivar local_description: what we have said the session is.
    :ivar origin: the ``o=`` value of what we sent last, which may be later.
    :ivar unacknowledged: our 2xx to an INVITE, while its ACK has not come.
    :ivar session_interval: of the session timer, in seconds.
    :ivar refresher: ``Local`` or ``Remote``.
    """

    state: str
    method: str
    initiator: bool
    call_id: str
    local: str
    remote: str
    contact: str | None
    remote_target: str
    route_set: tuple[str, ...]
    local_cseq: int
    remote_cseq: int | None
    secure: bool
    local_description: bytes | None = None
    remote_description: bytes | None = None
    origin: str | None = None
    unacknowledged: bytes | None = None
    session_interval: int | None = None
    refresher: str | None = None

    @classmethod
    def of(
        cls,
        dialog: Dialog,
        *,
        offer_answer: OfferAnswer | None = None,
        acceptance: Acceptance | None = None,
        response: Response | None = None,
        session_timer: SessionTimer | None = None,
    ) -> DialogRecord:
        """
        Write down a dialog, and what there is of its session.

        An offer without an answer is not written down.

        :param response: our 2xx to an INVITE that is about to leave.
        """
        local = remote = origin = unacknowledged = interval = refresher = None
        if offer_answer is not None:
            local, remote = _body(offer_answer.local), _body(offer_answer.remote)
            origin = str(offer_answer.origin)
        if acceptance is not None and not acceptance.is_done:
            response = acceptance.response
        if response is not None:
            unacknowledged = response.to_bytes()
        if session_timer is not None and session_timer.refresher is not None:
            interval = session_timer.interval
            refresher = session_timer.refresher.value
        return cls(
            state=dialog.state.value,
            method=dialog.method,
            initiator=dialog.initiator,
            call_id=dialog.call_id,
            local=str(dialog.local),
            remote=str(dialog.remote),
            contact=None if dialog.contact is None else str(dialog.contact),
            remote_target=str(dialog.remote_target),
            route_set=tuple(map(str, dialog.route_set)),
            local_cseq=dialog.local_cseq,
            remote_cseq=dialog.remote_cseq,
            secure=dialog.secure,
            local_description=local,
            remote_description=remote,
            origin=origin,
            unacknowledged=unacknowledged,
            session_interval=interval,
            refresher=refresher,
        )

    def dialog(self) -> Dialog:
        """
        Make the dialog.

        A process that is not the one that wrote it down calls :meth:`Dialog.take_over`
        next.

        :raises ParseError: if the record is damaged, and so does ValueError.
        """
        return Dialog(
            state=State(self.state),
            method=self.method,
            initiator=self.initiator,
            call_id=self.call_id,
            local=Address.parse(self.local),
            remote=Address.parse(self.remote),
            contact=None if self.contact is None else Address.parse(self.contact),
            remote_target=parse_uri(self.remote_target),
            route_set=tuple(map(Address.parse, self.route_set)),
            local_cseq=self.local_cseq,
            remote_cseq=self.remote_cseq,
            secure=self.secure,
        )

    def offer_answer(self) -> OfferAnswer | None:
        """
        Make the state of the session, ``None`` if there is none.

        :raises ParseError: of :mod:`sipsorcery.sdp`, if the record is damaged.
        """
        if self.origin is None:
            return None
        return OfferAnswer(
            Origin.parse(self.origin),
            local=_description(self.local_description),
            remote=_description(self.remote_description),
        )

    def acceptance(
        self,
        now: float,
        timers: Timers = Timers(),  # noqa: B008  # frozen
    ) -> Acceptance | None:
        """
        Make what repeats the 2xx, at once, ``None`` if it has arrived.

        :raises ParseError: if the record is damaged.
        """
        if self.unacknowledged is None:
            return None
        response = parse(self.unacknowledged)
        if not isinstance(response, Response):
            raise ParseError("a request where a 2xx was stored")
        return Acceptance(response, now, timers)

    def resume(self, session_timer: SessionTimer, refreshed_at: float) -> None:
        """
        Let the session timer go on, if there was one.

        :param refreshed_at: `SessionTimer.refreshed_at`, as it is on the clock of now;
            that is for others to keep, who know what day it is.
        """
        if self.session_interval is not None and self.refresher is not None:
            refresher = Refresher(self.refresher)
            session_timer.resume(self.session_interval, refresher, refreshed_at)


def _body(description: SessionDescription | None) -> bytes | None:
    return None if description is None else bytes(description)


def _description(body: bytes | None) -> SessionDescription | None:
    return None if body is None else SessionDescription.parse(body)
