"""
The kinds of events: who emits each and when, and what the original called it. Pure.

The manual prints its table from this one, and filters look names and numbers up in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sipsorcery.monitor.event import EventKind

_K = EventKind

#: The events of the original by number, for filters that were written for it.
ORIGINAL_EVENTS: Final = MappingProxyType(
    {
        1: "NewCall",
        2: "Registrar",
        3: "NATKeepAlive",
        4: "Error",
        5: "NATConnection",
        6: "RegisterSuccess",
        7: "Redirect",
        8: "ProxyForward",
        9: "FullSIPTrace",
        10: "OptionsBounce",
        11: "Timing",
        13: "SIPInvalid",
        24: "Monitor",
        25: "RegisterFail",
        26: "RegistrarTiming",
        27: "ParseSIPMessage",
        28: "SIPMessageArrivalStats",
        29: "HealthCheck",
        35: "RegisterDuplicate",
        37: "PINGResponse",
        38: "ContactRegistered",
        39: "ContactRegisterInProgress",
        40: "ContactRegisterFailed",
        41: "MediatedCall",
        42: "MWI",
        43: "RegistrarCache",
        44: "RegistrarPersistence",
        45: "RegistrarLookup",
        46: "STUNPrimary",
        47: "STUNSecondary",
        48: "UnrecognisedMessage",
        49: "ContactRemoval",
        50: "DNS",
        51: "BadSIPMessage",
        52: "UserSpecificSIPTrace",
        53: "DialPlan",
        54: "BindingExpired",
        55: "BindingRemoval",
        57: "Switch",
        58: "SIPTransaction",
        59: "Warn",
        60: "BindingInProgress",
        61: "BindingFailed",
        62: "ContactRefresh",
        63: "NATKeepAliveRelay",
        64: "CallDispatcher",
        65: "SubscribeQueued",
        66: "SubscribeAuth",
        67: "SubscribeAccept",
        68: "SubscribeFailed",
        69: "SubscribeRenew",
        70: "NotifySent",
    }
)

#: The machine events of the original by number.
ORIGINAL_MACHINE_EVENTS: Final = MappingProxyType(
    {
        1: "SIPAccountUpdate",
        2: "SIPAccountDelete",
        3: "SIPRegistrarBindingUpdate",
        4: "SIPRegistrarBindingRemoval",
        5: "SIPRegistrationAgentBindingUpdate",
        6: "SIPRegistrationAgentBindingRemoval",
        7: "SIPDialogueCreated",
        8: "SIPDialogueRemoved",
        9: "SIPDialogueUpdated",
        10: "SIPDialogueTransfer",
        11: "Logout",
    }
)

#: The servers of the original by number, as the roles that do their work.
ORIGINAL_SERVERS: Final = MappingProxyType(
    {
        1: ("proxy",),
        2: ("registrar",),
        3: ("proxy",),
        4: ("notifier",),
        5: ("monitor",),
        8: ("regagent",),
        11: ("appserver",),
        12: ("notifier", "registrar", "appserver"),
        13: ("notifier",),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What there is to say about a kind.

    :ivar servers: the roles that emit it; empty: any.
    :ivar when: what has happened then.
    :ivar original: its number in the original; 0: there was none.
    :ivar machine: its number among the machine events; 0: it is none.
    """

    kind: EventKind
    servers: tuple[str, ...]
    when: str
    original: int = 0
    machine: int = 0


_PROXY = ("proxy",)
_REGISTRAR = ("registrar",)
_APPSERVER = ("appserver",)
_GATES = ("proxy", "registrar", "appserver")
_WATCHERS = ("monitor", "ssh")

