"""
Regular expressions of dialplans: `sipsorcery.regex` with the errors of a plan. Pure.
"""

from __future__ import annotations

from typing import Self

from sipsorcery import regex
from sipsorcery.appserver.errors import PatternError
from sipsorcery.regex import MAX_EXPRESSION

__all__ = ["MAX_EXPRESSION", "Regex"]


class Regex(regex.Regex):
    """
    A regular expression in a dialplan.
    """

    __slots__ = ()

    @classmethod
    def compile(cls, text: str) -> Self:
        """
        Read an expression.

        :raises PatternError: if it is none, or too large.
        """
        try:
            return super().compile(text)
        except regex.RegexError as error:
            raise PatternError(str(error)) from None
