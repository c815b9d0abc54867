"""
The parts of a proxy, put together for the sockets that it has.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import blake2s
from typing import Any

from sipsorcery.access.trunks import trunk_test
from sipsorcery.config import Config
from sipsorcery.config.tree import AppServer, Notifier, RegAgent, Registrar
from sipsorcery.endpoint import Endpoint, HostPort
from sipsorcery.proxy.answers import Answers
from sipsorcery.proxy.branch import Branches
from sipsorcery.proxy.core import ProxyCore
from sipsorcery.proxy.facade import Location, Lookup, Tools
from sipsorcery.proxy.forward import Forwarder
from sipsorcery.proxy.loading import Script
from sipsorcery.proxy.outgoing import Outgoing
from sipsorcery.proxy.own import OwnAddresses
from sipsorcery.proxy.relay import Relays
from sipsorcery.proxy.routing import Router
from sipsorcery.proxy.switchboard import Switchboard
from sipsorcery.proxy.token import INCARNATION_SIZE, Tokens
from sipsorcery.proxy.ways import Ways
from sipsorcery.store.secrets import Key
from sipsorcery.transport.flow import Listener
from sipsorcery.transport.layer import TransportLayer


def assemble(
    reactor: Any,
    config: Config,
    transport: TransportLayer,
    location: Location,
    script: Script,
    keys: Sequence[Key],
    lookup: Lookup | None = None,
) -> Switchboard:
    """
    Make what takes the messages of a transport layer, whose listeners are open.

    :param keys: those for flow tokens, as `Secrets.keys` gives them.
    :param lookup: None: this proxy knows no users.
    """
    inside = inside_address(config)
    own = own_addresses(config, transport.listeners)
    tokens = Tokens(keys)
    # From the oldest key: it stays when a new one comes, and with it what is under way.
    branches = Branches(_derived(keys[-1], b"branch"))
    outgoing = Outgoing(tokens)
    roles = role_addresses(config)
    ways = Ways(
        transport,
        inside,
        frozenset(roles.values()),
        secrets.token_bytes(INCARNATION_SIZE),
        public=config.sip.public_address,
    )
    core = ProxyCore(own, _derived(keys[-1], b"core"))
    tools = Tools(
        ways=ways,
        tokens=tokens,
        forwarder=Forwarder(transport, ways, tokens, branches, outgoing),
        relays=Relays(reactor, transport, ways, branches, outgoing, location.failed),
        location=location,
        answers=Answers(transport, core, _derived(keys[-1], b"tag")),
        is_trunk=trunk_test(config.trunk),
        lookup=lookup,
        roles=roles,
    )
    return Switchboard(reactor, Router(own, tokens, branches), script, tools)


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


def own_addresses(config: Config, listeners: Sequence[Listener]) -> OwnAddresses:
    """
    Give all that means us in a URI.
    """
    addresses = [each.sent_by for each in listeners]
    addresses += [HostPort(each.local.host, each.local.port) for each in listeners]
    public = config.sip.public_address
    if public is not None:
        addresses += [HostPort(public, each.local.port) for each in listeners]
    return OwnAddresses(config.sip.domains, addresses)


def _derived(key: Key, purpose: bytes) -> bytes:
    return blake2s(key=key.secret, person=purpose).digest()
