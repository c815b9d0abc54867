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
    :ivar inner: the dialplans of callees that the dial has begun, and that wait for
        dials of their own.
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
    inner: tuple[InnerRun, ...] = ()
    written: float = 0.0

    def later(self, seconds: float) -> RunState:
        """
        Give it as it is when some time has passed; its caller has waited meanwhile.
        """
        inner = tuple(
            msgspec.structs.replace(each, state=each.state.later(seconds))
            for each in self.inner
        )
        return msgspec.structs.replace(self, taken=self.taken + seconds, inner=inner)


class InnerRun(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """
    The run of a callee's dialplan, and the leg that it stands for.

    :ivar uri: of the leg, and so the next four.
    :ivar options: as a dial string has them; empty: none.
    :ivar username: of the account that is called.
    :ivar domain: likewise.
    :ivar plan: the name of its dialplan.
    :ivar version: the one that the run has begun with.
    :ivar language: the one that it is in.
    """

    uri: str
    to: str
    sender: str
    sender_name: str | None
    options: str
    username: str
    domain: str
    plan: str
    version: int
    language: str
    state: RunState
