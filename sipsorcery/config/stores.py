"""
The addresses of the stores, read from TOML.

A string may hold a password: errors show it masked.
"""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple, TypeAlias

from sipsorcery.config.faults import shown_url
from sipsorcery.config.values import read_text
from sipsorcery.endpoint import HostPort

# scheme://authority/path?query (RFC 3986, appendix B). Not urlsplit: since 2023 it
# takes brackets only at the start of the authority, and a Sentinel list has more.
_PARTS = re.compile(r"([a-z+]+)://([^/?#\s]*)([^?#\s]*)(?:\?[^#\s]*)?").fullmatch


class _URL(NamedTuple):
    scheme: str
    netloc: str
    path: str


def read_directory(value: object) -> str:
    """
    Read where the directory is kept: ``sqlite`` or a ``postgresql://`` URL.
    """
    text = read_text(value)
    if text == "sqlite" or _is_postgresql(_split(text)):
        return text
    raise ValueError(
        f"expected 'sqlite' or 'postgresql://USER@HOST/DATABASE', not {shown_url(text)}"
    )


def read_live(value: object) -> tuple[str, ...]:
    """
    Read where the live state is kept: ``local``, a Redis URL, or a list of those.

    :return: the URLs, one for each shard; none for ``local``.
    """
    if value == "local":
        return ()
    urls = tuple(map(_read_redis, value if isinstance(value, list) else [value]))
    if not urls:
        raise ValueError("expected 'local' or at least one Redis URL, not []")
    if len(set(urls)) < len(urls):
        raise ValueError("names the same server for more than one shard")
    return urls


def _read_redis(value: object) -> str:
    text = read_text(value)
    if _is_redis(_split(text)):
        return text
    raise ValueError(
        "expected 'local', 'redis://HOST:PORT/DB' or "
        f"'redis+sentinel://HOST:PORT,.../SERVICE/DB', not {shown_url(text)}"
    )


def _is_postgresql(url: _URL | None) -> bool:
    # Without a host it is the socket in the file system.
    return url is not None and url.scheme == "postgresql" and len(url.path) > 1


def _is_redis(url: _URL | None) -> bool:
    if url is None or not url.netloc:
        return False
    match url.path.split("/")[1:]:
        case [] | [""]:
            return url.scheme == "redis"
        case [database] if url.scheme == "redis":
            return _is_number(database)
        case [service, *database] if service and url.scheme == "redis+sentinel":
            return not database or (len(database) == 1 and _is_number(database[0]))
    return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 5


def _split(text: str) -> _URL | None:
    """
    Split a URL whose authority is empty, or one or more ``HOST`` or ``HOST:PORT``.

    :return: None if it is not that.
    """
    match = _PARTS(text)
    if match is None:
        return None
    url = _URL(*match.groups())
    hosts = url.netloc.rpartition("@")[2]
    try:
        for host in hosts.split(",") if url.netloc else ():
            HostPort.parse(host, default_port=0)
    except ValueError:
        return None
    return url


Directory: TypeAlias = Annotated[str, read_directory]
Live: TypeAlias = Annotated[tuple[str, ...], read_live]
