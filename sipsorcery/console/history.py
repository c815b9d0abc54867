"""
The lines that somebody has typed before. Pure.
"""

from __future__ import annotations

from collections import deque

# As many as anybody looks back to; at the longest line they take 400 kB.
_KEPT = 200


class History:
    """
    Remembers lines, the last one last.

    :param kept: how many; of more, the oldest goes.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._lines: deque[str] = deque(maxlen=kept)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> str:
        return self._lines[index]

    def add(self, line: str) -> None:
        """
        Remember a line, but none that is empty or the last one again.
        """
        if line.strip() and (not self._lines or self._lines[-1] != line):
            self._lines.append(line)

    def find(self, part: str, before: int | None = None) -> int | None:
        """
        Find the last line with a part in it.

        :param before: only lines of a lower index than this.
        :return: its index.
        """
        start = len(self._lines) if before is None else before
        for index in range(start - 1, -1, -1):
            if part in self._lines[index]:
                return index
        return None
