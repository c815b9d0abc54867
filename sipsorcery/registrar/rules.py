"""
What phones may have: for how long, how many of them, and how they are answered. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from sipsorcery.config import Config


@dataclass(frozen=True, slots=True)
class Rules:
    """
    The rules for one kind of phone.

    :ivar min_expires: seconds; a shorter registration is refused.
    :ivar max_expires: seconds; a longer one is cut.
    :ivar max_contacts: of one address-of-record.
    :ivar contact_list: whether the answer lists all bindings; else only those that the
        request was about.
    """

    min_expires: int = 60
    max_expires: int = 3600
    max_contacts: int = 10
    contact_list: bool = True


class RuleBook:
    """
    Finds the rules for a phone by what it calls itself.
    """

    def __init__(self, config: Config) -> None:
        own = config.registrar
        self._default = Rules(own.min_expires, own.max_expires, own.max_contacts)
        self._tables = config.user_agent
        # A site has some dozens of kinds of phones. Strangers do not get this far.
        self.of = lru_cache(maxsize=512)(self._find)

    def _find(self, user_agent: str) -> Rules:
        """
        Give the rules of the first table whose pattern is found.

        :param user_agent: empty: unknown.
        """
        for table in self._tables if user_agent else ():
            if table.pattern.search(user_agent):
                return replace(
                    self._default,
                    max_expires=table.max_expires or self._default.max_expires,
                    contact_list=table.contact_list,
                )
        return self._default
