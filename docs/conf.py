"""
Configure Sphinx. ``make docs`` builds; a warning is an error.
"""

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from sipsorcery import __version__

project = "sipsorcery"
copyright = "2026, The sipsorcery contributors"
author = "The sipsorcery contributors"
version = release = __version__

sys.path.insert(0, str(Path(__file__).parent))
extensions = ["sphinx.ext.autodoc", "dialplan_reference", "event_kinds"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"sipsorcery {release}"
html_show_sourcelink = False

# In the order of the source, where the important things stand first.
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
# A class is documented by its own docstring; the generated __init__ says no more.
autodoc_class_signature = "mixed"
autodoc_typehints_format = "short"
# Signatures of dataclasses are not evaluated, so that "Address" in one may be that of
# SIP or that of STUN; the attributes below it lead to the right one.
suppress_warnings = ["ref.python"]
# `name` is a link where the name is documented, and else just a name.
default_role = "py:obj"


def head_module(
    app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]
) -> None:
    """
    Begin what is said about a module with its name.
    """
    if what == "module":
        lines[:0] = [f".. rubric:: {name}", ""]


def qualify_errors(
    app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]
) -> None:
    """
    Name the errors in ``:raises`` in full: several packages have a ``ParseError``.
    """
    module = name
    while module not in sys.modules:
        module = module.rpartition(".")[0]
    # An error that a module lets pass it need not import.
    errors = f"{module.rpartition('.')[0]}.errors"
    # Those of messages pass through every room above.
    names = (module, errors, "sipsorcery.sip.errors")
    homes = [sys.modules[each] for each in names if each in sys.modules]

    def qualified(match: re.Match[str]) -> str:
        for home in homes:
            error = getattr(home, match[1], None)
            if isinstance(error, type):
                return f":raises {error.__module__}.{error.__qualname__}:"
        return match[0]

    lines[:] = [re.sub(r"^:raises (\w+):", qualified, line) for line in lines]


def setup(app: Sphinx) -> None:
    """
    Put our own steps into the build.
    """
    app.connect("autodoc-process-docstring", head_module)
    app.connect("autodoc-process-docstring", qualify_errors)
