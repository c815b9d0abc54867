"""
Render the kinds of events from the catalogue that filters look them up in.
"""

from typing import Any

from docutils import nodes  # type: ignore[import-untyped]  # it has no types
from docutils.statemachine import StringList  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sipsorcery.monitor.catalogue import CATALOGUE, Entry


class EventKinds(SphinxDirective):
    """
    The table of the kinds of events.
    """

    def run(self) -> list[Any]:
        """
        Render it.
        """
        lines = [".. list-table::", "   :header-rows: 1", ""]
        lines += _row("Kind", "Emitted by", "When", "Original", "Machine")
        for entry in CATALOGUE:
            lines += _row(*_cells(entry))
        section = nodes.section()
        section.document = self.state.document
        source = StringList(lines, source="catalogue.py")
        self.state.nested_parse(source, self.content_offset, section)
        return [*section.children]


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        f"``{entry.kind.value}``",
        ", ".join(entry.servers) or "any",
        entry.when,
        str(entry.original or "none"),
        str(entry.machine or "none"),
    )


def _row(first: str, *others: str) -> list[str]:
    return [f"   * - {first}", *(f"     - {each}" for each in others)]


def setup(app: Sphinx) -> dict[str, Any]:
    """
    Add the directive ``event-kinds``.
    """
    app.add_directive("event-kinds", EventKinds)
    return {"parallel_read_safe": True}
