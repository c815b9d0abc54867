"""
Asking the DNS servers that the system names.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from twisted.names import client, dns

_FILE = Path("/etc/resolv.conf")
_LOCAL = "127.0.0.1"  # what resolv.conf(5) says of a system that names none


def system_resolver(reactor: Any, file: Path = _FILE) -> client.Resolver:
    """
    Make a resolver that asks the servers of ``resolv.conf``, as they are now.

    Twisted's own way to read the file looks at it again every minute, for ever.
    """
    servers = [(host, dns.PORT) for host in _nameservers(file)]
    return client.Resolver(servers=servers, reactor=reactor)


def _nameservers(file: Path) -> list[str]:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    named = [each[1] for each in words if each[:1] == ["nameserver"] and len(each) > 1]
    # Twisted asks from a socket of IPv4.
    return [host for host in named if _is_ipv4(host)] or [_LOCAL]


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
