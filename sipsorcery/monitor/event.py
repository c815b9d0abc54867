"""
The one type of all monitor events.

Logs are for the operator of a process; an event is for the owner of a call or an
account, and for administrators where nobody is known to own it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from sipsorcery.endpoint import Endpoint


class EventKind(StrEnum):
    """
    Name what has happened. The comment says what `Event.detail` holds.
    """

    # Any server.
    STORE_UNAVAILABLE = "store_unavailable"  # store
    OVERLOAD = "overload"  # lag or waiting
    # A message that could not be answered as it should have been.
    BAD_MESSAGE = "bad_message"
    # Raw messages, in `Event.trace`.
    SIP_TRACE = "sip_trace"
    # Whose the traces of one Via branch are: known once a role has found out.
    OWNER_KNOWN = "owner_known"  # branch

    # Who may do what.
    AUTH_FAILED = "auth_failed"  # account, method
    REJECTED = "rejected"  # method, status
    BANNED = "banned"  # address, seconds

    # Registrar.
    REGISTER_IN_PROGRESS = "register_in_progress"  # aor: it was challenged
    REGISTER_SUCCESS = "register_success"  # aor, contacts
    REGISTER_FAILURE = "register_failure"  # aor, status
    BINDING_ADDED = "binding_added"  # aor, contact
    BINDING_UPDATED = "binding_updated"  # aor, contact
    BINDING_REMOVED = "binding_removed"  # aor, contact, reason
    BINDING_EXPIRED = "binding_expired"  # aor, contact

    # Application server.
    CALL_STARTED = "call_started"  # call, direction, account, from, to
    CALL_PROGRESS = "call_progress"  # call, status
    CALL_ANSWERED = "call_answered"  # call, to
    CALL_ENDED = "call_ended"  # call, reason
    CALL_REFUSED = "call_refused"  # call, status, code
    DIALPLAN_STEP = "dialplan_step"  # call, plan
    LIMIT_REACHED = "limit_reached"  # code

    # Proxy.
    FLOW_CLOSED = "flow_closed"  # token: that of the Path of who came on it
    PUBLIC_ADDRESS = "public_address"  # listener, address: a STUN server told it
    SCRIPT_LOADED = "script_loaded"  # file
    SCRIPT_FAILED = "script_failed"  # file, if it was not loaded


class Direction(StrEnum):
    """
    Tell whether a server received a message or sent it.
    """

    RECEIVED = "received"
    SENT = "sent"


class Trace(msgspec.Struct, frozen=True):
    """
    One message as it was on the wire.

    :ivar branch: that of the proxy's own Via, by which an owner is found later.
    """

    data: bytes
    direction: Direction
    local: Endpoint
    remote: Endpoint
    branch: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that happened at a server.

    Whoever emits it has masked credentials in it. Subscribers share it, its *detail*
    included.

    :ivar time: seconds since the epoch.
    :ivar server: the role, such as ``proxy``.
    :ivar owner: the user it belongs to, found by authentication or matching, never by
        searching a text; empty: administrators see it alone.
    :ivar dialogue: the identifier of the dialogue of a call.
    :ivar message: a sentence for people.
    :ivar detail: the same for programs; `EventKind` says what it holds.
    """

    time: float
    server: str
    kind: EventKind
    owner: str = ""
    call_id: str = ""
    dialogue: str = ""
    remote: Endpoint | None = None
    message: str = ""
    detail: Mapping[str, str] = msgspec.field(default_factory=dict)
    trace: Trace | None = None
