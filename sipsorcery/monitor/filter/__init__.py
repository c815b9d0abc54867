"""
The language in which people say which events they want to see. Pure.

``docs/filters.rst`` describes it.
"""
