"""
Servers that share the live state: each says over and over that it lives.
"""

from __future__ import annotations

import msgspec

from sipsorcery.store.live.kind import Kind


class Presence(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    A server that lives, until its record is due. Its key is where it listens.

    :ivar incarnation: what its process drew at its start.
    """

    incarnation: str


#: What the live state calls them.
SERVERS = Kind("server", Presence)
