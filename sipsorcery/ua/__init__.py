"""
User agents: calls that are made and taken, registrations, subscriptions, requests.

All of it stands on `sipsorcery.transport` and the machines of `sipsorcery.transaction`
and `sipsorcery.dialog`. The interface is one of coroutines, which await Deferreds.
"""

from sipsorcery.ua.account import Account
from sipsorcery.ua.agent import UserAgent
from sipsorcery.ua.client_call import ClientCall, Progress
from sipsorcery.ua.endings import Ending
from sipsorcery.ua.errors import (
    CallCancelled,
    LocalProtocolError,
    NotAcknowledged,
    RequestFailed,
    SessionEnded,
    UserAgentError,
)
from sipsorcery.ua.negotiation import audio
from sipsorcery.ua.registration import Registration, RegistrationState
from sipsorcery.ua.server_call import ServerCall
from sipsorcery.ua.session import Session
from sipsorcery.ua.settings import UserAgentSettings

__all__ = [
    "Account",
    "CallCancelled",
    "ClientCall",
    "Ending",
    "LocalProtocolError",
    "NotAcknowledged",
    "Progress",
    "Registration",
    "RegistrationState",
    "RequestFailed",
    "ServerCall",
    "Session",
    "SessionEnded",
    "UserAgent",
    "UserAgentError",
    "UserAgentSettings",
    "audio",
]
