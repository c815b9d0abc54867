"""
``sipsorcery trace``: the messages of a call, and what was done in between.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

from sipsorcery.cli.declaring import Verbs, add_verb
from sipsorcery.cli.errors import Refused
from sipsorcery.cli.session import Session, with_session
from sipsorcery.control import NotRunning, ask
from sipsorcery.control.naming import socket_file
from sipsorcery.monitor import ladder, pcap
from sipsorcery.monitor.errors import MonitorError
from sipsorcery.monitor.event import Event
from sipsorcery.monitor.filter.filter import Viewer
from sipsorcery.monitor.json_form import from_json, to_json
from sipsorcery.monitor.keeping import NAME
from sipsorcery.monitor.window import Window

# Columns of what goes to a file or a pipe, as in a mail.
_WIDTH = 100


def add_to(verbs: Verbs) -> None:
    """
    Declare the verb.
    """
    summary = "show the messages of a call"
    parser = add_verb(verbs, "trace", with_session(act), summary, reads=True)
    parser.add_argument(
        "call", metavar="CALL", help="as 'sipsorcery calls' shows it, or a Call-ID"
    )
    parser.add_argument(
        "--pcap", metavar="FILE", type=Path, help="write it for Wireshark"
    )
    parser.add_argument(
        "--svg", metavar="FILE", type=Path, help="write the ladder as a picture"
    )
    parser.add_argument(
        "--inside", action="store_true", help="show also what goes between our servers"
    )


async def act(session: Session, options: argparse.Namespace) -> None:
    """
    Print the ladder of a call, or a line of JSON for each event; or write files.
    """
    events = await _running(session, options.call)
    if events is None:
        events = _stored(session, options.call)
    drawn = ladder.ladder_of(events, inside=options.inside)
    if options.pcap is not None:
        options.pcap.write_bytes(b"".join(pcap.write(events)))
    if options.svg is not None:
        options.svg.write_text(ladder.svg(drawn), "utf-8")
    if options.json:
        for event in events:
            print(json.dumps(to_json(event)))
    elif options.pcap is None and options.svg is None:
        print(_text(drawn), end="")


def _text(drawn: ladder.Ladder) -> str:
    is_terminal = sys.stdout.isatty()
    return ladder.text(
        drawn,
        shutil.get_terminal_size().columns if is_terminal else _WIDTH,
        colours=is_terminal and not os.environ.get("NO_COLOR"),
        ascii=not (sys.stdout.encoding or "utf-8").lower().startswith("utf"),
    )


async def _running(session: Session, call: str) -> list[Event] | None:
    """
    Ask the monitor; None: none runs.
    """
    if not socket_file(session.data_dir, "monitor").exists():
        return None
    try:
        asked = ask(session.reactor, session.data_dir, "monitor", "call", call=call)
        story: dict[str, Any] = await asked
    except NotRunning:
        return None  # it was killed
    if story["is_cut"]:
        print("sipsorcery: the call has more than is shown", file=sys.stderr)
    return [from_json(fields) for fields in story["events"]]


def _stored(session: Session, call: str) -> list[Event]:
    """
    Look into the window that a monitor has left.
    """
    file = session.data_dir / NAME
    if not file.exists():
        raise Refused(f"no monitor runs on '{session.data_dir}'")
    try:
        window = Window(file)
        try:
            events = window.call(Viewer("", is_admin=True), call).events
        finally:
            window.close()
    except (MonitorError, sqlite3.Error) as error:
        raise Refused(f"'{file}' cannot be read: {error}") from error
    if not events:
        raise Refused(f"there is no call {call[:100]!r}")
    return list(events)
