"""
Verbs that are known, but whose servers this version does not have.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from sipsorcery import __version__
from sipsorcery.cli.declaring import Verbs, add_group, add_verb
from sipsorcery.cli.errors import Refused

_WORKERS = {
    "list": "list the workers of the application server",
    "restart": "start the workers of the application server anew",
}


def add_to(verbs: Verbs) -> None:
    """
    Declare the verbs.
    """
    workers = add_group(verbs, "workers", "look after the application server")
    for name, purpose in _WORKERS.items():
        _add(workers, name, purpose)


def _add(workers: Verbs, name: str, purpose: str) -> None:
    def run(options: argparse.Namespace) -> NoReturn:
        raise Refused(
            f"'workers {name}' will {purpose}; sipsorcery {__version__} does not have "
            "it yet"
        )

    summary = f"{purpose} (comes with a later version)"
    parser = add_verb(workers, name, run, summary, reads=True)
    # Whatever it will take.
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
