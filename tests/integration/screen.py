"""
Run the programs of others that draw on a terminal.
"""

from __future__ import annotations

import fcntl
import re
import struct
import termios
from pathlib import Path
from typing import Any

from tests.integration.program import Program

_ROWS, _COLUMNS = 40, 120
# What moves the cursor and colours, as xterm knows it (ECMA-48).
_CONTROLS = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-B]|[=>78])")


class Screen(Program):
    """
    A program with a terminal.
    """

    _terminal = True

    def __init__(self, folder: Path, *command: str) -> None:
        super().__init__(folder, *command)
        size = struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0)
        # Some draw for the size that they find at the start, which may be before this.
        process: Any = self._process  # a PTYProcess
        fcntl.ioctl(process.fileno(), termios.TIOCSWINSZ, size)

    def press(self, keys: str) -> None:
        """
        Press keys.
        """
        self._process.write(keys.encode())

    def outReceived(self, data: bytes) -> None:
        """
        Keep what it writes, but for how it moves about.
        """
        self.output = _CONTROLS.sub(" ", self.output + data.decode("utf-8", "replace"))
