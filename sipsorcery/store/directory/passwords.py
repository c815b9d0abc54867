"""
Hashes of the passwords of users.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred, DeferredSemaphore, fail

from sipsorcery.store.errors import StoreOverloaded
from sipsorcery.store.threads import Threads

_T = TypeVar("_T")

# Hashes at a time: each takes 64 MiB and a core for 0.1 s, and calls have to go on.
_PARALLEL = 2
# Logins that may wait for their turn, as long as somebody at a keyboard would: 2 s.
_WAITING = 40

#: Argon2id (:rfc:`9106`) with 64 MiB and two passes in one lane: what OWASP asks for,
#: several times over.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=65_536, parallelism=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """
    What came out about a password.

    :ivar is_right: whether it is the one of the hash.
    :ivar better_hash: one to store instead, where the old one was made with less work.
    """

    is_right: bool
    better_hash: str | None = field(default=None, repr=False)


class Passwords:
    """
    Hashes and verifies passwords in threads, few at a time.

    :param hasher: with which new hashes are made.
    """

    def __init__(self, threads: Threads, hasher: PasswordHasher = HASHER) -> None:
        self._threads = threads
        self._hasher = hasher
        self._turns = DeferredSemaphore(_PARALLEL)
        self._nobody: str | None = None

    def hash(self, password: str) -> Deferred[str]:
        """
        Make the hash to store.
        """
        return self._run(self._hasher.hash, password)

    def check(self, stored: str | None, password: str) -> Deferred[Checked]:
        """
        Check a password; where no hash is stored it is wrong, after the same time.

        :raises StoreOverloaded: through the Deferred, if too many wait already.
        """
        return self._run(self._check, stored, password)

    def _run(self, work: Callable[..., _T], *arguments: object) -> Deferred[_T]:
        if len(self._turns.waiting) >= _WAITING:
            return fail(StoreOverloaded("too many passwords wait to be checked"))
        return self._turns.run(self._threads.run, work, *arguments)

    def _check(self, stored: str | None, password: str) -> Checked:
        if stored is None:
            if self._nobody is None:
                self._nobody = self._hasher.hash(secrets.token_hex())
            self._matches(self._nobody, password)
            return Checked(is_right=False)
        if not self._matches(stored, password):
            return Checked(is_right=False)
        if not self._hasher.check_needs_rehash(stored):
            return Checked(is_right=True)
        return Checked(is_right=True, better_hash=self._hasher.hash(password))

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
