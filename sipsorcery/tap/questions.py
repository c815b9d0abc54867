"""
What every server answers on its control socket, whichever it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from sipsorcery import __version__
from sipsorcery.control import Verb
from sipsorcery.monitor.bus import Bus
from sipsorcery.tap.vitals import Vitals


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
