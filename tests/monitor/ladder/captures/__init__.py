"""
Calls that were recorded once, as ``sipsorcery trace --json`` writes them, and what is
drawn of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent

from sipsorcery.monitor.event import Event
from sipsorcery.monitor.json_form import from_json
from sipsorcery.monitor.ladder import ladder_of, svg, text
from tests import ROOT

FOLDER = Path(__file__).parent
_README_WIDTH = 92
# What stands around the ladder in the README.
_BEFORE = "and what the dialplan did in between::\n\n"
_AFTER = "\n``docs/troubleshooting.rst`` "
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
    return [from_json(json.loads(line)) for line in lines]


def drawn(name: str, ending: str) -> str:
    """
    Draw a capture in one of the ways.
    """
    return DRAWINGS[ending](events(name))


def shown() -> dict[Path, str]:
    """
    Give the texts of the files for readers that show one of them, as they should be.
    """
    readme = ROOT / "README.rst"
    call = events("failover")
    (identifier,) = {event.dialogue for event in call} - {""}
    example = f"$ sipsorcery trace {identifier}\n"
    example += text(ladder_of(call), _README_WIDTH)
    before, _, rest = readme.read_text("utf-8").partition(_BEFORE)
    after = rest.partition(_AFTER)[2]
    return {
        readme: f"{before}{_BEFORE}{indent(example, '    ')}{_AFTER}{after}",
        ROOT / "docs" / "ladder.svg": drawn("transfer", "svg"),
    }
