"""
Configure Sphinx. ``make docs`` builds; a warning is an error.
"""

from sipsorcery import __version__

project = "sipsorcery"
copyright = "2026, The sipsorcery contributors"
author = "The sipsorcery contributors"
version = release = __version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"sipsorcery {release}"
html_show_sourcelink = False

# In the order of the source, where the important things stand first.
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
# A class is documented by its own docstring; the generated __init__ says no more.
autodoc_class_signature = "mixed"
autodoc_typehints_format = "short"
# `name` is a link where the name is documented, and else just a name.
default_role = "py:obj"
