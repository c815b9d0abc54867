"""
What the keys of a configuration have to do with each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple, TypeAlias

from sipsorcery.config.faults import Fault
from sipsorcery.config.tree import Config
from sipsorcery.config.values import TLSVerify
from sipsorcery.endpoint import Transport

# The keys that a finding rests on, the one to name first, and the sentence. Where one
# of these keys could not be read there is nothing to find.
_Finding: TypeAlias = tuple[tuple[str, ...], str]

_ROLES = ("registrar", "regagent", "notifier", "appserver")


def check(config: Config, unread: Iterable[str] = ()) -> list[Fault]:
    """
    Find the faults that no key shows by itself.

    :param unread: paths of keys that could not be read and so hold their defaults.
    """
    unread = tuple(unread)
    return [
        Fault(keys[0], text)
        for rule in _RULES
        for keys, text in rule(config)
        if not any(_within(path, key) for path in unread for key in keys)
    ]


def _within(path: str, key: str) -> bool:
    """
    Tell whether *path* is *key* itself or a part of it.
    """
    return path == key or path.startswith((f"{key}.", f"{key}["))


def _expires(config: Config) -> Iterator[_Finding]:
    for name in ("registrar", "regagent", "notifier"):
        section = getattr(config, name)
        if section.min_expires > section.max_expires:
            yield (
                (f"{name}.min_expires", f"{name}.max_expires"),
                f"{section.min_expires} is more than {name}.max_expires "
                f"({section.max_expires})",
            )


def _algorithms(config: Config) -> Iterator[_Finding]:
    key = "auth.algorithms"
    if not config.auth.algorithms:
        yield (key,), "expected at least one algorithm"
    for name in _repeated(config.auth.algorithms):
        yield (key,), f"'{name}' is listed more than once"


def _user_agents(config: Config) -> Iterator[_Finding]:
    for i, each in enumerate(config.user_agent):
        key = f"user_agent[{i}]"
        shortest = config.registrar.min_expires
        if each.max_expires is not None and each.max_expires < shortest:
            yield (
                (f"{key}.max_expires", "user_agent", "registrar.min_expires"),
                f"{each.max_expires} is less than registrar.min_expires ({shortest})",
            )
        for name in _repeated(each.algorithms):
            yield (
                (f"{key}.algorithms", "user_agent"),
                f"'{name}' is listed more than once",
            )


def _tls(config: Config) -> Iterator[_Finding]:
    certificates, keys = config.proxy.tls_certificate, config.proxy.tls_key
    if len(certificates) != len(keys):
        yield (
            ("proxy.tls_key", "proxy.tls_certificate"),
            "expected a key for each certificate: "
            f"there are {len(certificates)} and {len(keys)}",
        )
    if config.proxy.tls_client_required and config.proxy.tls_client_ca is None:
        yield (
            ("proxy.tls_client_required", "proxy.tls_client_ca"),
            "has no use without proxy.tls_client_ca",
        )
    if config.sip.tls_verify is TLSVerify.PIN:
        yield ("sip.tls_verify",), "'pin' needs a [[tls_target]] with tls_pins"


def _tls_targets(config: Config) -> Iterator[_Finding]:
    for i, target in enumerate(config.tls_target):
        keys = (f"tls_target[{i}].tls_pins", "tls_target")
        if target.tls_verify is TLSVerify.PIN and not target.tls_pins:
            yield keys, "expected at least one, because tls_verify is 'pin'"
        if target.tls_verify is not TLSVerify.PIN and target.tls_pins:
            yield keys, f"has no use, because tls_verify is '{target.tls_verify}'"
    for name in _repeated(each.domain for each in config.tls_target):
        yield ("tls_target",), f"there is more than one for '{name}'"


def _trunks(config: Config) -> Iterator[_Finding]:
    for i, trunk in enumerate(config.trunk):
        if not trunk.networks and not trunk.tls_domains:
            yield (f"trunk[{i}]", "trunk"), "expected networks, tls_domains or both"
        if trunk.tls_domains and config.proxy.tls_client_ca is None:
            yield (
                (f"trunk[{i}].tls_domains", "trunk", "proxy.tls_client_ca"),
                "has no use without proxy.tls_client_ca",
            )
    for name in _repeated(each.name for each in config.trunk):
        yield ("trunk",), f"there is more than one of the name '{name}'"


def _hep(config: Config) -> Iterator[_Finding]:
    target = config.hep.target
    if target is not None and target.transport not in (Transport.UDP, Transport.TCP):
        yield ("hep.target",), f"expected udp: or tcp:, not {target}"


class _Socket(NamedTuple):
    """
    One socket that the configuration asks for.
    """

    key: str
    is_datagram: bool
    host: str
    port: int

    def collides(self, other: _Socket) -> bool:
        """
        Tell whether not both can be opened on one machine.
        """
        if self.port == 0 or self.port != other.port:
            return False
        if self.is_datagram != other.is_datagram:
            return False
        wildcard = "::" if ":" in self.host else "0.0.0.0"
        same_family = (":" in self.host) == (":" in other.host)
        return self.host == other.host or (
            same_family and wildcard in (self.host, other.host)
        )


def _sockets(config: Config) -> Iterator[_Socket]:
    for i, each in enumerate(config.proxy.listen):
        udp = each.transport is Transport.UDP
        yield _Socket(f"proxy.listen[{i}]", udp, each.host, each.port)
    roles = [name for name in _ROLES if getattr(config, name).enabled]
    for key, inside in [
        ("proxy.inside", config.proxy.inside),
        *((f"{name}.listen", getattr(config, name).listen) for name in roles),
    ]:
        if inside:
            yield _Socket(key, True, inside.host, inside.port)
    for name in ("ssh", "web", "metrics"):
        listen = getattr(config, name).listen
        if listen:
            yield _Socket(f"{name}.listen", False, listen.host, listen.port)


def _listeners(config: Config) -> Iterator[_Finding]:
    if not config.proxy.listen:
        yield ("proxy.listen",), "expected at least one address"
    for first, second in combinations(_sockets(config), 2):
        if first.collides(second):
            keys = (second.key, first.key, second.key.partition("[")[0], "proxy.listen")
            yield keys, f"port {second.port} is already taken by {first.key}"


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


_RULES = (
    _expires,
    _algorithms,
    _user_agents,
    _tls,
    _tls_targets,
    _trunks,
    _hep,
    _listeners,
)
