"""
Hours of the week, such as ``MTuWThF;08:00-18:00``. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time

from sipsorcery.appserver.errors import PatternError
from sipsorcery.sip.errors import excerpt

# Those of two letters come first, or T would be taken for Tu.
_DAYS = {"Tu": 1, "Th": 3, "Sa": 5, "Su": 6, "M": 0, "W": 2, "F": 4}
_SHAPE = re.compile(
    r"((?:Tu|Th|Sa|Su|M|W|F)*)"
    r"(?:;([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9]))?"
)
_DAY = re.compile("|".join(_DAYS))


@dataclass(frozen=True, slots=True)
class Hours:
    """
    Some days of the week, and what hours of each.

    :ivar days: 0 is Monday.
    :ivar first: the first minute.
    :ivar last: the last one; before the first, it is of the day after.
    """

    days: frozenset[int]
    first: time = time(0, 0)
    last: time = time(23, 59)

    @classmethod
    def parse(cls, text: str) -> Hours:
        """
        Read the days, and the hours where there are any.

        :raises PatternError: if it is none.
        """
        shape = _SHAPE.fullmatch("".join(text.split()))
        if shape is None:
            raise PatternError(f"{excerpt(text)} is not like MTuWThFSaSu;08:00-17:30")
        days = frozenset(_DAYS[day] for day in _DAY.findall(shape[1]))
        if not days:
            raise PatternError(f"{excerpt(text)} has no day, so it never matches")
        if shape[2] is None:
            return cls(days)
        hour, minute, last_hour, last_minute = map(int, shape.groups()[1:])
        return cls(days, time(hour, minute), time(last_hour, last_minute))

    def include(self, moment: datetime) -> bool:
        """
        Tell whether a moment is within them, to the minute.

        :param moment: as the clock of the owner shows it.
        """
        day, now = moment.weekday(), moment.time().replace(second=0, microsecond=0)
        if self.first <= self.last:
            return day in self.days and self.first <= now <= self.last
        # Over midnight: the small hours belong to the day before.
        return (day in self.days and now >= self.first) or (
            (day - 1) % 7 in self.days and now <= self.last
        )
