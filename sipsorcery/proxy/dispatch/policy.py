"""
How calls are dispatched, as the configuration says.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipsorcery.config import Config, DispatchBy, DispatchProbe


@dataclass(frozen=True, slots=True)
class Policy:
    """
    How calls are dispatched.

    :ivar interval: seconds between two probes of a server.
    :ivar patience: seconds without any answer after which a new call goes on to the
        next server.
    """

    by: DispatchBy = DispatchBy.CALL_ID
    probe: DispatchProbe = DispatchProbe.OPTIONS
    interval: float = 0.5
    patience: float = 1.0

    @classmethod
    def of_config(cls, config: Config) -> Policy:
        """
        Take what the configuration says.
        """
        proxy = config.proxy
        return cls(
            proxy.dispatch_by,
            proxy.dispatch_probe,
            proxy.dispatch_interval,
            proxy.dispatch_patience,
        )
