"""
The hosts that are this service, as far as the configuration and the machine tell.
"""

from __future__ import annotations

from sipsorcery.config import Config
from sipsorcery.transport.local import expand, local_addresses


def own_hosts(config: Config) -> frozenset[str]:
    """
    Give the names and addresses by which others reach this service without a domain.
    """
    addresses = local_addresses()
    hosts = {"localhost", "127.0.0.1", "::1"}
    for configured in config.proxy.listen:
        for listen in expand(configured, addresses):
            hosts.add(listen.host)
        if configured.advertise is not None:
            hosts.add(configured.advertise.host)
    if config.sip.public_address is not None:
        hosts.add(config.sip.public_address)
    return frozenset(hosts)
