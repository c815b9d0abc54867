"""
Reading what a dialplan hands to a function. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipsorcery.appserver.errors import AppServerError
from sipsorcery.appserver.hosting.guest import Arguments


class WrongArgument(AppServerError):
    """
    Says which argument is not what it should be.
    """


def text(arguments: Arguments, name: str, default: str = "") -> str:
    """
    Give a text; what is left out, or None, is the default.

    :raises WrongArgument: if it is something else.
    """
    value = arguments.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise WrongArgument(f"{name} has to be a text")
    return value


def part(arguments: Arguments, name: str) -> str | None:
    """
    Give a text, or None.

    :raises WrongArgument: if it is something else.
    """
    return None if arguments.get(name) is None else text(arguments, name)


def number(arguments: Arguments, name: str, default: float) -> float:
    """
    Give a number; what is left out is the default.

    :raises WrongArgument: if it is something else.
    """
    value = arguments.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongArgument(f"{name} has to be a number")
    return value


def lines(arguments: Arguments, name: str) -> list[str]:
    """
    Give a list of texts.

    :raises WrongArgument: if it is something else.
    """
    value = arguments.get(name)
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise WrongArgument(f"{name} has to be a list of texts")
    if not all(isinstance(each, str) for each in value):
        raise WrongArgument(f"{name} has to be a list of texts")
    return [str(each) for each in value]
