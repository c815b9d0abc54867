"""
Which of the configured listeners this version opens.
"""

from __future__ import annotations

from typing import TypeAlias

from sipsorcery.config import Config
from sipsorcery.endpoint import ListenAddress, Transport

# What can be configured today and comes with a later version.
_LATER = (Transport.WS, Transport.WSS)

_Addresses: TypeAlias = tuple[ListenAddress, ...]


def split_listeners(config: Config) -> tuple[_Addresses, _Addresses]:
    """
    Part the listeners that can be opened from those that come with a later version.
    """
    listen = config.proxy.listen
    return (
        tuple(each for each in listen if each.transport not in _LATER),
        tuple(each for each in listen if each.transport in _LATER),
    )
