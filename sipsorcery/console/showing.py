"""
Lists on a screen: as a table, or as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sipsorcery.console.screen import Screen
from sipsorcery.console.tables import table
from sipsorcery.console.words import Typed


async def show(
    screen: Screen,
    rows: list[dict[str, Any]],
    columns: Sequence[str],
    typed: Typed,
    nothing: str,
) -> None:
    """
    Show a list, as it was asked for.

    :param nothing: what to say where there is none.
    """
    if typed.as_json:
        await screen.show([json.dumps(rows)])
    elif rows:
        await screen.show(lines_for(screen, rows, columns))
    elif screen.is_terminal:
        screen.lines([nothing])


def lines_for(
    screen: Screen, rows: list[dict[str, Any]], columns: Sequence[str]
) -> list[str]:
    """
    Give the lines of a table that fits a screen.
    """
    return list(table(rows, columns, width=screen.width, palette=screen.palette))
