"""
What the monitor answers on its control socket.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sipsorcery.control import ControlError, Verb
from sipsorcery.monitor.errors import FilterError, MonitorError
from sipsorcery.monitor.filter.filter import Filter, Viewer
from sipsorcery.monitor.json_form import to_json
from sipsorcery.monitor.service import MonitorService
from sipsorcery.monitor.window import Query


def of_monitor(monitor: MonitorService) -> Mapping[str, Verb]:
    """
    Give what a monitor answers: ``events``, ``call``.

    Whoever gets at the socket is the operator, and may look as any user.
    """

    async def events(
        filter: str = "",
        user: str = "",
        cursor: int = 0,
        limit: int = 100,
        call_id: str = "",
        since: float | None = None,
        until: float | None = None,
    ) -> dict[str, Any]:
        query = Query(call_id=str(call_id), since=_time(since), until=_time(until))
        try:
            wanted = Filter.parse(str(filter), _viewer(user), now=time.time())
            reading = monitor.view.read(wanted, _count(cursor), query, _count(limit))
            page = await reading
        except FilterError as error:
            raise ControlError(f"at {error.position + 1}: {error.text}") from error
        except MonitorError as error:
            raise ControlError(str(error)) from error
        return {
            "events": [to_json(event) for event in page.events],
            "cursor": page.cursor,
            "missed": page.missed,
            "is_last": page.is_last,
        }

    async def call(call: str, user: str = "") -> dict[str, Any]:
        try:
            story = await monitor.view.call(_viewer(user), str(call))
        except MonitorError as error:
            raise ControlError(str(error)) from error
        return {
            "calls": story.calls,
            "call_ids": story.call_ids,
            "events": [to_json(event) for event in story.events],
            "is_cut": story.is_cut,
        }

    return {"events": events, "call": call}


def _viewer(user: object) -> Viewer:
    return Viewer(str(user)) if user else Viewer("", is_admin=True)


def _count(value: object) -> int:
    if isinstance(value, int) and 0 <= value < 2**63:
        return value
    raise ControlError(f"{str(value)[:64]!r} is no number of events")


def _time(value: object) -> float | None:
    if value is None or isinstance(value, int | float):
        return value
    raise ControlError(f"{str(value)[:64]!r} is no time")
