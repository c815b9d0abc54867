"""
The ports of our own servers: those left empty are chosen once and kept.

They have to stay what they are: the paths of stored bindings and the routes of calls in
progress name them.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from sipsorcery.config import Config
from sipsorcery.endpoint import ListenAddress, Transport
from sipsorcery.store.errors import StoreDamaged, StoreError
from sipsorcery.store.files import FileLock, replace_private

# Below those that systems give to whoever asks for any port (Linux: from 32768), so
# that a port is still free at the next start, and beside those of RTP (from 10000).
_PORTS = range(20_000, 30_000)
_LOOPBACK = ListenAddress(Transport.UDP, "127.0.0.1", 0)
# The key of each server's address in its section of the configuration.
_KEYS = {
    "proxy": "inside",
    "registrar": "listen",
    "regagent": "listen",
    "notifier": "listen",
    "appserver": "listen",
}


class _File(msgspec.Struct):
    ports: dict[str, int]  # one that we do not know stays


def settle(config: Config) -> Config:
    """
    Fill in where our own servers listen, for each that the configuration leaves open.

    Every process of a service gets the same, and so does the next start.

    :raises StoreDamaged: if the file with the ports cannot be used.
    :raises OSError: if it cannot be read or made.
    """
    wanted = {name: _configured(config, name) for name in _KEYS}
    if all(address.port for address in wanted.values()):
        return config
    folder = config.server.data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(folder / "ports.lock"):
        kept = _read(folder / "ports")
        ports = dict(kept)
        for name, address in wanted.items():
            if not address.port and name not in ports:
                ports[name] = _choose(address.host, {*_taken(config), *ports.values()})
        if ports != kept:
            replace_private(folder / "ports", msgspec.json.encode(_File(ports)))
    for name, address in wanted.items():
        if not address.port:
            address = replace(address, port=ports[name])
        section = replace(getattr(config, name), **{_KEYS[name]: address})
        config = replace(config, **{name: section})
    return config


def _configured(config: Config, name: str) -> ListenAddress:
    address: ListenAddress | None = getattr(getattr(config, name), _KEYS[name])
    return address or _LOOPBACK


def _taken(config: Config) -> Iterator[int]:
    """
    Give the UDP ports that the configuration names: most are not open yet.
    """
    for each in config.proxy.listen:
        if each.transport is Transport.UDP:
            yield each.port
    for name in _KEYS:
        yield _configured(config, name).port


def _choose(host: str, taken: Container[int]) -> int:
    # At random: several services on one machine that start together seldom meet.
    for port in random.sample(_PORTS, len(_PORTS)):
        if port not in taken and _is_free(host, port):
            return port
    raise StoreError(f"no port from {_PORTS[0]} to {_PORTS[-1]} of {host} is free")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _read(file: Path) -> dict[str, int]:
    try:
        ports = msgspec.json.decode(file.read_bytes(), type=_File).ports
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"'{file}' cannot be read: {error}") from error
    for name, port in ports.items():
        if not 0 < port < 2**16:
            raise StoreDamaged(f"'{file}' has {port} as the port of {name}")
    return ports
