"""
Who may cancel what.

A CANCEL cannot be challenged, and whoever was sent the INVITE knows all that names it.
"Generally, a CANCEL request SHOULD be accepted by a server if it comes from the same
hop that sent the request being canceled" (:rfc:`3261#section-22.1`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sipsorcery.transport.flow import Flow

#: Tells whether a CANCEL on the first flow may end an INVITE that came on the second.
MayCancel: TypeAlias = Callable[[Flow, Flow], bool]


def is_same_hop(flow: Flow, of: Flow) -> bool:
    """
    Tell whether two flows are of one host.

    A NAT may have given it another port meanwhile, and a client another connection.
    """
    return flow.address[0] == of.address[0]
