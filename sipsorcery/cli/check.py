"""
``sipsorcery check``: tells all that is wrong with the configuration, or what would run.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.config import Config, ConfigError, Fault, find, load
from sipsorcery.proxy.listeners import split_listeners


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What there is to say about a configuration.
    """

    file: str | None  # None: the built-in defaults
    faults: tuple[Fault, ...] = ()
    listen: tuple[str, ...] = ()  # where "twistd sipsorcery" would listen
    notes: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """
        Tell whether a service would start with it.
        """
        return not self.faults

    def lines(self) -> Iterator[str]:
        """
        Put it into words: a fault a line, or a summary.
        """
        name = self.file or "built-in defaults"
        for fault in self.faults:
            yield f"{name}: {fault}"
        if self.is_ok:
            yield f"{name}: ok"
            for address in self.listen:
                yield f"listen: {address}"
            for note in self.notes:
                yield f"note: {note}"


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    summary = "tell all that is wrong with the configuration, or what would run"
    add_verb(verbs, "check", run, summary, reads=True)


def run(options: argparse.Namespace) -> int:
    """
    Print the report.

    :return: 0 if a service would start, else 1.
    """
    report = examine(find(options.config))
    if options.json:
        print(json.dumps({"ok": report.is_ok, **asdict(report)}, indent=2))
    else:
        for line in report.lines():
            print(line)
    return 0 if report.is_ok else 1


def examine(file: Path | None) -> Report:
    """
    Read a configuration and look whether the files that it names are there.

    :param file: the file; None for the built-in defaults.
    """
    name = None if file is None else str(file)
    try:
        config = load(file)
    except ConfigError as error:
        return Report(file=name, faults=error.faults)
    return Report(
        file=name,
        faults=tuple(_missing_files(config)),
        listen=tuple(map(str, split_listeners(config)[0])),
        notes=tuple(_notes(config)),
    )


def _missing_files(config: Config) -> Iterator[Fault]:
    """
    Find the files that a service only reads. Those it writes come in time.
    """
    named = [
        ("sip.tls_ca", config.sip.tls_ca),
        ("proxy.script", config.proxy.script),
        *(("proxy.tls_certificate", file) for file in config.proxy.tls_certificate),
        *(("proxy.tls_key", file) for file in config.proxy.tls_key),
        ("proxy.tls_client_ca", config.proxy.tls_client_ca),
    ]
    for key, file in named:
        if file is not None and _is_missing(file):
            yield Fault(key, f"there is no file '{file}'")


def _is_missing(file: Path) -> bool:
    try:
        return not file.is_file()
    except PermissionError:
        return False  # not ours to see, but perhaps the service's


def _notes(config: Config) -> Iterator[str]:
    now, later = split_listeners(config)
    secure = any(each.transport.is_secure for each in now)
    if secure and not config.proxy.tls_certificate:
        yield (
            "proxy.tls_certificate is not set: the proxy signs a certificate itself "
            "at its first start"
        )
    for address in later:
        yield f"this version has no WebSocket yet: it does not open {address}"
    if not config.monitor.enabled:
        yield (
            "monitor.enabled is false: twistd sipsorcery has no console, and keeps no "
            "events and traces of calls"
        )
    if not config.storage.live:
        yield (
            'storage.live = "local" is for one process: several application servers, '
            "or monitor, SSH and web as processes of their own, need Redis"
        )
