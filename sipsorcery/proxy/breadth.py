"""
Into how many branches a request may still be split (:rfc:`5393#section-5`). Pure.

Each proxy on the way divides what it was given among its branches, so that all of them
together make no avalanche of one request.
"""

from __future__ import annotations

from sipsorcery.proxy.errors import Refused
from sipsorcery.sip.fields import MAX_BREADTH
from sipsorcery.sip.request import Request

# "it MUST add one with a default value that is RECOMMENDED to be 60"; and a higher one
# is brought down to that (5.3.3).
DEFAULT = 60


def shares(request: Request, branches: int) -> list[int]:
    """
    Give the Max-Breadth for each branch.

    :raises Refused: with 440, if it is not enough for one each.
    :raises ParseError: if the field cannot be read.
    """
    given = request.get(MAX_BREADTH)
    breadth = DEFAULT if given is None else min(given, DEFAULT)
    if breadth < branches:
        raise Refused(440, f"{branches} branches, and a Max-Breadth of {breadth}")
    each, more = divmod(breadth, branches)
    return [each + (number < more) for number in range(branches)]
