"""
Neighbours that may send us calls without credentials. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.access.networks import Networks
from sipsorcery.config.tree import Trunk
from sipsorcery.transport.flow import Flow
from sipsorcery.transport.identity import canonical


class Trunks:
    """
    The neighbours of the configuration.

    One is known by its address, or by a SIP domain that its certificate proves. A trunk
    that names both has to show both.
    """

    def __init__(self, trunks: Sequence[Trunk]) -> None:
        self.replace(trunks)

    def replace(self, trunks: Sequence[Trunk]) -> None:
        """
        Know these from now on, and no others.
        """
        self._trunks = tuple(
            (trunk, Networks(trunk.networks), frozenset(map(canonical, domains)))
            for trunk in trunks
            # One that names neither would be everybody.
            if (domains := trunk.tls_domains) or trunk.networks
        )

    def __bool__(self) -> bool:
        return bool(self._trunks)

    def find(self, flow: Flow) -> Trunk | None:
        """
        Give the trunk that a flow is of, the first that fits; None: it is of none.
        """
        if not self._trunks:
            return None
        host, shown = flow.address[0], None
        for trunk, networks, domains in self._trunks:
            if trunk.networks and not networks.include(host):
                continue
            if domains:
                shown = shown or frozenset(map(canonical, flow.identities))
                if domains.isdisjoint(shown):
                    continue
            return trunk
        return None

    def include(self, flow: Flow) -> bool:
        """
        Tell whether a flow is that of a trunk.
        """
        return self.find(flow) is not None
