"""
What may stand next in a filter, for somebody who types it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from sipsorcery.monitor.filter.keywords import KEYWORDS, VALUES

_JOINTS = ("and", "or")
_STARTS = ("not", *sorted(KEYWORDS))


def complete(text: str) -> tuple[str, ...]:
    """
    Give the words that the last one may become, in the order of the alphabet.

    :param text: what stands left of the cursor.
    """
    words = text.replace("(", " ").split()
    part = "" if not text or text[-1] in " (" else words.pop()
    return _beginning(part, _expected(words))


def _expected(words: list[str]) -> Iterable[str]:
    """
    Tell what may follow: a keyword, a value of one, or what joins two terms.
    """
    key = ""
    is_whole = False  # whether a term has just ended
    for word in words:
        if key:
            key, is_whole = "", True
        elif is_whole:
            is_whole = False
        elif word.lower() in KEYWORDS:
            key = word.lower()
    if key:
        return VALUES.get(key, ())
    return _JOINTS if is_whole else _STARTS


def _beginning(part: str, words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word.lower().startswith(part.lower()))
