"""
Looking numbers up in ENUM.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from twisted.internet.interfaces import IResolver

from sipsorcery.appserver.hosting.arguments import text
from sipsorcery.appserver.hosting.guest import Arguments, Guest, HostFunction
from sipsorcery.appserver.outside.enum import ENUMError
from sipsorcery.appserver.outside.numbers import look_up
from sipsorcery.appserver.plans.engine import Value

#: Numbers that a run looks up.
MAX_LOOKUPS = 20


class NumberFunctions:
    """
    Looks numbers up for dialplans.
    """

    def __init__(self, resolver: IResolver) -> None:
        self._resolver = resolver

    def of(self, guest: Guest) -> Mapping[str, HostFunction]:
        """
        Give the functions of a run.
        """
        return {"enum_lookup": partial(self._look_up, guest)}

    async def _look_up(self, guest: Guest, arguments: Arguments) -> Value:
        if not guest.may_use("enum_lookup", MAX_LOOKUPS):
            guest.note(f"looks nothing up: a run may {MAX_LOOKUPS} times at most")
            return None
        number = text(arguments, "number")
        try:
            uri = await look_up(self._resolver, number)
        except ENUMError as error:
            guest.note(f"finds no URI for {number}: {error}")
            return None
        guest.note(f"finds {uri or 'no URI'} for {number}")
        return uri
