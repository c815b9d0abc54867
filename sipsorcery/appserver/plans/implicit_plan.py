"""
What is done for an account that has no dialplan. Pure.

A call to it rings its phones. A call from it reaches the accounts here, and nobody
else: what leaves us may cost money, and so is for a dialplan to allow.
"""

from __future__ import annotations

from sipsorcery.appserver.plans.engine import (
    End,
    HostCall,
    HostError,
    PlanRequest,
    Step,
    Value,
)


class ImplicitRun:
    """
    One run: a single dial.
    """

    async def resume(self, value: Value | HostError) -> Step:
        """
        Pass on what the dial has come to.
        """
        match value:
            case {"status": int(status), "reason": str(reason)} if 300 <= status < 700:
                return End(status, reason)
        return End(480, "All forwards failed")

    def dump(self) -> bytes:
        """
        Give nothing: a run that waits knows no more than one that has just begun.
        """
        return b""


class ImplicitEngine:
    """
    The engine of the plan that nobody has written. Its script is a dial string.
    """

    async def start(
        self, script: str, request: PlanRequest
    ) -> tuple[ImplicitRun, Step]:
        """
        Start a run.
        """
        return ImplicitRun(), HostCall("dial", {"to": script})

    def restore(self, dumped: bytes, request: PlanRequest) -> ImplicitRun:
        """
        Go on with a run that waits.
        """
        return ImplicitRun()


def script_for(domain: str) -> str:
    """
    Write the dial string for a call to a user of a domain.

    Whom is filled in when it is read, as everywhere: what a caller dials adds nothing.
    """
    return f"${{dst}}@{domain}"
