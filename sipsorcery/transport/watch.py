"""
Who stands beside the traffic of a transport layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sipsorcery.transport.flow import Flow

#: Is given each message as it is on the wire, its flow, and whether it was received.
Tracer: TypeAlias = Callable[[bytes, Flow, bool], None]


@dataclass(slots=True)
class Watch:
    """
    Says what comes in, and sees everything. Neither may raise.

    :ivar admits: tells of a flow whether to look at what has just come on it; else that
        is dropped without a word, datagrams even before they are read. None: always.
    :ivar trace: sees each message; None: nobody does.
    """

    admits: Callable[[Flow], bool] | None = None
    trace: Tracer | None = None
