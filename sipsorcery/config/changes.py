"""
What a configuration that is read again changes, and what waits for a restart. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from sipsorcery.config.tree import Config

#: Sections, and keys, that hold as soon as they are read again. All others are about
#: sockets, stores and processes, which are there or not.
AT_ONCE = frozenset(
    (
        *("sip.domains", "sip.local_networks", "sip.tls_verify", "sip.tls_wildcards"),
        *("tls_target", "auth", "trunk", "user_agent", "limits", "log"),
        *("proxy.script", "proxy.dispatch_by", "proxy.dispatch_probe"),
        *("proxy.dispatch_interval", "proxy.dispatch_patience"),
        *("registrar.min_expires", "registrar.max_expires", "registrar.max_contacts"),
        *("registrar.keep_alive", "registrar.service_route"),
        *("watchtower.drain", "watchtower.settle"),
        *("watchtower.memory", "watchtower.age"),
        *("monitor.count", "monitor.bytes", "monitor.age"),
    )
)


@dataclass(frozen=True, slots=True)
class Changes:
    """
    The keys that differ, by their paths; arrays of tables count as one.

    :ivar at_once: those that hold at once.
    :ivar at_restart: those that hold after the next start.
    """

    at_once: tuple[str, ...] = ()
    at_restart: tuple[str, ...] = ()

    def apply(self, config: Config, wanted: Config) -> Config:
        """
        Give a configuration in which what holds at once is as wanted.
        """
        for path in self.at_once:
            section, _, key = path.partition(".")
            value = getattr(wanted, section)
            if key:
                value = getattr(value, key)
                value = replace(getattr(config, section), **{key: value})
            config = replace(config, **{section: value})
        return config


def compare(config: Config, wanted: Config) -> Changes:
    """
    Find what differs between the configuration that holds and the one that is wanted.
    """
    paths = list(_differing(config, wanted))
    return Changes(
        tuple(path for path in paths if holds_at_once(path)),
        tuple(path for path in paths if not holds_at_once(path)),
    )


def holds_at_once(path: str) -> bool:
    """
    Tell whether a key holds as soon as it is read again.
    """
    return path in AT_ONCE or path.partition(".")[0] in AT_ONCE


def _differing(config: Config, wanted: Config) -> Iterator[str]:
    for section in fields(Config):
        old, new = getattr(config, section.name), getattr(wanted, section.name)
        if old == new:
            continue
        if isinstance(new, tuple):
            yield section.name
            continue
        for key in fields(new):
            if getattr(old, key.name) != getattr(new, key.name):
                yield f"{section.name}.{key.name}"
