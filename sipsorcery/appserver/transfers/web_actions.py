"""
What a user can do with calls from outside of them: transfer, connect, be called back.

These are the functions of the web interface. Who asks has been authenticated there, and
is the first argument of each; what they ask for is data, never text of a program.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from sipsorcery.access.dialogue_names import new_identifier
from sipsorcery.appserver.calls.bridge import Bridge
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.calls.parties import check_payer
from sipsorcery.appserver.calls.placing import Office, Order, Placing
from sipsorcery.appserver.calls.third_party import introduce, proposal, silence
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.transfers.transfers import Transfers
from sipsorcery.sdp import SDPError, SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import RequestFailed, Session, UserAgentError

#: The dialplan that decides about the calls of a call-back.
PLAN = "callback"
#: The one that decides what becomes of a number that somebody has typed in.
WEB_PLAN = "webcallback"
#: Seconds that a call-back may wait before it begins.
MAX_DELAY = 15.0


# Whom the calls of nobody are from (RFC 3261, 8.1.1.3).
_NOBODY = Address(SIPURI("sip", "anonymous", "anonymous.invalid"))


class OwnAccounts(Protocol):
    """
    Find an account of somebody.
    """

    async def find(self, username: str, domain: str) -> Account | None:
        """
        Find an account by its own name.
        """


class WebActions:
    """
    Carry out what users want of their calls.

    Each fails with `Refused`, whose text is for the user, and changes nothing then.

    :param accounts: finds the accounts that calls are paid by.
    :param make_bridge: makes what relays between the sessions of a call.
    :param now: gives the seconds since the epoch.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        connections: Connections,
        transfers: Transfers,
        office: Office,
        accounts: OwnAccounts,
        make_bridge: Callable[[Connection], Bridge],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._connections = connections
        self._transfers = transfers
        self._office = office
        self._accounts = accounts
        self._make_bridge = make_bridge
        self._now = now

    async def blind_transfer(self, owner: str, call_id: str, destination: str) -> None:
        """
        Let somebody else come in the place of one party of a call.

        :param call_id: the Call-ID of the leg that leaves.
        :param destination: a URI, ``user@host``, or a user of the account's domain.
        :raises Refused: if there is no such call, or nobody answers.
        """
        connection, leaves = self._find(owner, call_id)
        account = await self._account(owner, connection.account)
        target = destination_of(destination, account.domain)
        await self._transfers.place(connection, leaves, target, account)
        if not leaves.is_over:
            await leaves.bye()

    async def attended_transfer(
        self, owner: str, first_call_id: str, second_call_id: str
    ) -> None:
        """
        Connect the other ends of two calls, and hang up the two legs that are named.

        :raises Refused: if there are no such calls, or the ends do not agree.
        """
        one, leaves = self._find(owner, first_call_id)
        other, goes = self._find(owner, second_call_id)
        if one is other:
            raise Refused(Code.NO_CALL, "These are the two ends of one call")
        await self._transfers.join(one, leaves, other, goes)

    async def call_back(
        self,
        owner: str,
        account: str,
        first: str,
        second: str,
        *,
        delay: float = 0.0,
    ) -> Connection:
        """
        Call somebody, then somebody else, and connect them (:rfc:`3725`).

        :param account: who pays for both calls, ``user@domain``.
        :param first: whom to call first: as for `blind_transfer`.
        :param delay: seconds to wait before, so that somebody can hang up.
        :return: the call of the two.
        :raises Refused: if either does not answer; the first one is hung up then.
        """
        payer = await self._account(owner, account)
        ends = [destination_of(each, payer.domain) for each in (first, second)]
        if delay > 0:
            await deferLater(self._clock, min(delay, MAX_DELAY))
        id, started = new_identifier(), self._now()
        one = await self._first(id, payer, ends)
        try:
            other = await self._second(id, payer, ends, one)
        except Refused as refused:
            await _drop(one, refused.text)
            raise
        connection = Connection(
            id=id,
            owner=owner,
            account=payer.aor,
            direction=Direction.OUT,
            sides=(one, other),
            started=started,
            answered=self._now(),
            run=one.cdr.now.run if one.cdr is not None else "",
            bridge_id=new_identifier(),
        )
        for side in connection.sides:
            if side.cdr is not None:
                side.cdr.bridged(connection.bridge_id)
        connection.bridge = self._make_bridge(connection)
        self._connections.add(connection)
        connection.changed()
        return connection

    async def web_callback(self, owner: str, account: str, number: str) -> None:
        """
        Let the user's dialplan ``webcallback`` decide about a number, and wait for it.

        It runs as for a call from the account, of somebody anonymous and without
        media, and may call people back. There is nobody it could connect with whom it
        dials: who answers is hung up.

        :param account: who pays, ``user@domain``.
        :param number: a URI, ``user@host``, or a user of the account's domain.
        :raises Refused: if there is no such dialplan, or it refuses.
        """
        payer = await self._account(owner, account)
        target = destination_of(number, payer.domain)
        order = Order(
            call=new_identifier(),
            account=payer,
            target=target,
            plan=WEB_PLAN,
            is_planned=True,
            sender=_NOBODY,
            fields=(("From", str(_NOBODY)), ("To", str(Address(target)))),
        )
        placing = Placing(self._office, order)
        try:
            side = await self._answer(placing)
        except Refused as refused:
            if refused.code is not Code.PLAN_ENDED:
                raise
        else:
            await _drop(side, "there is nobody to connect with")

    # Inside

    async def _first(self, id: str, payer: Account, ends: list[SIPURI]) -> Side:
        """
        Call the first one, who is to offer, and has to wait.
        """
        waiting: Deferred[SessionDescription] = Deferred()

        async def answer() -> SessionDescription:
            return await waiting

        order = Order(
            call=id,
            account=payer,
            target=ends[0],
            plan=PLAN,
            sender=Address(ends[1]),
            late_answer=answer,
        )
        one = await self._answer(Placing(self._office, order))
        offer = one.session.said
        if offer is not None:
            waiting.callback(silence(offer))
        return one

    async def _second(
        self, id: str, payer: Account, ends: list[SIPURI], one: Side
    ) -> Side:
        """
        Call the second one while the first one waits, and introduce them.
        """
        order = Order(
            call=id,
            account=payer,
            target=ends[1],
            plan=PLAN,
            sender=Address(ends[0]),
            description=proposal(one.session),
        )
        placing = Placing(self._office, order)
        one.session.ended().addCallback(lambda ending: placing.stop())
        other = await self._answer(placing)
        try:
            await introduce(one.session, other.session)
        except (UserAgentError, SDPError) as error:
            await _drop(other, str(error))
            status = error.status if isinstance(error, RequestFailed) else None
            raise Refused(Code.NOT_ANSWERED, str(error), status) from error
        return other

    async def _answer(self, placing: Placing) -> Side:
        session = (await placing.run()).session
        return Side(
            session=session, name=placing.order.call, cdr=placing.cdrs.get(session)
        )

    def _find(self, owner: str, call_id: str) -> tuple[Connection, Session]:
        """
        Find a leg of a call of a user, by its whole Call-ID.
        """
        for connection in self._connections.of(owner):
            for side in connection.sides:
                if side.session.dialog.call_id == call_id:
                    return connection, side.session
        raise Refused(Code.NO_CALL)

    async def _account(self, owner: str, text: str) -> Account:
        username, _, domain = text.removeprefix("sip:").rpartition("@")
        account = await self._accounts.find(username, domain)
        if account is None or account.owner != owner:
            raise Refused(Code.NO_ACCOUNT)
        check_payer(account)
        return account


def destination_of(text: str, domain: str) -> SIPURI:
    """
    Read whom somebody wants to call: a URI, ``user@host``, or a user of a domain.

    :raises Refused: if it is none of them.
    """
    text = text.strip()
    if not text.lower().startswith(("sip:", "sips:")):
        text = f"sip:{text}" if "@" in text else f"sip:{text}@{domain}"
    try:
        uri = SIPURI.parse(text)
    except ParseError as error:
        raise Refused(Code.TRANSFER_TARGET, error.text) from error
    if not uri.user:
        raise Refused(Code.NO_USER)
    # Headers would be the words of whoever has given the text in our mouth.
    return uri._replace(headers=())


async def _drop(side: Side, reason: str) -> None:
    if side.cdr is not None:
        side.cdr.ended(reason)
    await side.session.bye()
