"""
The errors of the proxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sipsorcery.sip.fields import Field


class ProxyError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.proxy`.
    """


class Refused(ProxyError):
    """
    Says that a request goes no further.

    :ivar status: the status to answer it with, unless it is an ACK.
    :ivar fields: pairs of field and value that explain the answer.
    """

    def __init__(
        self,
        status: int,
        text: str,
        fields: Sequence[tuple[Field[Any] | str, Any]] = (),
    ) -> None:
        """
        :param text: a sentence for the operator; the peer does not see it.
        """
        super().__init__(text)
        self.status = status
        self.fields = fields


class ScriptError(ProxyError):
    """
    Says why a script cannot be used.
    """
