"""
What the application server tells the monitor.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

from sipsorcery.appserver.calls.connection import Connection
from sipsorcery.appserver.counters import CallCounters
from sipsorcery.endpoint import Endpoint
from sipsorcery.monitor.bus import Bus
from sipsorcery.monitor.event import Event, EventKind
from sipsorcery.monitor.masking import mask_text

_SERVER = "appserver"


class Events:
    """
    Makes the events of the application server.

    :param clock: gives the seconds since the epoch.

    :ivar counters: count the same for those who want numbers only.
    """

    def __init__(self, bus: Bus, clock: Callable[[], float] = time) -> None:
        self.counters = CallCounters()
        self._bus = bus
        self._clock = clock

    def overloaded(self, text: str) -> None:
        """
        Tell that calls are turned away because there is too much to do.
        """
        if self._bus.wants(EventKind.OVERLOAD):
            self._bus.emit(
                Event(
                    time=self._clock(),
                    server=_SERVER,
                    kind=EventKind.OVERLOAD,
                    message=f"the application server has too much to do: {text}",
                )
            )

    def unstored(self, connection: Connection, text: str) -> None:
        """
        Tell that a call goes on without a record that others could take it up from.
        """
        self.emit(
            EventKind.STORE_UNAVAILABLE,
            f"a call goes on unstored: {text}",
            call=connection.id,
            call_id=connection.caller.dialog.id.call_id,
            owner=connection.owner,
            store="live",
        )

    def agreed(self, connection: Connection) -> None:
        """
        Tell that the parties of a call have agreed anew, as when one is put on hold.
        """
        if self.wants(EventKind.CALL_UPDATED):
            self.emit(
                EventKind.CALL_UPDATED,
                "the parties have agreed anew",
                call=connection.id,
                call_id=connection.caller.dialog.id.call_id,
                owner=connection.owner,
            )

    def belongs(
        self, owner: str, call: str, call_id: str, name: str, value: str
    ) -> None:
        """
        Tell whose the traces of a transaction are.

        :param name: ``branch`` of the proxy's Via, or ``origin`` of ours.
        """
        self._bus.emit(
            Event(
                time=self._clock(),
                server=_SERVER,
                kind=EventKind.OWNER_KNOWN,
                owner=owner,
                call_id=call_id,
                dialogue=call,
                message=f"this request is of a call of {owner}",
                detail={name: value},
            )
        )

    def wants(self, kind: EventKind) -> bool:
        """
        Tell whether anybody listens to a kind; else nothing need be written for it.
        """
        return self._bus.wants(kind)

    def emit(
        self,
        kind: EventKind,
        message: str,
        *,
        call: str,
        call_id: str,
        owner: str = "",
        remote: Endpoint | None = None,
        **detail: str,
    ) -> None:
        """
        Tell what a call does.

        :param call: its identifier, which its dialogue has as well.
        :param owner: whose it is; "": nobody knows yet.
        """
        if not self.wants(kind):
            return
        self._bus.emit(
            Event(
                time=self._clock(),
                server=_SERVER,
                kind=kind,
                owner=owner,
                call_id=call_id,
                dialogue=call,
                remote=remote,
                message=mask_text(message),
                detail={
                    "call": call,
                    **{name: mask_text(text) for name, text in detail.items()},
                },
            )
        )
