"""
How text looks on a terminal.
"""

from __future__ import annotations

from enum import Enum


class Style(Enum):
    """
    Name what every terminal with colours has.

    The values are the parameters of SGR (ECMA-48, 8.3.117).
    """

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    REVERSED = "7"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    BLUE = "34"
    MAGENTA = "35"
    CYAN = "36"
    BOLD_RED = "1;31"
    BOLD_GREEN = "1;32"
