"""
What is left of a session that we have ended: a BYE that waits for its answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.request import Request
from sipsorcery.transport.transactions.server import ServerTransaction
from sipsorcery.ua.errors import RequestFailed
from sipsorcery.ua.shared import SharedDialog


class Goodbye:
    """
    Keep a dialog until our BYE in it is answered.

    The peer's own BYE, if both cross, finds its dialog and is no error.
    """

    __slots__ = ("_shared",)

    def __init__(self, shared: SharedDialog) -> None:
        self._shared = shared
        shared.join(self)

    async def send(self, fields: Iterable[FieldValue] = ()) -> None:
        """
        Send the BYE, and wait until the peer has answered or will not.
        """
        try:
            await self._shared.request(self, "BYE", fields)
        except RequestFailed:
            pass  # the session is over, whatever the peer says (RFC 3261, 15.1.1)
        finally:
            self._shared.leave(self)

    def receive(self, transaction: ServerTransaction) -> bool:
        """
        Take a request of the peer, who does not know yet.
        """
        if transaction.request.method not in ("BYE", "INVITE", "UPDATE", "PRACK"):
            return False  # it may be for a subscription
        transaction.respond(200 if transaction.request.method == "BYE" else 481)
        return True

    def acknowledge(self, ack: Request) -> None:
        """
        Take an ACK, which means nothing any more.
        """

    def dialog_ended(self, reason: str) -> None:
        """
        Hear that the dialog is over, which it was to be.
        """

    async def stop(self) -> None:
        """
        Do nothing: it is on its way.
        """
