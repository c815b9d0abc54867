"""
Which servers inside are there: those of our own process, and those who say so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sipsorcery.endpoint import Endpoint


class Attendance:
    """
    Remembers who is there.

    A server of another process asks us by OPTIONS how we are, and by that we know how
    it is. Whoever has been there is missed from then on: what is for it waits for it,
    and goes nowhere else.

    :param roles: where the servers inside are, by name. It may change.
    :param here: the names of those in our own process.
    """

    def __init__(
        self, roles: Mapping[str, Endpoint], here: Collection[str] = ()
    ) -> None:
        self._roles = roles
        self._here = set(here)

    def note(self, remote: Endpoint) -> None:
        """
        Hear from a server inside.
        """
        self._here.update(name for name, end in self._roles.items() if end == remote)

    def find(self, role: str) -> Endpoint | None:
        """
        Give the address of a server; None: it has never been there.
        """
        return self._roles.get(role) if role in self._here else None
