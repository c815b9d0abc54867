"""
The transactions that exist, found by their keys. Bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Keyed(Protocol):
    """
    A server transaction that remembers where in the table it stands.

    :ivar key: of :func:`~sipsorcery.transaction.key.server_key`.
    :ivar merge_key: of :func:`~sipsorcery.transaction.key.merge_key`, as long as it can
        be merged with.
    :ivar ack_key: of :func:`~sipsorcery.transaction.key.ack_key`, while it waits for an
        ACK.
    """

    key: str
    merge_key: str | None
    ack_key: str | None


K = TypeVar("K", bound=Keyed)


class ServerTable(Generic[K]):
    """
    The server transactions.

    :param limit: how many requests it takes; a CANCEL of one of them goes beyond, for
        it makes room, and there is one for each at most.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._transactions: dict[str, K] = {}
        self._merges: set[str] = set()
        self._acks: dict[str, K] = {}
        self._calls: dict[str, K] = {}
        self._call_keys: dict[str, str] = {}  # by the keys of their transactions

    def __len__(self) -> int:
        return len(self._transactions)

    @property
    def is_full(self) -> bool:
        """
        Whether no other request can be taken.
        """
        return len(self._transactions) >= self._limit

    @property
    def is_empty(self) -> bool:
        """
        Whether nothing at all is left.
        """
        return not (self._transactions or self._merges or self._acks or self._calls)

    @property
    def expects_acks(self) -> bool:
        """
        Whether any transaction waits for its ACK.
        """
        return bool(self._acks)

    def find(self, key: str) -> K | None:
        """
        Find the transaction with this key.
        """
        return self._transactions.get(key)

    def find_by_ack(self, ack_key: str) -> K | None:
        """
        Find the transaction that waits for this ACK.
        """
        return self._acks.get(ack_key)

    def find_by_call(self, call_key: str) -> K | None:
        """
        Find the transaction that is known by its call.
        """
        return self._calls.get(call_key)

    def is_merged(self, merge_key: str | None) -> bool:
        """
        Tell whether this request is here already and has only come another way.
        """
        return merge_key in self._merges

    def add(self, transaction: K) -> None:
        """
        Add a transaction with its keys.
        """
        self._transactions[transaction.key] = transaction
        if transaction.merge_key is not None:
            self._merges.add(transaction.merge_key)

    def expect_ack(self, transaction: K, ack_key: str) -> None:
        """
        Let a transaction be found by the ACK that it waits for.
        """
        transaction.ack_key = ack_key
        self._acks[ack_key] = transaction

    def know_by_call(self, transaction: K, call_key: str) -> None:
        """
        Let a transaction be found by the call that it is about, whatever the branch.
        """
        self._calls[call_key] = transaction
        self._call_keys[transaction.key] = call_key

    def allow_merge(self, transaction: K) -> None:
        """
        Take the next request like that of a transaction for a new one.
        """
        if transaction.merge_key is not None:
            self._merges.discard(transaction.merge_key)
            transaction.merge_key = None

    def remove(self, transaction: K) -> bool:
        """
        Remove a transaction.

        :return: whether it was there.
        """
        if self._transactions.get(transaction.key) is not transaction:
            return False
        del self._transactions[transaction.key]
        self.allow_merge(transaction)
        ack_key = transaction.ack_key
        if ack_key is not None and self._acks.get(ack_key) is transaction:
            del self._acks[ack_key]
        call_key = self._call_keys.pop(transaction.key, None)
        if call_key is not None:
            self._calls.pop(call_key, None)
        return True

    def close(self) -> None:
        """
        Be full from now on.
        """
        self._limit = 0

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._transactions.values()))
