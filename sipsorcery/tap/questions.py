"""
What servers answer on their control sockets.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sipsorcery import __version__
from sipsorcery.access.guard import Guard
from sipsorcery.access.offences import Ban
from sipsorcery.appserver.listing import Listing
from sipsorcery.control import ControlError, Verb
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.proxy.dispatch.dispatcher import Dispatcher
from sipsorcery.tap.vitals import Vitals
from sipsorcery.watchtower.service import WatchtowerService


def of_every_server(role: str, bus: Bus) -> Mapping[str, Verb]:
    """
    Give what every server answers: ``status``.
    """
    started = time.time()

    def status() -> dict[str, Any]:
        return {
            "role": role,
            "version": __version__,
            "pid": os.getpid(),
            "started": started,
            "events_dropped": bus.dropped,
        }

    return {"status": status}


def of_tables(vitals: Vitals, role: str) -> Mapping[str, Verb]:
    """
    Give what every server answers that has tables: ``tables``.
    """

    def tables() -> Awaitable[dict[str, int]]:
        return vitals.tables(role)

    return {"tables": tables}


def of_guard(guard: Guard, clock: Callable[[], float]) -> Mapping[str, Verb]:
    """
    Give what a server answers that has a guard: who is banned, and who shall be.

    :param clock: that which the guard is told the time by.
    """

    def bans() -> list[dict[str, Any]]:
        now = clock()
        return [_shown(ban, now) for ban in guard.bans(now)]

    def unban(address: str) -> bool:
        return guard.unban(_address(address))

    def explain(address: str) -> str:
        return guard.explain(_address(address), clock())

    def ban(address: str, seconds: float | None = None) -> str | None:
        return guard.ban(_address(address), seconds, clock())

    return {"bans": bans, "ban": ban, "unban": unban, "explain": explain}


def of_dispatcher(dispatcher: Dispatcher | None) -> Mapping[str, Verb]:
    """
    Give what a proxy answers that has a dispatch file: ``dispatch``.

    :param dispatcher: None: it has none, and nobody is probed.
    """

    def dispatch() -> list[dict[str, Any]]:
        if dispatcher is None:
            raise ControlError(
                "proxy.dispatch_file is not set: calls go to [appserver] listen"
            )
        return dispatcher.table()

    return {"dispatch": dispatch}


def of_watchtower(service: WatchtowerService) -> Mapping[str, Verb]:
    """
    Give what a watchtower answers: ``workers``, ``restart``.
    """

    def workers() -> list[dict[str, Any]]:
        return service.table()

    def restart(server: str = "") -> int:
        try:
            endpoint = Endpoint.parse(str(server)) if server else None
        except ValueError as error:
            raise ControlError(str(error)) from None
        return service.restart(endpoint)

    return {"workers": workers, "restart": restart}


def of_calls(listing: Listing) -> Mapping[str, Verb]:
    """
    Give what a server answers that has calls: ``calls``, ``hangup``.
    """

    def calls() -> list[dict[str, Any]]:
        return listing.calls()

    def hangup(call: str) -> bool:
        return listing.hang_up(str(call))

    return {"calls": calls, "hangup": hangup}


def _shown(ban: Ban, now: float) -> dict[str, Any]:
    return {
        "source": ban.source,
        "offence": ban.offence.value,
        "seconds": round(ban.until - now),
    }


def _address(text: object) -> str:
    try:
        return str(ipaddress.ip_address(str(text).removesuffix("/64")))
    except ValueError:
        raise ControlError(f"{str(text)[:64]!r} is no IP address") from None
