"""
Tests for `sipsorcery.cli`.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

from sipsorcery.cli import main


@dataclass(frozen=True, slots=True)
class Run:
    """
    What came of one run of the command.
    """

    status: int
    out: str
    error: str


def run(*arguments: str) -> Run:
    """
    Run the command in this process, with nobody at the terminal.
    """
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            status = main(arguments)
        except SystemExit as exit_:  # argparse ends so
            assert isinstance(exit_.code, int)
            status = exit_.code
    return Run(status, out.getvalue(), error.getvalue())
