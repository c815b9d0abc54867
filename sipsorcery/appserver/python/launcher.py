"""
The command ``sipsorcery-sandbox``: confines itself and becomes a worker.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from sipsorcery.appserver.python.confinement import confine

#: Asks for what takes hold, one a line, in place of a worker.
REPORT = "--report"


def main() -> None:
    """
    Become the interpreter that runs dialplans.
    """
    program = str(Path(sysconfig.get_path("scripts")) / "monty")
    held = confine(program)
    if sys.argv[1:] == [REPORT]:
        print("\n".join(held))
        return
    os.execv(program, [program, *sys.argv[1:]])  # the program is ours
