"""
Scripts that mostly need not wait.

A coroutine that does not wait for anything runs to its end without a `Deferred`, which
would take more time than what most scripts do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from types import CoroutineType
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred


def begin(running: Awaitable[None]) -> Deferred[None] | None:
    """
    Let what a script has returned run as far as it can.

    :return: what it waits for the end of; None: it has ended. If it has failed, that
        is raised.
    """
    if isinstance(running, Deferred):
        return running
    if not isinstance(running, CoroutineType):
        return ensureDeferred(running)  # type: ignore[arg-type]  # or it says so itself
    try:
        waiting = running.send(None)
    except StopIteration:
        return None
    return Deferred.fromCoroutine(_go_on(running, waiting))


def _go_on(
    running: Coroutine[Any, Any, None], waiting: Any
) -> Generator[Any, Any, None]:
    """
    Pass on what a coroutine waits for, and what becomes of that.
    """
    while True:
        try:
            try:
                result = yield waiting
            except GeneratorExit:
                running.close()
                raise
            except BaseException as error:
                waiting = running.throw(error)
            else:
                waiting = running.send(result)
        except StopIteration:
            return
