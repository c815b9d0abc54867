"""
How often Python looks for garbage that holds itself.

Twisted and we leave next to none: what a request has made goes with its last reference.
But the requests of half a minute are kept for their repetitions, and as long as their
number grows Python walks over all of them twice a second: with 60,000 bindings that
took a quarter of the processor and stopped everything for 0.3 seconds.
"""

from __future__ import annotations

import gc

# Objects that are made, beyond those that have gone, until the young are looked at:
# more than all that is under way in a busy moment, so that it comes and goes unseen.
_YOUNG = 50_000
# Looks at the young ones to one at the middle-aged, and of those to one at all.
_MIDDLE = 20
_OLD = 100


def collect_rarely() -> None:
    """
    Look rarely, and never at what there is now: modules, classes, the configuration.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
