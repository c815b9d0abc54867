"""
Texts of strangers made harmless for terminals, pages and logs. Pure.

What a phone calls itself reaches the terminal of an administrator. There it must not
move the cursor, nor be a tag on a page, nor begin a line of its own in a log.
"""

from __future__ import annotations

import html
import re

# C0 and C1 controls, and what turns the direction of a text round or joins with it
# (Unicode bidirectional controls, UAX 9), by which "exe.gpj" looks like "jpg.exe".
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_BIDI}]")
_UNSAFE_IN_BLOCK = re.compile(
    f"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_BIDI}]"
)


def for_line(text: str) -> str:
    r"""
    Make a text fit for one line of a terminal or a log: controls become ``\x1b``.
    """
    return _UNSAFE.sub(_escape, text)


def for_terminal(text: str) -> str:
    """
    Make a text of several lines, such as a SIP message, fit for a terminal.

    A line ends with LF alone; a CR that does not end one is escaped, for it would let
    what follows overwrite what stands there.
    """
    return _UNSAFE_IN_BLOCK.sub(_escape, text.replace("\r\n", "\n"))


def for_page(text: str) -> str:
    """
    Make a text fit for the inside of an element or attribute of a page.
    """
    return html.escape(for_terminal(text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
