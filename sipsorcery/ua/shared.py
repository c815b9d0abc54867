"""
Dialogs in our table, and those who share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Protocol

from sipsorcery.dialog.dialog import Dialog, DialogID, State
from sipsorcery.dialog.errors import LocalProtocolError
from sipsorcery.dialog.fate import Fate
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.cseq import CSeq
from sipsorcery.sip.digest import Authorization
from sipsorcery.sip.fields import CALL_ID, CSEQ, FROM, TO
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.sip.uri import URI
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.account import Account
from sipsorcery.ua.errand import Errand, Make
from sipsorcery.ua.errors import RequestFailed, SessionEnded
from sipsorcery.ua.sending import send

if TYPE_CHECKING:
    from sipsorcery.ua.core import Core


class Usage(Protocol):
    """
    One use of a dialog (:rfc:`5057`): a session, or a subscription.
    """

    def receive(self, transaction: ServerTransaction) -> bool:
        """
        Take a request of the dialog and see to it that it is answered.

        :return: whether it belongs to this usage; if not, the next one is asked.
        """

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK of the dialog.
        """

    def dialog_ended(self, reason: str) -> None:
        """
        Hear that the dialog is over for all its usages.
        """

    async def stop(self) -> None:
        """
        End it, and wait until the peer has heard.
        """


