"""
``sipsorcery reload``: have servers read the configuration again.
"""

from __future__ import annotations

import argparse
from typing import Any

from sipsorcery.cli import tables
from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control.naming import instances, servers
from sipsorcery.control.several import Answers, ask_all

_COLUMNS = ("servers", "changed", "to_be_changed_by_a_restart")


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    summary = "have servers read the configuration again"
    parser = add_verb(verbs, "reload", with_session(act), summary, reads=True)
    parser.add_argument(
        "role", metavar="ROLE", nargs="?", help="such as proxy; else every server"
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Have each process do it that has one of the servers.

    :raises Refused: if one does not, and why; or if none runs.
    """
    folder, role = session.data_dir, options.role
    names = instances(folder, role) if role else servers(folder)
    running = await ask_all(session.reactor, folder, names, "status")
    processes: dict[int, list[str]] = {}
    for name, status in running.given.items():
        processes.setdefault(status["pid"], []).append(name)
    first = [names[0] for names in processes.values()]
    answers = await ask_all(session.reactor, folder, first, "reload")
    rows = [
        _row(names, answers.given[names[0]])
        for names in processes.values()
        if names[0] in answers.given
    ]
    if rows or options.json:
        tables.show(rows, _COLUMNS, as_json=options.json)
    if complaint := _complaint(running, answers):
        raise Refused(complaint)
    if not rows:
        raise Refused(f"no {role or 'server'} runs on '{folder}'")


def _row(names: list[str], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "servers": names,
        "changed": answer["at_once"],
        "to_be_changed_by_a_restart": answer["at_restart"],
        "faults": answer["faults"],
    }


def _complaint(running: Answers, answers: Answers) -> str:
    """
    Say which servers have not done it, and all that is wrong with the file, once.
    """
    faults = [line for answer in answers.given.values() for line in answer["faults"]]
    if faults:
        faults.insert(0, "nothing has changed, because of faults")
    missing = (*running.missing.values(), *answers.missing.values())
    return "\n".join(dict.fromkeys((*missing, *faults)))
