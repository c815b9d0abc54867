"""
Transfers: REFER and INVITE with Replaces in our established calls.

In a transfer one party leaves and another one comes; the party that stays keeps its
dialog with us and learns by re-INVITE where media is now. Until the new one is there
the old one can have it all back, or hang up as it likes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from twisted.logger import Logger

from sipsorcery.access.decision import Allowed, Challenge, Refusal
from sipsorcery.access.decision import Decision as Verdict
from sipsorcery.appserver.calls.bridge import Bridge, Rewrite, refusal
from sipsorcery.appserver.calls.connection import Connection, Connections, Side
from sipsorcery.appserver.calls.parties import Parties
from sipsorcery.appserver.calls.placing import Office, Order, Placing, Told
from sipsorcery.appserver.calls.rewriting import NO_REWRITING
from sipsorcery.appserver.calls.third_party import introduce, proposal
from sipsorcery.appserver.core import user_of
from sipsorcery.appserver.dial.options import TransferMode
from sipsorcery.appserver.refusals import Code, Refused
from sipsorcery.appserver.transfers.referrals import (
    Join,
    PassOn,
    PlaceCall,
    check_replaces,
    decide,
)
from sipsorcery.dialog.dialog import DialogID
from sipsorcery.monitor.event import EventKind
from sipsorcery.sdp import SDPError, SessionDescription
from sipsorcery.sip.address import Address
from sipsorcery.sip.fields import REFER_TO
from sipsorcery.sip.parameterised import DialogReference
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI, URI
from sipsorcery.store.directory import Account
from sipsorcery.store.errors import StoreError
from sipsorcery.transport.flow import Flow
from sipsorcery.ua import (
    Referral,
    RequestFailed,
    ServerCall,
    Session,
    SessionEnded,
    UserAgentError,
)

#: What call detail records say of legs that end by a transfer.
BLIND, ATTENDED = "Blind transfer", "Attended transfer"
#: The dialplan that decides about the calls of transfers.
PLAN = "transfer"

#: Finds out whose request it is: the domain of ours that its sender names, and the user
#: in it.
Authenticate: TypeAlias = Callable[[Request, Flow, str, str], Awaitable[Verdict]]


class Transfers:
    """
    Carry transfers out.

    :param sessions: finds the session of a dialog; None: there is none.
    :param make_bridge: makes what relays between the sessions of a call.
    :param rewriting: gives what makes of a party's words what others are told.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        connections: Connections,
        parties: Parties,
        office: Office,
        authenticate: Authenticate,
        sessions: Callable[[DialogID], Session | None],
        make_bridge: Callable[[Connection], Bridge],
        rewriting: Callable[[Side], Rewrite] = lambda side: NO_REWRITING,
    ) -> None:
        self._connections = connections
        self._parties = parties
        self._office = office
        self._authenticate = authenticate
        self._sessions = sessions
        self._make_bridge = make_bridge
        self._rewriting = rewriting

    # What peers ask for

    async def refer(self, referral: Referral) -> None:
        """
        Do what a REFER asks for, or refuse it.
        """
        connection = self._connections.of_session(referral.session)
        try:
            if connection is None:
                raise Refused(Code.NO_CALL)
            await self._refer(referral, connection)
        except StoreError:
            self._refuse(referral, connection, Refused(Code.STORE_AWAY))
        except Refused as refused:
            self._refuse(referral, connection, refused)

    async def replace(self, incoming: ServerCall, side: Side, proven: str) -> None:
        """
        Put a caller in the place of the party that its INVITE names in Replaces.

        :param side: the leg that it becomes.
        :param proven: the owner of the account that the caller has proved to be; "":
            none.
        :raises Refused: if that may not be, or does not work; then it is not answered.
        :raises StoreError: if nobody can say whether it may be.
        """
        old = incoming.replaced
        connection = None if old is None else self._connections.of_session(old)
        if old is None or connection is None:
            raise Refused(Code.NO_CALL)
        _check(connection, old)
        stays = connection.opposite(old)
        check_replaces(
            TransferMode(connection.transfer),
            await self._parties.party(connection, old),
            await self._parties.party(connection, stays),
            proven,
        )
        _check(connection, old)
        before = stays.local
        connection.release(old)
        try:
            await self._replace(connection, old, stays, incoming, side)
        except (UserAgentError, SDPError) as error:
            self._give_back(connection, stays, before)
            raise Refused(Code.NOT_ANSWERED, str(error), 488) from error
        except BaseException:
            self._give_back(connection, stays, before)
            raise
        self._tell_moved(connection, incoming.caller.uri, old)

    # What the owner asks for

    async def place(
        self,
        connection: Connection,
        leaves: Session,
        target: SIPURI,
        account: Account,
        *,
        headers: tuple[str, ...] = (),
        told: Told = lambda status, reason: None,
    ) -> None:
        """
        Call somebody, and put whoever answers in the place of a party.

        :param account: who pays for the call.
        :param headers: lines to add to the INVITE.
        :param told: hears how far it is, but not the end.
        :raises Refused: if nobody answers; then all is as before, but for a party that
            has hung up meanwhile: without it the call ends.
        """
        _check(connection, leaves)
        stays = connection.opposite(leaves)
        order = Order(
            call=connection.id,
            account=account,
            target=target,
            plan=PLAN,
            sender=Address(stays.peer.uri, stays.peer.display_name),
            description=proposal(stays),
            headers=headers,
        )
        placing = Placing(self._office, order, told)
        before = stays.local
        connection.release(leaves)
        connection.ended().addCallback(lambda ending: placing.stop())
        try:
            answered = await placing.run()
            session = answered.session
            side = Side(
                session=session, name=connection.id, cdr=placing.cdrs.get(session)
            )
            await self._bring(connection, leaves, side)
        except BaseException:
            # Whatever it was: a call of which nobody hears the end never ends.
            self._give_back(connection, stays, before)
            raise
        self._tell_moved(connection, target, leaves)

    async def join(
        self, one: Connection, leaves: Session, other: Connection, goes: Session
    ) -> None:
        """
        Connect the other ends of two calls; the two that leave are hung up.

        :param leaves: of the first call, which lives on.
        :param goes: of the other call, which ends.
        :raises Refused: if the ends do not agree; then all is as before.
        """
        _check(one, leaves)
        _check(other, goes)
        stays, comes = one.opposite(leaves), other.opposite(goes)
        before = stays.local, comes.local
        # Many a phone hangs up as soon as it knows that its REFER is accepted.
        one.release(leaves)
        other.release(goes)
        try:
            await self._introduce(one, stays, comes)
            _check_there(one)
            _check_there(other)
        except BaseException:
            self._give_back(one, stays, before[0])
            self._give_back(other, comes, before[1])
            raise
        side = other.surrender(comes, ATTENDED)
        one.replace(leaves, side, ATTENDED)
        self._bridge(one, leaves, goes)
        self._tell_moved(one, comes.peer.uri, leaves)
        for gone in (leaves, goes):
            _say_goodbye(gone)

    # REFER

    async def _refer(self, referral: Referral, connection: Connection) -> None:
        session, refer = referral.session, referral.refer
        sender = await self._parties.party(connection, session)
        goes = self._find(refer.replaces)
        other = None if goes is None else self._connections.of_session(goes)
        replaced = None
        if goes is not None and other is not None and other is not connection:
            replaced = await self._parties.party(other, goes)
        domain = await self._parties.domain(session.peer.uri)
        mode = TransferMode(connection.transfer)
        match decide(refer, mode, sender, replaced, is_served=domain is not None):
            case PassOn():
                await self._pass_on(referral, connection.opposite(session))
            case Join():
                assert goes is not None  # or nothing could be joined
                assert other is not None
                _check(connection, session)
                _check(other, goes)
                referral.accept()
                await self.join(connection, session, other, goes)
                referral.progress(200)
            case PlaceCall(proof):
                account = await self._payer(referral, connection, domain, proof=proof)
                if account is None:
                    return  # it has been asked for a proof
                assert isinstance(refer.target, SIPURI)  # it has been decided
                _check(connection, session)
                referral.accept()
                await self.place(
                    connection,
                    session,
                    refer.target,
                    account,
                    headers=_headers(referral),
                    told=referral.progress,
                )
                referral.progress(200)
                _say_goodbye(session)

    async def _payer(
        self,
        referral: Referral,
        connection: Connection,
        domain: str | None,
        *,
        proof: bool,
    ) -> Account | None:
        """
        Give the account that pays for the call; None: it has yet to prove that.
        """
        if not proof:
            return await self._parties.of_call(connection)
        assert domain is not None  # or nobody could prove to be of it
        request, peer = referral.request, referral.session.peer
        user = user_of(peer.uri)
        match await self._authenticate(request, referral.flow, domain, user):
            case Allowed(account):
                return account
            case Challenge(status, fields):
                referral.reject(status, fields=fields)
                return None
            case Refusal(status, text, fields):
                raise Refused(Code.NOT_ADMITTED, text or "", status, fields)

    async def _pass_on(self, referral: Referral, other: Session) -> None:
        """
        Send a REFER to the other end, and what that tells of it back.

        The two subscriptions are each their own dialog's, with its own numbers.
        """
        refer = referral.refer
        try:
            transfer = await other.refer(
                referral.request[REFER_TO].uri,
                referred_by=refer.referred_by or Address(referral.session.peer.uri),
                subscribes=refer.subscribes,
            )
        except RequestFailed as error:
            refused = refusal(error)
            referral.reject(refused.status, fields=refused.fields)
            return
        except SessionEnded:
            raise Refused(Code.NO_CALL) from None
        referral.accept()
        last = 100
        async for status, reason in transfer.progress:
            if last < 200 and status != 100:
                referral.progress(status, reason)
            last = status
        if last < 200:
            # Nobody will ever say what has come of it.
            referral.progress(408)

    def _refuse(
        self, referral: Referral, connection: Connection | None, refused: Refused
    ) -> None:
        if referral.is_pending:
            referral.reject(refused.status, refused.phrase, fields=refused.fields)
        else:
            referral.progress(refused.status, refused.phrase)
        if connection is not None:
            self._tell(
                connection,
                f"no transfer: {refused}",
                EventKind.CALL_REFUSED,
                status=str(refused.status),
                code=str(refused.code),
            )

    def _find(self, reference: DialogReference | None) -> Session | None:
        """
        Find the session that a Refer-To names: by all three parts, never by some.
        """
        if reference is None or not (reference.to_tag and reference.from_tag):
            return None
        id = DialogID(reference.call_id, reference.to_tag, reference.from_tag)
        return self._sessions(id)

    # The parties

    async def _bring(
        self, connection: Connection, leaves: Session, comes: Side
    ) -> None:
        """
        Put whoever has answered in the place of a party.
        """
        try:
            _check_there(connection)
            stays = connection.opposite(leaves)
            await self._introduce(connection, stays, comes.session)
            _check_there(connection)
        except BaseException as error:
            if comes.cdr is not None:
                text = error.text if isinstance(error, Refused) else "not connected"
                comes.cdr.ended(text)
            comes.session.core.spawn(comes.session.bye())
            raise
        connection.replace(leaves, comes, BLIND)
        self._bridge(connection, leaves)

    async def _introduce(
        self, connection: Connection, stays: Session, comes: Session
    ) -> None:
        """
        Let who stays and who comes agree.

        :raises Refused: if they do not.
        """
        side = connection.side_of(stays)
        rewrite = NO_REWRITING if side is None else self._rewriting(side)
        try:
            await introduce(stays, comes, rewrite)
        except RequestFailed as error:
            raise Refused(Code.NOT_ANSWERED, str(error), error.status) from error
        except (UserAgentError, SDPError) as error:
            raise Refused(Code.NOT_ANSWERED, str(error)) from error

    def _give_back(
        self,
        connection: Connection,
        stays: Session,
        before: SessionDescription | None,
    ) -> None:
        """
        Let a call be what it was before somebody was to come into it.

        It ends where the one has hung up meanwhile who was to leave.

        :param before: what the one who stays was told before.
        """
        if connection.is_over or not connection.awaits_another:
            return
        if not connection.retain():
            connection.hang_up("the transfer has failed")
        elif not _is_same(stays.local, before):
            stays.core.spawn(self._reconcile(connection))

    async def _reconcile(self, connection: Connection) -> None:
        """
        Let both ends of a call hear each other again.
        """
        try:
            await self._introduce(connection, connection.caller, connection.callee)
        except Refused:
            pass  # they have to help themselves, as after every re-INVITE that fails

    def _bridge(self, connection: Connection, *gone: Session) -> None:
        """
        Relay between those who are in a call now, and no more to those who were.
        """
        for session in gone:
            session.forget_hooks()
        before, connection.bridge = connection.bridge, self._make_bridge(connection)
        if isinstance(before, Bridge):
            before.dissolve()

    async def _replace(
        self,
        connection: Connection,
        old: Session,
        stays: Session,
        incoming: ServerCall,
        side: Side,
    ) -> None:
        async def answer(description: SessionDescription | None) -> None:
            _check_there(connection)
            answered = incoming.answer(description)
            connection.replace(old, side, ATTENDED)
            self._bridge(connection, old)
            await answered

        async def late(offer: SessionDescription) -> SessionDescription:
            await answer(offer)
            assert incoming.session.remote is not None  # the answer in the ACK
            return incoming.session.remote

        if stays.negotiation is None:
            await answer(None)
        elif incoming.offer is None:
            await stays.solicit(late)
        else:
            await stays.reinvite(incoming.offer)
            await answer(stays.remote)

    def _tell_moved(self, connection: Connection, to: URI, leaves: Session) -> None:
        self._tell(
            connection,
            f"{to} takes the place of {leaves.peer.uri}",
            EventKind.CALL_TRANSFERRED,
            to=str(to),
        )

    def _tell(
        self,
        connection: Connection,
        text: str,
        kind: EventKind = EventKind.CALL_PROGRESS,
        **detail: str,
    ) -> None:
        self._office.events.emit(
            kind,
            text,
            call=connection.id,
            call_id=connection.caller.dialog.call_id,
            owner=connection.owner,
            remote=None,
            **detail,
        )


def _check(connection: Connection, session: Session) -> None:
    """
    See to it that a party is there, and not about to be replaced.

    :raises Refused: if it is not.
    """
    if connection.is_over or connection.side_of(session) is None:
        raise Refused(Code.NO_CALL)
    if connection.awaits_another:
        raise Refused(Code.TRANSFER_PENDING)


def _check_there(connection: Connection) -> None:
    """
    See to it that a call has not ended while somebody was to come into it.

    :raises Refused: if it has.
    """
    if connection.is_over:
        raise Refused(Code.NO_CALL, "Request Terminated", 487)


def _is_same(one: SessionDescription | None, other: SessionDescription | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.with_origin(other.origin) == other


def _headers(referral: Referral) -> tuple[str, ...]:
    """
    Give the lines for the INVITE that a REFER leads to (:rfc:`3892`, :rfc:`3891`).
    """
    refer = referral.refer
    by = refer.referred_by or Address(referral.session.peer.uri)
    lines = [f"Referred-By: {by}"]
    if refer.replaces is not None:
        lines.append(f"Replaces: {refer.replaces}")
    return tuple(lines)


def _say_goodbye(session: Session) -> None:
    if not session.is_over:
        session.core.spawn(session.bye())
