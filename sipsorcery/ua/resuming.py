"""
Calls that nobody had answered when their process was killed, taken up by the next one.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.endpoint import Endpoint, Transport
from sipsorcery.sip.fields import RECORD_ROUTE
from sipsorcery.sip.request import Request
from sipsorcery.sip.response import Response
from sipsorcery.transport.errors import TransportError
from sipsorcery.transport.target import Target
from sipsorcery.transport.transactions.client import ClientTransaction
from sipsorcery.transport.transactions.drive import Failure
from sipsorcery.ua.core import Core
from sipsorcery.ua.server_call import ServerCall


def take_up(
    core: Core, invite: Request, source: Endpoint, to_tag: str | None = None
) -> ServerCall | None:
    """
    Go on with a call that came in, which waits for an answer.

    :param source: where the INVITE came from.
    :param to_tag: that of our responses so far; None: a new one, as of another phone
        that a proxy has asked, to which nothing said so far is an obstacle.
    :return: None if the INVITE has come again, or asks for what cannot be.
    :raises ParseError: if the INVITE breaks the grammar.
    :raises TransportError: if no way leads back.
    """
    if source.transport is not Transport.UDP:
        # Its connection has ended with the process, and so the caller has heard.
        raise TransportError(f"the connection with {source} is gone")
    flow = core.transactions.transport.datagram_flow(source)
    transaction = core.transactions.restore(invite, flow, to_tag)
    if transaction is None:
        return None
    call = ServerCall(core, transaction)
    # A proxy that was started again as well finds the way back in these alone.
    call.show_way([(RECORD_ROUTE.name, line) for line in invite.all(RECORD_ROUTE.name)])
    return call if call.judge(transaction) else None


def withdraw(
    core: Core,
    invite: Request,
    to: Endpoint,
    answered: Callable[[Response], object],
) -> None:
    """
    Cancel a call of ours.

    Whether anybody had told that it rings nobody knows any more; but what the wait for
    that is to prevent (:rfc:`3261#section-9.1`), a CANCEL that overtakes its INVITE,
    takes no longer than the start of a process.

    :param invite: what a CANCEL and an ACK are made of; see `essence`.
    :param to: where it was sent.
    :param answered: is given a 2xx that has crossed the CANCEL, each time it comes.
    :raises ParseError: if the INVITE breaks the grammar.
    :raises TransportError: if no way leads there.
    """
    core.transactions.withdraw(invite, Target(to), _Withdrawn(answered))


def essence(invite: Request) -> Request:
    """
    Give what CANCEL and ACK take from an INVITE, and no more.
    """
    names = ("Via", "Route", "From", "To", "Call-ID", "CSeq")
    fields = [(name, line) for name in names for line in invite.all(name)]
    return Request("INVITE", invite.request_uri, fields)


class _Withdrawn:
    """
    Hear what becomes of an INVITE that nobody wants an answer to.
    """

    __slots__ = ("_answered",)

    def __init__(self, answered: Callable[[Response], object]) -> None:
        self._answered = answered

    def response_received(
        self, transaction: ClientTransaction, response: Response
    ) -> None:
        """
        Pass a 2xx on; all else was to be expected.
        """
        if response.is_success:
            self._answered(response)

    def failed(self, transaction: ClientTransaction, error: Failure) -> None:
        """
        Hear that nobody has answered the CANCEL: there is nobody to bother.
        """
