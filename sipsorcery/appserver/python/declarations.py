"""
What the stub declares: the functions of a dialplan, and what they give. Pure.

``dialplan.pyi`` is the only place where they are written down. The type checker reads
it, the documentation shows it, and what a dialplan calls is bound by it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

#: The stub, as the type checker reads it.
STUB = files("sipsorcery.appserver.python").joinpath("dialplan.pyi").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Function:
    """
    A function that a dialplan can call.

    :ivar name: as the host knows it: ``dial``, ``crm.lookup_contact``.
    :ivar gives: the name of the class that it gives, or gives a list of; "": plain
        values.
    """

    name: str
    signature: inspect.Signature
    gives: str = ""

    def bind(
        self, arguments: Sequence[Any], named: Mapping[str, Any]
    ) -> dict[str, Any]:
        """
        Give each argument its name; what has a default and is left out stays out.

        :raises TypeError: as a call in Python does.
        """
        try:
            bound = self.signature.bind(*arguments, **named)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in bound.arguments.items()
        }


@dataclass(frozen=True, slots=True)
class Declared:
    """
    A class of the stub.

    :ivar attributes: their names, in the order of the stub.
    :ivar functions: by name.
    """

    attributes: tuple[str, ...]
    functions: Mapping[str, Function]


def read(stub: str) -> dict[str, Declared]:
    """
    Read the classes of a stub, by name.
    """
    tree = ast.parse(stub)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    names = {node.name for node in classes}
    hosts = {
        node.annotation.id: node.target.id
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.annotation, ast.Name)
        and isinstance(node.target, ast.Name)
    }
    return {node.name: _read_class(node, names, hosts) for node in classes}


def _read_class(
    node: ast.ClassDef, names: set[str], hosts: Mapping[str, str]
) -> Declared:
    attributes = [
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    functions = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    # What sys does has a plain name: those are the host calls of every language.
    host = hosts.get(node.name, "sys")
    prefix = "" if host == "sys" else f"{host}."
    return Declared(
        tuple(attributes),
        {each.name: _read_function(each, prefix, names) for each in functions},
    )


def _read_function(node: ast.FunctionDef, prefix: str, names: set[str]) -> Function:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = node.args.args[1:]  # without self
    defaults = [inspect.Parameter.empty] * (len(given) - len(node.args.defaults))
    parameters = [
        inspect.Parameter(each.arg, kind, default=default)
        for each, default in zip(
            given, [*defaults, *map(ast.literal_eval, node.args.defaults)], strict=True
        )
    ]
    if node.args.vararg is not None:
        rest = inspect.Parameter.VAR_POSITIONAL
        parameters.append(inspect.Parameter(node.args.vararg.arg, rest))
    mentioned = [
        each.id
        for each in ast.walk(node.returns or ast.Constant(None))
        if isinstance(each, ast.Name) and each.id in names
    ]
    return Function(
        prefix + node.name, inspect.Signature(parameters), "".join(mentioned[:1])
    )


#: The classes of our stub.
DECLARED = read(STUB)
