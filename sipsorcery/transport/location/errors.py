"""
The error of whoever looks for a server and finds none.
"""

from __future__ import annotations

from sipsorcery.transport.errors import TransportError


class LocationError(TransportError):
    """
    Says that nothing leads to a host: what was asked, and what came of it.

    To a transaction user it is a transport error, like a connection that is refused.
    """
