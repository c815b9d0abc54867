"""
Asking DNS for telephone numbers.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import TimeoutError as DeferTimeoutError
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IResolver
from twisted.names import dns
from twisted.names.error import (
    AuthoritativeDomainError,
    DNSNameError,
    DomainError,
    ResolverError,
)

from sipsorcery.appserver.outside.enum import ENUMError, Rule, choose, read_question

# Seconds for each try of a question.
_TIMEOUTS = (1, 2, 2)
# Records of an answer that are looked at.
_MAX_RECORDS = 32
_NO_ANSWER = (
    DNSLookupError,
    DeferTimeoutError,
    DomainError,
    OSError,
    ResolverError,
)


async def look_up(resolver: IResolver, text: str) -> str | None:
    """
    Look ``number.domain`` up; give the URI that its best record makes of the number.

    :return: None if there is none.
    :raises ENUMError: if *text* is no such thing, or nobody answers.
    """
    question = read_question(text)
    try:
        # The interface has a wrong type for what comes.
        found: Any = await resolver.lookupNamingAuthorityPointer(
            question.name, _TIMEOUTS
        )
    except (DNSNameError, AuthoritativeDomainError):
        return None  # there is no such name
    except _NO_ANSWER as error:
        raise ENUMError(f"DNS gives no answer: {type(error).__name__}") from None
    rules = [
        _read(each.payload)
        for each in found[0][:_MAX_RECORDS]
        if each.type == dns.NAPTR and each.payload is not None
    ]
    return choose(rules, question.number)


def _read(record: Any) -> Rule:
    return Rule(
        record.order,
        record.preference,
        _text(record.flags),
        _text(record.service),
        _text(record.regexp),
    )


def _text(word: Any) -> str:
    return str(word.string.decode("utf-8", "replace"))
