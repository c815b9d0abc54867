"""
The calls in progress, as an operator sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sipsorcery.appserver.calls.call import Call
from sipsorcery.appserver.calls.calls import Calls
from sipsorcery.appserver.calls.connection import Connection, Connections

# What call detail records say of a call that somebody ends who is no party to it.
_REASON = "hung up by an administrator"


class Listing:
    """
    Lists calls, whether they ring or are established, and hangs them up.
    """

    def __init__(self, calls: Calls, connections: Connections) -> None:
        self._calls = calls
        self._connections = connections

    def calls(self) -> list[dict[str, Any]]:
        """
        Give an object for each call.
        """
        return list(self._all())

    def hang_up(self, call: str) -> bool:
        """
        End a call on both sides.

        :param call: its identifier.
        :return: whether there is one.
        """
        connection = self._connections.find(call)
        if connection is not None:
            connection.hang_up(_REASON)
            return True
        ringing = self._calls.find(call)
        if ringing is None:
            return False
        ringing.hang_up(_REASON)
        return True

    def _all(self) -> Iterator[dict[str, Any]]:
        for connection in self._connections:
            yield _of_connection(connection)
        for call in self._calls:
            # An answered one may still be there as what has set it up.
            if self._connections.find(call.id) is None:
                yield _of_call(call)


def _of_connection(connection: Connection) -> dict[str, Any]:
    sessions = connection.caller, connection.callee
    return {
        "id": connection.id,
        "owner": connection.owner,
        "account": connection.account,
        "direction": str(connection.direction),
        "state": "established",
        "caller": str(connection.caller.peer),
        "callee": str(connection.callee.peer),
        "call_ids": [session.dialog.call_id for session in sessions],
        "started": connection.started,
        "answered": connection.answered,
        "limit": connection.limit,
    }


def _of_call(call: Call) -> dict[str, Any]:
    told = call.chronicle
    return {
        "id": call.id,
        "owner": told.owner,
        "account": "" if told.account is None else told.account.aor,
        "direction": str(told.direction),
        "state": "being set up",
        "caller": str(call.caller.peer),
        "callee": str(call.caller.dialog.local.uri),
        "call_ids": [call.caller.dialog.call_id],
        "started": told.started,
        "answered": None,
        "limit": None,
    }
