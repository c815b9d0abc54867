"""
The parts of a proxy, put together for the sockets that it has.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

from sipsorcery.access.dialogue_names import DialogueNames
from sipsorcery.access.trunks import Trunks
from sipsorcery.config import Config
from sipsorcery.config.tree import AppServer, Notifier, RegAgent, Registrar
from sipsorcery.endpoint import Endpoint, HostPort
from sipsorcery.proxy.answers import Answers
from sipsorcery.proxy.attendance import Attendance
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.core import ProxyCore
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.proxy.events import Events
from sipsorcery.proxy.express import Express
from sipsorcery.proxy.forward import Forwarder
from sipsorcery.proxy.gate import Gate
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.nat import Nat
from sipsorcery.proxy.networks import LocalNetworks
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.overload import Load
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.owners import Owners
from sipsorcery.proxy.public_address import PublicAddresses
from sipsorcery.proxy.registered import RegisteredFlows
from sipsorcery.proxy.relay import Relays
from sipsorcery.proxy.routing import Router
from sipsorcery.proxy.switchboard import Switchboard
from sipsorcery.proxy.token import INCARNATION_SIZE, Tokens
from sipsorcery.proxy.tools import Known, Location, Tools
from sipsorcery.proxy.tracing import Tracing
from sipsorcery.proxy.transparency import Transparency
from sipsorcery.proxy.ways import Ways, nobody
from sipsorcery.store.secrets import Key
from sipsorcery.transaction.timers import Timers
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.layer import TransportLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    What a proxy has from elsewhere.

    :ivar key: what the secrets of branches and tags are made of.
    :ivar dialogues: reads the names of dialogues.
    :ivar here: the names of the servers that run in this process.
    :ivar dispatcher: knows the application servers, if there are several.
    """

    tokens: Tokens
    dialogues: DialogueNames
    transparency: Transparency
    key: Key
    events: Events
    known: Known
    public: PublicAddresses
    own: OwnAddresses
    trunks: Trunks
    local: LocalNetworks
    gate: Gate
    load: Load
    tracing: Tracing
    here: Collection[str] = ()
    dispatcher: Dispatcher | None = None


class _Trusted:
    """
    Those who are trusted on the inside socket.
    """

    def __init__(
        self, roles: Iterable[Endpoint], dispatcher: Dispatcher | None
    ) -> None:
        self._roles = frozenset(roles)
        self._dispatcher: Container[object] = () if dispatcher is None else dispatcher

    def __contains__(self, end: object) -> bool:
        return end in self._roles or end in self._dispatcher


def assemble(
    reactor: Any,
    config: Config,
    transport: TransportLayer,
    location: Location,
    script: Script,
    around: Surroundings,
) -> Switchboard:
    """
    Make what takes the messages of a transport layer, whose listeners are open.
    """
    tokens, key = around.tokens, around.key
    branches = around.tracing.branches = Branches(_derived(key, b"branch"))
    outgoing = Outgoing(tokens, around.own.have_realm)
    roles = role_addresses(config)
    dispatcher = around.dispatcher
    ways = Ways(
        transport,
        inside_address(config),
        _Trusted(roles.values(), dispatcher),
        secrets.token_bytes(INCARNATION_SIZE),
        public=around.public.of,
        is_trunk=around.trunks.include,
        instead_of=nobody if dispatcher is None else dispatcher.instead_of,
    )
    core = ProxyCore(around.own, _derived(key, b"core"))
    tools = Tools(
        ways=ways,
        express=Express(transport, ways, around.own, tokens, branches, outgoing),
        tokens=tokens,
        forwarder=Forwarder(
            transport, ways, tokens, branches, outgoing, around.transparency
        ),
        relays=Relays(
            *(reactor, transport, ways, branches, outgoing, location.failed),
            timers=Timers(t1=config.sip.t1),
        ),
        location=location,
        answers=Answers(transport, core, _derived(key, b"tag")),
        events=around.events,
        nat=Nat(around.local),
        gate=around.gate,
        load=around.load,
        registered=RegisteredFlows(reactor, around.gate),
        known=around.known,
        roles=roles,
        owner=Owners(around.dialogues, roles, dispatcher).find,
        attendance=Attendance(roles, around.here),
        dispatcher=dispatcher,
    )
    return Switchboard(reactor, Router(around.own, tokens, branches), script, tools)


def inside_address(config: Config) -> Endpoint | None:
    """
    Give the address of the inside socket, if the configuration has one.
    """
    inside = config.proxy.inside
    return None if inside is None else inside.endpoint


def role_addresses(config: Config) -> dict[str, Endpoint]:
    """
    Give the addresses of the roles that the configuration places, by their names.
    """
    sections: dict[str, Registrar | RegAgent | Notifier | AppServer] = {
        "registrar": config.registrar,
        "regagent": config.regagent,
        "notifier": config.notifier,
        "appserver": config.appserver,
    }
    return {
        name: section.listen.endpoint
        for name, section in sections.items()
        if section.enabled and section.listen is not None and section.listen.port
    }


def own_addresses(
    config: Config,
    listeners: Sequence[Listener],
    public: PublicAddresses,
    known: Known,
) -> OwnAddresses:
    """
    Give all that means us in a URI.
    """
    addresses = [each.sent_by for each in listeners]
    addresses += [HostPort(each.local.host, each.local.port) for each in listeners]
    addresses += [public.of(each) for each in listeners]
    if config.sip.public_address is not None:
        ports = [each.local.port for each in listeners]
        addresses += [HostPort(config.sip.public_address, port) for port in ports]
    accounts = known.accounts
    if accounts is None:
        return OwnAddresses(config.sip.domains, addresses)

    def serves(host: str, wildcard: bool) -> bool:
        # What is known of them at the moment: nobody may wait for a database here.
        return accounts.domains.find(host, wildcard=wildcard) is not None

    return OwnAddresses(config.sip.domains, addresses, serves)


def _derived(key: Key, purpose: bytes) -> bytes:
    return blake2s(key=key.secret, person=purpose).digest()
