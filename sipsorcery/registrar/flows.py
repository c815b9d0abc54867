"""
Which bindings go when a connection does: an index in memory, of the tokens in paths.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from sipsorcery.endpoint import Transport
from sipsorcery.store.bindings import Bindings

_DATAGRAM = f"{Transport.UDP}:"
# Connections that have closed and are remembered, for a REGISTER that is overtaken by
# the end of its own connection: twice as many as a proxy has by default.
_REMEMBERED = 4096


class FlowIndex:
    """
    Finds the addresses-of-record whose bindings rest on a connection.

    It may know too many, never too few: whoever asks looks at the bindings themselves.
    """

    def __init__(self) -> None:
        # Nearly always one; a gateway registers several on one connection.
        self._aors: dict[str, set[str]] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._aors)

    def add(self, aor: str, bindings: Bindings) -> None:
        """
        Note bindings, before they are stored.
        """
        for token in _tokens(bindings):
            self._aors.setdefault(token, set()).add(aor)

    def settle(self, aor: str, before: Bindings, after: Bindings) -> None:
        """
        Forget what bindings rested on that have been replaced.
        """
        old = _tokens(before)
        for token in old.difference(_tokens(after)) if old else ():
            aors = self._aors.get(token)
            if aors is not None:
                aors.discard(aor)
                if not aors:
                    del self._aors[token]

    def close(self, token: str) -> Iterable[str]:
        """
        Forget a connection, and give the addresses-of-record that rest on it.
        """
        self._closed[token] = None
        if len(self._closed) > _REMEMBERED:
            self._closed.popitem(last=False)
        return self._aors.pop(token, ())

    def has_closed(self, tokens: Iterable[str]) -> bool:
        """
        Tell whether one of these connections is known to be gone.
        """
        return bool(self._closed) and any(each in self._closed for each in tokens)


def _tokens(bindings: Bindings) -> set[str]:
    # A UDP flow is never closed, and nine of ten phones use UDP.
    return {
        token
        for binding in bindings
        if not binding.received.startswith(_DATAGRAM)
        for token in binding.flow_tokens
    }