CATALOGUE: Final = (
    Entry(
        _K.STORE_UNAVAILABLE, (), "a store could not be asked; it went on without", 4
    ),
    Entry(_K.OVERLOAD, (), "a server refuses new work for a while, and why", 59),
    Entry(_K.BAD_MESSAGE, (), "a message could not be read, or not be answered", 51),
    Entry(_K.SIP_TRACE, _PROXY, "a message has come or gone, as on the wire", 9),
    Entry(_K.OWNER_KNOWN, (), "it is known whose the traces of a transaction are"),
    Entry(_K.DNS_LOOKUP, _PROXY, "DNS has told where a name leads", 50),
    Entry(_K.DNS_FAILED, _PROXY, "a name leads nowhere, and why", 50),
    Entry(_K.AUTH_FAILED, _GATES, "somebody has shown wrong credentials", 59),
    Entry(
        _K.REJECTED, _PROXY, "a request went no further, by no mistake of a phone", 59
    ),
    Entry(_K.BANNED, _GATES, "a source is not listened to for a while", 59),
    Entry(_K.REGISTER_IN_PROGRESS, _REGISTRAR, "a registration was challenged", 2),
    Entry(_K.REGISTER_SUCCESS, _REGISTRAR, "a registration was accepted", 6),
    Entry(_K.REGISTER_FAILURE, _REGISTRAR, "a registration was refused", 25),
    Entry(_K.BINDING_ADDED, _REGISTRAR, "a phone has come", 44, 3),
    Entry(_K.BINDING_UPDATED, _REGISTRAR, "a phone has refreshed its binding", 62, 3),
    Entry(_K.BINDING_REMOVED, _REGISTRAR, "a phone has gone, or its connection", 55, 4),
    Entry(_K.BINDING_EXPIRED, _REGISTRAR, "a phone has not come back in time", 54, 4),
    Entry(_K.KEEP_ALIVE_STARTED, _REGISTRAR, "the way to a phone will be kept open", 3),
    Entry(_K.KEEP_ALIVE_LOST, _REGISTRAR, "no keep-alive gets to a phone any more", 3),
    Entry(_K.ACCOUNT_UPDATED, (), "an account was added or changed", 24, 1),
    Entry(_K.ACCOUNT_REMOVED, (), "an account was removed", 24, 2),
    Entry(
        _K.CALL_STARTED, _APPSERVER, "a call is let in: whose it is, who calls whom", 1
    ),
    Entry(_K.CALL_PROGRESS, _APPSERVER, "a phone rings, or says something else", 53),
    Entry(_K.CALL_ANSWERED, _APPSERVER, "somebody has answered", 53, 7),
    Entry(_K.CALL_UPDATED, _APPSERVER, "the parties of a call agree anew", 53, 9),
    Entry(
        _K.CALL_TRANSFERRED,
        _APPSERVER,
        "somebody has taken the place of a party",
        53,
        10,
    ),
    Entry(_K.CALL_ENDED, _APPSERVER, "a call is over, and why", 53, 8),
    Entry(_K.CALL_REFUSED, _APPSERVER, "we have refused a call, and why (``code``)", 4),
    Entry(_K.LEG_STARTED, _APPSERVER, "somebody is called", 53),
    Entry(_K.LEG_PROGRESS, _APPSERVER, "who is called rings, or says else", 53),
    Entry(_K.LEG_ANSWERED, _APPSERVER, "who is called has answered", 53),
    Entry(_K.LEG_FAILED, _APPSERVER, "who is called will not answer, and why", 53),
    Entry(_K.DIALPLAN_STEP, _APPSERVER, "a dialplan does something, or has done", 53),
    Entry(_K.LIMIT_REACHED, _APPSERVER, "a limit of a user holds something back", 59),
    Entry(_K.DISPATCHED, _PROXY, "a call goes to an application server", 64),
    Entry(_K.SERVER_STATE, _PROXY, "an application server is up, or down, or busy", 64),
    Entry(_K.FLOW_CLOSED, _PROXY, "a connection has ended that a phone may be on", 5),
    Entry(_K.PUBLIC_ADDRESS, _PROXY, "a STUN server told our address outside", 46),
    Entry(_K.SCRIPT_LOADED, _PROXY, "the proxy has taken up a script", 24),
    Entry(_K.SCRIPT_FAILED, _PROXY, "the script of the proxy has raised", 4),
    Entry(_K.SESSION_STARTED, _WATCHERS, "somebody has come to watch", 24),
    Entry(_K.SESSION_ENDED, _WATCHERS, "somebody watches no longer", 24),
    Entry(
        _K.ADMIN_ACTION,
        _WATCHERS,
        "an administrator has acted on what is another's",
        24,
    ),
)

ENTRIES: Final = MappingProxyType({entry.kind: entry for entry in CATALOGUE})

#: What ``event *`` shows: everything but traces, and what servers tell one another.
ORDINARY: Final = frozenset(EventKind) - {_K.SIP_TRACE, _K.OWNER_KNOWN}
#: What machines follow: phones that come and go, and calls.
MACHINE: Final = frozenset(entry.kind for entry in CATALOGUE if entry.machine)
_SYSTEM = frozenset({24, 27, 28, 29})
_TROUBLE = frozenset({4, 51, 59})


def numbered(number: int) -> frozenset[EventKind]:
    """
    Give the kinds that had a number in the original; none where we have no such thing.
    """
    return frozenset(entry.kind for entry in CATALOGUE if entry.original == number)


def machine_numbered(number: int) -> frozenset[EventKind]:
    """
    Give the kinds that had a number among the machine events of the original.
    """
    return frozenset(entry.kind for entry in CATALOGUE if entry.machine == number)


def _names() -> dict[str, frozenset[EventKind]]:
    names = {name.lower(): numbered(number) for number, name in ORIGINAL_EVENTS.items()}
    # Ours win: a name that both have means the one kind.
    names.update({kind.value: frozenset({kind}) for kind in ORDINARY | {_K.SIP_TRACE}})
    names["full"] = frozenset({_K.SIP_TRACE})
    names["system"] = frozenset().union(*map(numbered, _SYSTEM))
    names["trouble"] = frozenset().union(*map(numbered, _TROUBLE))
    names["*"] = ORDINARY
    return names


#: Every word that a filter may say after ``event``, in lower case.
NAMES: Final = MappingProxyType(_names())
