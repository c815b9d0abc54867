"""
Files that are for the service alone: private, written whole, locked by one process.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType

from sipsorcery.store.errors import StoreInUse


def version_of(file: Path) -> object:
    """
    Give what is another value once a file has changed; None: it is not there.
    """
    try:
        found = file.stat()
    except OSError:
        return None
    # A file that was put in the place of another has its own inode.
    return found.st_mtime_ns, found.st_size, found.st_ino


def replace_private(file: Path, content: bytes) -> None:
    """
    Write a file that only its owner can read; at any moment it is the old or the new.
    """
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync(file.parent)


def _sync(folder: Path) -> None:
    """
    Let the names in a folder survive the loss of power.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileLock:
    """
    A lock between processes that ends with its holder, however that ends.

    The kernel keeps it (flock), so that nothing is left to clean up. The file says who
    had it last and is never removed: whoever removed it could lock another than the
    next one does.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._descriptor: int | None = None

    def take(self, *, wait: bool = False) -> None:
        """
        Take the lock.

        :param wait: wait for whoever has it; only for locks that are held for moments.
        :raises StoreInUse: if another has it.
        """
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreInUse(
                f"'{self.file}' is locked by another process"
                + (f" (its id: {holder})" if holder else "")
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """
        Let others have it; without effect if it is not held.
        """
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> None:
        self.take(wait=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
