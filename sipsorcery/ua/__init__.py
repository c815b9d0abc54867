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
    OfferRefused,
    RequestFailed,
    SessionEnded,
    UserAgentError,
)
from sipsorcery.ua.negotiation import audio
from sipsorcery.ua.onward import Onward
from sipsorcery.ua.referral import Referral
from sipsorcery.ua.registration import Registration, RegistrationState
from sipsorcery.ua.server_call import ServerCall
from sipsorcery.ua.session import Session
from sipsorcery.ua.settings import UserAgentSettings
from sipsorcery.ua.subscription import Notification, Subscription
from sipsorcery.ua.transfer import Transfer, TransferProgress

__all__ = [
    "Account",
    "CallCancelled",
    "ClientCall",
    "Ending",
    "LocalProtocolError",
    "NotAcknowledged",
    "Notification",
    "OfferRefused",
    "Onward",
    "Progress",
    "Referral",
    "Registration",
    "RegistrationState",
    "RequestFailed",
    "ServerCall",
    "Session",
    "SessionEnded",
    "Subscription",
    "Transfer",
    "TransferProgress",
    "UserAgent",
    "UserAgentError",
    "UserAgentSettings",
    "audio",
]
