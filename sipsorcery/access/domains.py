"""
The domains that we serve, by every name they have. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sipsorcery.config import DigestAlgorithm
from sipsorcery.store.directory import Domain
from sipsorcery.store.directory.names import ANY_HOST, LOCAL


@dataclass(frozen=True, slots=True)
class Served:
    """
    One domain.

    :ivar name: the canonical name, which is the realm.
    :ivar algorithms: what its challenges offer; None: what ``auth.algorithms`` says.
    """

    name: str
    algorithms: tuple[DigestAlgorithm, ...] | None = None


class Domains:
    """
    All domains at one moment.

    :param served: ``sip.domains``, each a domain by itself.
    :param stored: those of the directory.
    :param own: the hosts that are this service: its domain is the one with the alias
        ``local``, if there is one.
    """

    def __init__(
        self,
        served: Iterable[str],
        stored: Iterable[Domain] = (),
        own: Collection[str] = (),
    ) -> None:
        self._by_name = {comparable(name): Served(name) for name in served}
        aliases: dict[str, Served] = {}
        for domain in stored:
            one = Served(domain.name, domain.algorithms)
            self._by_name[comparable(domain.name)] = one
            aliases.update((comparable(alias), one) for alias in domain.aliases)
        self._rest = aliases.pop(ANY_HOST, None)
        local = aliases.pop(LOCAL, None)
        # A name of its own beats an alias, and an alias what an address is by itself.
        self._by_host = aliases | self._by_name
        if local is not None:
            for host in map(comparable, own):
                self._by_host.setdefault(host, local)

    def __iter__(self) -> Iterator[Served]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, host: str, *, wildcard: bool = True) -> Served | None:
        """
        Find the domain that a host stands for.

        :param host: as in a URI, without the port.
        :param wildcard: whether the domain with the alias ``*`` stands for hosts that
            nobody has. Then every host is one of ours.
        """
        rest = self._rest if wildcard else None
        return self._by_host.get(comparable(host), rest)

    def called(self, name: str) -> Served | None:
        """
        Give a domain by its canonical name.
        """
        return self._by_name.get(name)


@lru_cache(maxsize=4096)  # every request has a host or two, mostly the same ones
def comparable(host: str) -> str:
    """
    Bring a host into one spelling, an IPv6 address without brackets.
    """
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return host.lower().removesuffix(".")
