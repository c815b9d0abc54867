"""
A look at responses before they go back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sipsorcery.proxy.arrival import Arrival
from sipsorcery.sip.response import Response
from sipsorcery.transport.flow import Flow

#: Takes a response, the flow it came by, its branch, and what is to be done with it.
Review: TypeAlias = Callable[[Response, Flow, str | None, Callable[[], None]], None]

#: Hears of a response, the way that it came, and the flow that it goes back on.
Passed: TypeAlias = Callable[[Response, Arrival, Flow], None]


def pass_unseen(
    response: Response, flow: Flow, branch: str | None, then: Callable[[], None]
) -> None:
    """
    Go on without a look.
    """
    then()


def not_noted(response: Response, arrival: Arrival, back: Flow) -> None:
    """
    Take no note.
    """
