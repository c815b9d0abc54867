"""
Showing things: as a table for people, as JSON for programs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Columns of a page that no line fills: what goes to a pipe is not cut nor wrapped.
_ENDLESS = 1_000_000


def show(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool
) -> None:
    """
    Print rows.

    :param columns: those fields that a table shows; JSON has all.
    """
    if as_json:
        print(json.dumps(list(rows), indent=2, default=_plain))
        return
    console = open_console()
    is_terminal = console.is_terminal
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column.replace("_", " "), overflow="fold", no_wrap=not is_terminal
        )
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    console.print(table)


def open_console() -> Console:
    """
    Make what writes to the standard output: for people, or whole lines into a pipe.
    """
    is_terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        force_terminal=is_terminal,  # whatever the environment says
        no_color=None if is_terminal else True,
        width=None if is_terminal else _ENDLESS,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not is_terminal,
    )


def show_one(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """
    Print one thing: a line for each field, or an object.
    """
    if as_json:
        print(json.dumps(fields, indent=2, default=_plain))
        return
    width = max(map(len, fields)) + 1
    for name, value in fields.items():
        print(f"{name.replace('_', ' ') + ':':<{width}} {_cell(value)}")


def printable(text: str) -> str:
    """
    Write out what a terminal would obey, such as colours: others chose the text.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple():
            return ", ".join(map(_cell, value))
    return printable(str(value))


def _plain(value: Any) -> Any:
    """
    Give what JSON can hold.
    """
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
