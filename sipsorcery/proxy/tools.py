"""
What scripts work with: all that sends, and all that knows, once for each proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.authentication import Authenticator
from sipsorcery.access.contacts import Contact
from sipsorcery.endpoint import Endpoint
from sipsorcery.proxy.answers import Answers
from sipsorcery.proxy.attendance import Attendance
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.express import Express
from sipsorcery.proxy.forward import Forwarder
from sipsorcery.proxy.gate import Gate
from sipsorcery.proxy.nat import Nat
from sipsorcery.proxy.overload import Load
from sipsorcery.proxy.registered import RegisteredFlows
from sipsorcery.proxy.relay import Relays
from sipsorcery.proxy.token import Tokens
from sipsorcery.proxy.ways import Ways
from sipsorcery.sip.uri import SIPURI
from sipsorcery.transport.target import Target


class Location(Protocol):
    """
    Find servers, as `Locator` does.
    """

    def locate(self, uri: SIPURI) -> Deferred[list[Target]]:
        """
        Find the targets for a request, in the order to try them in.
        """

    def pick(self, uri: SIPURI, call_id: str) -> Deferred[Target]:
        """
        Find the one target for a request that is forwarded without state.
        """

    def failed(self, target: Target) -> None:
        """
        Note that a target did not answer.
        """


class Users(Protocol):
    """
    Find where our users are, as `Contacts` does.
    """

    async def of(self, uri: SIPURI | str) -> Sequence[Contact] | None:
        """
        Find the contacts of an address-of-record; None: nobody has that address.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """
    What the proxy knows of the users, which is nothing where one of these is None.
    """

    accounts: Accounts | None = None
    authenticator: Authenticator | None = None
    contacts: Users | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """
    All that sends, and all that knows, for the facade of each request.

    :ivar known: what scripts can find out about users.
    :ivar roles: where the servers inside are, by name. It may change.
    :ivar owner: tells which server inside has the dialogue that a URI names.
    :ivar attendance: which servers inside are there.
    :ivar dispatcher: knows the application servers, if there are several.
    """

    ways: Ways
    tokens: Tokens
    forwarder: Forwarder
    express: Express
    relays: Relays
    location: Location
    answers: Answers
    events: Events
    nat: Nat
    gate: Gate
    load: Load
    registered: RegisteredFlows
    known: Known = Known()
    roles: Mapping[str, Endpoint] = field(default_factory=dict)
    owner: Callable[[SIPURI], Endpoint | None] = lambda uri: None
    attendance: Attendance = field(default_factory=lambda: Attendance({}))
    dispatcher: Dispatcher | None = None
