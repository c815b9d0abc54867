"""
ENUM: from a telephone number to a URI, by NAPTR records (:rfc:`6116`). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sipsorcery.appserver.errors import AppServerError, PatternError
from sipsorcery.appserver.plans.regex import Regex

# Digits of an international number (E.164: 15), and of those that some tables hold.
_MAX_DIGITS = 32
_SERVICES = ("e2u+sip", "sip+e2u")
_DOTTED = re.compile(r"(?:[0-9]\.){5,32}[A-Za-z0-9.-]{1,200}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+\.?")
_MAX_URI = 512


class ENUMError(AppServerError):
    """
    Says why a number cannot be looked up.
    """


@dataclass(frozen=True, slots=True)
class Rule:
    """
    What a NAPTR record says.
    """

    order: int
    preference: int
    flags: str
    service: str
    regexp: str


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is to be asked.

    :ivar name: of the records.
    :ivar number: its digits.
    """

    name: str
    number: str


def read_question(text: str) -> Question:
    """
    Make the question of ``number.domain``, or of labels that stand in order already.

    :raises ENUMError: if it is neither.
    """
    text = text.strip()
    if _DOTTED.fullmatch(text):
        labels = text.split(".")
        count = next(i for i, each in enumerate(labels) if not _is_digit(each))
        digits = "".join(reversed(labels[:count]))
        return Question(text.rstrip(".").lower(), digits)
    number, _, domain = text.partition(".")
    digits = "".join(filter(_is_digit, number))
    if not 0 < len(digits) <= _MAX_DIGITS or not _HOST.fullmatch(domain):
        raise ENUMError("it is not like 441234.e164.arpa")
    name = ".".join([*reversed(digits), domain.rstrip(".").lower()])
    return Question(name, digits)


def choose(rules: Iterable[Rule], number: str) -> str | None:
    """
    Give the URI that the best rule makes of a number, None if no rule makes one.
    """
    usable = [
        rule
        for rule in rules
        if rule.service.lower() in _SERVICES and rule.flags.lower() == "u"
    ]
    for rule in sorted(usable, key=lambda each: (each.order, each.preference)):
        for text in (f"+{number}", number):
            uri = _substitute(rule.regexp, text)
            if uri is not None:
                return uri
    return None


def _substitute(regexp: str, text: str) -> str | None:
    """
    Apply ``!expression!replacement!flags`` (:rfc:`3402#section-3.2`).
    """
    delimiter = regexp[:1]
    parts = _split(regexp[1:], delimiter) if delimiter else []
    if len(parts) != 3 or parts[2].lower() not in ("", "i"):
        return None
    try:
        groups = Regex.compile(parts[0]).groups(text)
    except PatternError:
        return None
    if groups is None:
        return None
    uri = re.sub(
        r"\\([0-9])",
        lambda match: groups[int(match[1])] if int(match[1]) < len(groups) else "",
        parts[1],
    )
    return uri if uri and len(uri) <= _MAX_URI and uri.isprintable() else None


def _split(text: str, delimiter: str) -> list[str]:
    """
    Split at a delimiter that no backslash hides.
    """
    return re.split(rf"(?<!\\){re.escape(delimiter)}", text)


def _is_digit(text: str) -> bool:
    return len(text) == 1 and text in "0123456789"
