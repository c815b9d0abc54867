"""
The errors of the dialog layer.
"""

from __future__ import annotations


class DialogError(Exception):
    """
    The base of all errors of :mod:`sipsorcery.dialog`.

    The peer's faults are none of them: a request with a fault gets a
    :class:`~sipsorcery.dialog.refusal.Refusal`, a response with one is passed over.
    """


class LocalProtocolError(DialogError):
    """
    Says that our own code asked for something that the dialog does not allow now.
    """
