"""
The errors of the registrar.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sipsorcery.sip.fields import Field
from sipsorcery.sip.status import reason_phrase


class RegistrarError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.registrar`.
    """


class Refused(RegistrarError):
    """
    Says that a request is answered by a failure, and nothing has changed.

    :ivar status: the status code.
    :ivar reason: the reason phrase, which says what the text does.
    :ivar fields: what the answer has to carry.
    """

    def __init__(
        self,
        status: int,
        text: str = "",
        fields: Iterable[tuple[Field[Any] | str, Any]] = (),
    ) -> None:
        phrase = reason_phrase(status)
        self.status = status
        self.reason = f"{phrase}: {text}" if text else phrase
        self.fields = tuple(fields)
        super().__init__(self.reason)
