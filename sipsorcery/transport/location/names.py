"""
Host names: which of them DNS can be asked for, and which it should not. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from sipsorcery.transport.identity import canonical

# Underscores are those of services, and of hosts whose owners do not know better.
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}").fullmatch
# DNS can carry names of 253 characters (RFC 1035, 2.3.4), "_sips._tcp." included.
_MAX_NAME = 253 - len("_sips._tcp.")


def read_name(text: str) -> str | None:
    """
    Bring a host name into the spelling that DNS is asked in.

    :return: in lower case, A-labels, without the dot at the end; None if it is no name.
    """
    name = canonical(text)
    return name if len(name) <= _MAX_NAME and _NAME(name) else None


# Each request asks this several times over, mostly of the same few hosts.
@lru_cache(maxsize=1024)
def read_address(text: str) -> str | None:
    """
    Bring an IP address, without brackets, into its shortest form.

    :return: None if it is none.
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """
    Tell whether a name stands for this machine (:rfc:`6761#section-6.3`).
    """
    return name == "localhost" or name.endswith(".localhost")


def is_local(name: str) -> bool:
    """
    Tell whether a name means something only here, so that no domain is behind it.

    It is one without dots, or below ``.local`` (:rfc:`6762#section-3`).
    """
    return "." not in name or name.endswith((".local", ".localhost"))
