"""
Making the functions of dialplans for one server.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.interfaces import IResolver

from sipsorcery.access.accounts import Accounts
from sipsorcery.access.own import own_hosts
from sipsorcery.appserver.configured import Configured
from sipsorcery.appserver.hosting.accounts import AccountFunctions
from sipsorcery.appserver.hosting.callbacks import Actions, CallbackFunctions
from sipsorcery.appserver.hosting.clocks import ClockFunctions
from sipsorcery.appserver.hosting.current import CurrentFunctions
from sipsorcery.appserver.hosting.dressing import dressing
from sipsorcery.appserver.hosting.ended import ended
from sipsorcery.appserver.hosting.guest import Functions
from sipsorcery.appserver.hosting.joining import join
from sipsorcery.appserver.hosting.mail import MailFunctions
from sipsorcery.appserver.hosting.numbers import NumberFunctions
from sipsorcery.appserver.hosting.requests import Agent, RequestFunctions
from sipsorcery.appserver.hosting.tables import TableFunctions
from sipsorcery.appserver.hosting.values import ValueFunctions
from sipsorcery.appserver.hosting.web import WebFunctions
from sipsorcery.appserver.outside.addresses import is_public
from sipsorcery.appserver.outside.mail import Mail
from sipsorcery.appserver.outside.web import Web
from sipsorcery.config import Config
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory import Directory
from sipsorcery.store.live import LiveReader
from sipsorcery.transport.local import local_addresses
from sipsorcery.ua.resolver import system_resolver


def make_functions(
    reactor: Any,
    config: Config,
    *,
    accounts: Accounts,
    configured: Configured,
    directory: Directory,
    live: LiveReader,
    actions: Callable[[], Actions],
    agent: Agent,
    proxy: SIPURI,
    now: Callable[[], float],
    resolver: IResolver | None = None,
) -> Functions:
    """
    Make all that a dialplan can ask for but calls and responses.

    :param actions: gives what calls people back.
    :param agent: sends requests, to *proxy* first.
    :param now: gives the seconds since the epoch.
    :param resolver: asks DNS; None: the servers that the system names.
    """

    def is_allowed(address: str) -> bool:
        # The addresses of a machine come and go.
        return is_public(address, {*own_hosts(config), *local_addresses()})

    return join(
        dressing,
        ended,
        AccountFunctions(accounts, directory, live, now).of,
        CallbackFunctions(actions, reactor.seconds).of,
        ClockFunctions(now).of,
        CurrentFunctions(live, now).of,
        MailFunctions(_mail(reactor, config), reactor.seconds).of,
        NumberFunctions(resolver or system_resolver(reactor)).of,
        RequestFunctions(reactor, agent, proxy).of,
        TableFunctions(configured).of,
        ValueFunctions(directory).of,
        WebFunctions(Web(reactor, is_allowed)).of,
    )


def _mail(reactor: Any, config: Config) -> Mail | None:
    server, sender = config.mail.server, config.mail.sender
    if server is None or sender is None:
        return None
    where = server.host, server.port
    return Mail(reactor, where, sender, lambda: datetime.now(UTC))
