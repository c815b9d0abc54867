"""
The secrets of the service: the same in every process and after a restart.

They lie in one file, which is made at the first start. Whoever can read it can pass for
the service, so nobody but its owner can.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from sipsorcery.store.errors import StoreDamaged
from sipsorcery.store.files import FileLock, replace_private

#: Octets of a secret: as many as SHA-256 and AES-256 take.
SIZE = 32
#: Seconds from making a key known to using it. Every process calls `Secrets.refresh`
#: more often than this, so that none is shown what it cannot verify.
SETTLING = 120.0

_FORM = 1
_IDENTIFIERS = 255  # one octet in a token; 0 is not used


class Purpose(StrEnum):
    """
    Name what a secret is for: one that comes out opens nothing else.
    """

    FLOW = "flow"  # flow tokens in Path and Record-Route
    NONCE = "nonce"  # Digest
    GRUU = "gruu"  # temporary GRUUs
    VIA = "via"  # Vias that travel in the one of transparent mode
    SNAPSHOT = "snapshot"  # dialplans that wait
    DIALOGUE = "dialogue"  # names of dialogues, and the credentials of their legs
    PASSWORD = "password"  # passwords at providers, in the directory


# Older keys that are kept when a new one is made, because what they have signed or
# sealed is still about: nonces for a minute, flow tokens and names of dialogues for as
# long as a call, temporary GRUUs for as long as somebody has one on paper. Passwords
# stay for ever.
_KEPT = {
    Purpose.FLOW: 4,
    Purpose.NONCE: 1,
    Purpose.GRUU: 16,
    Purpose.VIA: 1,
    Purpose.SNAPSHOT: 1,
    Purpose.DIALOGUE: 4,
    Purpose.PASSWORD: _IDENTIFIERS,
}


class Key(msgspec.Struct, frozen=True):
    """
    One secret.

    :ivar identifier: 1 to 255, which goes with everything it has signed or sealed.
    :ivar created: seconds since the epoch.
    """

    identifier: int
    secret: bytes
    created: float

    def __repr__(self) -> str:
        # Not in a log, whoever puts it there.
        return f"Key({self.identifier})"


class _File(msgspec.Struct):
    keys: dict[str, list[Key]]  # newest first; a purpose that we do not know stays
    form: int = _FORM


class Secrets:
    """
    The keys for each purpose.

    :param folder: the ``data_dir`` of the service.
    :param clock: gives the seconds since the epoch.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.file = folder / "secrets"
        self._lock = FileLock(folder / "secrets.lock")
        self._clock = clock
        self._keys: dict[str, list[Key]] = {}

    def load(self) -> None:
        """
        Read the file; make it, or the keys of a new purpose, where missing.

        :raises StoreDamaged: if it cannot be used, or others can read it.
        :raises OSError: if it cannot be read or made.
        """
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock:
            keys = self._read()
            missing = [each for each in Purpose if each not in keys]
            if missing:
                for purpose in missing:
                    keys[purpose] = [self._make(1)]
                self._write(keys)
        self._keys = keys

    def refresh(self) -> bool:
        """
        Take over what another process has changed; call it every minute.

        :return: whether `keys` gives something else than before.
        """
        before = {purpose: self.keys(purpose) for purpose in Purpose}
        self.load()
        return before != {purpose: self.keys(purpose) for purpose in Purpose}

    def keys(self, purpose: Purpose) -> tuple[Key, ...]:
        """
        Give the keys for a purpose: the first one signs and seals, each one verifies.
        """
        keys = self._keys[purpose]
        settled = self._clock() - SETTLING
        # The oldest one has nobody to be unknown to.
        first = next((key for key in keys if key.created <= settled), keys[-1])
        return (first, *(key for key in keys if key is not first))

    def rotate(self, purpose: Purpose) -> Key:
        """
        Make a new key, which is used after `SETTLING`, and drop the oldest ones.

        :raises StoreDamaged: if there is no identifier left.
        """
        with self._lock:
            keys = self._read()
            kept = keys[purpose][: _KEPT[purpose]]
            used = {key.identifier for key in kept}
            following = kept[0].identifier % _IDENTIFIERS + 1
            if following in used:
                raise StoreDamaged(f"there are {len(used)} keys for {purpose} already")
            fresh = self._make(following)
            keys[purpose] = [fresh, *kept]
            self._write(keys)
        self._keys = keys
        return fresh

    def _make(self, identifier: int) -> Key:
        return Key(identifier, secrets.token_bytes(SIZE), self._clock())

    def _read(self) -> dict[str, list[Key]]:
        try:
            mode = self.file.stat().st_mode
            content = self.file.read_bytes()
        except FileNotFoundError:
            return {}
        if mode & 0o077:
            raise StoreDamaged(
                f"others than its owner may read '{self.file}'. If nobody has, "
                f"'chmod 600 {self.file}' is enough; else remove it"
            )
        try:
            read = msgspec.json.decode(content, type=_File)
        except msgspec.MsgspecError as error:
            raise StoreDamaged(f"'{self.file}' cannot be read: {error}") from error
        if read.form != _FORM:
            raise StoreDamaged(f"'{self.file}' is of a newer version of sipsorcery")
        for purpose, keys in read.keys.items():
            if not keys or any(len(key.secret) != SIZE for key in keys):
                raise StoreDamaged(f"'{self.file}' has a bad key for {purpose}")
        return read.keys

    def _write(self, keys: dict[str, list[Key]]) -> None:
        content = msgspec.json.format(msgspec.json.encode(_File(keys)), indent=1)
        replace_private(self.file, content)
