"""
What a dialplan is told of the request that it decides about. Pure.
"""

from __future__ import annotations

from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.plans.engine import PlanRequest
from sipsorcery.appserver.plans.plans import Plan
from sipsorcery.sip.request import Request
from sipsorcery.store.directory import Account
from sipsorcery.store.directory.cdrs import Direction

# These prove who calls, and nobody who sees them shall be able to try passwords.
_SECRET = frozenset({"authorization", "proxy-authorization", "authentication-info"})


def describe(
    request: Request,
    caller: Caller,
    *,
    direction: Direction,
    account: Account,
    plan: Plan,
    received: str,
) -> PlanRequest:
    """
    Describe a request to the dialplan of an account.

    :param received: the address that it really came from.
    """
    return PlanRequest(
        method=request.method,
        caller=caller,
        direction=str(direction),
        owner=plan.owner,
        account=f"{account.username}@{account.domain}",
        plan=plan.name,
        uri=str(request.uri),
        fields=tuple(
            (name, value)
            for name, value in request.items()
            if name.lower() not in _SECRET
        ),
        body=request.body,
        received=received,
        time_zone=plan.time_zone,
    )
