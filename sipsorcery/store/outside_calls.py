"""
Calls that leave the service: those that go on, and those that were begun lately.

They are counted by their owner, whichever process has them. A record of one that goes
on is a lease: it lasts no longer than its server says that it goes on.
"""

from __future__ import annotations

import msgspec

from sipsorcery.store.live.kind import Kind


class OutsideCall(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """
    One call.

    :ivar begun: when, in seconds since the epoch.
    """

    begun: float


#: What the live state calls them: those that go on, and those that were begun lately.
OUTSIDE_CALLS = Kind("outside-call", OutsideCall)
BEGUN_CALLS = Kind("outside-call-begun", OutsideCall)
