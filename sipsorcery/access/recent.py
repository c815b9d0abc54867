"""
Tables that keep what was noted last, and forget the rest. Pure.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import islice
from typing import TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

# What is forgotten at once, of all that is kept. Whoever looks for the first entry of a
# dictionary passes all that was taken from before it: so that is done seldom.
_SHARE = 64


class Recent(dict[_K, _V]):
    """
    A dictionary of bounded size, in the order in which things were noted last.

    It takes 80 bytes less for each entry than an `OrderedDict`, which counts where
    there is one for every phone.

    :param size: how many entries are kept.
    """

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def note(self, key: _K, value: _V) -> None:
        """
        Keep an entry, as the last one.
        """
        self.pop(key, None)
        self[key] = value
        if len(self) > self._size:
            for oldest in list(islice(self, self._size // _SHARE + 1)):
                del self[oldest]
