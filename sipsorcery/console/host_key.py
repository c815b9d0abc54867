"""
The key by which those who log in know this server again.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.ssh.keys import BadKeyError, Key

from sipsorcery.store.directory import keys
from sipsorcery.store.errors import StoreDamaged
from sipsorcery.store.files import FileLock, replace_private

NAME = "ssh_host_ed25519_key"


def host_key(folder: Path) -> Key:
    """
    Read the key, or make it at the first start.

    :raises StoreDamaged: if the file is no such key.
    :raises OSError: if it cannot be read or made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / NAME
    try:
        # Another server may make it at this moment.
        with FileLock(folder / f"{NAME}.lock"):
            if not file.exists():
                made = Key(Ed25519PrivateKey.generate())
                replace_private(file, made.toString("openssh"))
        key: Key = Key.fromString(file.read_bytes())
    except BadKeyError as error:
        raise StoreDamaged(f"'{file}' holds no key: {error}") from error
    if key.isPublic() or key.type() != "Ed25519":
        raise StoreDamaged(f"'{file}' holds no private key of Ed25519")
    return key


def fingerprint_of(key: Key) -> str:
    """
    Give the fingerprint as ``ssh`` shows it when it meets a server first.
    """
    return keys.fingerprint_of(key.public().blob())
