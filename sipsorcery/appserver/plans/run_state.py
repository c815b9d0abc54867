"""
A run of a dialplan that waits for a dial, as another process can go on with it. Pure.
"""

from __future__ import annotations

import msgspec


class RunState(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """
    All that a run is, beside the story that it decides about.

    What it may do a few times only goes on being counted, so that a restart of the
    server gives nobody more of it.

    :ivar run: what its engine has dumped.
    :ivar taken: seconds since it has begun.
    :ivar own: seconds that the dialplan itself may still take.
    :ivar legs: how many it may still have.
    :ivar used: how often it has used what is counted.
    :ivar fields: what it wants said in what it dials, and so the next two.
    :ivar may_run_again: whether a redirection may let it run from the start.
    :ivar redirect: where it has been redirected, for which it runs again; empty:
        nowhere.
    :ivar written: when this was so, in seconds since the epoch.
    """

    run: bytes
    taken: float
    own: float
    legs: int
    used: dict[str, int] = {}
    fields: dict[str, str] = {}
    from_parts: tuple[str | None, str | None, str | None] = (None, None, None)
    content: tuple[str, bytes] | None = None
    may_run_again: bool = True
    redirect: str = ""
    written: float = 0.0
