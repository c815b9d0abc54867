"""
What a dialplan decides about, made of the request that has come. Pure.
"""

from __future__ import annotations

from sipsorcery.appserver.admission import Admitted
from sipsorcery.appserver.core import user_of
from sipsorcery.appserver.dial.template import Caller
from sipsorcery.appserver.plans.plan_request import describe
from sipsorcery.appserver.plans.story import Story
from sipsorcery.sip.fields import FROM, MAX_FORWARDS
from sipsorcery.sip.request import Request
from sipsorcery.sip.uri import SIPURI
from sipsorcery.store.directory.cdrs import Direction

# "SHOULD be 70" of a request that does not say (RFC 3261, 16.6).
_HOPS = 70


def tell_story(admitted: Admitted, request: Request, received: str) -> Story:
    """
    Tell the dialplan of who calls, or is called, what it decides about.

    :param received: the address that the request really came from.
    :raises ParseError: if the request breaks the grammar.
    """
    account, plan = admitted.account, admitted.plan
    direction = admitted.intent.direction
    sender = request[FROM]
    uri = sender.uri if isinstance(sender.uri, SIPURI) else None
    caller = Caller(
        user_of(request.uri),
        sender.display_name or "",
        user_of(sender.uri),
        "" if uri is None else uri.host,
    )
    hops = request.get(MAX_FORWARDS)
    return Story(
        account=account,
        plan=plan,
        direction=direction,
        caller=caller,
        sender=uri,
        network_id=account.network_id if direction is Direction.OUT else "",
        hops=_HOPS if hops is None else hops,
        before=frozenset({plan.key}),
        request=describe(
            request,
            caller,
            direction=direction,
            account=account,
            plan=plan,
            received=received,
        ),
    )
