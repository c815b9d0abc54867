r"""
Regular expressions of users, in time proportional to the text. Pure.

The module :mod:`re` tries one way after the other, and a user can write an expression
that has more ways than the universe has time. RE2 follows all ways at once. It has no
back references and no look-around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import re2

from sipsorcery.sip.errors import excerpt

#: Characters of an expression, as many as a line of a dialplan needs.
MAX_EXPRESSION = 512
# Bytes of the machine that an expression becomes: many times what a number plan needs,
# and little enough that a thousand of them do no harm.
_MAX_MEMORY = 256 * 1024


class RegexError(ValueError):
    """
    Says that a text is no regular expression, or too large a one.
    """


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.dot_nl = True
    options.log_errors = False
    return options


_OPTIONS = _options()


@dataclass(frozen=True, slots=True)
class Regex:
    """
    A regular expression.

    :ivar text: as it was written.
    """

    text: str
    _machine: Any

    @classmethod
    def compile(cls, text: str) -> Self:
        """
        Read an expression.

        :raises RegexError: if it is none, or too large.
        """
        if len(text) > MAX_EXPRESSION:
            raise RegexError(
                f"a regular expression has {MAX_EXPRESSION} characters at most"
            )
        try:
            return cls(text, re2.compile(text, _OPTIONS))
        except re2.error as error:
            raise RegexError(
                f"{excerpt(text)} is no regular expression: {_reason(error)}"
            ) from None

    def search(self, text: str) -> bool:
        """
        Tell whether it matches anywhere in *text*.
        """
        return self._machine.search(text) is not None

    def groups(self, text: str) -> tuple[str, ...] | None:
        """
        Give what the whole and each group match; None where it matches nowhere.
        """
        match = self._machine.search(text)
        if match is None:
            return None
        return (match.group(), *(each or "" for each in match.groups()))


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
