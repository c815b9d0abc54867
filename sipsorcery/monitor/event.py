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
    # Raw messages, in `Event.trace`. Between servers of ours: role, of the other one.
    SIP_TRACE = "sip_trace"  # origin or role, where known
    # Whose the traces of one transaction are: known once a role has found out.
    OWNER_KNOWN = "owner_known"  # branch or origin
    DNS_LOOKUP = "dns_lookup"  # host, targets
    DNS_FAILED = "dns_failed"  # host

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
    KEEP_ALIVE_STARTED = "keep_alive_started"  # aor, contact
    KEEP_ALIVE_LOST = "keep_alive_lost"  # aor, contact
    ACCOUNT_UPDATED = "account_updated"  # aor
    ACCOUNT_REMOVED = "account_removed"  # aor

    # Application server. The Call-ID of what is told of a leg is that of the leg.
    CALL_STARTED = "call_started"  # call, direction, account, from, to
    CALL_PROGRESS = "call_progress"  # call, status
    CALL_ANSWERED = "call_answered"  # call, to
    CALL_UPDATED = "call_updated"  # call
    CALL_TRANSFERRED = "call_transferred"  # call, to
    CALL_ENDED = "call_ended"  # call, reason
    CALL_REFUSED = "call_refused"  # call, status, code
    LEG_STARTED = "leg_started"  # call, to
    LEG_PROGRESS = "leg_progress"  # call, to, status
    LEG_ANSWERED = "leg_answered"  # call, to
    LEG_FAILED = "leg_failed"  # call, to, status
    DIALPLAN_STEP = "dialplan_step"  # call, plan
    LIMIT_REACHED = "limit_reached"  # code

    # Proxy.
    DISPATCHED = "dispatched"  # server: the address of who gets the call
    SERVER_STATE = "server_state"  # server, state, why
    FLOW_CLOSED = "flow_closed"  # token: that of the Path of who came on it
    PUBLIC_ADDRESS = "public_address"  # listener, address: a STUN server told it
    SCRIPT_LOADED = "script_loaded"  # file
    SCRIPT_FAILED = "script_failed"  # file, if it was not loaded

    # Whoever watches: the monitor and its consoles.
    SESSION_STARTED = "session_started"  # user, address
    SESSION_ENDED = "session_ended"  # user, address
    # What an administrator does to what is another's, for its owner to see.
    ADMIN_ACTION = "admin_action"  # user, action


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
