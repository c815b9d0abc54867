"""
Which digest algorithms a challenge offers. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.access.domains import Served
from sipsorcery.config import DigestAlgorithm
from sipsorcery.config.tree import UserAgent
from sipsorcery.sip.digest import Algorithm

# What a rule looks at: no product has a longer name, and patterns take time.
_LONGEST = 256
# Products that are remembered: one is seen again with each request of a phone.
_KEPT = 1024

Algorithms = tuple[Algorithm, ...]


class DigestPolicy:
    """
    Chooses by domain and phone.

    Never by account: that would tell which accounts there are.

    :param default: ``auth.algorithms``.
    :param rules: ``[[user_agent]]``: the first that fits and names algorithms counts,
        before what the domain says, because it is there for phones that cannot do it.
    """

    def __init__(
        self, default: Sequence[DigestAlgorithm], rules: Sequence[UserAgent] = ()
    ) -> None:
        self._default = _read(default)
        self._rules = [(rule.pattern, _read(rule.algorithms)) for rule in rules]
        self._by_product: dict[str, Algorithms | None] = {}

    def algorithms(self, domain: Served, product: str | None) -> Algorithms:
        """
        Give what to offer, the preferred one first.

        :param product: the User-Agent field.
        """
        if self._rules and product is not None:
            ruled = self._ruled(product[:_LONGEST])
            if ruled is not None:
                return ruled
        return self._default if domain.algorithms is None else _read(domain.algorithms)

    def _ruled(self, product: str) -> Algorithms | None:
        try:
            return self._by_product[product]
        except KeyError:
            pass
        if len(self._by_product) >= _KEPT:
            self._by_product.clear()
        found = self._by_product[product] = next(
            (
                algorithms
                for pattern, algorithms in self._rules
                if algorithms and pattern.search(product)
            ),
            None,
        )
        return found


def _read(names: Sequence[DigestAlgorithm]) -> Algorithms:
    return tuple(_ALGORITHMS[name] for name in names)


_ALGORITHMS = {name: Algorithm(name.value) for name in DigestAlgorithm}
