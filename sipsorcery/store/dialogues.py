"""
Dialogues: calls that are established, as any server can take them up.

Both legs of a call are one record, so that they change together or not at all. It lies
under the identifier that the call has in the Contact of its legs. A leg that has come
from another call, by a transfer, still has that one's identifier in its Contact: there
stands an alias in place of the other call.
"""

from __future__ import annotations

import msgspec

from sipsorcery.dialog.record import DialogRecord
from sipsorcery.store.directory.cdrs import CDR, Direction
from sipsorcery.store.live.kind import Kind
from sipsorcery.store.live.record import Record

#: Seconds that a dialogue is kept while nobody says that it goes on. Whoever has it
#: says so when half of them are over.
LIFETIME = 24 * 3600.0


class Leg(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """
    One side of a call.

    :ivar dialog: the dialog and its session, the 2xx while it is unacknowledged.
    :ivar name: the identifier in its Contact: that of the call, or of the one before.
    :ivar credentials: those that answer challenges in it, sealed; empty: none.
    :ivar cdr: its call detail record, as far as it is.
    :ivar source: the real address of the peer, as text of an `Endpoint`.
    :ivar refreshed: when its session timer was last refreshed; 0: it has none.
    :ivar seen: the address to put in the place of private ones in what the peer says of
        its media; empty: none is known, or they stay.
    :ivar public: likewise, where that is private, too.
    """

    dialog: DialogRecord
    name: str
    credentials: bytes = b""
    cdr: CDR | None = None
    source: str = ""
    refreshed: float = 0.0
    seen: str = ""
    public: str = ""


class Dialogue(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """
    An established call.

    All times are seconds since the epoch.

    :ivar owner: the user whose call it is.
    :ivar server: who has it, as text of the `Endpoint` where that listens.
    :ivar incarnation: what its process drew at its start.
    :ivar account: the address-of-record that called or was called.
    :ivar direction: seen from the service.
    :ivar legs: the caller's and the callee's.
    :ivar limit: when it has to end; None: whenever they like.
    :ivar transfer: what a REFER may do: ``n``, ``p``, ``c``, or empty for the usual.
    :ivar run: of the dialplan that has made the call.
    :ivar bridge: what the records of both legs have in common.
    """

    id: str
    owner: str
    server: str
    incarnation: str = ""
    account: str = ""
    direction: Direction = Direction.IN
    legs: tuple[Leg, Leg]
    started: float
    answered: float
    limit: float | None = None
    transfer: str = ""
    run: str = ""
    bridge: str = ""


#: What the live state calls them.
DIALOGUES = Kind("dialogue", Dialogue)


class Alias(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    Says which call a leg now belongs to whose Contact names another.
    """

    dialogue: str


#: Likewise. An alias has the key that the other call had.
ALIASES = Kind("dialogue-alias", Alias)


def make_record(
    dialogue: Dialogue, now: float, due: float | None, version: int = 0
) -> Record:
    """
    Make the record of a dialogue.

    :param due: when somebody has to do something about it, if its server does not.
    :param version: of the record that this one shall replace; 0: of none.
    """
    look = now + LIFETIME / 2
    return Record(
        DIALOGUES.name,
        dialogue.id,
        DIALOGUES.write(dialogue),
        now + LIFETIME,
        dialogue.owner,
        look if due is None else min(due, look),
        version,
    )
