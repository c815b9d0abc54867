"""
Asking for passwords: on the standard input, or of who sits at the terminal.

They are never arguments, which everybody on the machine can see.
"""

from __future__ import annotations

import argparse
import sys
from getpass import getpass

from sipsorcery.cli.errors import Refused, WrongUsage

# Characters that are read: the store says how many a password can have.
_MAX_LINE = 10_000


def add_option(parser: argparse.ArgumentParser) -> None:
    """
    Declare ``--password-stdin``.
    """
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from the standard input: one line",
    )


def read(options: argparse.Namespace, whose: str) -> str:
    """
    Get a new password.

    :raises WrongUsage: if nobody is there to give one.
    :raises Refused: if two that should be the same are not.
    """
    if options.password_stdin:
        return sys.stdin.readline(_MAX_LINE).removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise WrongUsage("a password is needed: give it with --password-stdin")
    password = getpass(f"Password for {whose}: ")
    if getpass("The same again: ") != password:
        raise Refused("these are not the same")
    return password
