"""
What the owner of an account is told of its bindings.
"""

from __future__ import annotations

from collections.abc import Callable

from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.store.bindings import Binding


class Telling:
    """
    Emits events about bindings.

    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, bus: Bus, clock: Callable[[], float]) -> None:
        self._bus = bus
        self._clock = clock

    def wants(self, kind: EventKind) -> bool:
        """
        Tell whether anybody listens, where it takes work to find out what to say.
        """
        return self._bus.wants(kind)

    def tell(
        self,
        kind: EventKind,
        aor: str,
        owner: str,
        binding: Binding,
        message: str,
        reason: str = "",
    ) -> None:
        """
        Emit one, if anybody listens.
        """
        if not self._bus.wants(kind):
            return
        detail = {"aor": aor, "contact": binding.contact}
        if reason:
            message, detail["reason"] = f"{message}: {reason}", reason
        self._bus.emit(
            Event(
                time=self._clock(),
                server="registrar",
                kind=kind,
                owner=owner,
                call_id=binding.call_id,
                message=message,
                detail=detail,
            )
        )
