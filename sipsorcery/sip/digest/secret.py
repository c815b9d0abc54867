"""
What is held of a user to prove or to check who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sipsorcery.sip.digest.algorithm import Algorithm, compute_ha1


@dataclass(frozen=True, slots=True)
class Secret:
    """
    A user name with its password, or with an HA1 for each algorithm.

    A server holds HA1 values only; a client may hold either. Neither shows in a
    ``repr``.

    :ivar ha1: by the algorithm without ``-sess``; lower-case hexadecimal, and good for
        one realm only.
    """

    username: str
    password: str | None = field(default=None, repr=False)
    ha1: Mapping[Algorithm, str] = field(default_factory=dict, repr=False)

    def ha1_for(self, algorithm: Algorithm, realm: str) -> str | None:
        """
        Return HA1 for *algorithm*; ``None`` if nothing here yields one.
        """
        if self.password is not None:
            return compute_ha1(self.username, realm, self.password, algorithm)
        return self.ha1.get(algorithm.base)