class SharedDialog:
    """
    A dialog, which stays in the table until the last of its usages leaves it.

    :param account: answers challenges to our requests in it; None: nobody does.
    :param flow: the way that its first message came. A connection is kept open as long
        as the dialog lives; where no other way leads to the peer, requests go there.
    """

    __slots__ = ("_usages", "account", "core", "dialog", "flow")

    def __init__(
        self, core: Core, dialog: Dialog, account: Account | None, flow: Flow | None
    ) -> None:
        self.core = core
        self.dialog = dialog
        self.account = account
        self.flow = flow
        self._usages: tuple[Usage, ...] = ()

    # Usages

    @property
    def usages(self) -> tuple[Usage, ...]:
        """
        Those who use it now.
        """
        return self._usages

    def join(self, usage: Usage) -> None:
        """
        Add a usage; with the first one the dialog comes into the table.
        """
        if not self._usages:
            self.core.dialogs[self.dialog.id] = self
            if self.flow is not None:
                self.flow.hold()
        self._usages += (usage,)

    def leave(self, usage: Usage) -> None:
        """
        Remove a usage; with the last one the dialog ends. A second time does nothing.
        """
        if usage not in self._usages:
            return
        self._usages = tuple(other for other in self._usages if other is not usage)
        if not self._usages:
            self.dialog.terminate()
            self.core.dialogs.pop(self.dialog.id, None)
            if self.flow is not None:
                self.flow.release()

    def end(self, reason: str) -> None:
        """
        End the dialog for all its usages.
        """
        for usage in self._usages:
            usage.dialog_ended(reason)
            self.leave(usage)

    async def stop(self) -> None:
        """
        End it because the user agent stops, and say so to the peer.
        """
        for usage in self._usages:
            await usage.stop()

    # Requests of ours

    @property
    def hop(self) -> URI:
        """
        Where our requests go first.
        """
        return first_hop(self.dialog)

    async def request(
        self,
        usage: Usage | None,
        method: str,
        fields: Iterable[FieldValue] = (),
        body: bytes = b"",
        *,
        sent: Callable[[Request], object] | None = None,
        heard: Callable[[Response], object] | None = None,
    ) -> Response:
        """
        Send a request in the dialog, any but INVITE, and wait for the final response.

        A response may end the usage, or the whole dialog (:rfc:`5057#section-5.1`).

        :param usage: whose request it is; None: nobody's, whatever becomes of it.
        :param sent: is given each request before it is sent.
        :param heard: is given each final response, those that ask for a proof, too.
        :return: the last response, whatever its status.
        :raises RequestFailed: if there is none.
        :raises SessionEnded: if the dialog is over.
        """
        every = tuple(fields)
        requests: list[Request] = []

        def make(credentials: Iterable[Authorization]) -> Request:
            request = self.make(method, [*every, *credentials], body)
            requests.append(request)
            if sent is not None:
                sent(request)
            return request

        try:
            errand = self.errand(method, make, body, heard)
            response = await send(self.core, errand)
        except RequestFailed as error:
            self.suffer(usage, Fate.Usage, str(error))
            raise
        fate = self.dialog.receive_response(requests[-1], response)
        self.suffer(usage, fate, f"{response.status} {response.reason} to {method}")
        return response

    async def send(self, request: Request) -> Response:
        """
        Send a request that a machine of the dialog has made.

        :return: the final response, whatever its status.
        :raises RequestFailed: if there is none.
        """
        return await send(self.core, self.errand_of(request))

    def errand_of(self, request: Request) -> Errand:
        """
        Say how such a request is to be sent.

        Where a proof is asked for it gets the next number, even if the dialog is over
        meanwhile.
        """
        attempts = count()

        def make(credentials: Iterable[Authorization]) -> Request:
            again = request.copy()
            if next(attempts):
                again.set(CSEQ, CSeq(self._next_cseq(), request.method))
            for field, value in credentials:
                again.add(field, value)
            return again

        return self.errand(request.method, make, request.body)

    def _next_cseq(self) -> int:
        try:
            return self.dialog.next_cseq()
        except LocalProtocolError as error:
            raise RequestFailed(str(error)) from error

    def make(
        self, method: str, fields: Iterable[FieldValue] = (), body: bytes = b""
    ) -> Request:
        """
        Make our next request in the dialog.

        :raises SessionEnded: if the dialog is over.
        """
        if self.dialog.state is State.Terminated:
            raise SessionEnded(f"{method} in a dialog that is over")
        return self.dialog.request(method, fields, body)

    def errand(
        self,
        method: str,
        make: Make,
        body: bytes = b"",
        hear: Callable[[Response], object] | None = None,
    ) -> Errand:
        """
        Say how a request in the dialog is to be sent.
        """
        return Errand(
            method,
            self.dialog.remote_target,
            self.hop,
            make,
            body=body,
            account=self.account,
            flow=self.flow,
            hear=hear,
        )

    def suffer(self, usage: Usage | None, fate: Fate, reason: str) -> None:
        """
        End what a response, or none at all, has ended.
        """
        if fate is Fate.Dialog:
            self.end(reason)
        elif fate is Fate.Usage and usage is not None and usage in self._usages:
            usage.dialog_ended(reason)
            self.leave(usage)

    # Requests of the peer

    def receive(self, transaction: ServerTransaction) -> None:
        """
        Take a request of the peer.
        """
        request = transaction.request
        refusal = self.dialog.receive(request) or self.core.check(request)
        if refusal is not None:
            transaction.send(refusal.response(request))
            return
        # The session is there first; a NOTIFY is mostly for what has come later.
        usages = self._usages
        for usage in usages if request.method != "NOTIFY" else usages[::-1]:
            if usage.receive(transaction):
                return
        self.core.serve(transaction)

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK of the peer.
        """
        for usage in self._usages:
            usage.acknowledge(ack)


def first_hop(dialog: Dialog) -> URI:
    """
    Give where our requests in a dialog go first.
    """
    return dialog.route_set[0].uri if dialog.route_set else dialog.remote_target


def dialog_id(request: Request) -> DialogID:
    """
    Give the id of the dialog that a request of the peer names.

    :raises ParseError: if it breaks the grammar.
    """
    if (seen := request.glance()) is not None:
        return DialogID(seen.call_id, seen.to_tag or "", seen.from_tag or "")
    return DialogID(request[CALL_ID], request[TO].tag or "", request[FROM].tag or "")
