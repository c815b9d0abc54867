"""
The ``sipsorcery`` command: one module for each verb.
"""

from sipsorcery.cli.main import main

__all__ = ["main"]
