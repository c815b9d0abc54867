"""
All that dialplans can ask for, put together.
"""

from __future__ import annotations

from collections.abc import Mapping

from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.hosting.guest import (
    Arguments,
    Functions,
    Given,
    Guest,
    HostFunction,
)
from sipsorcery.appserver.plans.engine import HostError
from sipsorcery.store.errors import StoreError


def join(*parts: Functions) -> Functions:
    """
    Offer what each part offers.

    What goes wrong in a function is an error in the dialplan, and no more.
    """

    def functions(guest: Guest) -> Mapping[str, HostFunction]:
        return {
            name: _guarded(function)
            for part in parts
            for name, function in part(guest).items()
        }

    return functions


def _guarded(function: HostFunction) -> HostFunction:
    async def call(arguments: Arguments) -> Given:
        try:
            return await function(arguments)
        except (AppServerError, StoreError) as error:
            return HostError(str(error))

    return call
