"""
Flows for tests that look at nothing but where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sipsorcery.endpoint import Endpoint
from sipsorcery.transport.flow import Flow


@dataclass
class _Seen:
    remote: Endpoint
    number: int
    identities: tuple[str, ...]

    @property
    def address(self) -> tuple[str, int]:
        return self.remote.host, self.remote.port


def flow(remote: str | Endpoint, *identities: str) -> Flow:
    """
    Make the flow of an address such as ``udp:192.0.2.1:5060``.

    :param identities: what its certificate proves.
    """
    where = Endpoint.parse(remote) if isinstance(remote, str) else remote
    number = 1 if where.transport.is_reliable else 0
    return cast(Flow, cast(Any, _Seen(where, number, identities)))
