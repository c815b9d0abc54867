"""
What all drawings of a ladder say in the same words.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sipsorcery.monitor.ladder.ladder import Gap, Ladder


def day(ladder: Ladder) -> str:
    """
    Give the day on which it began; "": nothing has happened.
    """
    start = ladder.start
    return "" if start is None else f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d} UTC"


def clock(time: float) -> str:
    """
    Give the time of day, to the millisecond.
    """
    return f"{datetime.fromtimestamp(time, UTC):%H:%M:%S.%f}"[:-3]


def delta(seconds: float) -> str:
    """
    Give what has passed since the row above, in eight characters at most.
    """
    if seconds < 1000:
        return f"+{seconds:.3f}"
    minutes, seconds = divmod(round(seconds), 60)
    return f"+{minutes}m{seconds:02}s" if minutes < 1000 else f"+{minutes // 60}h"


def left_out(gap: Gap) -> str:
    """
    Say how many rows are missing.
    """
    return f"… {gap.count} messages and steps are left out here …"


def foot(ladder: Ladder) -> str:
    """
    Say what is not shown; "": everything is.
    """
    if not ladder.rows:
        return "Nothing is known of this call."
    if ladder.folded:
        return f"Not shown: {ladder.folded} messages between our own servers."
    return ""
