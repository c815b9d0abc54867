"""
Declaring verbs: what all of them have in common.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

#: Where verbs are declared.
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
#: Does a verb; gives the exit status.
Run: TypeAlias = Callable[[argparse.Namespace], int]


def add_config(parser: argparse.ArgumentParser, default: str | None) -> None:
    """
    Declare ``--config``, which may stand before a verb or after it.
    """
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=default,
        help="the configuration file (default: ./sipsorcery.toml, else "
        "/etc/sipsorcery/sipsorcery.toml, else built-in defaults)",
    )


def add_verb(
    verbs: Verbs, name: str, run: Run, summary: str, *, reads: bool = False
) -> argparse.ArgumentParser:
    """
    Declare a verb.

    :param summary: what it does, to go on after "to".
    :param reads: whether it shows something, which it can do as JSON, too.
    """
    parser = verbs.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    add_config(parser, default=argparse.SUPPRESS)
    if reads:
        parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=run)
    return parser


def add_group(verbs: Verbs, name: str, summary: str) -> Verbs:
    """
    Declare a word that has verbs of its own.
    """
    parser = verbs.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    add_config(parser, default=argparse.SUPPRESS)
    return parser.add_subparsers(metavar="VERB", required=True)
