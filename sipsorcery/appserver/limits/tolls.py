"""
Which numbers cost too much to be called by accident, or by a thief. Pure.

Who steals a password calls numbers abroad, or numbers that pay whoever has them, all
weekend long. So these are closed until their owner opens them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

#: Stands for every country in `TollPolicy`.
ANYWHERE = "*"

Judgement: TypeAlias = Literal["foreign", "premium"]

# What people write into numbers for their eyes.
_ORNAMENTS = re.compile(r"[\s().\-/]")
_NUMBER = re.compile(r"\+?[0-9]{3,32}")
# Numbers of no country: satellites, networks of the world, shared revenue.
_COSTLY = ("870", "878", "881", "882", "883", "888", "979")
# Numbers that pay whoever has them, by the code of the country, as they are dialled in
# it without the digit that begins long distance calls.
_PREMIUM = {
    "1": ("900", "976"),
    "27": ("86", "90"),
    "31": ("90",),
    "32": ("90", "70"),
    "33": ("89",),
    "34": ("80", "90", "118"),
    "39": ("89", "199"),
    "41": ("90",),
    "43": ("90", "93"),
    "44": ("9", "87", "84", "70"),
    "45": ("90",),
    "46": ("900", "939", "944", "99"),
    "47": ("82",),
    "48": ("70", "80"),
    "49": ("900", "137", "138", "180"),
    "61": ("19",),
    "64": ("900",),
    "353": ("15",),
    "358": ("600", "700"),
}
# What begins a call abroad, and a call far away, where that is not 00 and 0.
_ABROAD = {"1": "011", "61": "0011"}
_FAR = {"1": "1", "39": "", "34": "", "45": "", "47": "", "48": ""}


@dataclass(frozen=True, slots=True)
class TollPolicy:
    """
    What a user may call.

    :ivar home: the code of the country that numbers without one belong to; "": none is
        known, so that every number with one is foreign.
    :ivar countries: codes of other countries that may be called, or `ANYWHERE`.
    :ivar premium: whether numbers that pay whoever has them may be called.
    """

    home: str = ""
    countries: frozenset[str] = field(default=frozenset())
    premium: bool = False

    def judge(self, user: str) -> Judgement | None:
        """
        Say why a number may not be called; None if it may be, or if it is no number.

        :param user: the user part of a URI, its escapes resolved.
        """
        number = _ORNAMENTS.sub("", user.partition(";")[0])
        if not _NUMBER.fullmatch(number):
            return None
        international = self._international(number)
        if international is None:
            home = self.home
            national = number.removeprefix(_FAR.get(home, "0"))
            return self._premium(national.startswith(_PREMIUM.get(home, ())))
        if _is_premium(international) and not self.premium:
            return "premium"
        open_to = (self.home, *self.countries)
        is_open = any(each and international.startswith(each) for each in open_to)
        return None if is_open or ANYWHERE in self.countries else "foreign"

    def _premium(self, is_premium: bool) -> Judgement | None:
        return "premium" if is_premium and not self.premium else None

    def _international(self, number: str) -> str | None:
        """
        Give a number with the code of its country; None: it has none.
        """
        if number.startswith("+"):
            return number[1:]
        abroad = _ABROAD.get(self.home, "00")
        return number.removeprefix(abroad) if number.startswith(abroad) else None


def _is_premium(international: str) -> bool:
    """
    Tell whether a number pays whoever has it.

    :param international: begins with the code of its country.
    """
    return international.startswith(_COSTLY) or any(
        international.startswith(code)
        and international[len(code) :].startswith(prefixes)
        for code, prefixes in _PREMIUM.items()
    )
