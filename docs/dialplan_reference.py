"""
Render the reference of dialplans from the stub that their type checker reads.
"""

import ast
from collections.abc import Iterator
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]  # it has no types
from docutils.statemachine import StringList  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sipsorcery.appserver.python.declarations import STUB

_INDENT = "   "


class DialplanReference(SphinxDirective):
    """
    The classes of the stub, with what they have and can do.
    """

    def run(self) -> list[Any]:
        """
        Render all of them.
        """
        lines = StringList([*_render(ast.parse(STUB))], source="dialplan.pyi")
        section = nodes.section()
        section.document = self.state.document
        self.state.nested_parse(lines, self.content_offset, section)
        return [*section.children]


def _render(stub: ast.Module) -> Iterator[str]:
    hosts = {
        ast.unparse(node.annotation): ast.unparse(node.target)
        for node in stub.body
        if isinstance(node, ast.AnnAssign)
    }
    for node in stub.body:
        if not isinstance(node, ast.ClassDef):
            continue
        host = hosts.get(node.name)
        yield from ("", f".. describe:: class {node.name}", "")
        yield from _docstring(node, _INDENT)
        if host is not None:
            yield from ("", f"{_INDENT}A dialplan has it under the name ``{host}``.")
        for each in node.body:
            if isinstance(each, ast.AnnAssign):
                yield from _attribute(each)
            elif isinstance(each, ast.FunctionDef):
                yield from _function(each)


def _attribute(node: ast.AnnAssign) -> Iterator[str]:
    name, type = ast.unparse(node.target), ast.unparse(node.annotation)
    yield from ("", f"{_INDENT}.. describe:: {name}: {type}")


def _function(node: ast.FunctionDef) -> Iterator[str]:
    node.args.args.pop(0)  # self
    gives = ast.unparse(node.returns) if node.returns is not None else "None"
    signature = f"{node.name}({ast.unparse(node.args)}) -> {gives}"
    yield from ("", f"{_INDENT}.. describe:: {signature}", "")
    yield from _docstring(node, _INDENT * 2)


def _docstring(node: ast.ClassDef | ast.FunctionDef, indent: str) -> Iterator[str]:
    for line in (ast.get_docstring(node) or "").splitlines():
        yield f"{indent}{line}".rstrip()


def setup(app: Sphinx) -> dict[str, Any]:
    """
    Add the directive ``dialplan-reference``.
    """
    app.add_directive("dialplan-reference", DialplanReference)
    return {"parallel_read_safe": True}
