"""
Neighbours that may send us calls without credentials. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from sipsorcery.config.tree import Trunk
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import canonical


def trunk_test(trunks: Sequence[Trunk]) -> Callable[[Flow], bool]:
    """
    Make what tells whether a flow is that of a trunk.

    It is by its address, or by a SIP domain that its certificate proves. A trunk that
    names both has to show both.
    """

    def is_trunk(flow: Flow) -> bool:
        return any(_is(trunk, flow) for trunk in trunks)

    return is_trunk


def _is(trunk: Trunk, flow: Flow) -> bool:
    if trunk.networks:
        address = ipaddress.ip_address(flow.address[0])
        if not any(address in network for network in trunk.networks):
            return False
    if trunk.tls_domains:
        shown = {canonical(each) for each in flow.identities}
        return any(canonical(each) in shown for each in trunk.tls_domains)
    return bool(trunk.networks)
