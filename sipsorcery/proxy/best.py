"""
Which of the final responses to a forked request goes back. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.sip.fields import PROXY_AUTHENTICATE, WWW_AUTHENTICATE
from sipsorcery.sip.response import Response

# "the proxy SHOULD give preference to responses that provide information affecting
# resubmission of this request, such as 401, 407, 415, 420, and 484" (16.7, 6).
_INFORMING = (401, 407, 415, 420, 484)
_CHALLENGES = (401, 407)


def best(responses: Sequence[Response]) -> Response:
    """
    Choose among final responses that are no 2xx (:rfc:`3261#section-16.7`, 6 and 7).

    A 6xx comes before all others, then the lowest class. A challenge carries those of
    all others, so that the client can answer all at once.

    :param responses: one at least, in the order that they came.
    :return: the chosen one, to which challenges of others were added.
    """
    chosen = min(responses, key=_rank)
    if chosen.status in _CHALLENGES:
        for other in responses:
            if other is not chosen and other.status in _CHALLENGES:
                for field in (WWW_AUTHENTICATE, PROXY_AUTHENTICATE):
                    for text in other.all(field.name):
                        chosen.add(field.name, text)
    return chosen


def _rank(response: Response) -> tuple[int, bool, bool]:
    kind = response.status // 100
    # A 503 speaks of one server, "and SHOULD NOT be forwarded" before anything else.
    is_overloaded = response.status == 503
    return (0 if kind == 6 else kind, is_overloaded, response.status not in _INFORMING)
