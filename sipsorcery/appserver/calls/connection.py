"""
Established calls: two sessions that belong together, until one of them ends.

It makes no difference whether this process has set a call up or has taken it over from
one that was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from sipsorcery.appserver.calls import transparency
from sipsorcery.appserver.calls.bridge import Bridge, Rewrite
from sipsorcery.appserver.calls.rewriting import NO_REWRITING
from sipsorcery.appserver.records.cdr_writer import LegCDR
from sipsorcery.dialog.refusal import FieldValue
from sipsorcery.sip.errors import ParseError
from sipsorcery.sip.fields import REASON
from sipsorcery.store.directory.cdrs import Direction
from sipsorcery.ua import Ending, Session
from sipsorcery.ua.outcome import Outcome

#: Reasons that call detail records give for the end of a leg.
REMOTE_HUNG_UP = "remote end hungup"
LIMIT_REACHED = "Call duration limit reached"


@dataclass(slots=True, eq=False, kw_only=True)
class Side:
    """
    One leg of an established call.

    :ivar name: the identifier in its Contact: that of the call, or of the one that it
        has come from.
    :ivar cdr: its call detail record.
    :ivar source: the real address of the peer, as text of an `Endpoint`; "": unknown.
    """

    session: Session
    name: str
    cdr: LegCDR | None = None
    source: str = ""


class Keeper(Protocol):
    """
    Keep calls, and the records of them.
    """

    def changed(self, connection: Connection) -> None:
        """
        Hear that something has changed that must not be lost.
        """

    def agreed(self, connection: Connection) -> None:
        """
        Hear that the parties have agreed with us anew.
        """

    def ended(self, connection: Connection) -> None:
        """
        Hear that it is over.
        """

    def moved(self, connection: Connection, old: Session, new: Session) -> None:
        """
        Hear that another session has come in the place of one.
        """


class Connection:
    """
    An established call.

    Times are seconds since the epoch.

    :ivar id: the identifier of the call, and of its record.
    :ivar owner: the user whose call it is.
    :ivar account: the address-of-record that called or was called.
    :ivar sides: the caller's and the callee's.
    :ivar bridge: what relays between them; None: nothing does yet, or any more.
    :ivar limit: when it has to end; None: whenever they like.
    :ivar transfer: what a REFER may do: ``n``, ``p``, ``c``, or "" for the usual.
    :ivar run: of the dialplan that has made it.
    :ivar bridge_id: what the call detail records of both legs have in common.
    :ivar is_over: whether it has ended.
    :ivar is_elsewhere: whether another server has taken it over.
    :ivar version: of its record; 0: there is none.
    """

    def __init__(
        self,
        *,
        id: str,
        owner: str,
        sides: tuple[Side, Side],
        started: float,
        answered: float,
        account: str = "",
        direction: Direction = Direction.IN,
        limit: float | None = None,
        transfer: str = "",
        run: str = "",
        bridge_id: str = "",
    ) -> None:
        self.id = id
        self.owner = owner
        self.account = account
        self.direction = direction
        self.sides = sides
        self.bridge: Any = None
        self.started = started
        self.answered = answered
        self.limit = limit
        self.transfer = transfer
        self.run = run
        self.bridge_id = bridge_id
        self.is_over = False
        self.is_elsewhere = False
        self.version = 0
        self.slot: int | None = None  # on the wheel
        self._keeper: Keeper | None = None
        self._released: Side | None = None
        self._reason = ""
        self._ended: Outcome[Ending] = Outcome()
        for side in sides:
            self._watch(side)

    # What is known

    @property
    def caller(self) -> Session:
        """
        The session with who has called.
        """
        return self.sides[0].session

    @property
    def callee(self) -> Session:
        """
        The session with who has answered.
        """
        return self.sides[1].session

    @property
    def rewrites(self) -> tuple[Rewrite, Rewrite]:
        """
        What is made of what the caller says, and of what the callee says.
        """
        if isinstance(self.bridge, Bridge):
            return self.bridge.rewrites
        return NO_REWRITING, NO_REWRITING

    def side_of(self, session: Session) -> Side | None:
        """
        Find the side that a session is; None: it is none of this call, or no more.
        """
        return next((one for one in self.sides if one.session is session), None)

    def opposite(self, session: Session) -> Session:
        """
        Give the other session.
        """
        return self.callee if session is self.caller else self.caller

    def ended(self) -> Deferred[Ending]:
        """
        Wait for the end, and learn how it came.
        """
        return self._ended.wait()

    # What is done with it

    def keep(self, keeper: Keeper, due: float | None) -> None:
        """
        Let *keeper* hear of changes and of the end.

        :param due: when the limit is reached, on the reactor's clock; None: never.
        """
        self._keeper = keeper
        self.caller.core.wheel.set(self, due)

    def changed(self, *_: object) -> None:
        """
        Hear that something has changed that must not be lost.
        """
        if self._keeper is not None and not self.is_over:
            self._keeper.changed(self)

    def agreed(self, session: Session) -> None:
        """
        Hear that a party has agreed with us anew.
        """
        self.changed()
        if self._keeper is not None and not self.is_over:
            self._keeper.agreed(self)

    def write_cdrs(self) -> None:
        """
        Write the call detail records of both legs again.
        """
        for side in self.sides:
            if side.cdr is not None:
                side.cdr.note()

    def hang_up(self, reason: str) -> None:
        """
        End it on both sides.

        :param reason: for the call detail records of both legs.
        """
        self._reason = self._reason or reason
        for side in self.sides:
            _say_goodbye(side.session)
        # Early sessions, which no BYE ends, have to be refused or cancelled by others.

    @property
    def awaits_another(self) -> bool:
        """
        Whether somebody is to come in the place of one side.
        """
        return self._released is not None

    def release(self, session: Session) -> None:
        """
        Let one side hang up without an end of the call: another one is to come.
        """
        self._released = self.side_of(session)

    def retain(self) -> bool:
        """
        Let nobody hang up any more without an end of the call: no other has come.

        :return: whether that side is still there; if not, the call is to be ended.
        """
        released, self._released = self._released, None
        return released is None or not released.session.is_over

    def replace(self, old: Session, side: Side, reason: str) -> Session:
        """
        Put another leg in the place of one, as a transfer does.

        :param reason: for the call detail record of the one that goes.
        :return: the one that goes. It is for the caller of this to hang it up.
        """
        gone = self.side_of(old)
        assert gone is not None  # only who has the call changes it
        self._released = None
        caller, callee = self.sides
        self.sides = (side, callee) if gone is caller else (caller, side)
        _close(gone, reason)
        if side.cdr is not None:
            side.cdr.bridged(self.bridge_id)
        self._watch(side)
        if self._keeper is not None:
            self._keeper.moved(self, old, side.session)
        return old

    def surrender(self, session: Session, reason: str) -> Side:
        """
        Give one leg away to another call, and be over.

        :param reason: for the call detail record of the one that stays behind. It is
            for the caller of this to hang it up.
        :return: the one that goes.
        """
        given = self.side_of(session)
        assert given is not None  # only who has the call gives it away
        for side in self.sides:
            if side is not given:
                _close(side, reason)
        self._end(Ending(by_peer=False, reason=reason))
        return given

    def drop(self) -> None:
        """
        Forget it without a word to anybody, because another server has it.
        """
        self.is_elsewhere = True
        self._end(Ending(by_peer=False, reason="another server has taken it over"))
        for side in self.sides:
            side.session.finish(Ending(by_peer=False, reason="taken over"))

    def timer_due(self, now: float) -> None:
        """
        Hear from the wheel that the limit is reached.
        """
        self.hang_up(LIMIT_REACHED)

    # Inside

    def _watch(self, side: Side) -> None:
        side.session.ended().addCallback(self._session_ended, side)

    def _session_ended(self, ending: Ending, side: Side) -> None:
        if self.is_over or side not in self.sides:
            return
        if side is self._released:
            return  # its record ends when the other one comes
        _close(side, self._reason or _reason_of(ending))
        other = self.sides[self.sides[0] is side]
        _close(other, self._reason or REMOTE_HUNG_UP)
        self._end(ending)
        _say_goodbye(other.session, transparency.of_bye(ending.request))

    def _end(self, ending: Ending) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.caller.core.wheel.set(self, None)
        if self._keeper is not None:
            self._keeper.ended(self)
        bridge, self.bridge = self.bridge, None
        if isinstance(bridge, Bridge):
            bridge.dissolve()
        self._ended.succeed(ending)


class Connections:
    """
    The established calls of one server, by their identifiers.

    There are as many as the dialogs of the user agent allow for, two each.

    :param store: is told of changes.
    :param forget: is told of the end, for its record.
    :param now: gives the seconds since the epoch.

    :ivar on_agreed: is given each call whose parties have agreed anew.
    """

    def __init__(
        self,
        store: Callable[[Connection], object],
        forget: Callable[[Connection], object],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._forget = forget
        self._now = now
        self._connections: dict[str, Connection] = {}
        self._by_session: dict[Session, Connection] = {}
        self.on_agreed: Callable[[Connection], object] = lambda connection: None

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._connections.values()))

    @property
    def sessions(self) -> int:
        """
        Give how many sessions belong to them.
        """
        return len(self._by_session)

    def add(self, connection: Connection) -> None:
        """
        Keep a call until its end, and end it when its limit is reached.

        One that has ended before, because somebody has hung up at once, is not kept.
        """
        if connection.is_over:
            return
        self._connections[connection.id] = connection
        for side in connection.sides:
            self._by_session[side.session] = connection
        due = None
        if connection.limit is not None:
            clock = connection.caller.core.clock
            due = clock.seconds() + max(0.0, connection.limit - self._now())
        connection.keep(self, due)

    def find(self, id: str) -> Connection | None:
        """
        Find a call by its identifier.
        """
        return self._connections.get(id)

    def of(self, owner: str) -> Iterator[Connection]:
        """
        Give the calls of a user.
        """
        return (one for one in self if one.owner == owner)

    def of_session(self, session: Session) -> Connection | None:
        """
        Find the call that a session belongs to.
        """
        return self._by_session.get(session)

    # What the calls tell

    def changed(self, connection: Connection) -> None:
        """
        Hear that something has changed that must not be lost.
        """
        self._store(connection)

    def agreed(self, connection: Connection) -> None:
        """
        Hear that the parties of a call have agreed anew.
        """
        self.on_agreed(connection)

    def ended(self, connection: Connection) -> None:
        """
        Hear that a call is over.
        """
        if self._connections.get(connection.id) is connection:
            del self._connections[connection.id]
        for side in connection.sides:
            if self._by_session.get(side.session) is connection:
                del self._by_session[side.session]
        self._forget(connection)

    def moved(self, connection: Connection, old: Session, new: Session) -> None:
        """
        Hear that another session has come in the place of one.
        """
        self._by_session.pop(old, None)
        self._by_session[new] = connection
        self._store(connection)


def _close(side: Side, reason: str) -> None:
    if side.cdr is not None:
        side.cdr.ended(reason)


def _say_goodbye(session: Session, fields: Iterable[FieldValue] = ()) -> None:
    if not session.is_over:
        session.core.spawn(session.bye(fields))


def _reason_of(ending: Ending) -> str:
    """
    Give the reason that the peer has sent with its BYE, if it has.
    """
    if ending.request is None:
        return ending.reason
    try:
        texts = [one.text for one in ending.request.all(REASON)]
    except ParseError:
        texts = []
    texts.append(ending.request.get("X-Asterisk-HangupCause"))
    return next((text for text in texts if text), ending.reason)
