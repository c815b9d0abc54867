"""
What a server with a guard answers on its control socket.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from sipsorcery.access.guard import Guard
from sipsorcery.access.offences import Ban
from sipsorcery.control import ControlError, Verb


def of_guard(guard: Guard, clock: Callable[[], float]) -> Mapping[str, Verb]:
    """
    Give what it answers: ``bans``, ``ban``, ``unban``, ``explain``.

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
