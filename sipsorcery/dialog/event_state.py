"""
What both ends of a subscription agree on: states, reasons, and which failures end it.
"""

from __future__ import annotations

from enum import Enum

#: Failures of a SUBSCRIBE or NOTIFY that end the subscription
#: (:rfc:`6665#section-4.1.2.2`, 4.2.2). After all others it goes on.
ENDING = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})


class Phase(Enum):
    """
    Name how far a subscription is (:rfc:`6665#section-4.1.2`).
    """

    NotifyWait = "NotifyWait"  #: no NOTIFY has come yet; for subscribers only
    Pending = "Pending"  #: it waits for somebody to allow it
    Active = "Active"  #: what happens is told
    Terminated = "Terminated"  #: over


#: Seconds to wait before subscribing again where the notifier says "later" and no more.
LATER = 60.0

_AT_ONCE = frozenset({"deactivated", "timeout"})
_NEVER = frozenset({"rejected", "noresource", "invariant"})


def again_after(reason: str | None, retry_after: int | None) -> float | None:
    """
    Give how long to wait before subscribing again, in seconds.

    Reasons that nobody knows yet are as if there were none (:rfc:`6665#section-4.1.3`).

    :param reason: of the Subscription-State that ended the subscription.
    :param retry_after: what it says itself; it has no meaning with some reasons.
    :returns: ``None`` if that makes no sense.
    """
    if reason in _NEVER:
        return None
    if reason in _AT_ONCE:
        return 0.0
    return LATER if retry_after is None else float(retry_after)
