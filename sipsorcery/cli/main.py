"""
Reads the command line and hands over to the verb.

A verb is a module with ``add_to``, which declares it, and ``run``, which does it and
returns the exit status: 0 done, 1 refused or failed. Wrong usage is 2, by argparse.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sipsorcery import __version__
from sipsorcery.cli import check

_VERBS = (check,)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    :param arguments: without the name of the program; None: those of the process.
    :return: the exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output, such as head, has seen enough. Python would say so
        # once more at its exit, when it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sipsorcery",
        description="Look after the servers of sipsorcery.",
        # The others wrap the version in a narrow terminal.
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"sipsorcery {__version__}"
    )
    _add_config(parser, default=None)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb in _VERBS:
        # --config may stand before the verb or after it.
        _add_config(verb.add_to(verbs), default=argparse.SUPPRESS)
    return parser


def _add_config(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=default,
        help="the configuration file (default: ./sipsorcery.toml, else "
        "/etc/sipsorcery/sipsorcery.toml, else built-in defaults)",
    )
