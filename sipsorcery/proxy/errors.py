"""
The errors of the proxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.python.failure import Failure

from sipsorcery.sip.fields import Field
from sipsorcery.transport.errors import TransportError


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


def bear_loss(failure: Failure) -> None:
    """
    Leave it at that if a response cannot be sent.

    Anybody can cause it, by leaving before the answer: nobody shall fill a log so.
    """
    failure.trap(TransportError)
