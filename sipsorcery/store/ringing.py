"""
Calls that ring, as far as the server needs that is started after this one was killed.

It lets no phone ring on that nobody waits for, and tells the caller what has become of
the call: the dialplan goes on as if its dial had failed. A record lies under the
identifier of the call, from shortly after the legs were sent until the caller has an
answer.
"""

from __future__ import annotations

import msgspec

from sipsorcery.store.directory.cdrs import CDR, Direction
from sipsorcery.store.live.kind import Kind

#: Seconds from the start of a call until nobody waits for it any more: a dialplan has
#: five minutes, and no caller stays as long on a line where nothing has happened since.
LIFETIME = 600.0


class RingingLeg(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """
    One phone that rings, or server that was asked.

    :ivar invite: as much of the INVITE as a CANCEL is made of.
    :ivar to: where it was sent, as text of an `Endpoint`.
    :ivar cdr: the call detail record, as far as it is.
    """

    invite: bytes
    to: str
    cdr: CDR | None = None


class RingingCall(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """
    A call that nobody has answered.

    :ivar owner: the user whose call it is.
    :ivar server: who has it, as text of the `Endpoint` where that listens.
    :ivar incarnation: what its process drew at its start.
    :ivar invite: the caller's INVITE as it came, but for his credentials.
    :ivar source: where it came from, as text of an `Endpoint`.
    :ivar tag: ours in what the caller was told; empty: he is to be told by another.
    :ivar username: of the account that calls or is called.
    :ivar domain: likewise.
    :ivar direction: seen from the account.
    :ivar plan: the name of the dialplan; empty: there is none.
    :ivar version: the one that the call has begun with.
    :ivar language: the one that it is in; empty: there is none.
    :ivar started: when it came, in seconds since the epoch.
    :ivar run: the same in the records of all legs.
    :ivar leases: what it counts under as calls to the outside.
    :ivar cdr: the call detail record of the caller's leg, as far as it is.
    :ivar legs: those that ring.
    :ivar state: the run of the dialplan while it waits, sealed; empty: it cannot be
        kept, or has not come to a dial.
    """

    id: str
    owner: str
    server: str
    incarnation: str
    invite: bytes
    source: str
    tag: str = ""
    username: str = ""
    domain: str = ""
    direction: Direction = Direction.IN
    plan: str = ""
    version: int = 0
    language: str = ""
    started: float = 0.0
    run: str = ""
    leases: tuple[str, ...] = ()
    cdr: CDR | None = None
    legs: tuple[RingingLeg, ...] = ()
    state: bytes = b""


#: What the live state calls them.
RINGING = Kind("ringing", RingingCall)
