"""
What a failure response ends beside its transaction (:rfc:`5057#section-5.1`).
"""

from __future__ import annotations

from enum import Enum

# "If the response for a request within a dialog is a 481 [...] or a 408 [...], the UAC
# SHOULD terminate the dialog" (RFC 3261, 12.2.1.2); RFC 5057 narrows this to the usage.
_ENDS_USAGE = frozenset({408, 481})
# There is no way to the peer any more, whatever the request.
_ENDS_DIALOG = frozenset({404, 410, 416, 482, 483, 484, 485, 502, 604})


class Fate(Enum):
    """
    Name what is over after a response to a request within a dialog.

    A dialog may have several usages: the session of an INVITE, and subscriptions.
    """

    Nothing = "Nothing"  #: at most the transaction
    Usage = "Usage"  #: the usage that the request belongs to
    Dialog = "Dialog"  #: all of its usages


def fate_of(status: int) -> Fate:
    """
    Tell what a response with this *status* ends.
    """
    if status in _ENDS_DIALOG:
        return Fate.Dialog
    if status in _ENDS_USAGE:
        return Fate.Usage
    return Fate.Nothing
