"""
Calls that were recorded once, as JSON lines of events, and what is drawn of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from sipsorcery.monitor.event import Event
from sipsorcery.monitor.ladder import ladder_of, svg, text

FOLDER = Path(__file__).parent
#: What is drawn of each, by the ending of its file.
DRAWINGS: Mapping[str, Callable[[list[Event]], str]] = {
    "txt": lambda events: text(ladder_of(events)),
    "narrow.txt": lambda events: text(ladder_of(events), 50),
    "inside.txt": lambda events: text(ladder_of(events, inside=True), 140, ascii=True),
    "svg": lambda events: svg(ladder_of(events)),
}


def names() -> list[str]:
    """
    List the captures.
    """
    return sorted(file.stem for file in FOLDER.glob("*.jsonl"))


def events(name: str) -> list[Event]:
    """
    Read a capture.
    """
    lines = FOLDER.joinpath(f"{name}.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Event) for line in lines]


def drawn(name: str, ending: str) -> str:
    """
    Draw a capture in one of the ways.
    """
    return DRAWINGS[ending](events(name))
