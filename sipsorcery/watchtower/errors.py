"""
The errors of the watchtower.
"""

from __future__ import annotations


class WatchtowerError(Exception):
    """
    Says why it cannot start; the text is a sentence.
    """
