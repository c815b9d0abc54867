"""
One line for each failed attempt, in a form that other programs rely on.

``docs/access.rst`` describes the lines, ``etc/fail2ban`` reads them. What a stranger
chooses stands behind what we know of them, in quotes and escaped, so that it can pass
for nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from twisted.logger import Logger

from sipsorcery.endpoint import Endpoint

# Longer names and products help nobody, and fill the disk.
_SHOWN = 64


class Reason(StrEnum):
    """
    Name why an attempt has failed, for the operator: its sender is not told.
    """

    UNKNOWN = "unknown-account"
    PASSWORD = "wrong-password"
    ADDRESS = "address-not-allowed"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    One request whose credentials were no good.

    :ivar name: the account that they are for, ``user@domain``, as claimed.
    :ivar product: the User-Agent field.
    """

    remote: Endpoint
    method: str
    name: str
    reason: Reason
    product: str = ""
    call_id: str = ""


# As an attribute of a class it would have the name of that class.
_log = Logger(namespace="sipsorcery.security")


class SecurityLog:
    """
    Writes the lines.
    """

    def failed(self, attempt: Attempt) -> None:
        """
        Write down a failed attempt.
        """
        _log.warn(
            "Failed {host} port={port} transport={transport} reason={reason} "
            "method={method} account={account} agent={agent}",
            host=attempt.remote.host,
            port=attempt.remote.port,
            transport=attempt.remote.transport.value,
            reason=attempt.reason.value,
            method=quoted(attempt.method),
            account=quoted(attempt.name),
            agent=quoted(attempt.product),
        )

    def banned(self, source: str, seconds: float, reason: str) -> None:
        """
        Write down that nobody listens to a source for a while.

        :param source: an address, or a network of IPv6.
        """
        _log.warn(
            "Banned {source} seconds={seconds} reason={reason}",
            source=source,
            seconds=round(seconds),
            reason=reason,
        )


def quoted(text: str) -> str:
    """
    Put text of a stranger into quotes: printable ASCII, the rest as JSON escapes it.
    """
    # json leaves but one control character as it is.
    return json.dumps(text[:_SHOWN]).replace("\x7f", "\\u007f")
