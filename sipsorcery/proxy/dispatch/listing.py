"""
The dispatch file, and what becomes of it while the proxy runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from sipsorcery.dispatch.file import Entry, Listing, read
from sipsorcery.endpoint import Transport
from sipsorcery.store.files import version_of

# Seconds between two looks at the file.
_LOOK = 0.25
# How servers can be reached: TLS would need certificates that prove their addresses.
_TRANSPORTS = (Transport.UDP, Transport.TCP)


class DispatchFile:
    """
    Reads the file, and again when it has changed.

    It is read once it has stayed as it is for one look: whoever writes into it, in
    place of putting another one there, may not have written all of it. One that cannot
    be used, or that names nobody, counts as none.

    :param file: need not be there yet.
    :param take: gets the servers; never none.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        file: Path,
        take: Callable[[Sequence[Entry]], object],
    ) -> None:
        self._file = file
        self._take = take
        self._read: object = None  # the version that was read last
        self._seen: object = None  # that of the last look
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def start(self) -> None:
        """
        Read it, and begin to look.
        """
        self._seen = version_of(self._file)
        self._looking.start(_LOOK)

    def stop(self) -> None:
        """
        Look no more.
        """
        if self._looking.running:
            self._looking.stop()

    def _look(self) -> None:
        version = version_of(self._file)
        is_settled, self._seen = version == self._seen, version
        if version == self._read or not is_settled:
            return
        self._read = version
        try:
            listing = read(self._file)
        except (OSError, ValueError) as error:
            self._log.error(
                "The dispatch file '{file}' cannot be used, and what was known stays: "
                "{error}",
                file=str(self._file),
                error=error,
            )
            return
        for fault in _faults(listing):
            self._log.error("'{file}', {fault}", file=str(self._file), fault=fault)
        entries = [e for e in listing.entries if e.endpoint.transport in _TRANSPORTS]
        if not entries:
            self._log.error(
                "The dispatch file '{file}' names no server; those before stay",
                file=str(self._file),
            )
            return
        self._take(entries)
        self._log.info(
            "{count} application servers in '{file}'",
            count=len({entry.endpoint for entry in entries}),
            file=str(self._file),
        )


def _faults(listing: Listing) -> Iterator[str]:
    yield from map(str, listing.faults)
    for entry in listing.entries:
        if entry.endpoint.transport not in _TRANSPORTS:
            yield f"{entry.endpoint}: the way inside is UDP or TCP"
