"""
Rows as a table for people, cut to the width of a terminal. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from sipsorcery.console.painting import Palette
from sipsorcery.monitor.neutral import for_line
from sipsorcery.monitor.style import Style

_GAP = "  "


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    width: int | None,
    palette: Palette,
) -> Iterator[str]:
    """
    Give the lines of a table.

    :param width: columns of the terminal; None: it is none, and nothing is cut.
    """
    texts = [[_spell(row.get(column)) for column in columns] for row in rows]
    heads = [column.replace("_", " ").upper() for column in columns]
    sizes = [
        max(map(cell_len, (head, *(text[place] for text in texts))))
        for place, head in enumerate(heads)
    ]
    yield palette.put(Style.BOLD, _row(heads, sizes, width))
    for text in texts:
        yield _row(text, sizes, width)


def _row(texts: Sequence[str], sizes: Sequence[int], width: int | None) -> str:
    cells = (
        text + " " * (size - cell_len(text))
        for text, size in zip(texts, sizes, strict=True)
    )
    line = _GAP.join(cells).rstrip()
    if width is None or cell_len(line) < width:
        return line
    return set_cell_size(line, max(width - 2, 1)) + "…"


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list | tuple):
        return " ".join(map(_spell, value))
    return for_line(str(value))
